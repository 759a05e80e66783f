/* The kinds of bugs that are found without a fault. */
#include "debug_pool.h"
#include "debug_report.h"
#include "debug_state.h"
#include "leak.h"
#include "lifecycle.h"
#include "os_guard.h"
#include "page_map.h"
#include "report.h"

/* A block that was freed, and whose memory another one has now, or nobody. */
static void describe_ended(struct bug *bug, const struct record *record)
{
    sg_debug_bug_block(bug, &bug->block, record);
    if (load_relaxed(&record->state) != RECORD_GONE)
        return;
    const struct record *owner = sg_record_around(load_relaxed(&record->start));
    uintptr_t start = load_relaxed(&record->start);
    bool is_taken = owner != NULL && owner != record &&
                    load_relaxed(&owner->state) == RECORD_LIVE &&
                    start + record->bytes + MIN_ALIGNMENT > load_relaxed(&owner->start) &&
                    start < load_relaxed(&owner->start) + owner->bytes;

    if (!is_taken)
        return;
    bug->kind = BUG_STALE;
    sg_debug_bug_block(bug, &bug->owner, owner);
}

static void describe_inside(struct bug *bug, const struct record *around, uintptr_t address)
{
    bug->kind = BUG_INTERIOR;
    bug->access_offset = (int64_t)(address - load_relaxed(&around->start));
    sg_debug_bug_block(bug, &bug->block, around);
    sg_debug_bug_memory(bug, around, (struct damage){.offset = bug->access_offset});
}

/* The block that began 16 bytes below this one, in the same place, was freed so long ago that
 * nothing is known of it any more: its memory was used again. See raw.c. */
static bool was_start(const struct record *around, uintptr_t address)
{
    return !debug_is_guard() && address + MIN_ALIGNMENT == load_relaxed(&around->start) &&
           around->front_bytes >= 2 * MIN_ALIGNMENT;
}

/* Whether the address lies in the block or where its redzones are. */
static bool holds(const struct record *record, uintptr_t address)
{
    uintptr_t start = load_relaxed(&record->start);

    return address + record->front_bytes >= start &&
           address < start + record->bytes + record->behind_bytes;
}

void sg_debug_report_pointer(const void *object, const struct record *record, const char *function)
{
    uintptr_t address = (uintptr_t)object;
    struct bug *bug =
        sg_debug_bug_begin(record != NULL ? BUG_DOUBLE_FREE : BUG_FOREIGN, function, NULL);

    if (bug == NULL)
        return;
    bug->address = address;
    const struct record *around = record != NULL ? record : sg_record_around(address);
    if (record != NULL) {
        describe_ended(bug, record);
    } else if (around != NULL && was_start(around, address)) {
        bug->kind = BUG_STALE;
        sg_debug_bug_block(bug, &bug->owner, around);
    } else if (around != NULL && holds(around, address)) {
        describe_inside(bug, around, address);
    } else if (sg_debug_is_filling(address)) {
        bug->kind = BUG_FREED_POINTER;
    } else {
        sg_debug_bug_place(bug, address);
    }
    sg_debug_bug_end(bug, true);
}

void sg_debug_report_damage(const struct record *record, struct damage damage,
                            struct finding finding)
{
    struct bug *bug = sg_debug_bug_begin(finding.kind, finding.function, NULL);

    if (bug == NULL)
        return;
    bug->is_late = true;
    bug->is_write = true;
    bug->found = finding.found;
    bug->address = load_relaxed(&record->start) + (uint64_t)damage.offset;
    bug->access_offset = damage.offset;
    bug->changed_bytes = damage.bytes;
    sg_debug_bug_block(bug, &bug->block, record);
    if (bug->block.is_freed) /* modulo 2^32, as the count in the record */
        bug->frees_since = (uint32_t)(load_relaxed(&sg_debug_frees) - record->ended_count);
    sg_debug_bug_memory(bug, record, damage);
    sg_debug_bug_end(bug, true);
}

void sg_debug_report_mismatch(enum bug_kind kind, const struct record *record, size_t stated,
                              const char *function)
{
    struct bug *bug = sg_debug_bug_begin(kind, function, NULL);

    if (bug == NULL)
        return;
    bug->address = load_relaxed(&record->start);
    bug->stated = stated;
    sg_debug_bug_block(bug, &bug->block, record);
    sg_debug_bug_end(bug, true);
}

/* The kernel splits mappings in two: with less than a few left, it refuses. */
#define MAPPINGS_LEFT 16u

void sg_debug_report_map_limit(size_t bytes)
{
    static _Atomic bool is_told; /* relaxed: two threads may both tell it, at worst */
    size_t used, limit;

    if (load_relaxed(&is_told))
        return;
    sg_os_map_counts(&used, &limit);
    if (used == SIZE_MAX || used + MAPPINGS_LEFT < limit)
        return;
    store_relaxed(&is_told, true);
    struct bug *bug = sg_debug_bug_begin(BUG_MAP_LIMIT, "malloc", NULL);
    if (bug == NULL)
        return;
    bug->limit = limit;
    bug->limit_used = used;
    bug->stated = bytes;
    sg_debug_bug_end(bug, false);
}

void sg_debug_report_leaks(const char *function, const char *found)
{
    const char *why = NULL;
    struct bug *bug = sg_debug_bug_begin(BUG_LEAK, function, NULL);

    if (bug == NULL)
        return;
    bug->found = found;
    if (sg_leak_find(bug, sg_debug_suppressions(), &why)) {
        sg_debug_bug_end(bug, true);
        return;
    }
    if (why != NULL)
        sg_report_notice("leaks cannot be told: ", why, "");
    sg_debug_bug_cancel();
}
