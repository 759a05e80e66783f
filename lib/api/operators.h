/* C++ new and delete under their mangled names (Itanium ABI, size_t = unsigned long), without
 * linking to a C++ library: every form, its own symbol, and the hidden name of our definition.
 *
 * A program may replace some forms and not others. The standard says which of the others must then
 * behave as if they called the replaced one: new[] calls new, nothrow forms call the throwing ones,
 * sized delete calls plain delete, and so on ([new.delete]). As soon as any base form that the
 * program sees is not ours, all derived forms of ours go through their bases. */
#ifndef SG_API_OPERATORS_H
#define SG_API_OPERATORS_H

#include "compiler.h"
#include "pool.h"

struct nothrow; /* std::nothrow_t */

/* As the program resolves them; through the GOT, another definition may win. */
extern void *_Znwm(size_t bytes);
extern void *_Znam(size_t bytes);
extern void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment);
extern void *_ZnamSt11align_val_t(size_t bytes, size_t alignment);
extern void _ZdlPv(void *object);
extern void _ZdaPv(void *object);
extern void _ZdlPvSt11align_val_t(void *object, size_t alignment);
extern void _ZdaPvSt11align_val_t(void *object, size_t alignment);

/* The same, certainly ours. */
HIDDEN void *sg_new(size_t bytes);
HIDDEN void *sg_new_array(size_t bytes);
HIDDEN void *sg_new_aligned(size_t bytes, size_t alignment);
HIDDEN void *sg_new_array_aligned(size_t bytes, size_t alignment);
HIDDEN void sg_delete(void *object);
HIDDEN void sg_delete_array(void *object);
HIDDEN void sg_delete_aligned(void *object, size_t alignment);
HIDDEN void sg_delete_array_aligned(void *object, size_t alignment);

/* Whether all eight above are ours. Relaxed: constant once known, and looking twice finds the
 * same. */
enum operators_state { OPERATORS_UNKNOWN = 0, OPERATORS_ARE_OURS, OPERATORS_ARE_REPLACED };

extern HIDDEN _Atomic uint8_t sg_operators_state;
HIDDEN bool sg_operators_look(void);

static inline bool operators_are_ours(void)
{
    return LIKELY(load_relaxed(&sg_operators_state) == OPERATORS_ARE_OURS) || sg_operators_look();
}

/* Calls the new-handler until there is memory; then throws std::bad_alloc if nothing helps.
 * `alignment` 0: none. */
HIDDEN void *sg_operator_allocate(size_t bytes, size_t alignment, uint8_t maker);

/* Proof and free, as the operator called `function`; errno is kept. */
HIDDEN void sg_operator_free(void *object, uint8_t maker, const char *function);
HIDDEN void sg_operator_free_stated(void *object, struct stated stated, uint8_t maker,
                                    const char *function);

#endif
