/* Linked into each program of the coverage build, behind the profile runtime: adds what was counted
 * before that runtime mapped its file. The start of the allocator is in there, since the runtime
 * itself is among the first to call malloc. */
#include <stdint.h>

extern uint64_t *__llvm_profile_begin_counters(void);
extern uint64_t *__llvm_profile_end_counters(void);
extern intptr_t __llvm_profile_counter_bias __attribute__((weak));

__attribute__((constructor)) static void add_early_counts(void)
{
    if (&__llvm_profile_counter_bias == 0 || __llvm_profile_counter_bias == 0)
        return;
    for (uint64_t *early = __llvm_profile_begin_counters(); early < __llvm_profile_end_counters();
         early++)
        *(uint64_t *)((char *)early + __llvm_profile_counter_bias) += *early;
}
