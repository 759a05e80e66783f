// misuse CASE CALL BYTES [--clean]      misuse --batch FILE, with lines of CASE CALL BYTES
//
// Tells on stdout what is about to happen and does it. --clean does all but the misuse and must end
// with 0, and so does a batch, which is clean. A property that holds is told and ends with 0. A
// misuse that nobody stops ends with 10, or with 11 when memory then has two owners.
#include "misuse.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <unistd.h>

enum ending { CLEAN = 0, USAGE = 2, UNNOTICED = 10, TWO_OWNERS = 11 };

// By write(2), so that the heap is as the case left it.
static void tell(const scene &scene)
{
    char line[300];
    int length = snprintf(line, sizeof line,
                          "block=%#lx usable=%zu pointer=%#lx stated=%zu,%zu from=%td count=%zu "
                          "before=%d neighbour=%d\n",
                          reinterpret_cast<unsigned long>(scene.block), scene.usable,
                          reinterpret_cast<unsigned long>(scene.pointer), scene.stated_alignment,
                          scene.stated_bytes, scene.from, scene.count, scene.before,
                          scene.has_neighbour);

    if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) != length)
        _exit(USAGE);
}

static int tell_word(const scene &scene)
{
    char line[100];
    int length = snprintf(line, sizeof line, "%s\n", scene.word);

    return write(STDOUT_FILENO, line, static_cast<size_t>(length)) == length ? CLEAN : USAGE;
}

struct range {
    uintptr_t from, bytes;
};

static bool overlap(const range &a, const range &b)
{
    return a.bytes != 0 && b.bytes != 0 && a.from < b.from + b.bytes && b.from < a.from + a.bytes;
}

// Does malloc hand out one place twice, or a place that still has an owner?
static bool has_two_owners(const scene &scene, void *owned)
{
    enum { MOST = 512 };
    static range ranges[MOST + 3];
    size_t count = scene.bytes > 100000 ? 16 : static_cast<size_t>(MOST);

    for (size_t i = 0; i < count; i++)
        ranges[i] = {reinterpret_cast<uintptr_t>(opaque(malloc(scene.bytes))), scene.bytes};
    if (scene.block == nullptr) // foreign: whoever it belongs to still does
        ranges[count++] = {reinterpret_cast<uintptr_t>(scene.pointer) >> 16 << 16, 65536};
    if (scene.is_owned)
        ranges[count++] = {reinterpret_cast<uintptr_t>(scene.block), scene.bytes};
    if (owned != nullptr && owned != scene.pointer)
        ranges[count++] = {reinterpret_cast<uintptr_t>(owned), scene.bytes / 2};
    else if (owned != nullptr && strncmp(scene.by->name, "realloc", 7) == 0)
        ranges[count++] = {reinterpret_cast<uintptr_t>(owned), scene.bytes};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (overlap(ranges[i], ranges[j]) && ranges[i].from != 0)
                return true;
    return false;
}

static void *left_over;

static void hit(scene &scene)
{
    left_over = scene.by->hit(scene);
}

static void make_call(scene &scene)
{
    left_over = nullptr;
    if (scene.hit_by >= 0)
        worker_run(scene.hit_by, hit, scene);
    else if (!scene.is_over)
        hit(scene);
    if (left_over != nullptr && (scene.clean || scene.is_damage))
        scene.by->end(left_over);
    if (scene.clean || scene.is_damage) // the damage may be a neighbour's
        end_pins(scene);
}

static const attack *find_attack(const char *name)
{
    const attack *const tables[] = {pointer_attacks, overflow_attacks, free_attacks,
                                    limit_attacks,   race_attacks,     internal_attacks};

    for (const attack *table : tables)
        for (; table->name != nullptr; table++)
            if (strcmp(table->name, name) == 0)
                return table;
    return nullptr;
}

static int run(scene &scene, const char *name, const char *call, const char *bytes)
{
    const attack *attack = find_attack(name);

    if (attack == nullptr || (scene.by = find_call(call)) == nullptr)
        return USAGE;
    scene.bytes = scene.stated_bytes = strtoul(bytes, nullptr, 10);
    workers_start();
    attack->set(scene);
    tell(scene);
    if (attack->act != nullptr)
        attack->act(scene);
    make_call(scene);
    if (scene.clean)
        return CLEAN;
    if (scene.is_over && scene.word != nullptr)
        return tell_word(scene);
    if (scene.is_damage || scene.is_over)
        return scene.is_over && scene.is_owned && !scene.is_damage ? TWO_OWNERS : UNNOTICED;
    // For interior pointers and the like the program still counts on its block.
    scene.is_owned = scene.is_owned && scene.pointer != scene.block;
    return has_two_owners(scene, left_over) ? TWO_OWNERS : UNNOTICED;
}

static int run_batch(const char *path)
{
    char line[200], name[64], call[64], bytes[32];
    FILE *file = fopen(path, "r");

    while (file != nullptr && fgets(line, sizeof line, file) != nullptr) {
        scene scene;
        scene.clean = true;
        if (sscanf(line, "%63s %63s %31s", name, call, bytes) != 3)
            return USAGE;
        int ending = run(scene, name, call, bytes);
        if (ending != CLEAN)
            return ending;
    }
    return file != nullptr && fclose(file) == 0 ? CLEAN : USAGE;
}

int main(int argc, char **argv)
{
    scene scene;

    if (argc == 3 && strcmp(argv[1], "--batch") == 0)
        return run_batch(argv[2]);
    if (argc < 4)
        return USAGE;
    scene.clean = argc > 4 && strcmp(argv[4], "--clean") == 0;
    return run(scene, argv[1], argv[2], argv[3]);
}
