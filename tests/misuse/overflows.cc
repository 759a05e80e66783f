// Writes before and behind a live block, by the program itself and by libc's functions for it.
#include "misuse.h"

#include <cstdlib>
#include <cstring>
#include <malloc.h>

enum { FAR = 65536, NEIGHBOURS = 64, LARGE_FROM = 100000 };

// What the damage begins with is told beforehand: a byte that is written as it was is not changed.
static void aim(scene &scene, ptrdiff_t from, size_t count)
{
    scene.from = from;
    scene.count = count;
    scene.before = peek(scene.block + from);
}

static void set_overflow(scene &scene, size_t from, size_t count)
{
    make_pinned_block(scene);
    aim(scene, static_cast<ptrdiff_t>(from == 0 ? scene.usable : from), count);
}

static void overflow_1(scene &scene)
{
    set_overflow(scene, 0, 1);
}

static void overflow_8(scene &scene)
{
    set_overflow(scene, 0, 8);
}

// One byte behind what was asked for: into what rounding up has left, if anything is left.
static void overflow_slack(scene &scene)
{
    set_overflow(scene, scene.bytes, 1);
}

static void overflow_linear(scene &scene)
{
    set_overflow(scene, 0, FAR);
}

static void underflow_linear(scene &scene)
{
    make_pinned_block(scene);
    aim(scene, -1, FAR);
}

// Every byte gets another value, whatever it was; one that cannot be read is written all the same.
static void act_write(scene &scene)
{
    volatile unsigned char *bytes = scene.block + scene.from;

    scene.is_damage = !scene.clean;
    for (size_t i = 0; i < scene.count && !scene.clean; i++)
        bytes[i] = static_cast<unsigned char>(~peek(scene.block + scene.from + i));
}

// The NUL of a text for which one byte too few was asked. Over a zero it changes nothing.
static void act_write_nul(scene &scene)
{
    scene.is_damage = !scene.clean;
    if (scene.clean)
        return;
    *static_cast<volatile unsigned char *>(scene.block + scene.from) = 0;
    if (scene.before == 0) {
        scene.by->end(scene.block);
        scene.is_over = true;
        scene.word = "harmless";
    }
}

static void act_write_linear(scene &scene)
{
    volatile unsigned char *bytes = scene.block + scene.from;
    ptrdiff_t step = scene.from < 0 ? -1 : 1;

    scene.is_damage = !scene.clean;
    for (size_t i = 0; i < scene.count && !scene.clean; i++, bytes += step)
        *bytes = 0x41;
}

static int compare_addresses(const void *left, const void *right)
{
    auto a = *static_cast<unsigned char *const *>(left);
    auto b = *static_cast<unsigned char *const *>(right);

    return a < b ? -1 : a > b;
}

// The index of a block whose neighbour below is the one before it in the array; 0: there is none.
static size_t find_neighbours(unsigned char **blocks, size_t count)
{
    ptrdiff_t distance = PTRDIFF_MAX;
    size_t found = 0;

    for (size_t i = 1; i < count; i++)
        if (blocks[i] - blocks[i - 1] < distance)
            distance = blocks[i] - blocks[i - 1];
    for (size_t i = 1; i < count && found == 0; i++)
        if (blocks[i] - blocks[i - 1] == distance && peek(blocks[i] - 8) >= 0)
            found = i;
    return found;
}

// Bytes below a block. The call is made with the neighbour that they lie behind.
static void set_underflow(scene &scene, ptrdiff_t distance)
{
    unsigned char *blocks[NEIGHBOURS];
    size_t count = scene.bytes > LARGE_FROM ? 1 : static_cast<size_t>(NEIGHBOURS);

    for (size_t i = 0; i < count; i++) {
        make_block(scene);
        blocks[i] = scene.block;
    }
    qsort(blocks, count, sizeof *blocks, compare_addresses);
    size_t found = find_neighbours(blocks, count);
    scene.block = blocks[found];
    scene.has_neighbour = found != 0;
    scene.pointer = scene.has_neighbour ? blocks[found - 1] : scene.block;
    for (size_t i = 0; i < count; i++)
        if (blocks[i] != scene.pointer)
            add_pin(blocks[i]);
    aim(scene, -distance, static_cast<size_t>(distance));
}

static void underflow_4(scene &scene)
{
    set_underflow(scene, 4);
}

static void underflow_8(scene &scene)
{
    set_underflow(scene, 8);
}

static unsigned char source[4 << 20];

// Four times as much as there is room for: to the block's start, or to four bytes behind it.
static void set_copy(scene &scene)
{
    memset(source, 0x41, sizeof source - 1);
    make_pinned_block(scene);
    aim(scene, 0, 4 * scene.usable);
}

static void set_copy_inside(scene &scene)
{
    set_copy(scene);
    scene.from = 4;
}

// How much a function may write: in a clean run no more than there is.
static size_t length_of(scene &scene)
{
    scene.is_damage = !scene.clean;
    return opaque(scene.clean ? scene.usable - static_cast<size_t>(scene.from) : scene.count);
}

static void act_memcpy(scene &scene)
{
    memcpy(opaque(scene.block + scene.from), source, length_of(scene));
}

static void act_memmove(scene &scene)
{
    memmove(opaque(scene.block + scene.from), source, length_of(scene));
}

static void act_memset(scene &scene)
{
    memset(opaque(scene.block + scene.from), 0x41, length_of(scene));
}

// The text and its NUL are as long as what the other functions copy.
static void act_strcpy(scene &scene)
{
    source[length_of(scene) - 1] = 0;
    strcpy(reinterpret_cast<char *>(opaque(scene.block + scene.from)),
           reinterpret_cast<char *>(source));
    source[length_of(scene) - 1] = 0x41;
}

static void act_over_read(scene &scene)
{
    memcpy(source, opaque(scene.block + scene.from), length_of(scene));
    scene.is_damage = false;
}

const attack overflow_attacks[] = {
    {"overflow_1", overflow_1, act_write},
    {"overflow_8", overflow_8, act_write},
    {"overflow_nul", overflow_1, act_write_nul},
    {"overflow_slack", overflow_slack, act_write},
    {"overflow_linear", overflow_linear, act_write_linear},
    {"underflow_4", underflow_4, act_write},
    {"underflow_8", underflow_8, act_write},
    {"underflow_linear", underflow_linear, act_write_linear},
    {"memcpy_x4", set_copy, act_memcpy},
    {"memcpy_x4_inside", set_copy_inside, act_memcpy},
    {"memmove_x4", set_copy, act_memmove},
    {"memset_x4", set_copy, act_memset},
    {"strcpy_x4", set_copy, act_strcpy},
    {"memcpy_over_read", set_copy, act_over_read},
    {nullptr, nullptr, nullptr},
};
