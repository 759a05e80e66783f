/* What a block holds: usable size, calloc's zeros, realloc's copy. */
#include "check.h"

#include <malloc.h>

enum { STEPS = 48, NEIGHBOURS = 48 };

/* A walk from 1 byte to 4 MiB in powers of four, each met from below, exactly and from above. */
static size_t some_size(int step)
{
    static const int offsets[] = {-1, 0, 1, 7};
    size_t base = (size_t)1 << step / 4 * 2, size = base + (size_t)offsets[step % 4];

    return size == 0 ? 5 : size;
}

static int neighbours_of(size_t bytes)
{
    return bytes <= 20000 ? NEIGHBOURS : 4;
}

static void *make(int how, size_t bytes)
{
    switch (how) {
    case 0:
        return malloc(bytes);
    case 1:
        return calloc(bytes, 1);
    case 2:
        return memalign(64, bytes);
    default:
        return realloc(malloc(3), bytes);
    }
}

static size_t count_other_than(const unsigned char *block, size_t bytes, int value)
{
    size_t wrong = 0;

    for (size_t i = 0; i < bytes; i++)
        wrong += block[i] != value;
    return wrong;
}

static void fill_and_verify(int how, size_t bytes)
{
    unsigned char *blocks[NEIGHBOURS];
    int count = neighbours_of(bytes);

    for (int i = 0; i < count; i++) {
        blocks[i] = make(how, bytes);
        size_t usable = malloc_usable_size(blocks[i]);

        EXPECT(usable >= bytes);
        memset(blocks[i], i + 1, usable);
    }
    for (int i = 0; i < count; i++) {
        EXPECT_EQUAL(count_other_than(blocks[i], malloc_usable_size(blocks[i]), i + 1), 0);
        free(blocks[i]);
    }
}

TEST(the_whole_usable_size_is_writable_and_belongs_to_one_block)
{
    for (int how = 0; how < 4; how++)
        for (int step = 0; step < STEPS; step++)
            fill_and_verify(how, some_size(step));
}

TEST(usable_size_of_NULL_is_zero)
{
    EXPECT_EQUAL(malloc_usable_size(NULL), 0);
}

TEST(usable_size_stays_the_same_while_the_block_lives)
{
    for (int step = 0; step < STEPS; step++) {
        void *block = malloc(some_size(step));
        size_t usable = malloc_usable_size(block);

        free(malloc(some_size(step)));
        EXPECT_EQUAL(malloc_usable_size(block), usable);
        free(block);
    }
}

/* Leaves behind freed memory that is anything but zero. */
static void dirty_the_heap(size_t bytes)
{
    unsigned char *blocks[NEIGHBOURS];
    int count = neighbours_of(bytes);

    for (int i = 0; i < count; i++) {
        blocks[i] = malloc(bytes);
        memset(blocks[i], 0xa5, malloc_usable_size(blocks[i]));
    }
    for (int i = 0; i < count; i++)
        free(blocks[i]);
}

static void expect_zeroed(size_t bytes)
{
    unsigned char *blocks[NEIGHBOURS];
    int count = neighbours_of(bytes);

    for (int i = 0; i < count; i++) {
        blocks[i] = i % 2 ? calloc(1, bytes) : calloc(bytes, 1);
        EXPECT_EQUAL(count_other_than(blocks[i], bytes, 0), 0);
        memset(blocks[i], 0x5a, bytes);
    }
    for (int i = 0; i < count; i++)
        free(blocks[i]);
}

TEST(calloc_is_zero_after_dirty_blocks_of_the_same_size)
{
    for (int step = 0; step < STEPS; step++) {
        dirty_the_heap(some_size(step));
        expect_zeroed(some_size(step));
        expect_zeroed(some_size(step));
    }
}

TEST(calloc_is_zero_after_dirty_blocks_of_other_sizes)
{
    for (int step = 0; step < STEPS; step++)
        dirty_the_heap(some_size(step));
    malloc_trim(0);
    for (int step = 0; step < STEPS; step++) {
        expect_zeroed(some_size(STEPS - 1 - step));
        dirty_the_heap(some_size(step * 7 % STEPS));
    }
}

TEST(calloc_is_zero_at_every_size_up_to_2_KiB)
{
    for (size_t bytes = 1; bytes <= 2048; bytes++) {
        unsigned char *dirty = malloc(bytes), *clean;

        memset(dirty, 0xff, bytes);
        free(dirty);
        clean = calloc(1, bytes);
        EXPECT_EQUAL(count_other_than(clean, bytes, 0), 0);
        free(clean);
    }
}

TEST(realloc_of_NULL_is_malloc)
{
    for (int step = 0; step < STEPS; step++) {
        size_t bytes = some_size(step);
        void *block = realloc(NULL, bytes);

        if (EXPECT(block != NULL))
            memset(block, 1, bytes);
        free(block);
    }
}

TEST(reallocarray_multiplies_and_keeps_the_content)
{
    int *numbers = reallocarray(NULL, 10, sizeof *numbers);

    for (int i = 0; i < 10; i++)
        numbers[i] = i * i;
    numbers = reallocarray(numbers, 100000, sizeof *numbers);
    numbers[99999] = 1;
    for (int i = 0; i < 10; i++)
        EXPECT_EQUAL(numbers[i], i * i);
    free(numbers);
}

struct shadow {
    unsigned char *at;
    size_t bytes;
    unsigned tag;
};

static unsigned char pattern(unsigned tag, size_t index)
{
    return (unsigned char)(tag * 131 + index * 7 + (index >> 8));
}

static void shadow_fill(struct shadow *block, size_t from)
{
    for (size_t i = from; i < block->bytes; i++)
        block->at[i] = pattern(block->tag, i);
}

static bool shadow_holds(const struct shadow *block, size_t bytes)
{
    size_t wrong = 0;

    for (size_t i = 0; i < bytes; i++)
        wrong += block->at[i] != pattern(block->tag, i);
    return wrong == 0;
}

static unsigned next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33);
}

/* Mostly small; often around 256 KiB, where blocks become large; rarely of several MiB. */
static size_t random_size(uint64_t *state)
{
    unsigned kind = next_random(state) % 128, value = next_random(state);

    if (kind < 96)
        return 1 + value % 1200;
    if (kind < 118)
        return 1 + value % 70000;
    if (kind < 126)
        return 262144 - 9000 + value % 18000;
    return 1 + value % (6 << 20);
}

/* Returns false when the block did not keep its content. */
static bool shadow_resize(struct shadow *block, size_t bytes)
{
    size_t kept = block->bytes < bytes ? block->bytes : bytes;

    if (!shadow_holds(block, block->bytes))
        return false;
    block->at = realloc(block->at, bytes);
    block->bytes = bytes;
    if (block->at == NULL || !shadow_holds(block, kept))
        return false;
    shadow_fill(block, kept);
    return true;
}

TEST(realloc_keeps_the_content_through_any_sequence_of_sizes)
{
    enum { LIVE = 40, MOVES = 5000 };
    static struct shadow live[LIVE];
    uint64_t state = 20240607;

    for (unsigned move = 0; move < MOVES; move++) {
        struct shadow *block = &live[next_random(&state) % LIVE];
        /* One move in four keeps the size, or nearly: the paths that stay in place. */
        size_t bytes = move % 4 ? random_size(&state) : block->bytes + next_random(&state) % 3 + 1;

        if (block->at == NULL)
            block->tag = move;
        if (!EXPECT(shadow_resize(block, bytes)))
            return;
    }
    for (int i = 0; i < LIVE; i++) {
        EXPECT(shadow_holds(&live[i], live[i].bytes));
        free(live[i].at);
    }
}

TEST(realloc_grows_and_shrinks_a_large_block_in_small_steps)
{
    struct shadow block = {NULL, 0, 5};

    for (size_t bytes = 100000; bytes < 3000000; bytes += 150001)
        EXPECT(shadow_resize(&block, bytes));
    for (size_t bytes = 3000000; bytes > 100; bytes = bytes * 3 / 4)
        EXPECT(shadow_resize(&block, bytes));
    free(block.at);
}
