/* A fault near a block of ours: where it was touched, by whom, and what is known of the block. */
#include "access.h"
#include "debug_pool.h"
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

/* How far behind such a pointer members of a structure are. */
#define MEMBERS_BYTES ((uint64_t)64 << 10)

/* A number that was made of the bytes that freed blocks are filled with. */
bool sg_debug_is_filling(uint64_t value)
{
    uint64_t filling = sg_options.free_fill * (uint64_t)0x0101010101010101;

    return sg_options.free_fill < 256 && sg_options.free_fill != 0 &&
           value + MEMBERS_BYTES - filling < 2 * MEMBERS_BYTES;
}

/* Such an address is none at all on most processors: then the kernel does not say which it was, and
 * the instruction has it in a register. */
static bool used_freed_pointer(uintptr_t address, const void *context)
{
    uint64_t registers[OS_REGISTERS_MOST];
    size_t count = sg_os_fault_registers(context, registers);
    bool is_told = sg_debug_is_filling(address);

    for (size_t i = 0; i < count && sg_os_fault_hides_address(context); i++)
        is_told |= sg_debug_is_filling(registers[i]);
    return is_told;
}

static bool report_freed_pointer(uintptr_t address, bool is_write, const void *context)
{
    struct bug *bug;

    if (!used_freed_pointer(address, context))
        return false;
    bug = sg_debug_bug_begin(BUG_FREED_POINTER, "fault", context);
    if (bug == NULL)
        return false;
    bug->is_write = is_write;
    bug->address = address;
    bug->access_bytes = sg_access_bytes(sg_os_fault_pc(context));
    sg_debug_bug_end(bug, true);
    return true;
}

static void end_access(struct bug *bug, const struct record *record, uintptr_t address)
{
    bug->address = address;
    bug->access_offset = (int64_t)(address - load_relaxed(&record->start));
    sg_debug_bug_block(bug, &bug->block, record);
    sg_debug_bug_memory(bug, record, (struct damage){.offset = bug->access_offset});
    sg_debug_bug_end(bug, true);
}

bool sg_debug_fault(uintptr_t address, bool is_write, const void *context)
{
    const struct record *record = page_map_lookup(address) == NULL ? NULL
                                                                   : sg_record_around(address);

    if (record == NULL)
        return report_freed_pointer(address, is_write, context);
    if (is_of_program(record, address))
        return false;

    struct bug *bug = sg_debug_bug_begin(kind_of(record, address), "fault", context);
    if (bug == NULL)
        return false;
    bug->is_write = is_write;
    bug->access_bytes = sg_access_bytes(sg_os_fault_pc(context));
    end_access(bug, record, address);
    return true;
}

/* As the fault that it would have been in the profile guard. */
bool sg_debug_report_copy(const char *function, uintptr_t address, size_t bytes, bool is_write)
{
    const struct record *record = sg_record_around(address);
    struct bug *bug;

    if (record == NULL)
        return false;
    bug = sg_debug_bug_begin(kind_of(record, address), function, NULL);
    if (bug == NULL)
        return false;
    bug->is_write = is_write;
    bug->access_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    end_access(bug, record, address);
    return true;
}
