/* What differs from one kind of machine to the next: the registers that matter to a walk. */
#ifndef SG_UNWIND_UNWIND_MACHINE_H
#define SG_UNWIND_UNWIND_MACHINE_H

#include "compiler.h"

#if defined(__x86_64__)

/* Numbers of DWARF. */
enum { REGISTER_RBX = 3, REGISTER_FRAME = 6, REGISTER_STACK = 7, REGISTER_PC = 16, REGISTERS };

struct registers {
    uintptr_t value[REGISTERS];
    uint32_t known; /* one bit for each */
};

static inline void registers_set(struct registers *registers, unsigned which, uintptr_t value)
{
    registers->value[which] = value;
    registers->known |= 1u << which;
}

/* Of an interrupted thread: `context` is the ucontext_t that its handler got. */
HIDDEN void sg_registers_of_context(struct registers *registers, const void *context);

/* Those of the function around, which stay true of it until it returns. */
static ALWAYS_INLINE void registers_of_caller(struct registers *registers)
{
    uintptr_t pc, stack, frame, rbx;

    __asm__ volatile("lea 0(%%rip), %0\n\tmov %%rsp, %1\n\tmov %%rbp, %2\n\tmov %%rbx, %3"
                     : "=&r"(pc), "=&r"(stack), "=&r"(frame), "=&r"(rbx));
    registers_set(registers, REGISTER_PC, pc);
    registers_set(registers, REGISTER_STACK, stack);
    registers_set(registers, REGISTER_FRAME, frame);
    registers_set(registers, REGISTER_RBX, rbx);
}

static inline uintptr_t code_address(uintptr_t address)
{
    return address;
}

#define STACK_RED_ZONE 128u /* below the stack pointer, still in use */

#else

enum { REGISTER_RBX /* none here */, REGISTER_FRAME, REGISTER_STACK, REGISTER_PC, REGISTERS };

struct registers {
    uintptr_t value[REGISTERS];
    uint32_t known;
};

static inline void registers_set(struct registers *registers, unsigned which, uintptr_t value)
{
    registers->value[which] = value;
    registers->known |= 1u << which;
}

/* Of an interrupted thread: `context` is the ucontext_t that its handler got. */
HIDDEN void sg_registers_of_context(struct registers *registers, const void *context);

static ALWAYS_INLINE void registers_of_caller(struct registers *registers)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

    registers_set(registers, REGISTER_PC, (uintptr_t)&sg_registers_of_context);
    registers_set(registers, REGISTER_STACK, frame);
    registers_set(registers, REGISTER_FRAME, frame);
}

/* Without what pointer authentication put into the upper bits. */
static inline uintptr_t code_address(uintptr_t address)
{
    return address & (((uintptr_t)1 << 48) - 1);
}

#define STACK_RED_ZONE 0u

#endif

#endif
