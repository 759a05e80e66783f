/* What is known of a block, into a report. */
#include "debug_report.h"
#include "debug_state.h"
#include "os_file.h"
#include "os_process.h"
#include "record_name.h"
#include "symbols.h"
#include "ticks.h"

#define OS_PAGE_MASK ((uintptr_t)4095) /* the smallest there is: asking twice does no harm */

/* The record of the block that realloc made, or NULL: it describes a later block by now, and that
 * was made after the old one ended. */
static const struct record *moved_record(const struct record *old)
{
    const struct record *moved = sg_record_of(old->moved_to);
    uint64_t age = moved == NULL ? 0 : old->ended_time - moved->made_time;

    return (age & RECORD_TIME_MAX) <= RECORD_TIME_MAX / 2 ? moved : NULL;
}

void sg_debug_bug_block(struct bug *bug, struct bug_block *block, const struct record *record)
{
    uint8_t state = load_relaxed(&record->state);

    block->is_known = true;
    block->start = load_relaxed(&record->start);
    block->bytes = record->bytes;
    block->made.function = sg_record_name(record->made_by);
    block->made.sequence = record->sequence;
    block->made.thread = record->made_thread;
    block->made.microseconds = sg_ticks_microseconds_since(record->made_time);
    sg_bug_add_past_stack(bug, &block->made.stack, sg_depot_get(record->made_stack),
                          record->made_time);
    block->is_freed = record->ended_by != 0 && state != RECORD_LIVE;
    if (!block->is_freed)
        return;
    block->ended.function = sg_record_name(record->ended_by);
    block->ended.thread = record->ended_thread;
    block->ended.microseconds = sg_ticks_microseconds_since(record->ended_time);
    sg_bug_add_past_stack(bug, &block->ended.stack, sg_depot_get(record->ended_stack),
                          record->ended_time);
    if (record->moved_to == 0)
        return;
    const struct record *moved = moved_record(record);
    bug->moved = block->ended;
    bug->moved.sequence = moved == NULL ? 0 : moved->sequence;
    bug->moved_bytes = moved == NULL ? 0 : moved->bytes;
}

/* What the byte at `offset` from the block's start should be; false: anything. */
static bool is_watched(const struct record *record, int64_t offset, uint8_t *ret_byte)
{
    if (offset < 0) {
        *ret_byte = REDZONE_FRONT;
        return offset >= -(int64_t)record->front_bytes;
    }
    if ((uint64_t)offset >= record->bytes) {
        *ret_byte = REDZONE_BEHIND;
        return (uint64_t)offset < record->bytes + record->behind_bytes;
    }
    *ret_byte = (uint8_t)sg_options.free_fill;
    return record->ended_by != 0 && sg_options.free_fill < 256 && !sg_raw_closes(record);
}

/* From where on bytes are shown: a row before the first changed one, or the block's start if that
 * is not far. */
static int64_t first_shown(const struct record *record, struct damage damage)
{
    int64_t row = damage.offset & ~(int64_t)15;

    if (damage.offset < 0 || (row >= 0 && row <= 32 && record->bytes <= 48))
        return row < 0 ? row : 0;
    return row >= 32 ? row - 32 : 0;
}

void sg_debug_bug_memory(struct bug *bug, const struct record *record, struct damage damage)
{
    struct bug_memory *memory = &bug->memory;
    uintptr_t start = load_relaxed(&record->start);
    bool is_readable = false;

    if (sg_os_is_secure()) { /* who started it sees stderr, and may not see what it handles */
        bug->is_memory_withheld = true;
        return;
    }
    memory->offset = first_shown(record, damage);
    memory->count = BUG_MEMORY_BYTES;
    memory->expected = damage.expected;
    for (uint32_t i = 0; i < BUG_MEMORY_BYTES; i++) {
        int64_t offset = memory->offset + i;
        uintptr_t address = start + (uintptr_t)offset;
        uint8_t expected;

        if (offset >= (int64_t)(record->bytes + record->behind_bytes)) {
            memory->count = i;
            break;
        }
        if (i == 0 || (address & OS_PAGE_MASK) == 0)
            is_readable = sg_os_is_readable(address & ~(uintptr_t)7);
        if (!is_readable)
            continue;
        memory->readable |= (uint64_t)1 << i;
        memory->bytes[i] = *(const volatile uint8_t *)address;
        if (is_watched(record, offset, &expected) && memory->bytes[i] != expected)
            memory->changed |= (uint64_t)1 << i;
    }
}
