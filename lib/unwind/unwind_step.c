#include "unwind_step.h"

#include "unwind_cache.h"
#include "unwind_expression.h"

#define SIGNALS_MAX 4u /* a handler's frame may lead anywhere: each gets one more jump */

/* What a step will make of the registers, when all of it could be read. */
struct next {
    uintptr_t cfa;
    uintptr_t pc;
    uintptr_t frame;
    uintptr_t rbx;
    uint32_t known; /* of the last two */
};

#define KNOWN_FRAME (1u << REGISTER_FRAME)
#define KNOWN_RBX (1u << REGISTER_RBX)

static uintptr_t register_of(const struct walk *walk, unsigned which)
{
    return walk->registers.value[which];
}

static bool is_known(const struct walk *walk, unsigned which)
{
    return which < REGISTERS && (walk->registers.known >> which & 1) != 0;
}

static void take_over(struct walk *walk, const struct next *next, bool is_exact)
{
    walk->registers.known = next->known;
    walk->registers.value[REGISTER_FRAME] = next->frame;
    walk->registers.value[REGISTER_RBX] = next->rbx;
    registers_set(&walk->registers, REGISTER_STACK, next->cfa);
    registers_set(&walk->registers, REGISTER_PC, next->pc);
    walk->is_exact = is_exact;
}

/* Inside a walk the stack only ever shrinks: so it ends. */
static bool go_on(struct walk *walk, const struct next *next)
{
    if (next->pc < PROBE_BYTES || next->cfa % sizeof(uintptr_t) != 0 ||
        next->cfa <= register_of(walk, REGISTER_STACK) ||
        next->cfa - walk->memory.low >= STACK_SPAN_BYTES)
        return false;
    take_over(walk, next, false);
    return true;
}

static bool in_module(struct walk *walk, uintptr_t pc)
{
    if (pc >= walk->module.start && pc < walk->module.end)
        return true;
    walk->module.end = walk->module.start;
    return sg_module_of(pc, &walk->module);
}

/* Where the tables know nothing: code made at run time, or by another kind of machine. Its frames
 * are taken to begin with the saved frame pointer and the return address. */
static bool step_by_frame_pointer(struct walk *walk)
{
    uintptr_t frame = register_of(walk, REGISTER_FRAME);
    struct next next = {.cfa = frame + 2 * sizeof(uintptr_t), .known = KNOWN_FRAME};

    if (!is_known(walk, REGISTER_FRAME) || frame < register_of(walk, REGISTER_STACK) ||
        !stack_read(&walk->memory, frame, &next.frame) ||
        !stack_read(&walk->memory, frame + sizeof(uintptr_t), &next.pc))
        return false;
    next.pc = code_address(next.pc);
    return (in_module(walk, next.pc) || sg_os_is_readable(next.pc & ~(PROBE_BYTES - 1))) &&
           go_on(walk, &next);
}

#if defined(__x86_64__)

/* A call through a bad pointer: only the return address was pushed. */
static bool step_out_of_nowhere(struct walk *walk)
{
    uintptr_t stack = register_of(walk, REGISTER_STACK);
    struct next next = {
        .cfa = stack + sizeof(uintptr_t),
        .frame = register_of(walk, REGISTER_FRAME),
        .rbx = register_of(walk, REGISTER_RBX),
        .known = walk->registers.known & (KNOWN_FRAME | KNOWN_RBX),
    };

    return stack_read(&walk->memory, stack, &next.pc) && in_module(walk, next.pc) &&
           go_on(walk, &next);
}

static bool value_at(struct walk *walk, const struct location *location, uintptr_t cfa,
                     uintptr_t *ret_value)
{
    struct expression_input input = {&walk->registers, &walk->memory, cfa, true};
    uintptr_t address;

    switch (location->how) {
    case HOW_CFA:
        return stack_read(&walk->memory, cfa + (uintptr_t)(intptr_t)location->number, ret_value);
    case HOW_CFA_VALUE:
        return *ret_value = cfa + (uintptr_t)(intptr_t)location->number, true;
    case HOW_REGISTER:
    case HOW_REGISTER_MEMORY:
        if (!is_known(walk, location->base))
            return false;
        address = register_of(walk, location->base) + (uintptr_t)(intptr_t)location->number;
        if (location->how == HOW_REGISTER_MEMORY)
            return stack_read(&walk->memory, address, ret_value);
        return *ret_value = address, true;
    case HOW_EXPRESSION:
        return sg_expression_value(location, &input, &address) &&
               stack_read(&walk->memory, address, ret_value);
    case HOW_EXPRESSION_VALUE:
        return sg_expression_value(location, &input, ret_value);
    default:
        return false;
    }
}

static bool cfa_of(struct walk *walk, const struct location *location, uintptr_t *ret_cfa)
{
    struct expression_input input = {&walk->registers, &walk->memory, 0, false};

    if (location->how == HOW_EXPRESSION_VALUE)
        return sg_expression_value(location, &input, ret_cfa);
    return value_at(walk, location, 0, ret_cfa);
}

/* Out of a handler: the registers are those that the kernel saved, on whichever stack. */
static bool leave_signal(struct walk *walk, const struct next *next)
{
    if (walk->signals++ == SIGNALS_MAX || next->pc < PROBE_BYTES)
        return false;
    take_over(walk, next, true);
    walk->memory.low = next->cfa - STACK_RED_ZONE;
    return true;
}

/* The register as the frame around has it; false if that cannot be told. */
static bool followed(struct walk *walk, const struct location *location, unsigned which,
                     struct next *next)
{
    uintptr_t value = register_of(walk, which);

    if (location->how == HOW_SAME ? !is_known(walk, which)
                                  : !value_at(walk, location, next->cfa, &value))
        return false;
    if (which == REGISTER_PC)
        next->pc = value;
    else if (which == REGISTER_FRAME)
        next->frame = value;
    else
        next->rbx = value;
    next->known |= which == REGISTER_PC ? 0 : 1u << which;
    return true;
}

static bool step_by_rule(struct walk *walk, const struct rule *rule)
{
    struct next next = {0};

    if (!cfa_of(walk, &rule->cfa, &next.cfa) ||
        !followed(walk, &rule->followed[FOLLOW_PC], REGISTER_PC, &next))
        return false;
    (void)followed(walk, &rule->followed[FOLLOW_FRAME], REGISTER_FRAME, &next);
    (void)followed(walk, &rule->followed[FOLLOW_RBX], REGISTER_RBX, &next);
    return rule->is_signal ? leave_signal(walk, &next) : go_on(walk, &next);
}

static bool short_cfa(struct walk *walk, struct short_rule rule, uintptr_t *ret_cfa)
{
    static const uint8_t bases[] = {[SHORT_STACK] = REGISTER_STACK,
                                    [SHORT_FRAME] = REGISTER_FRAME,
                                    [SHORT_RBX] = REGISTER_RBX,
                                    [SHORT_FRAME_MEMORY] = REGISTER_FRAME};
    unsigned base = bases[rule.cfa_base];

    *ret_cfa = register_of(walk, base) + (uintptr_t)((intptr_t)rule.cfa_words * WORD_BYTES);
    if (!is_known(walk, base))
        return false;
    return rule.cfa_base != SHORT_FRAME_MEMORY || stack_read(&walk->memory, *ret_cfa, ret_cfa);
}

static bool step_by_short_rule(struct walk *walk, struct short_rule rule)
{
    uintptr_t frame = register_of(walk, REGISTER_FRAME);
    struct next next;

    if (rule.is_outermost || !short_cfa(walk, rule, &next.cfa) ||
        !stack_read(&walk->memory, next.cfa - sizeof(uintptr_t), &next.pc))
        return false;
    next.known = walk->registers.known & (KNOWN_FRAME | KNOWN_RBX);
    next.frame = frame;
    next.rbx = register_of(walk, REGISTER_RBX);
    if (rule.frame_in_memory || rule.frame != 0) {
        bool is_read =
            stack_read(&walk->memory,
                       (rule.frame_in_memory ? frame : next.cfa) + (uintptr_t)(intptr_t)rule.frame,
                       &next.frame);
        next.known = is_read ? next.known | KNOWN_FRAME : next.known & ~KNOWN_FRAME;
    }
    if (rule.rbx_in_memory || rule.rbx != 0) {
        bool is_read = stack_read(
            &walk->memory, (rule.rbx_in_memory ? frame : next.cfa) + (uintptr_t)(intptr_t)rule.rbx,
            &next.rbx);
        next.known = is_read ? next.known | KNOWN_RBX : next.known & ~KNOWN_RBX;
    }
    return go_on(walk, &next);
}

bool sg_unwind_step(struct walk *walk)
{
    uintptr_t pc = register_of(walk, REGISTER_PC) - !walk->is_exact;
    struct short_rule short_rule;
    struct rule rule;
    uint64_t key;

    if (!in_module(walk, pc)) {
        if (walk->is_exact && !sg_os_is_readable(pc & ~(PROBE_BYTES - 1)))
            return step_out_of_nowhere(walk);
        return step_by_frame_pointer(walk);
    }
    key = cache_key_of_module(&walk->module) ^ pc;
    short_rule = cache_find(key);
    if (short_rule.is_valid)
        return step_by_short_rule(walk, short_rule);
    if (!sg_rule_find(&walk->module, pc, &rule))
        return step_by_frame_pointer(walk);
    sg_cache_keep(key, &rule);
    return step_by_rule(walk, &rule);
}

#else

bool sg_unwind_step(struct walk *walk)
{
    return step_by_frame_pointer(walk);
}

#endif
