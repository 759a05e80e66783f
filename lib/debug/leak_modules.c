/* The writable data of all modules, initialised or not, as their program headers say: found by the
 * address space and the headers in it. What was made read-only after relocation is read too; ours
 * is not. Blocks that the loader made are reachable: it keeps some pointers to them in memory of
 * its own that nothing of a program points to. */
#include "leak_state.h"

#include "bits.h"
#include "leak.h"
#include "os_memory.h"

/* As in the System V ABI, 64 bits. */
struct elf_header {
    uint8_t identity[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_bytes, segment_bytes, segment_count;
    uint16_t section_bytes, section_count, section_names;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical_address, file_bytes, memory_bytes, alignment;
};

#define SEGMENT_LOAD 1u
#define SEGMENT_EXECUTABLE 1u
#define SEGMENT_WRITABLE 2u
#define SEGMENTS_MAX 64u

struct module_segments {
    uint64_t file;
    uintptr_t bias; /* what is to be added to the addresses in the file */
    uint32_t count;
    struct elf_segment segments[SEGMENTS_MAX]; /* LOAD only */
};

static bool is_header(const struct elf_header *header)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1};

    return __builtin_memcmp(header->identity, magic, sizeof(magic)) == 0 &&
           header->segment_bytes == sizeof(struct elf_segment) &&
           header->segments_offset % alignof(struct elf_segment) == 0;
}

/* False: no headers there. The row is that of the start of a file. */
static bool read_segments(struct leak_scan *scan, const struct leak_row *row,
                          struct module_segments *ret_module)
{
    const struct elf_header *header = (const struct elf_header *)row->start;
    const struct elf_segment *segment;

    ret_module->file = row->file;
    ret_module->count = 0;
    if (!sg_leak_is_readable(scan, row->start) || !is_header(header) ||
        header->segments_offset > row->end - row->start)
        return false;
    segment = (const struct elf_segment *)(row->start + header->segments_offset);
    for (unsigned i = 0; i < header->segment_count; i++, segment++) {
        if ((uintptr_t)(segment + 1) > row->end ||
            !sg_leak_is_readable(scan, (uintptr_t)(segment + 1) - 1))
            return false;
        if (segment->type == SEGMENT_LOAD && ret_module->count < SEGMENTS_MAX)
            ret_module->segments[ret_module->count++] = *segment;
    }
    if (ret_module->count == 0)
        return false;
    ret_module->bias = row->start - align_down(ret_module->segments[0].address, sg_os_page_bytes);
    return true;
}

/* A file that the program only maps to read it is laid out otherwise. */
static bool is_loaded(const struct leak_scan *scan, const struct module_segments *module)
{
    for (uint32_t i = 0; i < module->count; i++) {
        const struct elf_segment *segment = &module->segments[i];
        const struct leak_row *row = sg_leak_row_at(scan, module->bias + segment->address);

        if (row == NULL || (segment->file_bytes > 0 && row->file != module->file))
            return false;
        if ((segment->flags & SEGMENT_EXECUTABLE) != 0 && (row->flags & LEAK_ROW_EXECUTABLE) == 0)
            return false;
    }
    return true;
}

static void mark_module(struct leak_scan *scan, const struct module_segments *module, bool is_own)
{
    for (uint32_t i = 0; i < module->count; i++) {
        const struct elf_segment *segment = &module->segments[i];
        struct leak_range range = {module->bias + segment->address,
                                   module->bias + segment->address + segment->memory_bytes};

        if ((segment->flags & SEGMENT_WRITABLE) == 0)
            continue;
        if (is_own && scan->own_count < LEAK_OWN_MAX)
            scan->own[scan->own_count++] = (struct leak_range){
                align_down(range.start, sg_os_page_bytes), align_up(range.end, sg_os_page_bytes)};
        else
            sg_leak_mark_range(scan, range);
    }
}

/* The file that this code is in, unless that is the program. */
static uint64_t own_file(const struct leak_scan *scan)
{
    const struct leak_row *own = sg_leak_row_at(scan, (uintptr_t)&sg_leak_find);
    const struct leak_row *program = sg_leak_row_at(scan, sg_os_program_entry());

    return own != NULL && (program == NULL || program->file != own->file) ? own->file : 0;
}

static void mark_row(struct leak_scan *scan, const struct leak_row *row, uint64_t own)
{
    struct module_segments module;

    if (row->file != 0 && row->offset == 0 && (row->flags & LEAK_ROW_READABLE) != 0 &&
        read_segments(scan, row, &module) && is_loaded(scan, &module))
        mark_module(scan, &module, row->file == own);
}

static void mark_rows(struct leak_scan *scan, bool is_loader)
{
    uint64_t own = own_file(scan);

    for (uint32_t i = 0; i < scan->row_count; i++)
        if (((scan->rows[i].flags & LEAK_ROW_LOADER) != 0) == is_loader)
            mark_row(scan, &scan->rows[i], own);
}

static bool is_of_loader(const struct leak_scan *scan, stack_id id)
{
    struct depot_stack stack = sg_depot_get(id);
    const struct leak_row *row = stack.count > 0 ? sg_leak_row_at(scan, stack.frames[0] - 1) : NULL;

    return row != NULL && (row->flags & LEAK_ROW_LOADER) != 0;
}

static void mark_blocks_of_loader(struct leak_scan *scan)
{
    stack_id last = 0;
    bool is_last_of_loader = false;

    for (uint32_t i = 0; i < scan->block_count; i++) {
        struct leak_block *block = &scan->blocks[i];

        if (block->stack != last) {
            last = block->stack;
            is_last_of_loader = is_of_loader(scan, last);
        }
        if (is_last_of_loader)
            sg_leak_mark_block(scan, i);
    }
}

void sg_leak_mark_modules(struct leak_scan *scan)
{
    mark_rows(scan, false);
    for (uint32_t i = 0; i < scan->block_count; i++)
        if (scan->blocks[i].is_root)
            sg_leak_mark_block(scan, i);
}

void sg_leak_mark_loader(struct leak_scan *scan)
{
    mark_rows(scan, true);
    mark_blocks_of_loader(scan);
}
