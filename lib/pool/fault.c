#include "fault.h"

#include "lifecycle.h"

#include "os_fault.h"
#include "page_map.h"
#include "policy.h"
#include "report.h"
#include "sample.h"
#include "span.h"
#include "verdict.h"

/* What was touched: `distance` bytes before the block, behind its end, or inside. */
struct touched {
    enum misuse_kind kind;
    uintptr_t block;
    size_t block_bytes;
    uint32_t class;
    uint32_t sample;
    bool is_ours;
};

static struct touched touched_large(const struct span *span, uintptr_t address)
{
    struct touched touched = {
        .kind = MISUSE_OVERFLOW_FAULT,
        .block = span->slots.base,
        .block_bytes = span->large_bytes,
        .class = REPORT_CLASS_LARGE,
        .sample = span->sample,
        .is_ours = true,
    };

    if (!slot_state_is_live(load_relaxed(&span->large_state)))
        touched.kind = MISUSE_FREED_FAULT;
    else if (address < span->slots.base)
        touched.kind = MISUSE_UNDERFLOW_FAULT;
    else if (address < span->slots.base + span->large_bytes)
        touched.is_ours = false; /* the program took access from its own block */
    return touched;
}

/* A page behind the slots: the last slot is the one that was left, unless the first block of what
 * follows is nearer. */
static struct touched touched_guard(const struct span *span, uintptr_t address)
{
    uint32_t class = span->slots.class;
    size_t slot_bytes = sg_size_classes[class].slot_bytes;
    uintptr_t last = span->slots.base + (span->slots.slot_count - 1) * slot_bytes;
    const struct span *above = page_map_lookup(span_end(span));
    bool is_below = above != NULL && above->slots.slot_count > 0 && above->slots.base > address &&
                    above->slots.base - address < address - (last + slot_bytes);

    if (is_below && above->slots.class == CLASS_LARGE)
        return touched_large(above, address);
    uintptr_t block = is_below ? above->slots.base : last;
    if (is_below)
        class = above->slots.class;
    return (struct touched){
        .kind = is_below ? MISUSE_UNDERFLOW_FAULT : MISUSE_OVERFLOW_FAULT,
        .block = block,
        .block_bytes = sg_block_bytes_at(is_below ? above : span, (const void *)block),
        .class = class,
        .is_ours = true,
    };
}

static struct touched touched_slots(const struct span *span, uintptr_t address)
{
    size_t slot_bytes;
    size_t index;

    if (span->slots.slot_count == 0)
        return (struct touched){.kind = MISUSE_STALE, .is_ours = true};
    slot_bytes = sg_size_classes[span->slots.class].slot_bytes;
    index = (address - span->slots.base) / slot_bytes;
    if (index >= span->slots.slot_count)
        return touched_guard(span, address);
    bool is_live = slot_state_is_live(load_relaxed(&span->slots.states[index]));
    return (struct touched){
        /* Live: of malloc(0), else no slot lacks access. Free: of an emptied typed span. */
        .kind = is_live || span->slots.class == CLASS_ZERO ? MISUSE_OVERFLOW_FAULT
                                                           : MISUSE_FREED_FAULT,
        .block = span->slots.base + index * slot_bytes,
        .block_bytes = policy_usable_bytes(span->slots.class),
        .class = span->slots.class,
        .is_ours = !is_live || span->slots.class == CLASS_ZERO,
    };
}

static struct touched touched_at(const struct span *span, uintptr_t address)
{
    if (span->slots.owner == SPAN_LARGE && span->slots.slot_count > 0)
        return touched_large(span, address);
    if (span->slots.owner == SPAN_CENTRAL || span->slots.owner == SPAN_TYPED)
        return touched_slots(span, address);
    return (struct touched){.kind = MISUSE_STALE, .is_ours = true};
}

bool sg_fault_describe(uintptr_t address, bool is_write, const void *context)
{
    const struct span *span = page_map_lookup(address);

    if (span == NULL)
        return false;

    struct touched touched = touched_at(span, address);
    if (!touched.is_ours)
        return false;

    const struct sample *sample = sg_sample_of(touched.sample);
    struct misuse misuse = {
        .kind = touched.kind,
        .function = "fault",
        .address = (const void *)address,
        .block = touched.block,
        .block_bytes = touched.block_bytes,
        .class = touched.class,
        .is_write = is_write,
        .context = context,
    };
    if (sample != NULL) {
        misuse.allocated = &sample->allocated;
        misuse.freed = sample->freed.count > 0 ? &sample->freed : NULL;
    }
    sg_report_line_of(&misuse);
    return true;
}

static void on_fault(uintptr_t address, bool is_write, const void *context)
{
    if (sg_debug_fault)
        (void)sg_debug_fault(address, is_write, context);
    else
        (void)sg_fault_describe(address, is_write, context);
}

void sg_fault_start(void)
{
    sg_os_fault_start(on_fault);
}
