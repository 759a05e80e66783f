/* Asking a block for its size: any number of threads may at once, and a fork may come between. So
 * its record is not claimed, unless there is damage to tell. */
#include "checker.h"
#include "debug_pool.h"
#include "debug_report.h"
#include "debug_state.h"
#include "redzone.h"
#include "sweep.h"

#define BUSY_SPINS 100000u

/* What is BUSY is looked at by a check, or it ends: wait for what comes of that. */
static uint8_t settled_state(const struct record *record)
{
    uint8_t state = load_relaxed(&record->state);

    for (uint32_t i = 0; i < BUSY_SPINS && state == RECORD_BUSY; i++) {
        if (sg_sweep_await(record) == SWEEP_OWN)
            return RECORD_LIVE; /* a handler interrupted this thread's own look at it */
        os_relax();
        state = load_relaxed(&record->state);
    }
    return state;
}

/* As a check does: others wait until the report is out. */
static COLD void say_damage(struct record *record, const char *function)
{
    struct sweep unlisted = {0}, *sweep = sg_sweep_begin();

    if (sweep == NULL)
        sweep = &unlisted;
    if (sg_sweep_claim(sweep, record, RECORD_LIVE)) {
        sg_debug_check_live(record, function, "by malloc_usable_size");
        sg_sweep_leave(sweep, record);
    }
    sg_sweep_end(sweep);
}

size_t sg_debug_usable_bytes(void *object, const char *function)
{
    struct record *record;
    size_t bytes = 0;

    lifecycle_start();
    checker_enter();
    record = sg_record_find((uintptr_t)object);
    if (record == NULL || settled_state(record) != RECORD_LIVE) {
        sg_debug_report_pointer(object, record, function);
    } else {
        bytes = record->bytes;
        if (UNLIKELY(!redzone_is_whole(record)))
            say_damage(record, function);
    }
    checker_leave();
    return bytes;
}
