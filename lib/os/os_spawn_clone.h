/* clone() onto another stack: libc's would run in memory that it believes to be a new thread's. */
#ifndef SG_OS_SPAWN_CLONE_H
#define SG_OS_SPAWN_CLONE_H

#include "os_syscall.h"

#define CLONE_VM_FLAG 0x100ul
#define CLONE_VFORK_FLAG 0x4000ul

/* A process that calls run(argument) on the stack that ends at `stack_end`, a multiple of 16, and
 * exits with its result. Its number, or -errno. */
#if defined(__x86_64__)

static NOINLINE long os_clone(unsigned long flags, void *stack_end, int (*run)(void *),
                              void *argument)
{
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    long result;

    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %[argument], %%rdi\n\t"
                     "call *%[run]\n\t"
                     "mov %%eax, %%edi\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n\t"
                     "hlt\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags), "S"(stack_end), "d"(0L), "r"(r10),
                       "r"(r8), [run] "r"(run), [argument] "r"(argument), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "cc", "memory");
    return result;
}

#elif defined(__aarch64__)

static NOINLINE long os_clone(unsigned long flags, void *stack_end, int (*run)(void *),
                              void *argument)
{
    register long x8 __asm__("x8") = SYS_clone;
    register long x0 __asm__("x0") = (long)flags;
    register long x1 __asm__("x1") = (long)stack_end;
    register long x2 __asm__("x2") = 0;
    register long x3 __asm__("x3") = 0;
    register long x4 __asm__("x4") = 0;

    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, %[argument]\n\t"
                     "blr %[run]\n\t"
                     "mov x8, %[exit]\n\t"
                     "svc 0\n\t"
                     "brk 1\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3),
                       "r"(x4), [run] "r"(run), [argument] "r"(argument), [exit] "i"(SYS_exit)
                     : "cc", "memory");
    return x0;
}

#else

/* Without code for the machine nothing is started. */
static inline long os_clone(unsigned long flags, void *stack_end, int (*run)(void *),
                            void *argument)
{
    (void)flags, (void)stack_end, (void)run, (void)argument;
    return -ENOSYS;
}

#endif

#endif
