// The cases: each leaves in the scene a pointer that the call should refuse, or, when the scene is
// clean, one that it should accept.
#include "misuse.h"

#include <cstring>
#include <malloc.h>
#include <sys/mman.h>

enum { OTHERS = 200, INTERIOR = 16, FAR_INTERIOR = 8192, UNALIGNED = 3 };

// Live neighbours: the block's span cannot be recycled while they stay.
static struct {
    void *blocks[64];
    size_t count;
} pins;

static void make_pins(scene &scene)
{
    for (int i = 0; i < 32 && scene.bytes < 100000; i++)
        pins.blocks[pins.count++] = scene.by->make(scene.bytes);
}

void end_pins(const scene &scene)
{
    while (pins.count > 0)
        scene.by->end(pins.blocks[--pins.count]);
}

static void make_pinned_block(scene &scene)
{
    make_pins(scene);
    make_block(scene);
    make_pins(scene);
}

void make_block(scene &scene)
{
    scene.block = static_cast<unsigned char *>(opaque(scene.by->make(scene.bytes)));
    memset(scene.block, 0x11, scene.bytes);
    scene.usable = malloc_usable_size(scene.block);
    scene.pointer = scene.block;
    scene.is_owned = true;
}

// The proper end that the misuse then repeats.
static void end_block(scene &scene)
{
    if (scene.clean)
        return;
    scene.by->end(opaque(scene.block));
    scene.is_owned = false;
}

static void double_free_immediate(scene &scene)
{
    make_pinned_block(scene);
    void *neighbour = opaque(scene.by->make(scene.bytes));
    end_block(scene);
    if (scene.clean)
        scene.by->end(neighbour);
}

static void double_free_interleaved(scene &scene)
{
    make_pinned_block(scene);
    void *neighbour = opaque(scene.by->make(scene.bytes));
    end_block(scene);
    scene.by->end(neighbour);
}

static void double_free_200_frees_later(scene &scene)
{
    void *others[OTHERS];

    make_pinned_block(scene);
    for (void *&other : others)
        other = scene.by->make(scene.bytes);
    end_block(scene);
    for (void *other : others)
        scene.by->end(other);
}

static void double_free_in_another_thread(scene &scene)
{
    make_pinned_block(scene);
    end_block(scene);
    scene.hit_by = 0;
}

static void double_free_by_two_remote_threads(scene &scene)
{
    make_pinned_block(scene);
    worker_run(0, end_block, scene);
    scene.hit_by = 1;
}

static void double_free_after_its_thread_ended(scene &scene)
{
    make_pinned_block(scene);
    worker_run(0, end_block, scene);
    worker_end(0);
}

// Every block of the class that the program has, and its memory given back.
static void double_free_after_the_span_was_recycled(scene &scene)
{
    static void *others[1 << 18];
    size_t count = (4 << 20) / scene.bytes + 4;

    for (size_t i = 0; i < count; i++) {
        if (i == count / 2)
            make_block(scene);
        others[i] = scene.by->make(scene.bytes);
    }
    end_block(scene);
    for (size_t i = 0; i < count; i++)
        scene.by->end(others[i]);
    malloc_trim(0);
}

static void point_inside(scene &scene, size_t offset)
{
    make_pinned_block(scene);
    if (!scene.clean)
        scene.pointer = scene.block + offset;
}

static void interior(scene &scene)
{
    point_inside(scene, INTERIOR);
}

static void interior_far(scene &scene)
{
    point_inside(scene, FAR_INTERIOR);
}

static void interior_of_a_free_block(scene &scene)
{
    point_inside(scene, INTERIOR);
    end_block(scene);
}

static void unaligned(scene &scene)
{
    point_inside(scene, UNALIGNED);
}

static void unaligned_far(scene &scene)
{
    point_inside(scene, scene.bytes / 2 + UNALIGNED);
}

static void point_at(scene &scene, uintptr_t address)
{
    if (scene.clean)
        make_block(scene);
    else
        scene.pointer = reinterpret_cast<void *>(opaque(address));
}

static void foreign_stack(scene &scene)
{
    alignas(64) unsigned char local[256];

    memset(local, 0, sizeof local);
    point_at(scene, opaque(reinterpret_cast<uintptr_t>(local)));
}

static void foreign_global(scene &scene)
{
    alignas(64) static unsigned char global[4096];

    memset(global, 0, sizeof global);
    point_at(scene, reinterpret_cast<uintptr_t>(global + 1024));
}

static void foreign_mapping(scene &scene)
{
    char *pages = static_cast<char *>(
        mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    memset(pages, 0, 1 << 20);
    point_at(scene, reinterpret_cast<uintptr_t>(pages + 65536));
}

static void foreign_code(scene &scene)
{
    point_at(scene, reinterpret_cast<uintptr_t>(&foreign_mapping) & ~uintptr_t(15));
}

static void foreign_one(scene &scene)
{
    point_at(scene, 1);
}

static void foreign_non_canonical(scene &scene)
{
    point_at(scene, 0xdeadbeefdeadbeef);
}

static void foreign_kernel(scene &scene)
{
    point_at(scene, 0xffff888000001000);
}

static void foreign_all_ones(scene &scene)
{
    point_at(scene, UINTPTR_MAX);
}

// The call stays, the block comes from the interface of another call.
static void made_by(scene &scene, const char *other)
{
    const call *asked = scene.by;

    scene.by = find_call(other);
    make_block(scene);
    if (!scene.clean)
        scene.by = asked;
}

static void made_by_malloc(scene &scene)
{
    made_by(scene, "free");
}

static void made_by_aligned_alloc(scene &scene)
{
    made_by(scene, "free_aligned_sized");
}

static void made_by_new(scene &scene)
{
    made_by(scene, "delete");
}

static void made_by_new_array(scene &scene)
{
    made_by(scene, "delete_array");
}

static void made_by_aligned_new(scene &scene)
{
    made_by(scene, "delete_aligned");
}

static void made_by_aligned_new_array(scene &scene)
{
    made_by(scene, "delete_array_aligned");
}

static void size_too_small(scene &scene)
{
    make_block(scene);
    if (!scene.clean)
        scene.stated_bytes = scene.bytes / 2;
}

static void size_too_big(scene &scene)
{
    make_block(scene);
    if (!scene.clean)
        scene.stated_bytes = scene.usable + 1;
}

static void alignment_too_big(scene &scene)
{
    make_block(scene);
    while (!scene.clean && reinterpret_cast<uintptr_t>(scene.block) % scene.stated_alignment == 0)
        scene.stated_alignment *= 2;
}

#define CASE(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

static const struct {
    const char *name;
    void (*set)(scene &);
} cases[] = {
    CASE(double_free_immediate),
    CASE(double_free_interleaved),
    CASE(double_free_200_frees_later),
    CASE(double_free_in_another_thread),
    CASE(double_free_by_two_remote_threads),
    CASE(double_free_after_its_thread_ended),
    CASE(double_free_after_the_span_was_recycled),
    CASE(interior),
    CASE(interior_far),
    CASE(interior_of_a_free_block),
    CASE(unaligned),
    CASE(unaligned_far),
    CASE(foreign_stack),
    CASE(foreign_global),
    CASE(foreign_mapping),
    CASE(foreign_code),
    CASE(foreign_one),
    CASE(foreign_non_canonical),
    CASE(foreign_kernel),
    CASE(foreign_all_ones),
    CASE(made_by_malloc),
    CASE(made_by_aligned_alloc),
    CASE(made_by_new),
    CASE(made_by_new_array),
    CASE(made_by_aligned_new),
    CASE(made_by_aligned_new_array),
    CASE(size_too_small),
    CASE(size_too_big),
    CASE(alignment_too_big),
};

bool set_scene(const char *name, scene &scene)
{
    for (const auto &one : cases) {
        if (strcmp(one.name, name) == 0) {
            one.set(scene);
            return true;
        }
    }
    return false;
}
