#include "unwind.h"

#include "unwind_step.h"

static void start_in_context(struct walk *walk, const void *context)
{
    sg_registers_of_context(&walk->registers, context);
    walk->is_exact = true;
    walk->memory.low = walk->registers.value[REGISTER_STACK] - STACK_RED_ZONE;
    walk->memory.known = 1;
}

NOINLINE size_t sg_unwind(uintptr_t *frames, size_t limit, const void *context)
{
    struct walk walk;
    size_t count = 0;

    walk.registers.known = 0;
    walk.module.start = walk.module.end = 0;
    walk.signals = 0;
    walk.memory.sure_low = walk.memory.sure_bytes = 0;
    if (context != NULL) {
        start_in_context(&walk, context);
        if (limit > 0)
            frames[count++] = walk.registers.value[REGISTER_PC];
    } else {
        registers_of_caller(
            &walk.registers); /* of this function, which is no frame of the answer */
        walk.is_exact = true;
        walk.memory.low = walk.registers.value[REGISTER_STACK];
        walk.memory.known = walk.memory.low & ~(PROBE_BYTES - 1);
    }
    while (count < limit && sg_unwind_step(&walk))
        frames[count++] = walk.registers.value[REGISTER_PC];
    return count;
}
