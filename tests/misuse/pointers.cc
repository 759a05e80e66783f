// Wrong pointers and wrong promises: each case leaves in the scene a pointer that the call should
// refuse, or, when the scene is clean, one that it should accept.
#include "misuse.h"

#include <cstring>
#include <malloc.h>
#include <sys/mman.h>

enum { OTHERS = 200, INTERIOR = 16, FAR_INTERIOR = 8192, UNALIGNED = 3 };

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

static void double_free_after_a_write(scene &scene)
{
    volatile unsigned char *bytes = scene.block;

    end_block(scene);
    for (size_t i = 0; i < scene.bytes && i < 48 && !scene.clean; i++)
        bytes[i] = 0x41;
}

// Freed long ago: 1,000 blocks of its class came and went in the meantime.
static void double_free_after_traffic(scene &scene)
{
    end_block(scene);
    for (int i = 0; i < 1000; i++)
        scene.by->end(opaque(scene.by->make(scene.bytes)));
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

static void size_one_less(scene &scene)
{
    make_block(scene);
    if (!scene.clean)
        scene.stated_bytes = scene.bytes - 1;
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

const attack pointer_attacks[] = {
    {"double_free_immediate", double_free_immediate, nullptr},
    {"double_free_interleaved", double_free_interleaved, nullptr},
    {"double_free_200_frees_later", double_free_200_frees_later, nullptr},
    {"double_free_in_another_thread", double_free_in_another_thread, nullptr},
    {"double_free_by_two_remote_threads", double_free_by_two_remote_threads, nullptr},
    {"double_free_after_its_thread_ended", double_free_after_its_thread_ended, nullptr},
    {"double_free_after_a_write", make_pinned_block, double_free_after_a_write},
    {"double_free_after_traffic", make_pinned_block, double_free_after_traffic},
    {"double_free_after_the_span_was_recycled", double_free_after_the_span_was_recycled, nullptr},
    {"interior", interior, nullptr},
    {"interior_far", interior_far, nullptr},
    {"interior_of_a_free_block", interior_of_a_free_block, nullptr},
    {"unaligned", unaligned, nullptr},
    {"unaligned_far", unaligned_far, nullptr},
    {"foreign_stack", foreign_stack, nullptr},
    {"foreign_global", foreign_global, nullptr},
    {"foreign_mapping", foreign_mapping, nullptr},
    {"foreign_code", foreign_code, nullptr},
    {"foreign_one", foreign_one, nullptr},
    {"foreign_non_canonical", foreign_non_canonical, nullptr},
    {"foreign_kernel", foreign_kernel, nullptr},
    {"foreign_all_ones", foreign_all_ones, nullptr},
    {"made_by_malloc", made_by_malloc, nullptr},
    {"made_by_aligned_alloc", made_by_aligned_alloc, nullptr},
    {"made_by_new", made_by_new, nullptr},
    {"made_by_new_array", made_by_new_array, nullptr},
    {"made_by_aligned_new", made_by_aligned_new, nullptr},
    {"made_by_aligned_new_array", made_by_aligned_new_array, nullptr},
    {"size_too_small", size_too_small, nullptr},
    {"size_one_less", size_one_less, nullptr},
    {"size_too_big", size_too_big, nullptr},
    {"alignment_too_big", alignment_too_big, nullptr},
    {nullptr, nullptr, nullptr},
};
