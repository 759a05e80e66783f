#include "leak.h"

#include "bits.h"
#include "leak_state.h"
#include "os_memory.h"
#include "os_thread.h"
#include "os_tracer.h"

#define SCAN_MILLISECONDS 30000u

struct check {
    struct leak_scan *scan;
    bool is_complete;
};

void *sg_leak_map(struct leak_scan *scan, size_t bytes)
{
    size_t mapped = align_up(bytes, sg_os_page_bytes);
    void *memory = scan->mapping_count < LEAK_MAPPINGS_MAX ? sg_os_map(NULL, mapped) : NULL;

    if (memory == NULL) {
        scan->why = "no memory";
        return NULL;
    }
    scan->mappings[scan->mapping_count++] =
        (struct leak_range){(uintptr_t)memory, (uintptr_t)memory + mapped};
    return memory;
}

static void mark_reachable(struct leak_scan *scan, const struct os_traced *traced)
{
    scan->mark = LEAK_REACHABLE;
    scan->opens_regions = scan->may_open;
    sg_leak_mark_threads(scan, traced); /* first: no stack is to be opened as a whole */
    sg_leak_mark_modules(scan);
    sg_leak_mark_all(scan);
    scan->opens_regions = false;
    scan->skips_untouched = false;
    sg_leak_mark_loader(scan);
    sg_leak_mark_all(scan);
    scan->opens_regions = scan->may_open;
}

/* Of blocks that point to each other in a ring, the one at the lowest address leads. */
static void mark_indirect(struct leak_scan *scan)
{
    scan->mark = LEAK_INDIRECT;
    for (uint32_t i = 0; i < scan->block_count && scan->why == NULL; i++) {
        struct leak_block *block = &scan->blocks[i];

        if (block->mark != LEAK_UNSEEN)
            continue;
        sg_leak_mark_block(scan, i);
        sg_leak_mark_all(scan);
        block->mark = LEAK_UNSEEN;
    }
}

static void scan_all(const struct os_traced *traced, void *context)
{
    struct check *check = context;
    struct leak_scan *scan = check->scan;

    scan->deadline = sg_os_milliseconds() + SCAN_MILLISECONDS;
    scan->may_open = true;
    if (!sg_leak_read_maps(scan, traced->count) || !sg_leak_collect(scan))
        return;
    scan->own[scan->own_count++] = (struct leak_range){
        (uintptr_t)traced->memory,
        align_up((uintptr_t)traced->memory + traced->memory_bytes, sg_os_page_bytes)};
    sg_os_touched_open(&scan->touched);
    mark_reachable(scan, traced);
    mark_indirect(scan);
    sg_os_touched_close(&scan->touched);
    check->is_complete = scan->why == NULL;
}

static const char *why_not(enum os_trace result, const struct leak_scan *scan)
{
    switch (result) {
    case OS_TRACE_NO_PROC:
        return "/proc cannot be read";
    case OS_TRACE_NO_MEMORY:
        return "no memory";
    case OS_TRACE_REFUSED:
        return "the threads cannot be stopped: ptrace is refused, or a debugger is there";
    case OS_TRACE_NOT_STOPPED:
        return "a thread does not stop";
    case OS_TRACE_TOO_MANY:
        return "there are too many threads";
    case OS_TRACE_LOST:
        return "the tracer of the threads died or took too long";
    case OS_TRACE_DONE:
        break;
    }
    return scan->why;
}

static void unmap_all(struct leak_scan *scan)
{
    struct leak_range own = scan->mappings[0]; /* of `scan` itself */

    for (uint32_t i = scan->mapping_count; i-- > 1;)
        sg_os_unmap((void *)scan->mappings[i].start,
                    scan->mappings[i].end - scan->mappings[i].start);
    sg_os_unmap((void *)own.start, own.end - own.start);
}

static struct leak_scan *make_scan(void)
{
    size_t bytes = align_up(sizeof(struct leak_scan), sg_os_page_bytes);
    struct leak_scan *scan = sg_os_map(NULL, bytes);

    if (scan != NULL) {
        scan->mappings[0] = (struct leak_range){(uintptr_t)scan, (uintptr_t)scan + bytes};
        scan->mapping_count = 1;
    }
    return scan;
}

/* Its frame is the last but the first that is not read: what lies above it is the program's. */
static NOINLINE bool find(struct bug *bug, const char *suppressions, const char **ret_why)
{
    struct check check = {make_scan(), false};
    struct os_trace_request request = {
        .body = scan_all,
        .context = &check,
        .caller_stack = (uintptr_t)__builtin_frame_address(0),
        .milliseconds = SCAN_MILLISECONDS,
    };

    *ret_why = "no memory";
    if (check.scan == NULL)
        return false;
    *ret_why = why_not(sg_os_trace(&request), check.scan);
    if (check.is_complete)
        sg_leak_report(check.scan, bug, suppressions);
    unmap_all(check.scan);
    return check.is_complete && bug->leak_places > 0;
}

/* Registers that a function has to keep may hold the only pointer to a block: here they go into
 * the frame, and the frame is the first that is read. */
bool sg_leak_find(struct bug *bug, const char *suppressions, const char **ret_why)
{
    bool found;

    __builtin_unwind_init();
    found = find(bug, suppressions, ret_why);
    __asm__ volatile(""); /* no tail call: it would take the frame away */
    return found;
}
