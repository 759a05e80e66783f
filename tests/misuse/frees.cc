// Use of a block after its end, by the program itself, and how soon its memory has another owner.
#include "misuse.h"

#include <algorithm>
#include <cstring>

enum { PAIRS = 3000, LATER = 100, HEAD = 16 };
enum : size_t { HOARD = 4096, HOARD_BYTES = 8 << 20 };
enum : size_t { CROWD = 1 << 16, CROWD_BYTES = 48 << 20 };

static void set_write(scene &scene, size_t from, size_t count)
{
    make_pinned_block(scene);
    scene.from = static_cast<ptrdiff_t>(from);
    scene.count = count;
}

static void write_head(scene &scene)
{
    set_write(scene, 0, 8);
}

static void write_inside(scene &scene)
{
    set_write(scene, 32, 8);
}

static void write_last(scene &scene)
{
    set_write(scene, scene.bytes - 1, 1);
}

// Makes and ends blocks of the class until the damaged slot has come again, or surely will not.
static void reuse(scene &scene)
{
    static void *hoard[HOARD];
    size_t limit = HOARD_BYTES / scene.bytes < HOARD ? HOARD_BYTES / scene.bytes : size_t(HOARD);
    size_t count = 0;

    for (int i = 0; i < PAIRS && scene.bytes < 100000; i++)
        scene.by->end(opaque(scene.by->make(scene.bytes)));
    while (count < limit && (count == 0 || hoard[count - 1] != scene.block))
        hoard[count++] = opaque(scene.by->make(scene.bytes));
    while (count > 0)
        scene.by->end(hoard[--count]);
}

static void act_write(scene &scene)
{
    volatile unsigned char *bytes = scene.block + scene.from;

    scene.by->end(opaque(scene.block));
    for (size_t i = 0; i < scene.count && !scene.clean; i++)
        bytes[i] = 0x41;
    reuse(scene);
    scene.is_damage = scene.is_over = true;
}

// How many of the first `count` bytes still are what the program filled its block with.
static size_t secrets_left(const scene &scene, size_t count)
{
    const volatile unsigned char *bytes = scene.block;
    size_t left = 0;

    for (size_t i = 0; i < count; i++)
        left += bytes[i] == 0x11;
    return left;
}

static void read_some(scene &scene, size_t count)
{
    scene.by->end(opaque(scene.block));
    scene.is_owned = false;
    scene.is_over = true;
    if (scene.clean || secrets_left(scene, count) == 0)
        scene.word = "unreadable";
}

static void act_read(scene &scene)
{
    read_some(scene, scene.bytes);
}

static void act_read_head(scene &scene)
{
    read_some(scene, HEAD);
}

// A block of the same size that has the memory of the one that was just ended would be a stale
// pointer's new victim. What is made is kept.
static void make_some(scene &scene, int count)
{
    bool is_reused = false;

    scene.by->end(opaque(scene.block));
    scene.is_owned = false;
    scene.is_over = true;
    for (int i = 0; i < count; i++) {
        void *block = opaque(scene.by->make(scene.bytes));
        is_reused |= block == scene.block;
        add_pin(block);
    }
    if (scene.clean || !is_reused)
        scene.word = "not reused";
}

static void act_make_one(scene &scene)
{
    make_some(scene, 1);
}

static void act_make_many(scene &scene)
{
    make_some(scene, LATER);
}

// Whether the block has the memory of one that was freed.
static bool covers_any(char *const *freed, size_t count, char *block, size_t bytes)
{
    char *const *next = std::lower_bound(freed, freed + count, block);

    return next < freed + count && *next < block + bytes;
}

// A stale pointer to one type would reach into another, wherever in the program that is made: whole
// spans are emptied, and more memory than they had is asked for in blocks of twice the size.
static void act_make_others(scene &scene)
{
    static char *freed[CROWD];
    size_t count = std::min(CROWD_BYTES / scene.bytes, size_t(CROWD));
    size_t bytes = 2 * scene.bytes;
    bool is_reused = false;

    for (size_t i = 0; i < count; i++)
        freed[i] = static_cast<char *>(opaque(scene.by->make(scene.bytes)));
    for (size_t i = 0; i < count; i++)
        scene.by->end(opaque(static_cast<void *>(freed[i])));
    scene.is_over = true;
    scene.is_owned = scene.clean; // of the class that was emptied
    if (!scene.clean)
        scene.by->end(opaque(static_cast<void *>(scene.block)));
    std::sort(freed, freed + count);
    for (size_t i = 0; i < count && !is_reused && !scene.clean; i++) {
        void *block = opaque(scene.by->make(bytes)); // kept
        is_reused = covers_any(freed, count, static_cast<char *>(block), bytes);
    }
    if (!is_reused)
        scene.word = "no other class";
}

const attack free_attacks[] = {
    {"write_after_free_head", write_head, act_write},
    {"write_after_free_inside", write_inside, act_write},
    {"write_after_free_last", write_last, act_write},
    {"read_after_free", make_pinned_block, act_read},
    {"read_after_free_head", make_pinned_block, act_read_head},
    {"no_immediate_reuse", make_block, act_make_one},
    {"no_reuse_in_100", make_block, act_make_many},
    {"no_reuse_by_another_class", make_block, act_make_others},
    {nullptr, nullptr, nullptr},
};
