/* Raw system calls: errno stays untouched, and no wrapper that a program interposes (some trace
 * mmap and allocate while they do) runs inside malloc. Results are the kernel's: -errno. */
#ifndef SG_OS_SYSCALL_H
#define SG_OS_SYSCALL_H

#include "compiler.h"

#include <errno.h>
#include <sys/syscall.h>

/* In the fuzz laboratory every call goes to a kernel of its own, which may ask this one. */
#ifdef SG_LABORATORY
#define os_syscall6 sg_laboratory_syscall
HIDDEN long sg_laboratory_syscall(long number, long a, long b, long c, long d, long e, long f);
#else
#define os_syscall6 os_kernel_call
#endif

#if defined(__x86_64__)

static inline long os_kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long os_kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else

#include <unistd.h>

static inline long os_kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    int saved = errno;
    long result = syscall(number, a, b, c, d, e, f);

    if (result == -1)
        result = -errno;
    errno = saved;
    return result;
}

#endif

static inline long os_syscall3(long number, long a, long b, long c)
{
    return os_syscall6(number, a, b, c, 0, 0, 0);
}

static inline bool os_failed(long result)
{
    return (unsigned long)result > -4096ul;
}

#endif
