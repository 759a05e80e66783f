/* Each defence can be switched off, or up, by itself: the heap stays right, and where it can be
 * seen from outside the defence is off. */
#include "again.h"
#include "probe.h"

#include <dlfcn.h>
#include <pthread.h>

enum { OPERATIONS = 100000, HELD = 600, LARGE = 1 << 20 };

struct held {
    char *block;
    size_t bytes;
    char with;
};

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Mostly small; one in 4,096 is large. */
static size_t draw_bytes(uint32_t *state)
{
    uint32_t way = draw(state) % 4096;

    if (way == 0)
        return 270000 + draw(state) % 600000;
    if (way < 64)
        return draw(state) % 60000;
    return draw(state) % (way < 1024 ? 3000 : 300);
}

/* Whole blocks up to a page; of longer ones both ends and some of the middle. */
static void fill(struct held *held, char with)
{
    held->with = with;
    if (held->bytes <= 4096) {
        memset(held->block, with, held->bytes);
        return;
    }
    memset(held->block, with, 1024);
    memset(held->block + held->bytes - 1024, with, 1024);
    for (size_t at = 1024; at < held->bytes - 1024; at += 997)
        held->block[at] = with;
}

static bool is_whole(const struct held *held, size_t bytes)
{
    if (bytes <= 4096)
        return is_filled(held->block, bytes < 1024 || held->bytes <= 4096 ? bytes : 1024,
                         held->with);
    for (size_t at = 1024; at < bytes - 1024 && at < held->bytes - 1024; at += 997)
        if (held->block[at] != held->with)
            return false;
    return is_filled(held->block, 1024, held->with) &&
           (bytes < held->bytes || is_filled(held->block + bytes - 1024, 1024, held->with));
}

static void allocate(struct held *held, uint32_t *state)
{
    uint32_t way = draw(state) % 8;

    held->bytes = draw_bytes(state) + 1;
    if (way < 2)
        held->block = calloc(1, held->bytes);
    else if (way == 2)
        held->block = aligned_alloc((size_t)16 << draw(state) % 9, held->bytes);
    else
        held->block = malloc(held->bytes);
    REQUIRE(held->block != NULL);
    REQUIRE(way >= 2 || is_filled(held->block, held->bytes, 0));
    fill(held, (char)(draw(state) | 1));
}

static void resize(struct held *held, uint32_t *state)
{
    size_t bytes = draw_bytes(state) + 1;
    size_t kept = bytes < held->bytes ? bytes : held->bytes;

    REQUIRE((held->block = realloc(held->block, bytes)) != NULL);
    REQUIRE(is_whole(held, kept));
    held->bytes = bytes;
    fill(held, held->with);
}

static void *churn(void *seed)
{
    struct held *all = calloc(HELD, sizeof *all);
    uint32_t state = (uint32_t)(uintptr_t)seed;

    for (int i = 0; i < OPERATIONS; i++) {
        struct held *held = &all[draw(&state) % HELD];

        if (held->block == NULL) {
            allocate(held, &state);
        } else if (draw(&state) % 5 == 0) {
            resize(held, &state);
        } else {
            REQUIRE(is_whole(held, held->bytes));
            free(held->block);
            held->block = NULL;
        }
        if (i % 20000 == 19999)
            malloc_trim(0);
    }
    for (int i = 0; i < HELD; i++)
        free(all[i].block);
    free(all);
    return NULL;
}

BODY(churns)
{
    churn((void *)1);
}

BODY(churns_in_two_threads)
{
    pthread_t thread;

    REQUIRE(pthread_create(&thread, NULL, churn, (void *)2) == 0);
    churn((void *)3);
    pthread_join(thread, NULL);
}

static const char *const switches[] = {
    "",
    "canary=0",
    "zero_bytes=0",
    "zero_check=0",
    "zero_bytes=1G",
    "quarantine_slots=0",
    "quarantine_bytes=0",
    "span_quarantine=0",
    "guard_pages=0",
    "guard_pages=4",
    "guard_pages=64",
    "guard_interval=64K",
    "guard_large=0",
    "guard_free=0",
    "guard_large=0:guard_free=0",
    "guard_madvise=0",
    "guard_madvise=0:guard_budget=10",
    "sample_bytes=0",
    "sample_bytes=1",
    "sample_bytes=1:sample_slots=65536",
    "isolate_classes=1",
    "isolate_classes=1:guard_madvise=0",
    "encode=0",
    "seal=0",
    "fault_reports=0",
    "dirty_bytes=0",
    "thread_cache_bytes=0",
    "profile=fast",
    "profile=strict",
    "profile=fast:canary=1",
    "profile=strict:canary=0",
};

TEST(the_heap_is_right_with_each_defence_off_or_up)
{
    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        EXPECT(again_is("churns", switches[i], 0, ""));
}

TEST(so_it_is_in_two_threads)
{
    NOT_OVER_GLIBC();
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i += 3)
        EXPECT(again_is("churns_in_two_threads", switches[i], 0, ""));
}

/* ---- off is off ---- */

static bool end_is_guarded(void)
{
    char *block = malloc(LARGE);
    bool guarded = faults(block + LARGE, PROBE_READ);

    free(block);
    return guarded;
}

BODY(guards_its_large_blocks)
{
    REQUIRE(end_is_guarded());
}

BODY(has_guards_behind_spans)
{
    for (int i = 0; i < 1000; i++)
        REQUIRE(malloc(1000) != NULL);
    REQUIRE(figure("guard_bytes") > 0);
}

BODY(has_no_guards_behind_spans)
{
    for (int i = 0; i < 1000; i++)
        REQUIRE(malloc(1000) != NULL);
    REQUIRE(figure("guard_bytes") == 0);
}

BODY(has_canaries)
{
    char *block = malloc(24);

    REQUIRE(malloc_usable_size(block) == 24);
    block[opaque(24)]++;
    free(block);
}

BODY(has_no_canaries)
{
    char *block = malloc(24);

    REQUIRE(malloc_usable_size(block) == 32);
    block[opaque(24)]++;
    free(block);
}

BODY(writes_to_a_free_block)
{
    char *blocks[300];

    for (int i = 0; i < 300; i++)
        blocks[i] = malloc(64);
    for (int i = 0; i < 300; i++) {
        free(blocks[i]);
        blocks[i][opaque(4)] = 1;
    }
    for (int i = 0; i < 300; i++)
        REQUIRE(malloc(64) != NULL);
}

TEST(what_is_off_is_off_and_what_is_on_is_on)
{
    enum { ABORTED = 128 + SIGABRT };

    NOT_OVER_GLIBC();
    EXPECT(again_is("guards_its_large_blocks", "", 0, ""));
    EXPECT(again("guards_its_large_blocks", "guard_large=0:sample_bytes=0").ending == 1);
    EXPECT(again_is("has_guards_behind_spans", "", 0, ""));
    EXPECT(again_is("has_no_guards_behind_spans", "guard_pages=0", 0, ""));
    EXPECT(again_reports("has_canaries", "", ABORTED, " P101 heap overflow: free: "));
    EXPECT(again_is("has_no_canaries", "canary=0:sample_bytes=0", 0, ""));
    EXPECT(
        again_reports("writes_to_a_free_block", "", ABORTED, " P202 write after free: malloc: "));
    EXPECT(again_is("writes_to_a_free_block", "zero_check=0", 0, ""));
    EXPECT(again_is("writes_to_a_free_block", "profile=fast", 0, ""));
}

static void end_stated(char *block, size_t bytes)
{
    void (*end_sized)(void *block, size_t bytes);

    *(void **)&end_sized = dlsym(RTLD_DEFAULT, "free_sized");
    REQUIRE(end_sized != NULL);
    end_sized(block, bytes);
}

static char *typed(size_t bytes)
{
    void *(*malloc_typed)(size_t bytes, unsigned partition);

    *(void **)&malloc_typed = dlsym(RTLD_DEFAULT, "spanguard_malloc_typed");
    REQUIRE(malloc_typed != NULL);
    return malloc_typed(bytes, 3);
}

/* 700 bytes stay in the slot of 1,000, though malloc would give them a smaller one. */
BODY(states_the_sizes_of_shrunk_blocks)
{
    end_stated(realloc(typed(1000), opaque(700)), 700);
    end_stated(realloc(malloc(1000), opaque(700)), 700);
    end_stated(typed(1000), 1000);
}

BODY(states_too_much_of_a_typed_block)
{
    end_stated(typed(1000), opaque(3000));
}

BODY(states_too_much_of_a_shrunk_block)
{
    end_stated(realloc(malloc(1000), opaque(700)), opaque(3000));
}

BODY(fills_large_blocks_of_partitions)
{
    for (int i = 0; i < 30; i++) {
        char *block = memset(typed(LARGE), i, LARGE);

        REQUIRE(block[0] == i && block[LARGE - 1] == i);
        free(block);
    }
}

TEST(large_blocks_of_partitions_need_no_guards)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("fills_large_blocks_of_partitions", "guard_large=0", 0, ""));
    EXPECT(again_is("fills_large_blocks_of_partitions", "guard_large=0:guard_madvise=0", 0, ""));
}

BODY(writes_behind_a_block_and_states_its_size)
{
    char *block = malloc(24);

    block[opaque(24)]++;
    end_stated(block, 24);
}

TEST(a_stated_size_hides_no_overflow)
{
    NOT_OVER_GLIBC();
    EXPECT(again_reports("writes_behind_a_block_and_states_its_size", "sample_bytes=0",
                         128 + SIGABRT, " P101 heap overflow: free_sized: "));
}

TEST(without_canaries_the_class_of_a_stated_size_counts)
{
    static const char size_mismatch[] = " P402 size mismatch: free_sized: size 3000 stated for ";

    NOT_OVER_GLIBC();
    EXPECT(again_is("states_the_sizes_of_shrunk_blocks", "profile=fast", 0, ""));
    EXPECT(again_is("states_the_sizes_of_shrunk_blocks", "", 0, ""));
    EXPECT(again_reports("states_too_much_of_a_typed_block", "profile=fast", 128 + SIGABRT,
                         size_mismatch));
    EXPECT(again_reports("states_too_much_of_a_shrunk_block", "profile=fast", 128 + SIGABRT,
                         size_mismatch));
}

BODY(opens_the_program_itself_bound_deep)
{
    void *handle = dlopen(NULL, RTLD_NOW | RTLD_DEEPBIND);

    REQUIRE(handle != NULL && dlsym(handle, "malloc") != NULL);
}

TEST(RTLD_DEEPBIND_on_the_program_itself_is_said_and_ignored)
{
    NOT_OVER_GLIBC();
    struct again result = again("opens_the_program_itself_bound_deep", "");

    EXPECT_EQUAL(result.ending, 0);
    EXPECT(strstr(result.text, "RTLD_DEEPBIND ignored for the program: ") != NULL);
}
