#include "unwind_machine.h"

#include <ucontext.h>

#if defined(__x86_64__)

void sg_registers_of_context(struct registers *registers, const void *context)
{
    static const uint8_t numbers[REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                               REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                               REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    const ucontext_t *machine = context;

    for (unsigned i = 0; i < REGISTERS; i++)
        registers_set(registers, i, (uintptr_t)machine->uc_mcontext.gregs[numbers[i]]);
}

#else

void sg_registers_of_context(struct registers *registers, const void *context)
{
#if defined(__aarch64__)
    const ucontext_t *machine = context;

    registers_set(registers, REGISTER_PC, machine->uc_mcontext.pc);
    registers_set(registers, REGISTER_STACK, machine->uc_mcontext.sp);
    registers_set(registers, REGISTER_FRAME, machine->uc_mcontext.regs[29]);
#else
    (void)registers, (void)context;
#endif
}

#endif
