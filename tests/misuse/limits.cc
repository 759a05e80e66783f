// Blocks of no bytes, and sizes that cannot be.
#include "misuse.h"

#include <cerrno>
#include <cstdlib>
#include <malloc.h>
#include <new>

static void set_zero(scene &scene)
{
    scene.bytes = 0;
    make_block(scene);
    scene.count = 1;
}

static void act_write_zero(scene &scene)
{
    if (!scene.clean)
        *static_cast<volatile unsigned char *>(scene.block) = 0x41;
}

static void act_read_zero(scene &scene)
{
    if (!scene.clean)
        opaque(static_cast<int>(*static_cast<volatile unsigned char *>(scene.block)));
}

static const size_t impossible[] = {static_cast<size_t>(-64), SIZE_MAX, size_t(1) << 63,
                                    SIZE_MAX - 4096, static_cast<size_t>(PTRDIFF_MAX)};

static bool refuses_new(size_t bytes)
{
    try {
        return opaque(operator new(bytes)) == nullptr;
    } catch (const std::bad_alloc &) {
        return true;
    }
}

static bool refuses_realloc(scene &scene, size_t bytes)
{
    void *block = scene.by->make(scene.bytes);
    void *moved = opaque(realloc(block, bytes));

    scene.by->end(moved == nullptr ? block : moved);
    return moved == nullptr;
}

// A block of that size, were it given out, would hold less than was asked for.
static void act_impossible(scene &scene)
{
    void *found = nullptr;
    bool has_told = true;

    for (size_t bytes : impossible) {
        errno = 0;
        scene.is_owned |= opaque(malloc(bytes)) != nullptr;
        has_told &= errno == ENOMEM;
        scene.is_owned |= opaque(aligned_alloc(ALIGNMENT, bytes)) != nullptr;
        scene.is_owned |= opaque(memalign(4096, bytes)) != nullptr;
        scene.is_owned |= posix_memalign(&found, ALIGNMENT, bytes) == 0;
        scene.is_owned |= opaque(operator new[](bytes, std::nothrow)) != nullptr;
        scene.is_owned |= !refuses_new(bytes) || !refuses_realloc(scene, bytes);
    }
    scene.is_over = true;
    if (!scene.is_owned && has_told)
        scene.word = "refused";
}

// The product wraps around to `bytes` or so.
static void act_wrapping(scene &scene)
{
    size_t many = SIZE_MAX / scene.bytes + 2;
    void *block = scene.by->make(scene.bytes);

    errno = 0;
    scene.is_owned = opaque(calloc(many, scene.bytes)) != nullptr;
    bool has_told = errno == ENOMEM;
    scene.is_owned |= opaque(calloc(scene.bytes, many)) != nullptr;
    scene.is_owned |= opaque(reallocarray(nullptr, many, scene.bytes)) != nullptr;
    void *moved = opaque(reallocarray(block, scene.bytes, many));
    scene.is_owned |= moved != nullptr;
    scene.by->end(moved == nullptr ? block : moved);
    scene.is_over = true;
    if (!scene.is_owned && has_told)
        scene.word = "refused";
}

static void set_nothing(scene &)
{
}

const attack limit_attacks[] = {
    {"write_to_nothing", set_zero, act_write_zero},
    {"read_of_nothing", set_zero, act_read_zero},
    {"impossible_sizes", set_nothing, act_impossible},
    {"wrapping_products", set_nothing, act_wrapping},
    {nullptr, nullptr, nullptr},
};
