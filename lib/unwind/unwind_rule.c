/* The interpreter of call-frame instructions: DWARF 5, 6.4.2, and the two of GNU. */
#include "unwind_rule.h"

#include "unwind_machine.h"

enum {
    CFA_ADVANCE = 0x40, /* the upper two bits; the lower six are the operand */
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
    CFA_NOP = 0x00,
    CFA_SET_PLACE = 0x01,
    CFA_ADVANCE_1 = 0x02,
    CFA_ADVANCE_2 = 0x03,
    CFA_ADVANCE_4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER = 0x0a,
    CFA_RECALL = 0x0b,
    CFA_DEFINE = 0x0c,
    CFA_DEFINE_REGISTER = 0x0d,
    CFA_DEFINE_OFFSET = 0x0e,
    CFA_DEFINE_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_SIGNED = 0x11,
    CFA_DEFINE_SIGNED = 0x12,
    CFA_DEFINE_OFFSET_SIGNED = 0x13,
    CFA_VALUE_OFFSET = 0x14,
    CFA_VALUE_OFFSET_SIGNED = 0x15,
    CFA_VALUE_EXPRESSION = 0x16,
    CFA_ARGUMENTS_BYTES = 0x2e,
};

#define REMEMBERED_MAX 4 /* compilers nest no deeper than one */

struct machine {
    struct rule rule;
    struct location initial[FOLLOWED]; /* as the CIE left them: what "restore" means */
    struct rule remembered[REMEMBERED_MAX];
    unsigned remembered_count;
    const struct table_entry *entry;
    uintptr_t place; /* from here on the instructions so far hold */
    uintptr_t pc;
    bool failed;
};

/* Where the rule for a register is kept; a place for nothing if the walk does not follow it. */
static struct location *followed(struct rule *rule, uint64_t which, struct location *nowhere)
{
#if defined(__x86_64__)
    if (which == REGISTER_RBX)
        return &rule->followed[FOLLOW_RBX];
    if (which == REGISTER_FRAME)
        return &rule->followed[FOLLOW_FRAME];
    if (which == REGISTER_PC)
        return &rule->followed[FOLLOW_PC];
#else
    (void)rule, (void)which;
#endif
    return nowhere;
}

static void set_location(struct machine *machine, uint64_t which, struct location location)
{
    struct location nowhere;

    *followed(&machine->rule, which, &nowhere) = location;
}

static int32_t narrow(struct machine *machine, int64_t number)
{
    if (number != (int32_t)number)
        machine->failed = true;
    return (int32_t)number;
}

static struct location at_cfa(struct machine *machine, enum how how, int64_t units)
{
    int64_t number = 0;

    if (__builtin_mul_overflow(units, machine->entry->data_factor, &number))
        machine->failed = true;
    return (struct location){.how = (uint8_t)how, .number = narrow(machine, number)};
}

static struct location in_register(struct machine *machine, uint64_t base, int64_t number)
{
    if (base >= REGISTERS)
        machine->failed = true;
    return (struct location){
        .how = HOW_REGISTER, .base = (uint8_t)base, .number = narrow(machine, number)};
}

static struct location read_expression(struct reader *reader, enum how how)
{
    uint64_t length = read_uleb(reader);
    struct location location = {
        .how = (uint8_t)how, .length = (uint32_t)length, .expression = reader->at};

    read_skip(reader, length);
    if (reader->failed)
        location.length = 0;
    return location;
}

static void restore(struct machine *machine, uint64_t which)
{
    struct rule initial;
    struct location nowhere = {0};

    __builtin_memcpy(initial.followed, machine->initial, sizeof(machine->initial));
    set_location(machine, which, *followed(&initial, which, &nowhere));
}

static void remember(struct machine *machine)
{
    if (machine->remembered_count == REMEMBERED_MAX)
        machine->failed = true;
    else
        machine->remembered[machine->remembered_count++] = machine->rule;
}

static void recall(struct machine *machine)
{
    if (machine->remembered_count == 0)
        machine->failed = true;
    else
        machine->rule = machine->remembered[--machine->remembered_count];
}

/* What a rule says of the frame's address. False: not one of these instructions. */
static bool define_cfa(struct machine *machine, struct reader *reader, uint8_t code)
{
    struct location *cfa = &machine->rule.cfa;
    uint64_t base;

    switch (code) {
    case CFA_DEFINE:
        base = read_uleb(reader);
        *cfa = in_register(machine, base, (int64_t)read_uleb(reader));
        return true;
    case CFA_DEFINE_SIGNED:
        base = read_uleb(reader);
        *cfa = in_register(machine, base, at_cfa(machine, HOW_CFA, read_sleb(reader)).number);
        return true;
    case CFA_DEFINE_REGISTER:
        *cfa = in_register(machine, read_uleb(reader), cfa->number);
        return true;
    case CFA_DEFINE_OFFSET:
        cfa->number = narrow(machine, (int64_t)read_uleb(reader));
        return true;
    case CFA_DEFINE_OFFSET_SIGNED:
        cfa->number = at_cfa(machine, HOW_CFA, read_sleb(reader)).number;
        return true;
    case CFA_DEFINE_EXPRESSION:
        *cfa = read_expression(reader, HOW_EXPRESSION_VALUE);
        return true;
    default:
        return false;
    }
}

/* What a rule says of the register that is the first operand. False: not one of these. */
static bool define_register(struct machine *machine, struct reader *reader, uint8_t code)
{
    struct reader ahead = *reader;
    uint64_t which = read_uleb(&ahead);
    struct location location = {.how = HOW_SAME};

    switch (code) {
    case CFA_OFFSET_EXTENDED:
        location = at_cfa(machine, HOW_CFA, (int64_t)read_uleb(&ahead));
        break;
    case CFA_OFFSET_SIGNED:
        location = at_cfa(machine, HOW_CFA, read_sleb(&ahead));
        break;
    case CFA_VALUE_OFFSET:
        location = at_cfa(machine, HOW_CFA_VALUE, (int64_t)read_uleb(&ahead));
        break;
    case CFA_VALUE_OFFSET_SIGNED:
        location = at_cfa(machine, HOW_CFA_VALUE, read_sleb(&ahead));
        break;
    case CFA_UNDEFINED:
        location.how = HOW_UNKNOWN;
        break;
    case CFA_SAME_VALUE:
        break;
    case CFA_REGISTER:
        location = in_register(machine, read_uleb(&ahead), 0);
        break;
    case CFA_EXPRESSION:
        location = read_expression(&ahead, HOW_EXPRESSION);
        break;
    case CFA_VALUE_EXPRESSION:
        location = read_expression(&ahead, HOW_EXPRESSION_VALUE);
        break;
    default:
        return false;
    }
    *reader = ahead;
    set_location(machine, which, location);
    return true;
}

static bool advance(struct machine *machine, struct reader *reader, uint8_t code)
{
    uint64_t factor = machine->entry->code_factor;

    switch (code) {
    case CFA_SET_PLACE:
        machine->place = sg_table_address(reader, machine->entry->encoding);
        return true;
    case CFA_ADVANCE_1:
        machine->place += read_fixed(reader, 1) * factor;
        return true;
    case CFA_ADVANCE_2:
        machine->place += read_fixed(reader, 2) * factor;
        return true;
    case CFA_ADVANCE_4:
        machine->place += read_fixed(reader, 4) * factor;
        return true;
    default:
        return false;
    }
}

static void other(struct machine *machine, struct reader *reader, uint8_t code)
{
    switch (code) {
    case CFA_NOP:
        return;
    case CFA_RESTORE_EXTENDED:
        restore(machine, read_uleb(reader));
        return;
    case CFA_REMEMBER:
        remember(machine);
        return;
    case CFA_RECALL:
        recall(machine);
        return;
    case CFA_ARGUMENTS_BYTES:
        (void)read_uleb(reader);
        return;
    default:
        machine->failed = true;
    }
}

static void execute(struct machine *machine, struct reader *reader)
{
    uint8_t code = (uint8_t)read_fixed(reader, 1);
    uint8_t operand = code & 0x3f;

    switch (code & 0xc0) {
    case CFA_ADVANCE:
        machine->place += operand * machine->entry->code_factor;
        return;
    case CFA_OFFSET:
        set_location(machine, operand, at_cfa(machine, HOW_CFA, (int64_t)read_uleb(reader)));
        return;
    case CFA_RESTORE:
        restore(machine, operand);
        return;
    default:
        if (!define_cfa(machine, reader, code) && !define_register(machine, reader, code) &&
            !advance(machine, reader, code))
            other(machine, reader, code);
    }
}

static bool run(struct machine *machine, struct reader reader)
{
    while (reader.at < reader.end && machine->place <= machine->pc && !machine->failed)
        execute(machine, &reader);
    return !machine->failed && !reader.failed;
}

#define OP_BREG0 0x70u
#define OP_DEREF 0x06u

/* What gcc writes where a function realigns its stack is an expression that says no more than
 * "in memory, so far from that register". Said plainly, it can be kept in the cache. */
static void simplify(struct location *location)
{
    struct reader reader = {.at = location->expression,
                            .end = location->expression + location->length};
    uint64_t base;
    int64_t number;

    if (location->how != HOW_EXPRESSION && location->how != HOW_EXPRESSION_VALUE)
        return;
    base = read_fixed(&reader, 1) - OP_BREG0;
    number = read_sleb(&reader);
    if (location->how == HOW_EXPRESSION_VALUE && read_fixed(&reader, 1) != OP_DEREF)
        return;
    if (reader.failed || reader.at != reader.end || base >= REGISTERS || number != (int32_t)number)
        return;
    *location = (struct location){
        .how = HOW_REGISTER_MEMORY, .base = (uint8_t)base, .number = (int32_t)number};
}

bool sg_rule_find(const struct module *module, uintptr_t pc, struct rule *ret_rule)
{
    struct table_entry entry;
    struct machine machine;

    if (module->eh_index == NULL || !sg_table_find(module, pc, &entry))
        return false;
    __builtin_memset(&machine.rule, 0, sizeof(machine.rule));
    machine.rule.cfa.how = HOW_UNKNOWN;
    machine.remembered_count = 0;
    machine.entry = &entry;
    machine.place = entry.begin;
    machine.pc = pc;
    machine.failed = entry.return_register != REGISTER_PC;
    if (!run(&machine, entry.common))
        return false;
    __builtin_memcpy(machine.initial, machine.rule.followed, sizeof(machine.initial));
    if (!run(&machine, entry.instructions))
        return false;
    simplify(&machine.rule.cfa);
    for (unsigned i = 0; i < FOLLOWED; i++)
        simplify(&machine.rule.followed[i]);
    machine.rule.is_signal = entry.is_signal;
    *ret_rule = machine.rule;
    return true;
}
