/* The walk of sg_unwind_step(), for the frames that compilers make: in a module, by a rule that is
 * in the cache, on memory that is readable for certain. Any other frame is left to it, and the
 * trace is not whole then. */
#include "unwind_trace.h"

#include "unwind_cache.h"
#include "unwind_step.h"

enum outcome { OUTCOME_NOT_QUICK, OUTCOME_STEPPED, OUTCOME_OUTERMOST };

/* A register as the frame has it, and where that was read. */
struct followed_register {
    uintptr_t value;
    uintptr_t address; /* 0: nowhere yet, it is what it was at the start */
    bool is_known;
    bool counts; /* and the trace says so */
};

struct quick {
    uintptr_t pc; /* inside the instruction */
    uintptr_t stack;
    struct followed_register frame;
    struct followed_register rbx;
    uintptr_t low; /* what may be read without asking */
    uintptr_t bytes;
    uintptr_t module_start;
    uintptr_t module_bytes;
    uint64_t module_key;
    struct walk walk; /* the same, for the steps that are not quick; its module is that in use */
    struct trace *trace;
};

static void use_module(struct quick *quick)
{
    quick->module_start = quick->walk.module.start;
    quick->module_bytes = quick->walk.module.end - quick->walk.module.start;
    quick->module_key = cache_key_of_module(&quick->walk.module);
}

/* The part of the stack around the frame that is known to be readable, as stack_read() knows it. */
static void use_memory(struct quick *quick)
{
    const struct stack_memory *memory = &quick->walk.memory;
    uintptr_t low = memory->sure_low, end = low + memory->sure_bytes;
    uintptr_t last = memory->low + STACK_SPAN_BYTES - sizeof(uintptr_t);

    if (quick->stack - low >= memory->sure_bytes) {
        low = memory->known;
        end = low + (low % PROBE_BYTES == 0 ? PROBE_BYTES : 0);
    }
    low = low < memory->low ? memory->low : low;
    end = end < last ? end : last;
    quick->low = low;
    quick->bytes = end < low ? 0 : end - low;
}

static struct followed_register not_recorded(const struct registers *registers, unsigned which)
{
    return (struct followed_register){
        .value = registers->value[which],
        .is_known = (registers->known >> which & 1) != 0,
        .counts = true,
    };
}

static void use_registers(struct quick *quick)
{
    const struct registers *registers = &quick->walk.registers;

    quick->pc = registers->value[REGISTER_PC] - !quick->walk.is_exact;
    quick->stack = registers->value[REGISTER_STACK];
    quick->frame = not_recorded(registers, REGISTER_FRAME);
    quick->rbx = not_recorded(registers, REGISTER_RBX);
}

static void begin(struct quick *quick, const struct registers *start, struct trace *trace)
{
    uintptr_t stack = start->value[REGISTER_STACK];

    quick->walk.registers = *start;
    quick->walk.memory = (struct stack_memory){
        .low = stack,
        .known = stack & ~(PROBE_BYTES - 1),
        .sure_low = trace->sure_low,
        .sure_bytes = trace->sure_bytes,
    };
    quick->walk.module = (struct module){.start = 0, .end = 0};
    quick->walk.signals = 0;
    quick->walk.is_exact = true;
    quick->trace = trace;
    use_registers(quick);
    quick->frame.counts = quick->rbx.counts = false;
    use_module(quick);
    use_memory(quick);
    trace->is_whole = true;
    trace->needs_frame = trace->needs_rbx = false;
    trace->read_count = trace->module_count = 0;
}

#if defined(__x86_64__)

static void say_read(struct trace *trace, uintptr_t address, uintptr_t value)
{
    uint32_t count = trace->read_count;

    if (UNLIKELY(count == TRACE_READS_MAX)) {
        trace->is_whole = false;
        return;
    }
    trace->addresses[count] = address;
    trace->values[count] = value;
    trace->read_count = count + 1;
}

static void say_module(struct trace *trace, const struct module *module)
{
    for (uint32_t i = 0; i < trace->module_count; i++)
        if (trace->modules[i].start == module->start)
            return;
    if (trace->module_count == TRACE_MODULES_MAX)
        trace->is_whole = false;
    else
        trace->modules[trace->module_count++] = *module;
}

static NOINLINE bool enter_module(struct quick *quick)
{
    bool is_found = sg_module_of(quick->pc, &quick->walk.module);

    if (!is_found)
        quick->walk.module.end = quick->walk.module.start;
    else
        say_module(quick->trace, &quick->walk.module);
    use_module(quick);
    return is_found;
}

static ALWAYS_INLINE bool quick_read(const struct quick *quick, uintptr_t address,
                                     uintptr_t *ret_value)
{
    if (UNLIKELY(address - quick->low >= quick->bytes) ||
        UNLIKELY(address % sizeof(uintptr_t) != 0))
        return false;
    *ret_value = *(const uintptr_t *)address;
    return true;
}

static ALWAYS_INLINE bool use(struct followed_register *which, struct trace *trace,
                              bool *ret_needs_start)
{
    if (!which->counts) {
        which->counts = true;
        if (which->address == 0)
            *ret_needs_start = true;
        else
            say_read(trace, which->address, which->value);
    }
    return which->is_known;
}

static ALWAYS_INLINE bool quick_cfa(struct quick *quick, struct short_rule rule, uintptr_t *ret_cfa)
{
    struct trace *trace = quick->trace;
    uintptr_t offset = (uintptr_t)((intptr_t)rule.cfa_words * WORD_BYTES), address;

    if (LIKELY(rule.cfa_base == SHORT_STACK))
        return *ret_cfa = quick->stack + offset, true;
    if (rule.cfa_base == SHORT_RBX)
        return *ret_cfa = quick->rbx.value + offset, use(&quick->rbx, trace, &trace->needs_rbx);
    address = quick->frame.value + offset;
    *ret_cfa = address;
    if (!use(&quick->frame, trace, &trace->needs_frame))
        return false;
    if (rule.cfa_base == SHORT_FRAME)
        return true;
    if (!quick_read(quick, address, ret_cfa))
        return false;
    say_read(trace, address, *ret_cfa);
    return true;
}

static ALWAYS_INLINE bool follow(struct quick *quick, struct followed_register *which,
                                 uintptr_t address)
{
    which->address = address;
    which->is_known = true;
    which->counts = false;
    return quick_read(quick, address, &which->value);
}

/* Where the frame around has what this one saved. False: not to be read quickly. */
static ALWAYS_INLINE bool follow_saved(struct quick *quick, struct short_rule rule, uintptr_t cfa)
{
    struct trace *trace = quick->trace;
    uintptr_t frame = quick->frame.value;

    if (UNLIKELY(rule.frame_in_memory || rule.rbx_in_memory) &&
        !use(&quick->frame, trace, &trace->needs_frame))
        return false;
    if ((rule.frame != 0 || rule.frame_in_memory) &&
        !follow(quick, &quick->frame,
                (rule.frame_in_memory ? frame : cfa) + (uintptr_t)(intptr_t)rule.frame))
        return false;
    return (rule.rbx == 0 && !rule.rbx_in_memory) ||
           follow(quick, &quick->rbx,
                  (rule.rbx_in_memory ? frame : cfa) + (uintptr_t)(intptr_t)rule.rbx);
}

/* Nothing changes that counts if this is not quick. */
static ALWAYS_INLINE enum outcome quick_step(struct quick *quick)
{
    struct followed_register frame = quick->frame, rbx = quick->rbx;
    struct short_rule rule;
    uintptr_t cfa, pc;

    if (UNLIKELY(quick->pc - quick->module_start >= quick->module_bytes) && !enter_module(quick))
        return OUTCOME_NOT_QUICK;
    rule = cache_find(quick->module_key ^ quick->pc);
    if (UNLIKELY(!rule.is_valid))
        return OUTCOME_NOT_QUICK;
    if (UNLIKELY(rule.is_outermost))
        return OUTCOME_OUTERMOST;
    if (!quick_cfa(quick, rule, &cfa) || !quick_read(quick, cfa - sizeof(uintptr_t), &pc) ||
        pc < PROBE_BYTES || cfa <= quick->stack || !follow_saved(quick, rule, cfa)) {
        quick->frame = frame;
        quick->rbx = rbx;
        return OUTCOME_NOT_QUICK;
    }
    say_read(quick->trace, cfa - sizeof(uintptr_t), pc);
    quick->pc = pc - 1;
    quick->stack = cfa;
    quick->walk.is_exact = false;
    return OUTCOME_STEPPED;
}

#else

static enum outcome quick_step(struct quick *quick)
{
    (void)quick;
    return OUTCOME_NOT_QUICK;
}

#endif

static void give_register(struct quick *quick, const struct followed_register *from, unsigned which)
{
    if (from->is_known)
        registers_set(&quick->walk.registers, which, from->value);
}

static NOINLINE bool slow_step(struct quick *quick)
{
    struct walk *walk = &quick->walk;

    quick->trace->is_whole = false;
    walk->registers.known &= ~(1u << REGISTER_FRAME | 1u << REGISTER_RBX);
    registers_set(&walk->registers, REGISTER_PC, quick->pc + !walk->is_exact);
    registers_set(&walk->registers, REGISTER_STACK, quick->stack);
    give_register(quick, &quick->frame, REGISTER_FRAME);
    give_register(quick, &quick->rbx, REGISTER_RBX);
    if (!sg_unwind_step(walk))
        return false;
    use_registers(quick);
    use_module(quick);
    use_memory(quick);
    return true;
}

size_t sg_unwind_traced(const struct registers *start, struct trace *trace, uintptr_t *frames,
                        size_t limit)
{
    struct quick quick;
    size_t count = 0;

    begin(&quick, start, trace);
    while (count < limit) {
        enum outcome outcome = quick_step(&quick);
        uintptr_t pc;

        if (outcome == OUTCOME_OUTERMOST || (outcome == OUTCOME_NOT_QUICK && !slow_step(&quick)))
            break;
        pc = quick.pc + !quick.walk.is_exact;
        if (pc - trace->own_start >= trace->own_bytes)
            frames[count++] = pc;
    }
    return count;
}
