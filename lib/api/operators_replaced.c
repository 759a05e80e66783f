/* In a file of its own: where the symbols are defined the compiler might take their addresses for
 * known. */
#include "operators.h"

_Atomic uint8_t sg_operators_state;

bool sg_operators_look(void)
{
    bool ours = _Znwm == sg_new && _Znam == sg_new_array &&
                _ZnwmSt11align_val_t == sg_new_aligned &&
                _ZnamSt11align_val_t == sg_new_array_aligned && _ZdlPv == sg_delete &&
                _ZdaPv == sg_delete_array && _ZdlPvSt11align_val_t == sg_delete_aligned &&
                _ZdaPvSt11align_val_t == sg_delete_array_aligned;

    store_relaxed(&sg_operators_state, ours ? OPERATORS_ARE_OURS : OPERATORS_ARE_REPLACED);
    return ours;
}
