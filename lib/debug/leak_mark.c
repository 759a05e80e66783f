/* From words to blocks to the words in them. Any word that is an address in a block, or just past
 * it, keeps it: the canaries behind a block see to it that this is no other block's.
 *
 * What the program maps itself is read only once a pointer to it was found, as if it were a block
 * (arenas of interpreters hold the only pointers to many blocks). LeakSanitizer does not read it at
 * all and calls those blocks leaked; valgrind always reads it. */
#include "leak_state.h"

#include "bits.h"
#include "os_memory.h"
#include "os_process.h"
#include "os_thread.h"
#include "page_map.h"

#define CLOCK_STEPS 1024u
#define SPARSE_BYTES ((size_t)1 << 20) /* at least: then it is asked which pages were touched */

bool sg_leak_is_readable(struct leak_scan *scan, uintptr_t address)
{
    uintptr_t page = align_down(address, sg_os_page_bytes);
    uintptr_t *known = &scan->readable[page / sg_os_page_bytes % LEAK_PAGES];

    if (*known == page)
        return page != 0;
    if (!sg_os_is_readable(page))
        return false;
    *known = page;
    return true;
}

static void push(struct leak_scan *scan, uint32_t index)
{
    scan->work[scan->work_count++] = index;
}

void sg_leak_mark_block(struct leak_scan *scan, uint32_t index)
{
    struct leak_block *block = &scan->blocks[index];

    if (block->mark != LEAK_UNSEEN)
        return;
    block->mark = (uint8_t)scan->mark;
    push(scan, index);
}

static void open_region(struct leak_scan *scan, uintptr_t word)
{
    struct leak_row *row = sg_leak_row_at(scan, word);

    if (row == NULL || (row->flags & (LEAK_ROW_REGION | LEAK_ROW_OPENED)) != LEAK_ROW_REGION)
        return;
    row->flags |= LEAK_ROW_OPENED;
    push(scan, scan->block_count + (uint32_t)(row - scan->rows));
}

void sg_leak_mark_word(struct leak_scan *scan, uintptr_t word)
{
    uint32_t index;

    if (word < 65536 || word >> 57 != 0)
        return;
    index = sg_leak_block_from(scan, word);
    if (index < scan->block_count && word >= scan->blocks[index].start)
        sg_leak_mark_block(scan, index);
    else if (scan->opens_regions)
        open_region(scan, word);
}

static uintptr_t skip_untouched(struct leak_scan *scan, uintptr_t from, uintptr_t to)
{
    if (!scan->skips_untouched || to - from < SPARSE_BYTES)
        return from;
    return sg_os_touched_next(&scan->touched, from, to);
}

static void mark_words(struct leak_scan *scan, uintptr_t from, uintptr_t to)
{
    from = align_up(from, sizeof(uintptr_t));
    to = align_down(to, sizeof(uintptr_t));
    while (from < to && (from = skip_untouched(scan, from, to)) < to) {
        uintptr_t end = align_down(from, sg_os_page_bytes) + sg_os_page_bytes;

        if (end > to)
            end = to;
        if (sg_leak_is_readable(scan, from))
            for (const uintptr_t *word = (const uintptr_t *)from; word < (const uintptr_t *)end;
                 word++)
                sg_leak_mark_word(scan, *word);
        from = end;
    }
}

/* The end of what is ours around the address, or 0 if it is the program's. */
static uintptr_t end_of_own(const struct leak_scan *scan, uintptr_t address)
{
    if (page_map_lookup(address) != NULL)
        return align_down(address, sg_os_page_bytes) + sg_os_page_bytes;
    for (uint32_t i = 0; i < scan->own_count; i++)
        if (address >= scan->own[i].start && address < scan->own[i].end)
            return scan->own[i].end;
    for (uint32_t i = 0; i < scan->mapping_count; i++)
        if (address >= scan->mappings[i].start && address < scan->mappings[i].end)
            return scan->mappings[i].end;
    return 0;
}

/* Reads between blocks, which are read when they are reached. */
static void mark_between(struct leak_scan *scan, uintptr_t from, uintptr_t to)
{
    for (uint32_t i = sg_leak_block_from(scan, from); from < to; i++) {
        uintptr_t end = to;

        if (i < scan->block_count && scan->blocks[i].start < to)
            end = scan->blocks[i].start;
        if (end > from)
            mark_words(scan, from, end);
        if (end == to)
            return;
        from = end + scan->blocks[i].bytes;
    }
}

void sg_leak_mark_range(struct leak_scan *scan, struct leak_range range)
{
    uintptr_t from = range.start;

    while (from < range.end && (from = skip_untouched(scan, from, range.end)) < range.end) {
        uintptr_t own_end = end_of_own(scan, from);
        uintptr_t end = align_down(from, sg_os_page_bytes) + sg_os_page_bytes;

        if (own_end != 0) {
            from = own_end;
            continue;
        }
        if (end > range.end)
            end = range.end;
        mark_between(scan, from, end);
        from = end;
    }
}

static void mark_inside(struct leak_scan *scan, uint32_t index)
{
    if (index < scan->block_count) {
        const struct leak_block *block = &scan->blocks[index];

        mark_words(scan, block->start, block->start + block->bytes);
    } else {
        const struct leak_row *row = &scan->rows[index - scan->block_count];

        sg_leak_mark_range(scan, (struct leak_range){row->start, row->end});
    }
}

void sg_leak_mark_all(struct leak_scan *scan)
{
    scan->skips_untouched = true;
    for (uint32_t steps = 1; scan->work_count > 0 && scan->why == NULL; steps++) {
        mark_inside(scan, scan->work[--scan->work_count]);
        if (steps % CLOCK_STEPS == 0 && sg_os_milliseconds() > scan->deadline)
            scan->why = "it takes too long";
    }
}
