#include "record_name.h"

#define NAMES 256u

/* By a hash of the address, then the next ones. Relaxed: texts are constant, and each place changes
 * once. */
static const char *_Atomic names[NAMES];

static uint32_t first_place(const char *name)
{
    return (uint32_t)(((uintptr_t)name * 0x9e3779b97f4a7c15u) >> 56);
}

/* Whether the place has this name now. */
static bool settle(uint32_t place, const char *name)
{
    const char *there = load_relaxed(&names[place]);

    if (LIKELY(there == name))
        return true;
    return there == NULL &&
           (atomic_compare_exchange_strong_explicit(&names[place], &there, name,
                                                    memory_order_relaxed, memory_order_relaxed) ||
            there == name);
}

uint8_t sg_record_name_number(const char *name)
{
    uint32_t place = first_place(name);

    for (uint32_t i = 0; i < NAMES; i++, place++)
        if (place % NAMES != 0 && settle(place % NAMES, name))
            return (uint8_t)(place % NAMES);
    return 0;
}

const char *sg_record_name(uint8_t number)
{
    return load_relaxed(&names[number]);
}
