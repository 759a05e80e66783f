/* Looking at what nobody should have written to. */
#include "checker.h"
#include "debug_pool.h"
#include "debug_report.h"
#include "debug_state.h"
#include "page_map.h"
#include "redzone.h"
#include "sweep.h"

/* Both at once: the one behind is told. */
static COLD void say_live(const struct record *record, const char *function, const char *found)
{
    struct damage behind = sg_redzone_damage_behind(record);
    struct damage front = sg_redzone_damage_front(record);
    bool is_behind = behind.bytes != 0;

    if (behind.bytes == 0 && front.bytes == 0)
        return; /* a thread wrote what should be there, meanwhile */
    sg_debug_report_damage(record, is_behind ? behind : front,
                           (struct finding){.kind = is_behind ? BUG_OVERFLOW : BUG_UNDERFLOW,
                                            .function = function,
                                            .found = found});
    sg_redzone_write(record);
}

void sg_debug_check_live(const struct record *record, const char *function, const char *found)
{
    if (UNLIKELY(!redzone_is_whole(record)))
        say_live(record, function, found);
}

/* What lies around a freed block is still ours: it may have been written before it was freed last,
 * but then that would have been seen; so this is a write past a stale pointer too. */
static COLD void say_freed(const struct record *record, const char *found)
{
    struct damage damage = sg_fill_damage(record);

    if (damage.bytes == 0)
        damage = sg_redzone_damage_behind(record);
    if (damage.bytes == 0)
        damage = sg_redzone_damage_front(record);
    if (damage.bytes == 0)
        return;
    sg_debug_report_damage(
        record, damage,
        (struct finding){.kind = record->moved_to != 0 ? BUG_REALLOC_WRITE : BUG_FREED_WRITE,
                         .function = "free",
                         .found = found});
    sg_redzone_write(record);
    sg_fill_freed(record);
}

static inline bool is_freed_whole(const struct record *record)
{
    return fill_is_whole(record) && redzone_is_whole(record);
}

void sg_debug_check_freed(const struct record *record, const char *found)
{
    if (UNLIKELY(!is_freed_whole(record)))
        say_freed(record, found);
}

/* Without a claim, so only in a program of one thread. */
static bool is_whole(const struct record *record)
{
    bool is_freed = load_relaxed(&record->state) == RECORD_FREED;

    return is_freed ? is_freed_whole(record) : redzone_is_whole(record);
}

struct checking {
    struct sweep *sweep;
    const char *found;
};

/* A claim writes to the record: a child of a fork that ends would copy all of them for that. What
 * is BUSY may not even say yet where its block is: this may be the handler of a signal. */
static void check(struct record *record, void *context)
{
    const struct checking *checking = context;
    uint8_t state = load_relaxed(&record->state);

    if ((state != RECORD_LIVE && state != RECORD_FREED) ||
        (sg_os_is_single_threaded() && is_whole(record)) ||
        !sg_sweep_claim(checking->sweep, record, state))
        return;
    if (state == RECORD_LIVE)
        sg_debug_check_live(record, "check", checking->found);
    else
        sg_debug_check_freed(record, checking->found);
    sg_sweep_leave(checking->sweep, record);
}

/* What a longjmp or the end of a thread cut short never says that it is over. Once these checks are
 * as many as there can be at once, who finds a record BUSY is not told who has it. */
void sg_debug_check_all(const char *found)
{
    struct sweep unlisted = {0};
    struct checking checking = {sg_sweep_begin(), found};

    if (checking.sweep == NULL)
        checking.sweep = &unlisted;
    checker_enter();
    sg_record_each(check, &checking);
    checker_leave();
    sg_sweep_end(checking.sweep);
}

size_t sg_debug_block_room(const void *address)
{
    const struct record *record;
    uintptr_t start;

    if (page_map_lookup((uintptr_t)address) == NULL)
        return SIZE_MAX;
    record = sg_record_around((uintptr_t)address);
    if (record == NULL)
        return 0;
    start = load_relaxed(&record->start);
    uint8_t state = load_relaxed(&record->state);
    bool is_live = state == RECORD_LIVE || state == RECORD_BUSY;
    if (!is_live || (uintptr_t)address < start || (uintptr_t)address - start >= record->bytes)
        return 0;
    return record->bytes - ((uintptr_t)address - start);
}
