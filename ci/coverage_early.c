/* Linked into each program of the coverage build, before the profile runtime and once more behind
 * it: keeps what was counted until that runtime maps its file, and adds it then. The runtime itself
 * drops it. The start of the allocator is in there. */
#include <stddef.h>
#include <stdint.h>

extern uint64_t *__llvm_profile_begin_counters(void);
extern uint64_t *__llvm_profile_end_counters(void);
/* From a counter to where it is mapped. Each object brings a weak one, and the fuzz laboratory puts
 * the variables of the tiers' objects back to 0: this one it does not know. */
extern intptr_t __llvm_profile_counter_bias __attribute__((visibility("hidden")));

#define COUNTERS_MAX 65536
extern uint64_t coverage_early_counts[COUNTERS_MAX] __attribute__((visibility("hidden")));

static size_t counters(void)
{
    size_t count = (size_t)(__llvm_profile_end_counters() - __llvm_profile_begin_counters());

    if (count > COUNTERS_MAX)
        __builtin_trap();
    return count;
}

#ifdef BEFORE_RUNTIME

intptr_t __llvm_profile_counter_bias;
uint64_t coverage_early_counts[COUNTERS_MAX];

__attribute__((constructor)) static void keep(void)
{
    for (size_t i = 0; i < counters(); i++)
        coverage_early_counts[i] = __llvm_profile_begin_counters()[i];
}

#else

__attribute__((constructor)) static void add(void)
{
    char *mapped = (char *)__llvm_profile_begin_counters() + __llvm_profile_counter_bias;

    for (size_t i = 0; i < counters() && __llvm_profile_counter_bias != 0; i++)
        ((uint64_t *)mapped)[i] += coverage_early_counts[i];
}

#endif
