/* Expressions of call-frame tables: each operation, and what does not compute. */
#include "test.h"
#include "unwind_expression.h"

#include <string.h>

#define EXPRESSION_BYTES 40

struct result {
    bool computes;
    uintptr_t value;
};

static uintptr_t word_on_stack = 0x1234;

/* Over the values 7 (register 3) and the address of a word (the stack pointer). */
static struct result evaluate(const uint8_t *bytes, size_t length)
{
    struct registers registers = {.known = 0};
    struct stack_memory memory = {.low = (uintptr_t)&word_on_stack, .known = 1};
    struct expression_input input = {&registers, &memory, 0, false};
    struct location location = {.length = (uint32_t)length, .expression = bytes};
    struct result result = {false, 0};

    registers_set(&registers, REGISTER_RBX, 7);
    registers_set(&registers, REGISTER_STACK, (uintptr_t)&word_on_stack);
    result.computes = sg_expression_value(&location, &input, &result.value);
    return result;
}

#define EXPECT_VALUE(expected_, ...)                                                               \
    do {                                                                                           \
        const uint8_t bytes_[] = {__VA_ARGS__};                                                    \
        struct result result_ = evaluate(bytes_, sizeof(bytes_));                                  \
        EXPECT(result_.computes);                                                                  \
        EXPECT_EQUAL(result_.value, expected_);                                                    \
    } while (0)

#define EXPECT_NOTHING(...)                                                                        \
    do {                                                                                           \
        const uint8_t bytes_[] = {__VA_ARGS__};                                                    \
        EXPECT(!evaluate(bytes_, sizeof(bytes_)).computes);                                        \
    } while (0)

#define LITERAL(n) (0x30 + (n))
#define MINUS_ONE 0x09, 0xff

TEST(constants_of_every_width)
{
    EXPECT_VALUE(31, LITERAL(31));
    EXPECT_VALUE(0xfe, 0x08, 0xfe);
    EXPECT_VALUE((uintptr_t)-2, 0x09, 0xfe);
    EXPECT_VALUE(0xfffe, 0x0a, 0xfe, 0xff);
    EXPECT_VALUE((uintptr_t)-2, 0x0b, 0xfe, 0xff);
    EXPECT_VALUE(0xfffffffe, 0x0c, 0xfe, 0xff, 0xff, 0xff);
    EXPECT_VALUE((uintptr_t)-2, 0x0d, 0xfe, 0xff, 0xff, 0xff);
    EXPECT_VALUE(0x0807060504030201, 0x0e, 1, 2, 3, 4, 5, 6, 7, 8);
    EXPECT_VALUE(0xf807060504030201, 0x0f, 1, 2, 3, 4, 5, 6, 7, 0xf8);
    EXPECT_VALUE(300, 0x10, 0xac, 0x02);
    EXPECT_VALUE((uintptr_t)-300, 0x11, 0xd4, 0x7d);
}

TEST(long_numbers_keep_their_lower_64_bits)
{
    EXPECT_VALUE(UINT64_MAX, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    EXPECT_VALUE(1, 0x10, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01);
    EXPECT_VALUE(UINT64_MAX, 0x11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
}

TEST(arithmetic)
{
    EXPECT_VALUE(4, LITERAL(12), LITERAL(6), 0x1a);
    EXPECT_VALUE(14, LITERAL(12), LITERAL(6), 0x21);
    EXPECT_VALUE(10, LITERAL(12), LITERAL(6), 0x27);
    EXPECT_VALUE(18, LITERAL(12), LITERAL(6), 0x22);
    EXPECT_VALUE(6, LITERAL(12), LITERAL(6), 0x1c);
    EXPECT_VALUE(72, LITERAL(12), LITERAL(6), 0x1e);
    EXPECT_VALUE((uintptr_t)-12, LITERAL(12), 0x1f);
    EXPECT_VALUE(~(uintptr_t)12, LITERAL(12), 0x20);
    EXPECT_VALUE(312, LITERAL(12), 0x23, 0xac, 0x02);
}

TEST(shifts_by_more_than_a_word_leave_nothing_or_the_sign)
{
    EXPECT_VALUE(24, LITERAL(12), LITERAL(1), 0x24);
    EXPECT_VALUE(0, LITERAL(12), 0x08, 64, 0x24);
    EXPECT_VALUE(6, LITERAL(12), LITERAL(1), 0x25);
    EXPECT_VALUE(0, MINUS_ONE, 0x08, 64, 0x25);
    EXPECT_VALUE((uintptr_t)-1, MINUS_ONE, LITERAL(5), 0x26);
    EXPECT_VALUE((uintptr_t)-1, MINUS_ONE, 0x08, 64, 0x26);
    EXPECT_VALUE(6, LITERAL(12), LITERAL(1), 0x26);
}

/* code, what it says of -1 and 1, of 1 and 1, of 1 and -1 */
TEST(comparisons_are_signed)
{
    static const uint8_t rows[][4] = {
        {0x29, 0, 1, 0}, {0x2e, 1, 0, 1}, {0x2a, 0, 1, 1},
        {0x2c, 1, 1, 0}, {0x2b, 0, 0, 1}, {0x2d, 1, 0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EXPECT_VALUE(rows[i][1], MINUS_ONE, LITERAL(1), rows[i][0]);
        EXPECT_VALUE(rows[i][2], LITERAL(1), LITERAL(1), rows[i][0]);
        EXPECT_VALUE(rows[i][3], LITERAL(1), MINUS_ONE, rows[i][0]);
    }
}

TEST(the_stack_of_values_is_moved_about)
{
    EXPECT_VALUE(5, LITERAL(5), LITERAL(9), 0x13);             /* drop */
    EXPECT_VALUE(4, LITERAL(5), LITERAL(9), 0x16, 0x1c);       /* swap, 9 - 5 */
    EXPECT_VALUE(25, LITERAL(5), 0x12, 0x1e);                  /* dup, 5 * 5 */
    EXPECT_VALUE(5, 0x96, LITERAL(5), 0x96);                   /* nop */
    EXPECT_VALUE(3, LITERAL(1), LITERAL(2), 0x12, 0x13, 0x22); /* dup, drop, plus */
}

TEST(registers_and_the_stack_are_read)
{
    EXPECT_VALUE(7, 0x70 + REGISTER_RBX, 0);
    EXPECT_VALUE(5, 0x70 + REGISTER_RBX, 0x7e);
    EXPECT_VALUE(9, 0x92, REGISTER_RBX, 2);
    EXPECT_VALUE(0x1234, 0x70 + REGISTER_STACK, 0, 0x06);
}

TEST(what_does_not_compute_has_no_value)
{
    uint8_t many[EXPRESSION_BYTES];

    EXPECT(!evaluate(NULL, 0).computes);
    EXPECT_NOTHING(0x08);                           /* ends inside a constant */
    EXPECT_NOTHING(0x10, 0x80);                     /* and inside a number */
    EXPECT_NOTHING(0x13);                           /* nothing to drop */
    EXPECT_NOTHING(0x12);                           /* nothing to double */
    EXPECT_NOTHING(LITERAL(1), 0x22);               /* one value to add */
    EXPECT_NOTHING(LITERAL(1), 0x16);               /* one value to swap */
    EXPECT_NOTHING(LITERAL(1), 0x13);               /* nothing is left */
    EXPECT_NOTHING(0x70 + REGISTER_FRAME, 0);       /* a register not known */
    EXPECT_NOTHING(0x92, 0x80, 0x01, 0);            /* no such register */
    EXPECT_NOTHING(LITERAL(8), 0x06);               /* not on the stack */
    EXPECT_NOTHING(0x70 + REGISTER_STACK, 1, 0x06); /* not a whole word */
    EXPECT_NOTHING(LITERAL(1), 0x1b);               /* division: unknown */
    EXPECT_NOTHING(LITERAL(1), 0x97);               /* and whatever may come */
    memset(many, LITERAL(1), sizeof(many));
    EXPECT(evaluate(many, 16).computes);
    EXPECT(!evaluate(many, 17).computes); /* more values than there is room for */
}

TEST(a_value_may_be_there_at_the_start)
{
    static const uint8_t plus_one[] = {LITERAL(1), 0x22};
    struct registers registers = {.known = 0};
    struct stack_memory memory = {.low = 0, .known = 1};
    struct expression_input input = {&registers, &memory, 41, true};
    struct location location = {.length = sizeof(plus_one), .expression = plus_one};
    uintptr_t value = 0;

    EXPECT(sg_expression_value(&location, &input, &value));
    EXPECT_EQUAL(value, 42);
}
