#include "faulty.h"

#include "arena.h"
#include "laboratory.h"
#include "refused.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static struct {
    struct faulty_rule rules[FAULTY_RULES];
    uint32_t met[FAULTY_RULES]; /* calls that the rule speaks of */
    unsigned rule_count;
    bool is_paused;
    uint64_t failures[FAULTY_CALLS];
} faulty;

static enum faulty_call call_of_advice(long advice)
{
    switch (advice) {
    case MADV_DONTNEED:
        return FAULTY_DONTNEED;
    case MADV_GUARD_INSTALL:
        return FAULTY_GUARD;
    case MADV_GUARD_REMOVE:
        return FAULTY_UNGUARD;
    default:
        return FAULTY_CALLS;
    }
}

static enum faulty_call call_of(long number, const long *arguments)
{
    switch (number) {
    case SYS_mmap:
        return FAULTY_MMAP;
    case SYS_munmap:
        return FAULTY_MUNMAP;
    case SYS_mprotect:
        return FAULTY_MPROTECT;
    case SYS_madvise:
        return call_of_advice(arguments[2]);
    case SYS_mremap:
        return FAULTY_MREMAP;
    case SYS_getrandom:
        return FAULTY_GETRANDOM;
    default:
        return FAULTY_CALLS;
    }
}

/* What was asked for is filled in by halves: the rest keeps what it held. */
static long fail(enum faulty_call call, const long *arguments, int error)
{
    if (error != FAULTY_SHORT)
        return -error;
    if (call != FAULTY_GETRANDOM)
        return -ENOMEM;
    long half[6] = {arguments[0], arguments[1] / 2, arguments[2]};
    return arena_call(SYS_getrandom, half);
}

static bool rule_speaks_of(unsigned index, enum faulty_call call, const long *arguments)
{
    const struct faulty_rule *rule = &faulty.rules[index];

    if ((rule->mask >> call & 1) == 0 || rule->first == 0)
        return false;
    if (rule->closes && call == FAULTY_MPROTECT && arguments[2] != PROT_NONE)
        return false;
    uint32_t number = ++faulty.met[index];
    return number >= rule->first &&
           (rule->count == FAULTY_FOR_EVER || number - rule->first < rule->count);
}

static bool on_call(long number, const long *arguments, long *ret_error)
{
    enum faulty_call call = call_of(number, arguments);
    bool fails = false;

    for (unsigned i = 0; i < faulty.rule_count && !faulty.is_paused; i++) {
        if (call == FAULTY_CALLS || !rule_speaks_of(i, call, arguments) || fails)
            continue;
        *ret_error = fail(call, arguments, faulty.rules[i].error);
        fails = true;
        faulty.failures[call]++;
    }
    if (fails)
        refused_note_failure(number, arguments);
    else
        refused_note_call(number, arguments);
    return fails;
}

void faulty_start(const struct faulty_rule *rules, unsigned count)
{
    refused_start();
    __builtin_memset(&faulty, 0, sizeof(faulty));
    faulty.rule_count = count < FAULTY_RULES ? count : FAULTY_RULES;
    for (unsigned i = 0; i < faulty.rule_count; i++)
        faulty.rules[i] = rules[i];
    laboratory.fault = on_call;
}

void faulty_stop(void)
{
    faulty.is_paused = true;
    refused_end();
}

void faulty_pause(void)
{
    faulty.is_paused = true;
}

void faulty_resume(void)
{
    faulty.is_paused = false;
}

uint64_t faulty_failures(unsigned mask)
{
    uint64_t all = 0;

    for (unsigned call = 0; call < FAULTY_CALLS; call++)
        all += (mask >> call & 1) != 0 ? faulty.failures[call] : 0;
    return all;
}

/* EPERM where a filter of system calls answers. */
const int *faulty_errors(enum faulty_call call)
{
    static const int errors[FAULTY_CALLS][5] = {
        [FAULTY_MMAP] = {ENOMEM, EAGAIN, EPERM, -1},
        [FAULTY_MUNMAP] = {ENOMEM, EPERM, -1},
        [FAULTY_MPROTECT] = {ENOMEM, EACCES, -1},
        [FAULTY_DONTNEED] = {EINVAL, EAGAIN, ENOMEM, -1},
        [FAULTY_GUARD] = {EINVAL, ENOMEM, EINTR, -1},
        [FAULTY_UNGUARD] = {EINVAL, ENOMEM, -1},
        [FAULTY_MREMAP] = {ENOMEM, EFAULT, EINVAL, -1},
        [FAULTY_GETRANDOM] = {FAULTY_SHORT, EAGAIN, ENOSYS, EPERM, -1},
    };

    return errors[call];
}
