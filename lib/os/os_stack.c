#include "os_stack.h"

#include <pthread.h>
#include <sys/auxv.h>

uintptr_t sg_os_stack_anchor(uintptr_t stack)
{
    uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
    uintptr_t first = getauxval(AT_RANDOM) & ~(sizeof(uintptr_t) - 1);

    if (thread <= stack)
        return first <= stack ? 0 : first;
    return first <= stack || thread < first ? thread : first;
}

/* glibc has room for this many in the control block, and allocates for those that follow. */
#define KEYS_IN_PLACE 32u

enum { KEY_NONE = 0, KEY_REFUSED = 1, KEY_FIRST = 2 }; /* the key, plus KEY_FIRST */

static _Atomic uint32_t end_key;

static uint32_t make_key(void (*at_end)(void *value))
{
    uint32_t made = KEY_REFUSED, expected = KEY_NONE;
    pthread_key_t key = 0;
    bool exists = pthread_key_create(&key, at_end) == 0;

    if (exists && key < KEYS_IN_PLACE)
        made = (uint32_t)key + KEY_FIRST;
    /* Relaxed: a number that stands for itself. */
    if (atomic_compare_exchange_strong_explicit(&end_key, &expected, made, memory_order_relaxed,
                                                memory_order_relaxed))
        expected = made;
    return expected; /* of two threads here at once, the key of one is never used */
}

bool sg_os_at_thread_end(void (*at_end)(void *value), void *value)
{
    uint32_t key = load_relaxed(&end_key);

    if (key == KEY_NONE)
        key = make_key(at_end);
    return key >= KEY_FIRST && pthread_setspecific(key - KEY_FIRST, value) == 0;
}
