/* After each dlclose the list of modules is looked through. A module that is in it, and was not
 * after the dlclose before, came in between: what was captured earlier is not of it. One that the
 * last look did not see came after it. So nothing has to be known of when modules are loaded.
 *
 * Modules that libc unloads by itself (converters of iconv) go unnoticed. */
#include "unloaded.h"

#include "ticks.h"
#include "unwind.h"
#include "unwind_modules.h"

#define MODULES_MAX 512u /* more are taken to have come after the last look */

/* Written under the loader's lock, read without one; all relaxed: a report in the middle of a look
 * takes one module for new, at worst. */
struct known {
    _Atomic uintptr_t start, end, identity;
    _Atomic uint64_t since; /* the look before the first that saw it; 0: there was none */
    _Atomic uint64_t look;  /* the last that saw it */
};

static COLD_ZEROES struct known known[MODULES_MAX];
static _Atomic uint64_t last_time; /* of the last look; 0: none */
static _Atomic uint64_t last_look, last_whole_look;

struct look {
    uint64_t number; /* 0: not begun */
    uint64_t time_before;
};

static void begin(struct look *look)
{
    look->number = load_relaxed(&last_look) + 1;
    look->time_before = load_relaxed(&last_time);
    store_relaxed(&last_look, look->number);
    store_relaxed(&last_time, debug_time());
}

static bool is_of(const struct known *entry, const struct module *module)
{
    return load_relaxed(&entry->start) == module->start &&
           load_relaxed(&entry->end) == module->end &&
           load_relaxed(&entry->identity) == (uintptr_t)module->identity;
}

/* The entry of the module if the look before this one saw it, else one to be made its; NULL: there
 * is no room. */
static struct known *entry_for(const struct module *module, uint64_t number)
{
    struct known *room = NULL;

    for (struct known *entry = known; entry < known + MODULES_MAX; entry++) {
        bool is_current = load_relaxed(&entry->look) + 1 >= number && load_relaxed(&entry->look);

        if (is_current && is_of(entry, module))
            return entry;
        if (!is_current && room == NULL)
            room = entry;
    }
    return room;
}

static void see(const struct module *module, void *context)
{
    struct look *look = context;
    struct known *entry;

    if (look->number == 0)
        begin(look);
    entry = entry_for(module, look->number);
    if (entry == NULL)
        return;
    if (load_relaxed(&entry->look) + 1 < look->number || load_relaxed(&entry->look) == 0) {
        store_relaxed(&entry->start, module->start);
        store_relaxed(&entry->end, module->end);
        store_relaxed(&entry->identity, (uintptr_t)module->identity);
        store_relaxed(&entry->since, look->time_before);
    }
    store_relaxed(&entry->look, look->number);
}

void sg_unloaded_look(void)
{
    struct look look = {0, 0};

    sg_unwind_forget();
    sg_module_each(see, &look);
    if (load_relaxed(&last_whole_look) < look.number)
        store_relaxed(&last_whole_look, look.number);
}

bool sg_unloaded_since(const struct module *module, uint64_t time)
{
    uint64_t since = load_relaxed(&last_time);

    if (time == 0 || since == 0)
        return false;
    for (const struct known *entry = known; entry < known + MODULES_MAX; entry++)
        if (load_relaxed(&entry->look) >= load_relaxed(&last_whole_look) && is_of(entry, module))
            since = load_relaxed(&entry->since);
    return time < since;
}
