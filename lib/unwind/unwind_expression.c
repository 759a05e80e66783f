#include "unwind_expression.h"

enum {
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S = 0x09,
    OP_CONST2U = 0x0a,
    OP_CONST2S = 0x0b,
    OP_CONST4U = 0x0c,
    OP_CONST4S = 0x0d,
    OP_CONST8U = 0x0e,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_DUPLICATE = 0x12,
    OP_DROP = 0x13,
    OP_SWAP = 0x16,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_MULTIPLY = 0x1e,
    OP_NEGATE = 0x1f,
    OP_NOT = 0x20,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_CONSTANT = 0x23,
    OP_SHIFT_LEFT = 0x24,
    OP_SHIFT_RIGHT = 0x25,
    OP_SHIFT_RIGHT_SIGNED = 0x26,
    OP_XOR = 0x27,
    OP_EQUAL = 0x29,
    OP_AT_LEAST = 0x2a,
    OP_MORE = 0x2b,
    OP_AT_MOST = 0x2c,
    OP_LESS = 0x2d,
    OP_UNEQUAL = 0x2e,
    OP_LITERAL_0 = 0x30,  /* to 31 */
    OP_REGISTER_0 = 0x70, /* to 31; plus an offset */
    OP_REGISTER = 0x92,
    OP_NOTHING = 0x96,
};

#define VALUES_MAX 16

struct calculator {
    const struct expression_input *input;
    uintptr_t values[VALUES_MAX];
    unsigned count;
    bool failed;
};

static void push(struct calculator *calculator, uintptr_t value)
{
    if (calculator->count == VALUES_MAX)
        calculator->failed = true;
    else
        calculator->values[calculator->count++] = value;
}

static uintptr_t pop(struct calculator *calculator)
{
    if (calculator->count == 0) {
        calculator->failed = true;
        return 0;
    }
    return calculator->values[--calculator->count];
}

static void push_register(struct calculator *calculator, uint64_t which, int64_t offset)
{
    const struct registers *registers = calculator->input->registers;

    if (which >= REGISTERS || (registers->known >> which & 1) == 0)
        calculator->failed = true;
    else
        push(calculator, registers->value[which] + (uintptr_t)offset);
}

static bool constant(struct calculator *calculator, struct reader *reader, uint8_t code)
{
    unsigned bytes = 1u << ((code - OP_CONST1U) / 2 & 3);

    if (code >= OP_LITERAL_0 && code < OP_LITERAL_0 + 32)
        push(calculator, code - OP_LITERAL_0);
    else if (code == OP_CONSTU)
        push(calculator, read_uleb(reader));
    else if (code == OP_CONSTS)
        push(calculator, (uintptr_t)read_sleb(reader));
    else if (code >= OP_CONST1U && code <= OP_CONST8S && (code & 1) == 0)
        push(calculator, read_fixed(reader, bytes));
    else if (code >= OP_CONST1U && code <= OP_CONST8S)
        push(calculator, (uintptr_t)read_signed(reader, bytes));
    else
        return false;
    return true;
}

static bool compute(uint8_t code, uintptr_t left, uintptr_t right, uintptr_t *ret_value)
{
    intptr_t signed_left = (intptr_t)left, signed_right = (intptr_t)right;

    switch (code) {
    case OP_AND:
        return *ret_value = left & right, true;
    case OP_OR:
        return *ret_value = left | right, true;
    case OP_XOR:
        return *ret_value = left ^ right, true;
    case OP_PLUS:
        return *ret_value = left + right, true;
    case OP_MINUS:
        return *ret_value = left - right, true;
    case OP_MULTIPLY:
        return *ret_value = left * right, true;
    case OP_SHIFT_LEFT:
        return *ret_value = right < 64 ? left << right : 0, true;
    case OP_SHIFT_RIGHT:
        return *ret_value = right < 64 ? left >> right : 0, true;
    case OP_SHIFT_RIGHT_SIGNED:
        return *ret_value = (uintptr_t)(signed_left >> (right < 64 ? right : 63)), true;
    case OP_EQUAL:
        return *ret_value = left == right, true;
    case OP_UNEQUAL:
        return *ret_value = left != right, true;
    case OP_AT_LEAST:
        return *ret_value = signed_left >= signed_right, true;
    case OP_AT_MOST:
        return *ret_value = signed_left <= signed_right, true;
    case OP_MORE:
        return *ret_value = signed_left > signed_right, true;
    case OP_LESS:
        return *ret_value = signed_left < signed_right, true;
    default:
        return false;
    }
}

static bool binary(struct calculator *calculator, uint8_t code)
{
    uintptr_t right, value;

    if (!compute(code, 0, 0, &value))
        return false;
    right = pop(calculator);
    (void)compute(code, pop(calculator), right, &value);
    push(calculator, value);
    return true;
}

static void dereference(struct calculator *calculator)
{
    uintptr_t value = 0;

    if (!stack_read(calculator->input->memory, pop(calculator), &value))
        calculator->failed = true;
    push(calculator, value);
}

static void swap(struct calculator *calculator)
{
    uintptr_t top = pop(calculator), below = pop(calculator);

    push(calculator, top);
    push(calculator, below);
}

static void other(struct calculator *calculator, struct reader *reader, uint8_t code)
{
    uint64_t which;

    switch (code) {
    case OP_DEREF:
        return dereference(calculator);
    case OP_DUPLICATE:
        push(calculator, pop(calculator));
        return push(calculator, calculator->values[calculator->count - 1]);
    case OP_DROP:
        (void)pop(calculator);
        return;
    case OP_SWAP:
        return swap(calculator);
    case OP_NEGATE:
        return push(calculator, -pop(calculator));
    case OP_NOT:
        return push(calculator, ~pop(calculator));
    case OP_PLUS_CONSTANT:
        return push(calculator, pop(calculator) + read_uleb(reader));
    case OP_REGISTER:
        which = read_uleb(reader);
        return push_register(calculator, which, read_sleb(reader));
    case OP_NOTHING:
        return;
    default:
        calculator->failed = true;
    }
}

bool sg_expression_value(const struct location *location, const struct expression_input *input,
                         uintptr_t *ret_value)
{
    struct reader reader = {.at = location->expression,
                            .end = location->expression + location->length};
    struct calculator calculator;

    calculator.input = input;
    calculator.count = 0;
    calculator.failed = false;
    if (input->has_first)
        push(&calculator, input->first);
    while (reader.at < reader.end && !calculator.failed) {
        uint8_t code = (uint8_t)read_fixed(&reader, 1);

        if (code >= OP_REGISTER_0 && code < OP_REGISTER_0 + 32)
            push_register(&calculator, code - OP_REGISTER_0, read_sleb(&reader));
        else if (!constant(&calculator, &reader, code) && !binary(&calculator, code))
            other(&calculator, &reader, code);
    }
    if (calculator.failed || reader.failed || calculator.count == 0)
        return false;
    *ret_value = calculator.values[calculator.count - 1];
    return true;
}
