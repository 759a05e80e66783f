/* In a file of its own: where the symbols are defined the compiler might take their addresses for
 * known. */
#include "operators.h"

_Atomic uint8_t sg_operators_state;

/* Clang takes two functions of different names for different functions, unless it cannot see that
 * the addresses are theirs. */
static bool is_same(const void *seen, const void *ours)
{
    __asm__("" : "+r"(seen));
    return seen == ours;
}

bool sg_operators_look(void)
{
    bool ours = is_same(_Znwm, sg_new) && is_same(_Znam, sg_new_array) &&
                is_same(_ZnwmSt11align_val_t, sg_new_aligned) &&
                is_same(_ZnamSt11align_val_t, sg_new_array_aligned) && is_same(_ZdlPv, sg_delete) &&
                is_same(_ZdaPv, sg_delete_array) &&
                is_same(_ZdlPvSt11align_val_t, sg_delete_aligned) &&
                is_same(_ZdaPvSt11align_val_t, sg_delete_array_aligned);

    store_relaxed(&sg_operators_state, ours ? OPERATORS_ARE_OURS : OPERATORS_ARE_REPLACED);
    return ours;
}
