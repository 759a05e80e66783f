/* The blocks of a leak check: copies, because what is sorted and searched must lie close together,
 * and because records may change again once the threads go on. */
#include "leak_state.h"

#include "bits.h"
#include "os_memory.h"
#include "record.h"

#define DIGIT_BITS 16u
#define DIGITS ((size_t)1 << DIGIT_BITS)

static void count_record(struct record *record, void *context)
{
    struct leak_scan *scan = context;

    (void)record;
    scan->block_limit++;
}

/* The pages of the records name all blocks: found in a mapping of the program, to which the kernel
 * joins ours, they are no pointers. */
static void disown(struct leak_scan *scan, const struct record *record)
{
    uintptr_t start = align_down((uintptr_t)record, sg_os_page_bytes);
    uintptr_t end = align_up((uintptr_t)(record + 1), sg_os_page_bytes);
    struct leak_range *last = scan->own_count > 0 ? &scan->own[scan->own_count - 1] : NULL;

    if (last != NULL && start >= last->start && start <= last->end) {
        if (last->end < end)
            last->end = end;
        return;
    }
    if (scan->own_count < LEAK_OWN_MAX)
        scan->own[scan->own_count++] = (struct leak_range){start, end};
    else
        scan->may_open = false;
}

static void copy_record(struct record *record, void *context)
{
    struct leak_scan *scan = context;
    uint8_t state = atomic_load_explicit(&record->state, memory_order_acquire);
    uintptr_t start = load_relaxed(&record->start);

    disown(scan, record);
    if ((state != RECORD_LIVE && state != RECORD_BUSY) || start == 0 ||
        scan->block_count == scan->block_limit)
        return;
    scan->blocks[scan->block_count++] = (struct leak_block){
        .start = start,
        .bytes = record->bytes,
        .time = record->made_time,
        .stack = record->made_stack,
        .is_root = state == RECORD_BUSY,
        .is_counted = state == RECORD_LIVE,
    };
}

static uint64_t key_of(const struct leak_block *block, enum leak_order order)
{
    return order == LEAK_BY_START ? block->start : block->stack;
}

static void swap_buffers(struct leak_scan *scan)
{
    struct leak_block *blocks = scan->blocks;

    scan->blocks = scan->spare;
    scan->spare = blocks;
}

/* One digit of a radix sort, into `spare`; false if all blocks have the same. */
static bool sort_digit(struct leak_scan *scan, enum leak_order order, unsigned shift)
{
    uint32_t *places = scan->work; /* not in use yet, or no more */
    uint32_t place = 0;

    __builtin_memset(places, 0, DIGITS * sizeof(*places));
    for (uint32_t i = 0; i < scan->block_count; i++)
        places[(key_of(&scan->blocks[i], order) >> shift) & (DIGITS - 1)]++;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        uint32_t count = places[digit];

        if (count == scan->block_count)
            return false;
        places[digit] = place;
        place += count;
    }
    for (uint32_t i = 0; i < scan->block_count; i++)
        scan->spare[places[(key_of(&scan->blocks[i], order) >> shift) & (DIGITS - 1)]++] =
            scan->blocks[i];
    return true;
}

void sg_leak_sort(struct leak_scan *scan, enum leak_order order)
{
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS)
        if (sort_digit(scan, order, shift))
            swap_buffers(scan);
}

/* A block that is being made may have any size yet. */
static void cut_overlaps(struct leak_scan *scan)
{
    for (uint32_t i = 0; i + 1 < scan->block_count; i++) {
        size_t room = scan->blocks[i + 1].start - scan->blocks[i].start;

        if (scan->blocks[i].bytes > room)
            scan->blocks[i].bytes = room;
    }
}

bool sg_leak_collect(struct leak_scan *scan)
{
    size_t work_limit;

    sg_record_each(count_record, scan);
    work_limit = (size_t)scan->block_limit + scan->row_limit;
    if (work_limit < DIGITS)
        work_limit = DIGITS;
    scan->blocks = sg_leak_map(scan, (scan->block_limit + 1) * sizeof(*scan->blocks));
    scan->spare = sg_leak_map(scan, (scan->block_limit + 1) * sizeof(*scan->spare));
    scan->work = sg_leak_map(scan, work_limit * sizeof(*scan->work));
    if (scan->blocks == NULL || scan->spare == NULL || scan->work == NULL)
        return false;
    sg_record_each(copy_record, scan);
    sg_leak_sort(scan, LEAK_BY_START);
    cut_overlaps(scan);
    return true;
}

uint32_t sg_leak_block_from(const struct leak_scan *scan, uintptr_t address)
{
    uint32_t low = 0, high = scan->block_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (scan->blocks[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    /* `low` is the first block behind the address; the one before it may hold it. */
    if (low > 0 && address - scan->blocks[low - 1].start <= scan->blocks[low - 1].bytes)
        low--;
    return low;
}
