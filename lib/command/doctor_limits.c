/* Limits that take protection or memory away, and what the kernel offers. */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#define NUMBER_OF_MSEAL 462
#define ROOMY_BYTES (4ull << 30) /* of address space: enough not to speak of it */

static unsigned long long number_in(const char *name)
{
    struct proc_text *text = sg_allocate(sizeof(*text));

    sg_proc_read(0, name, text);
    unsigned long long number = text->length > 0 ? strtoull(text->bytes, NULL, 10) : 0;
    free(text);
    return number;
}

static unsigned long long count_maps(const struct proc_text *maps)
{
    unsigned long long count = 0;

    for (ssize_t i = 0; i < maps->length; i++)
        count += maps->bytes[i] == '\n';
    return count;
}

static void diagnose_maps(struct diagnosis *diagnosis, pid_t process)
{
    struct proc_text *text = sg_allocate(sizeof(*text));
    unsigned long long most = number_in("sys/vm/max_map_count");

    sg_proc_read(process, process == 0 ? "self/maps" : "maps", text);
    unsigned long long used = count_maps(text);
    bool is_cut = text->length + 1 == (ssize_t)sizeof(text->bytes);
    free(text);
    if (used * 5 > most * 4 || most < 65530)
        sg_diagnose(diagnosis, WARN("sysctl vm.max_map_count=1048576"),
                    "vm.max_map_count = %llu, in use %llu: guards may run out", most, used);
    else if (process == 0)
        sg_diagnose(diagnosis, FINE, "vm.max_map_count = %llu", most);
    else
        sg_diagnose(diagnosis, FINE, "vm.max_map_count = %llu, in use %s%llu", most,
                    is_cut ? "at least " : "", used);
}

static const char *limit_of(const struct proc_text *limits, const char *name)
{
    return sg_proc_field(limits, name);
}

static void diagnose_resources(struct diagnosis *diagnosis, pid_t process)
{
    struct proc_text *limits = sg_allocate(sizeof(*limits));

    sg_proc_read(process, process == 0 ? "self/limits" : "limits", limits);
    const char *space = limit_of(limits, "Max address space");
    if (space != NULL && *space >= '0' && *space <= '9') {
        unsigned long long bytes = strtoull(space, NULL, 10);

        sg_diagnose(diagnosis, bytes < ROOMY_BYTES ? WARN("raise it (ulimit -v, LimitAS=)") : FINE,
                    "the address space is limited to %llu MiB", bytes >> 20);
    }
    free(limits);
}

/* Pages that are locked in memory make guards and quarantine count against the limit. */
static void diagnose_status(struct diagnosis *diagnosis, pid_t process)
{
    struct proc_text *status = sg_allocate(sizeof(*status));

    sg_proc_read(process, process == 0 ? "self/status" : "status", status);
    const char *filter = sg_proc_field(status, "Seccomp:");
    const char *no_rights = sg_proc_field(status, "NoNewPrivs:");
    const char *locked = sg_proc_field(status, "VmLck:");

    if (filter != NULL && *filter == '2')
        sg_diagnose(diagnosis, WARN("let mmap, munmap, mprotect, madvise and write pass"),
                    "system calls are filtered (seccomp)");
    else if (filter != NULL && *filter == '1')
        sg_diagnose(diagnosis, WARN("the heap cannot grow: mmap is not among the four"),
                    "only four system calls are allowed (strict seccomp)");
    if (no_rights != NULL && *no_rights == '1')
        sg_diagnose(diagnosis, FINE,
                    "no_new_privs is set: set-uid programs started from it keep the preload");
    if (locked != NULL && strtoull(locked, NULL, 10) > 0)
        sg_diagnose(diagnosis, WARN("raise RLIMIT_MEMLOCK, or do without mlockall"),
                    "%llu KiB are locked: the heap counts against RLIMIT_MEMLOCK",
                    strtoull(locked, NULL, 10));
    free(status);
}

void sg_diagnose_limits(struct diagnosis *diagnosis, pid_t process)
{
    diagnose_maps(diagnosis, process);
    diagnose_resources(diagnosis, process);
    diagnose_status(diagnosis, process);
    if (number_in("sys/vm/overcommit_memory") == 2)
        sg_diagnose(diagnosis, WARN("sysctl vm.overcommit_memory=0"),
                    "overcommit is off: address space that is reserved counts as used");
}

static bool has_guards(void)
{
    long page = sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return false;
    bool is_there = madvise(memory, (size_t)page, MADV_GUARD_INSTALL) == 0;
    munmap(memory, (size_t)page);
    return is_there;
}

void sg_diagnose_system(struct diagnosis *diagnosis)
{
    if (has_guards())
        sg_diagnose(diagnosis, FINE, "the kernel has guards by madvise");
    else
        sg_diagnose(diagnosis, WARN("Linux 6.13 or later, or a larger guard_budget"),
                    "the kernel lacks guards by madvise: guards are mappings, and limited");
    if (syscall(NUMBER_OF_MSEAL, NULL, (size_t)0, 0ul) != 0 && errno == ENOSYS)
        sg_diagnose(diagnosis, FINE,
                    "the kernel lacks mseal: what is read-only could be opened again");
    else
        sg_diagnose(diagnosis, FINE, "the kernel has mseal");
}
