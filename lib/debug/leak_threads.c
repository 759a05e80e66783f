/* What threads hold: registers, stacks, thread-local storage.
 *
 * glibc puts a thread's block of static thread-local storage and its descriptor at the upper end of
 * its stack; those of the first thread lie in early memory of the loader. Storage of libraries that
 * were loaded later is named by the thread's vector (the DTV of the ELF TLS ABI). */
#include "leak_state.h"

#include "bits.h"
#include "os_memory.h"
#include "page_map.h"

#define RED_ZONE_BYTES 128u         /* below the stack pointer, used by functions without a frame */
#define DESCRIPTOR_BYTES 4096u      /* more than glibc's struct pthread has, less than twice */
#define STATIC_TLS_BYTES (1u << 24) /* more is not believed */
#define VECTOR_ENTRIES_MAX 65536u

struct vector_entry {
    uintptr_t block;
    uintptr_t allocated;
};

#if defined(__x86_64__)
#define VECTOR_OFFSET 8
#define TLS_IS_BELOW true /* variant II of the ABI: blocks below the thread pointer */
#else
#define VECTOR_OFFSET 0
#define TLS_IS_BELOW false
#endif

static bool is_readable(struct leak_scan *scan, uintptr_t address, size_t bytes)
{
    return address % sizeof(uintptr_t) == 0 && address >= sg_os_page_bytes &&
           sg_leak_row_at(scan, address) != NULL && sg_leak_is_readable(scan, address) &&
           sg_leak_is_readable(scan, address + bytes - 1);
}

/* The range of the vector with the two words before its first entry, of which one is its length;
 * empty if it cannot be found. */
static struct leak_range vector_of(struct leak_scan *scan, uintptr_t thread_pointer)
{
    struct leak_range none = {0, 0};
    uintptr_t vector, entries;

    if (!is_readable(scan, thread_pointer + VECTOR_OFFSET, sizeof(uintptr_t)))
        return none;
    vector = *(const uintptr_t *)(thread_pointer + VECTOR_OFFSET);
    if (vector < sizeof(struct vector_entry) ||
        !is_readable(scan, vector - sizeof(struct vector_entry), sizeof(struct vector_entry)))
        return none;
    entries = ((const struct vector_entry *)vector)[-1].block;
    if (entries > VECTOR_ENTRIES_MAX)
        return none;
    return (struct leak_range){vector - sizeof(struct vector_entry),
                               vector + (entries + 1) * sizeof(struct vector_entry)};
}

/* Lowest address of static thread-local storage near the thread pointer. */
static uintptr_t static_start(struct leak_scan *scan, uintptr_t thread_pointer,
                              struct leak_range vector)
{
    uintptr_t start = thread_pointer;

    for (uintptr_t at = vector.start; at < vector.end; at += sizeof(struct vector_entry)) {
        uintptr_t block;

        if (!is_readable(scan, at, sizeof(struct vector_entry)))
            break;
        block = ((const struct vector_entry *)at)->block;
        if (block < start && thread_pointer - block < STATIC_TLS_BYTES)
            start = block;
    }
    return start;
}

static void mark_descriptor(struct leak_scan *scan, const struct os_traced_thread *thread,
                            const struct leak_row *row)
{
    struct leak_range vector = vector_of(scan, thread->thread_pointer);
    struct leak_range range = {thread->thread_pointer, thread->thread_pointer + DESCRIPTOR_BYTES};

    sg_leak_mark_range(scan, vector);
    if (TLS_IS_BELOW) {
        range.start = static_start(scan, thread->thread_pointer, vector);
    } else {
        range.start -= DESCRIPTOR_BYTES;
        range.end = row->end;
    }
    if (range.start < row->start)
        range.start = row->start;
    if (range.end > row->end)
        range.end = row->end;
    sg_leak_mark_range(scan, range);
}

/* The end of the stack that has the address: the mapping's, or that of the thread's descriptor. */
static uintptr_t end_of_stack(const struct os_traced_thread *thread, const struct leak_row *row)
{
    uintptr_t end = thread->thread_pointer + DESCRIPTOR_BYTES;

    return TLS_IS_BELOW && thread->thread_pointer > thread->stack && end < row->end ? end
                                                                                    : row->end;
}

/* NULL for a stack in a block, which is read as a block. */
static const struct leak_row *stack_row(const struct leak_scan *scan, uintptr_t address)
{
    uint32_t index = sg_leak_block_from(scan, address);

    if (page_map_lookup(address) != NULL ||
        (index < scan->block_count && address >= scan->blocks[index].start))
        return NULL;
    return sg_leak_row_at(scan, address);
}

static void mark_stack(struct leak_scan *scan, const struct os_traced_thread *thread,
                       const struct leak_row *row)
{
    uintptr_t from = thread->stack - (thread->is_caller ? 0 : RED_ZONE_BYTES);

    sg_leak_mark_range(scan, (struct leak_range){from < row->start ? row->start : from,
                                                 end_of_stack(thread, row)});
}

/* A thread that runs on another stack than its own has suspended the latter at a place that nobody
 * knows. */
static void mark_suspended(struct leak_scan *scan, const struct leak_row *row)
{
    sg_leak_mark_range(scan, (struct leak_range){row->start, row->end});
}

static void mark_first_stack(struct leak_scan *scan)
{
    for (uint32_t i = 0; i < scan->row_count; i++)
        if ((scan->rows[i].flags & LEAK_ROW_STACK) != 0)
            mark_suspended(scan, &scan->rows[i]);
}

static void mark_thread(struct leak_scan *scan, const struct os_traced_thread *thread,
                        int first_thread)
{
    const struct leak_row *stack = stack_row(scan, thread->stack);
    const struct leak_row *descriptor = stack_row(scan, thread->thread_pointer);
    size_t count = sg_os_traced_registers(thread, scan->registers, LEAK_REGISTERS);

    for (size_t i = 0; i < count; i++)
        sg_leak_mark_word(scan, scan->registers[i]);
    /* Either may lie in a block. */
    sg_leak_mark_word(scan, thread->stack);
    sg_leak_mark_word(scan, thread->thread_pointer);
    if (stack != NULL)
        mark_stack(scan, thread, stack);
    if (descriptor != NULL)
        mark_descriptor(scan, thread, descriptor);
    if (thread->id == first_thread && (stack == NULL || (stack->flags & LEAK_ROW_STACK) == 0))
        mark_first_stack(scan);
    else if (thread->id != first_thread && descriptor != NULL && descriptor != stack)
        mark_suspended(scan, descriptor);
}

/* A stack is read from its stack pointer on, and not as a whole because of a pointer to it. What
 * the kernel joined to its upper end is the program's and stays a region of its own. */
static void close_stack(struct leak_scan *scan, uintptr_t thread_pointer)
{
    struct leak_row *row = sg_leak_row_at(scan, thread_pointer);
    uintptr_t end = align_up(thread_pointer + DESCRIPTOR_BYTES / 2, sg_os_page_bytes);

    if (row == NULL || (row->flags & LEAK_ROW_REGION) == 0)
        return;
    if (TLS_IS_BELOW && end < row->end && scan->row_count < scan->row_limit) {
        for (struct leak_row *at = &scan->rows[scan->row_count]; at > row; at--)
            *at = at[-1];
        scan->row_count++;
        row[0].end = row[1].start = end;
    }
    row->flags &= ~(uint32_t)LEAK_ROW_REGION;
}

void sg_leak_mark_threads(struct leak_scan *scan, const struct os_traced *traced)
{
    for (uint32_t i = 0; i < traced->count; i++)
        if (traced->threads[i].id != traced->process)
            close_stack(scan, traced->threads[i].thread_pointer);
    for (uint32_t i = 0; i < traced->count; i++)
        mark_thread(scan, &traced->threads[i], traced->process);
}
