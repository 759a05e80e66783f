/* Leaks by who made them, suppressions, and how long a million blocks take. */
#include "program.h"

#include "../unit/test.h"

#include <string.h>

static void *volatile keeper;

/* The double takes the lowest 16 bits of the innermost frame for the number of the stack. */
static void name(uint32_t stack, const char *function)
{
    double_set_frame(stack, 0x10000 | stack);
    double_set_name(stack, function);
}

static void make_many(uint32_t count, size_t bytes, uint32_t stack)
{
    for (uint32_t i = 0; i < count; i++)
        make_hidden(bytes, stack);
}

TEST(each_place_is_one_leak_and_the_largest_comes_first)
{
    double_reset();
    for (uint32_t stack = 1; stack <= 12; stack++) {
        name(stack, "push");
        make_many(stack, 16, stack);
    }
    make_many(1, 5000, 3);
    const struct bug *bug = &double_find(NULL)->bug;
    EXPECT_EQUAL(bug->leak_bytes, 78 * 16 + 5000);
    EXPECT_EQUAL(bug->leak_blocks, 79);
    EXPECT_EQUAL(bug->leak_places, 12);
    EXPECT_EQUAL(bug->leak_count, BUG_LEAKS);
    EXPECT_EQUAL(bug->leaks[0].bytes, 5048);
    EXPECT_EQUAL(bug->leaks[0].blocks, 4);
    EXPECT_EQUAL(bug->leaks[0].stack.frames[0].pc, 0x10003);
    for (uint32_t i = 1; i < BUG_LEAKS; i++) {
        EXPECT_EQUAL(bug->leaks[i].bytes, (13 - i) * 16);
        EXPECT_EQUAL(bug->leaks[i].stack.count, 2);
    }
}

TEST(blocks_without_a_stack_are_one_place)
{
    double_reset();
    make_many(3, 16, 0);
    const struct bug *bug = &double_find(NULL)->bug;
    EXPECT_EQUAL(bug->leak_places, 1);
    EXPECT_EQUAL(bug->leaks[0].blocks, 3);
    EXPECT_EQUAL(bug->leaks[0].stack.count, 0);
}

/* Bytes that are left of one leak each of 16 bytes by `alpha`, 32 by `beta_init` and 64 by nobody. */
static uint64_t left_by(const char *suppressions)
{
    const struct double_result *result;

    double_reset();
    name(1, "alpha");
    name(2, "beta_init");
    make_many(1, 16, 1);
    make_many(1, 32, 2);
    make_many(1, 64, 0);
    result = double_find(suppressions);
    EXPECT(result->why == NULL);
    EXPECT(result->found == (result->bug.leak_bytes > 0));
    EXPECT_EQUAL(result->bug.leak_count, result->bug.leak_places);
    return result->bug.leak_bytes;
}

TEST(a_suppression_names_a_function_or_a_part_of_one)
{
    EXPECT_EQUAL(left_by(NULL), 112);
    EXPECT_EQUAL(left_by(""), 112);
    EXPECT_EQUAL(left_by("leak:alpha"), 96);
    EXPECT_EQUAL(left_by("leak:lph\n"), 96);
    EXPECT_EQUAL(left_by("leak:beta_init\nleak:alpha\n"), 64);
    EXPECT_EQUAL(left_by("leak:gamma\n"), 112);
}

TEST(a_star_is_any_text_and_the_ends_can_be_named)
{
    EXPECT_EQUAL(left_by("leak:b*_i*t"), 80);
    EXPECT_EQUAL(left_by("leak:*"), 64);
    EXPECT_EQUAL(left_by("leak:^beta$"), 112);
    EXPECT_EQUAL(left_by("leak:^beta"), 80);
    EXPECT_EQUAL(left_by("leak:init$"), 80);
    EXPECT_EQUAL(left_by("leak:^init"), 112);
    EXPECT_EQUAL(left_by("leak:^a*a$"), 96);
    EXPECT_EQUAL(left_by("leak:a*b"), 112);
}

TEST(lines_that_are_no_suppressions_say_nothing)
{
    EXPECT_EQUAL(left_by("# leak:alpha\n\nrace:alpha\nleak:\n"), 112);
    EXPECT_EQUAL(left_by("#first\n   leak:alpha  \r\n"), 96);
}

TEST(a_module_is_named_without_asking_for_names)
{
    uint32_t before = double_questions();

    EXPECT_EQUAL(left_by("leak:libmaker.so"), 64);
    EXPECT_EQUAL(left_by("leak:/libother.so"), 112);
    EXPECT_EQUAL(double_questions(), before);
    EXPECT_EQUAL(left_by("leak:alpha"), 96);
    EXPECT_EQUAL(double_questions(), before + 1);
}

TEST(suppressions_reach_beyond_the_leaks_that_are_shown)
{
    double_reset();
    for (uint32_t stack = 1; stack <= 100; stack++) {
        name(stack, stack % 2 == 0 ? "even" : "odd");
        make_many(1, stack * 16, stack);
    }
    const struct double_result *result = double_find("leak:even");
    EXPECT_EQUAL(result->bug.leak_places, 50);
    EXPECT_EQUAL(result->bug.leak_bytes, 50 * 50 * 16);
    EXPECT_EQUAL(result->bug.leaks[0].bytes, 99 * 16);
    EXPECT_EQUAL(result->bug.module_count, 2);
    EXPECT_EQUAL(result->bug.string_bytes, BUG_LEAKS * 16);
}

static __attribute__((noinline)) void make_tree(uint32_t count)
{
    void **parents = double_make(count * sizeof(void *), 1);

    for (uint32_t i = 0; i < count; i++) {
        void **child = double_make(48, 2 + i % 1000);

        child[0] = i > 0 ? parents[i / 2] : parents;
        parents[i] = child;
    }
    keeper = parents;
}

TEST(a_million_blocks)
{
    double_reset();
    make_tree(1000000);
    const struct double_result *result = double_find(NULL);
    EXPECT_EQUAL(result->bug.leak_blocks, 0);
    EXPECT_EQUAL(result->bug.reachable_blocks, 1000001);
    printf("# 1,000,001 reachable blocks: %u ms\n", result->milliseconds);
    keeper = NULL;
    forget();
    result = double_find(NULL);
    EXPECT_EQUAL(result->bug.leak_blocks, 1000001);
    EXPECT_EQUAL(result->bug.leak_places, 1001);
    printf("# the same, all leaked: %u ms\n", result->milliseconds);
}
