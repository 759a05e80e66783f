#include "os_fault.h"

#include <errno.h>
#include <signal.h>
#include <ucontext.h>

/* Both written once at start, before the handler can run. */
static struct sigaction previous;
static void (*told)(uintptr_t address, bool is_write, const void *context);

static bool was_write(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
    (void)context;
    return false;
#endif
}

static void on_signal(int signal_number, siginfo_t *information, void *context)
{
    int saved = errno;

    if (information->si_code > 0)
        told((uintptr_t)information->si_addr, was_write(context), context);
    sigaction(signal_number, &previous, NULL);
    if (information->si_code <= 0) /* sent by somebody: it does not come again by itself */
        raise(signal_number);
    errno = saved;
}

void sg_os_fault_start(void (*on_fault)(uintptr_t address, bool is_write, const void *context))
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    told = on_fault;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, NULL, &previous) == 0 && previous.sa_handler == SIG_DFL &&
        (previous.sa_flags & SA_SIGINFO) == 0)
        (void)sigaction(SIGSEGV, &action, NULL);
}

uintptr_t sg_os_fault_pc(const void *context)
{
#if defined(__x86_64__)
    return context == NULL ? 0
                           : (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return context == NULL ? 0 : (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

bool sg_os_fault_hides_address(const void *context)
{
#if defined(__x86_64__)
    enum { PAGE_FAULT = 14 };

    return context != NULL &&
           ((const ucontext_t *)context)->uc_mcontext.gregs[REG_TRAPNO] != PAGE_FAULT;
#else
    (void)context;
    return false;
#endif
}

size_t sg_os_fault_registers(const void *context, uint64_t registers[OS_REGISTERS_MOST])
{
    const ucontext_t *user = context;
    size_t count = 0;

    if (context == NULL)
        return 0;
#if defined(__x86_64__)
    for (int i = REG_R8; i <= REG_RSP; i++)
        registers[count++] = (uint64_t)user->uc_mcontext.gregs[i];
#elif defined(__aarch64__)
    for (; count < OS_REGISTERS_MOST; count++)
        registers[count] = user->uc_mcontext.regs[count];
#else
    (void)user;
#endif
    return count;
}
