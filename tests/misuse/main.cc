// misuse CASE CALL BYTES [--clean]
//
// Tells on stdout what is about to happen and does it. --clean does all but the misuse and must end
// with 0. A misuse that nobody stops ends with 10, or with 11 when memory then has two owners.
#include "misuse.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

enum ending { CLEAN = 0, USAGE = 2, UNNOTICED = 10, TWO_OWNERS = 11 };

// By write(2), so that the heap is as the case left it.
static void tell(const scene &scene)
{
    char line[200];
    int length = snprintf(line, sizeof line, "block=%#lx usable=%zu pointer=%#lx stated=%zu,%zu\n",
                          reinterpret_cast<unsigned long>(scene.block), scene.usable,
                          reinterpret_cast<unsigned long>(scene.pointer), scene.stated_alignment,
                          scene.stated_bytes);

    if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) != length)
        _exit(USAGE);
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

int main(int argc, char **argv)
{
    scene scene;

    if (argc < 4 || (scene.by = find_call(argv[2])) == nullptr)
        return USAGE;
    scene.bytes = scene.stated_bytes = strtoul(argv[3], nullptr, 10);
    scene.clean = argc > 4 && strcmp(argv[4], "--clean") == 0;
    workers_start();
    if (!set_scene(argv[1], scene))
        return USAGE;
    tell(scene);
    if (scene.hit_by >= 0)
        worker_run(scene.hit_by, hit, scene);
    else
        hit(scene);
    if (scene.clean) {
        if (left_over != nullptr)
            scene.by->end(left_over);
        end_pins(scene);
        return CLEAN;
    }
    // For interior pointers and the like the program still counts on its block.
    scene.is_owned = scene.is_owned && scene.pointer != scene.block;
    return has_two_owners(scene, left_over) ? TWO_OWNERS : UNNOTICED;
}
