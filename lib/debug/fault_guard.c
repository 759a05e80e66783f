/* A fault near a block of ours: where it was touched, by whom, and what is known of the block. */
#include "access.h"
#include "debug_report.h"
#include "debug_state.h"
#include "lifecycle.h"
#include "os_fault.h"
#include "page_map.h"

static enum bug_kind kind_of(const struct record *record, uintptr_t address)
{
    uint8_t state = load_relaxed(&record->state);
    uintptr_t start = load_relaxed(&record->start);

    if (state == RECORD_LIVE || state == RECORD_BUSY)
        return address < start ? BUG_UNDERFLOW_FAULT : BUG_OVERFLOW_FAULT;
    return record->moved_to != 0 ? BUG_REALLOC_FAULT : BUG_FREED_FAULT;
}

/* Inside of a live block only the program itself can have taken access away. */
static bool is_of_program(const struct record *record, uintptr_t address)
{
    uintptr_t start = load_relaxed(&record->start);

    return load_relaxed(&record->state) == RECORD_LIVE && address >= start &&
           address < start + record->bytes;
}

bool sg_debug_fault(uintptr_t address, bool is_write, const void *context)
{
    const struct record *record = page_map_lookup(address) == NULL ? NULL
                                                                   : sg_record_around(address);

    if (record == NULL || is_of_program(record, address))
        return false;

    struct bug *bug = sg_debug_bug_begin(kind_of(record, address), "fault", context);
    if (bug == NULL)
        return false;
    bug->is_write = is_write;
    bug->access_bytes = sg_access_bytes(sg_os_fault_pc(context));
    bug->address = address;
    bug->access_offset = (int64_t)(address - load_relaxed(&record->start));
    sg_debug_bug_block(bug, &bug->block, record);
    sg_debug_bug_memory(bug, record, (struct damage){.offset = bug->access_offset});
    sg_debug_bug_end(bug, true);
    return true;
}
