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

/* A frame: what changes with each step, and so what the compiler is to keep in registers. */
struct spot {
    uintptr_t pc; /* inside the instruction */
    uintptr_t stack;
    struct followed_register frame;
    struct followed_register rbx;
};

struct quick {
    struct spot spot;
    uintptr_t low; /* what may be read without asking */
    uintptr_t bytes;
    uintptr_t module_start;
    uintptr_t module_bytes;
    uint64_t module_key;
    uintptr_t *frames;
    size_t count;
    size_t limit;
    struct trace *trace;
    struct walk walk; /* the same, for the steps that are not quick; its module is that in use */
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

    if (quick->spot.stack - low >= memory->sure_bytes) {
        low = memory->known;
        end = low + (low % PROBE_BYTES == 0 ? PROBE_BYTES : 0);
    }
    low = low < memory->low ? memory->low : low;
    end = end < last ? end : last;
    quick->low = low;
    quick->bytes = end < low ? 0 : end - low;
}

static void use_register(struct followed_register *followed, const struct registers *registers,
                         unsigned which)
{
    followed->value = registers->value[which];
    followed->address = 0;
    followed->is_known = (registers->known >> which & 1) != 0;
    followed->counts = false;
}

static void use_registers(struct quick *quick, const struct registers *registers)
{
    quick->spot.pc = registers->value[REGISTER_PC] - !quick->walk.is_exact;
    quick->spot.stack = registers->value[REGISTER_STACK];
    use_register(&quick->spot.frame, registers, REGISTER_FRAME);
    use_register(&quick->spot.rbx, registers, REGISTER_RBX);
}

static void begin(struct quick *quick, const struct registers *start, struct trace *trace)
{
    uintptr_t stack = start->value[REGISTER_STACK];

    quick->walk.registers.known = 0; /* slow_step() says which are */
    quick->walk.memory.low = stack;
    quick->walk.memory.known = stack & ~(PROBE_BYTES - 1);
    quick->walk.memory.sure_low = trace->sure_low;
    quick->walk.memory.sure_bytes = trace->sure_bytes;
    quick->walk.module.start = quick->walk.module.end = 0;
    quick->walk.signals = 0;
    quick->walk.is_exact = true;
    quick->trace = trace;
    quick->module_start = quick->module_bytes = 0;
    use_registers(quick, start);
    use_memory(quick);
    trace->is_whole = true;
    trace->needs_frame = trace->needs_rbx = false;
    trace->read_count = 0;
}

static ALWAYS_INLINE void say_frame(struct quick *quick, uintptr_t pc)
{
    if (pc - quick->trace->own_start >= quick->trace->own_bytes)
        quick->frames[quick->count++] = pc;
}

#if defined(__x86_64__)

static ALWAYS_INLINE void say_read(struct trace *trace, uintptr_t address, uintptr_t value)
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

static NOINLINE bool enter_module(struct quick *quick, uintptr_t pc)
{
    bool is_found = sg_module_of(pc, &quick->walk.module);

    if (!is_found)
        quick->walk.module.end = quick->walk.module.start;
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

/* The register is needed: what it is counts from now on. */
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

static ALWAYS_INLINE bool quick_cfa(struct quick *quick, struct spot *spot, struct short_rule rule,
                                    uintptr_t *ret_cfa)
{
    struct trace *trace = quick->trace;
    uintptr_t offset = (uintptr_t)((intptr_t)rule.cfa_words * WORD_BYTES), address;

    if (LIKELY(rule.cfa_base == SHORT_STACK))
        return *ret_cfa = spot->stack + offset, true;
    if (rule.cfa_base == SHORT_RBX)
        return *ret_cfa = spot->rbx.value + offset, use(&spot->rbx, trace, &trace->needs_rbx);
    address = spot->frame.value + offset;
    *ret_cfa = address;
    if (!use(&spot->frame, trace, &trace->needs_frame))
        return false;
    if (rule.cfa_base == SHORT_FRAME)
        return true;
    if (!quick_read(quick, address, ret_cfa))
        return false;
    say_read(trace, address, *ret_cfa);
    return true;
}

static ALWAYS_INLINE void take_from(struct followed_register *which, uintptr_t address,
                                    uintptr_t value)
{
    which->value = value;
    which->address = address;
    which->is_known = true;
    which->counts = false;
}

/* What this frame saved of the frame around it. False, and nothing changed: not to be had. */
static ALWAYS_INLINE bool restore(struct quick *quick, struct spot *spot, struct short_rule rule,
                                  uintptr_t cfa)
{
    bool has_frame = rule.frame != 0 || rule.frame_in_memory;
    bool has_rbx = rule.rbx != 0 || rule.rbx_in_memory;
    uintptr_t frame_at = (rule.frame_in_memory ? spot->frame.value : cfa) +
                         (uintptr_t)(intptr_t)rule.frame;
    uintptr_t rbx_at = (rule.rbx_in_memory ? spot->frame.value : cfa) +
                       (uintptr_t)(intptr_t)rule.rbx;
    uintptr_t frame = 0, rbx = 0;

    if (UNLIKELY(rule.frame_in_memory || rule.rbx_in_memory) &&
        !use(&spot->frame, quick->trace, &quick->trace->needs_frame))
        return false;
    if ((has_frame && !quick_read(quick, frame_at, &frame)) ||
        (has_rbx && !quick_read(quick, rbx_at, &rbx)))
        return false;
    if (has_frame)
        take_from(&spot->frame, frame_at, frame);
    if (has_rbx)
        take_from(&spot->rbx, rbx_at, rbx);
    return true;
}

static ALWAYS_INLINE enum outcome quick_step(struct quick *quick, struct spot *spot)
{
    struct short_rule rule;
    uintptr_t cfa, pc;

    if (UNLIKELY(spot->pc - quick->module_start >= quick->module_bytes) &&
        !enter_module(quick, spot->pc))
        return OUTCOME_NOT_QUICK;
    rule = cache_find(quick->module_key ^ spot->pc);
    if (UNLIKELY(!rule.is_valid))
        return OUTCOME_NOT_QUICK;
    if (UNLIKELY(rule.is_outermost))
        return OUTCOME_OUTERMOST;
    if (!quick_cfa(quick, spot, rule, &cfa) || !quick_read(quick, cfa - sizeof(uintptr_t), &pc) ||
        pc < PROBE_BYTES || cfa <= spot->stack || !restore(quick, spot, rule, cfa))
        return OUTCOME_NOT_QUICK;
    say_read(quick->trace, cfa - sizeof(uintptr_t), pc);
    spot->pc = pc - 1;
    spot->stack = cfa;
    return OUTCOME_STEPPED;
}

/* Quick steps, up to the limit or the first frame that is not quick or has none around it. */
static enum outcome quick_steps(struct quick *quick)
{
    struct spot spot = quick->spot;
    enum outcome outcome = OUTCOME_STEPPED;

    while (quick->count < quick->limit) {
        outcome = quick_step(quick, &spot);
        if (outcome != OUTCOME_STEPPED)
            break;
        quick->walk.is_exact = false;
        say_frame(quick, spot.pc + 1);
    }
    quick->spot = spot;
    return outcome;
}

#else

static enum outcome quick_steps(struct quick *quick)
{
    return quick->count < quick->limit ? OUTCOME_NOT_QUICK : OUTCOME_STEPPED;
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
    walk->registers.known = 0;
    registers_set(&walk->registers, REGISTER_PC, quick->spot.pc + !walk->is_exact);
    registers_set(&walk->registers, REGISTER_STACK, quick->spot.stack);
    give_register(quick, &quick->spot.frame, REGISTER_FRAME);
    give_register(quick, &quick->spot.rbx, REGISTER_RBX);
    if (!sg_unwind_step(walk))
        return false;
    use_registers(quick, &walk->registers);
    use_module(quick);
    use_memory(quick);
    say_frame(quick, walk->registers.value[REGISTER_PC]);
    return true;
}

size_t sg_unwind_traced(const struct registers *start, struct trace *trace, uintptr_t *frames,
                        size_t limit)
{
    struct quick quick;

    quick.frames = frames;
    quick.count = 0;
    quick.limit = limit;
    begin(&quick, start, trace);
    while (quick_steps(&quick) == OUTCOME_NOT_QUICK && slow_step(&quick))
        ;
    return quick.count;
}
