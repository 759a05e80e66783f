#include "ops.h"

#include "size_class.h"
#include "slot.h"

#include <string.h>

/* The codes of a record's low four bits. */
enum op {
    OP_MALLOC,
    OP_CALLOC,
    OP_ALIGNED,
    OP_REALLOC,      /* to a size of the record */
    OP_REALLOC_NEAR, /* to a size that depends on the block's own */
    OP_FREE,
    OP_FREE_STATED,
    OP_USABLE,
    OP_VERIFY,
    OP_TRIM,
    OP_STATISTICS,
    OP_BURST,
    OP_MALLOC_AGAIN, /* so that no code is wasted */
    OP_CALLOC_AGAIN,
    OP_FREE_AGAIN,
    OP_REALLOC_AGAIN,
};

#define CLASS_EDGE_BELOW 12u /* sizes around the edge of a class: -12 to +3 */
#define IMPOSSIBLE_BYTES_MIN ((size_t)1 << 47)

static const uint8_t alignment_log2[16] = {0,  4,  5,  6,  7,  8,  10, 12,
                                           13, 14, 15, 16, 18, 20, 22, 62};

static size_t near_edge(size_t edge, uint8_t delta)
{
    return edge + delta % 16 - CLASS_EDGE_BELOW;
}

static size_t special_bytes(uint8_t index, uint8_t delta)
{
    switch (index % 8) {
    case 0:
        return 0;
    case 1:
        return delta;
    case 2:
        return (size_t)PTRDIFF_MAX - delta;
    case 3:
        return (size_t)PTRDIFF_MAX + 1 + delta;
    case 4:
        return SIZE_MAX - delta;
    case 5:
        return SIZE_MAX - delta * PAGE_BYTES;
    case 6: /* powers of two that no address space holds, 2^47 to 2^62 */
        return near_edge(IMPOSSIBLE_BYTES_MIN << index / 16, CLASS_EDGE_BELOW + delta % 4);
    default:
        return near_edge(SMALL_MAX_BYTES + (size_t)(index / 64) * PAGE_BYTES, delta);
    }
}

/* At most a few MiB, or impossible. */
static size_t bytes_of(unsigned kind, uint8_t index, uint8_t delta)
{
    switch (kind) {
    case 0:
        return near_edge(sg_size_classes[CLASS_FIRST + index % (CLASS_COUNT - 1)].slot_bytes,
                         delta);
    case 1:
        return near_edge((size_t)(index + 1) * PAGE_BYTES / 2, delta);
    case 2:
        return (size_t)(index + 1) * 32 * KIB + delta * 16u - 2048;
    default:
        return special_bytes(index, delta);
    }
}

/* Grow, shrink, stay in the class. */
static size_t bytes_near(size_t bytes, unsigned kind, uint8_t index, uint8_t delta)
{
    size_t near;

    if (kind == 0)
        near = bytes + delta % 16;
    else if (kind == 1)
        near = bytes / 2 + delta % 16;
    else if (kind == 2)
        near = bytes * 2 + delta % 16;
    else
        near = bytes / 16 * (index % 32) + delta % 16;
    return near > CLASS_EDGE_BELOW ? near - CLASS_EDGE_BELOW : near;
}

/* False for sizes of which nobody can say whether they are to be had. */
static bool judge(struct call *call)
{
    call->must_fail = call->bytes >= IMPOSSIBLE_BYTES_MIN ||
                      call->alignment >= IMPOSSIBLE_BYTES_MIN;
    return call->must_fail || call->bytes <= OPS_POSSIBLE_BYTES_MAX;
}

/* A call that makes or resizes a block; false if the input has too much already. */
static bool plan_block(struct plan *plan, const struct call *call)
{
    struct planned_block *block = &plan->blocks[call->slot];

    if (call->must_fail)
        return true;
    if (plan->live_bytes - block->bytes + call->bytes > OPS_LIVE_BYTES_MAX)
        return false;
    plan->live_bytes += call->bytes - block->bytes;
    *block = (struct planned_block){call->bytes, call->alignment, call->maker};
    return true;
}

static bool plan_make(struct plan *plan, struct call *call)
{
    if (plan->blocks[call->slot].maker != 0)
        return false;
    return judge(call) && plan_block(plan, call);
}

static bool plan_free(struct plan *plan, struct call *call)
{
    struct planned_block *block = &plan->blocks[call->slot];

    if (block->maker == 0)
        return false;
    call->maker = block->maker;
    call->bytes = block->bytes;
    call->alignment = block->alignment;
    plan->live_bytes -= block->bytes;
    *block = (struct planned_block){.maker = 0};
    return true;
}

/* As C has it: of nothing it is malloc, to nothing it is free. */
static bool plan_realloc(struct plan *plan, struct call *call)
{
    uint8_t maker = plan->blocks[call->slot].maker;

    if (maker == SLOT_LIVE_NEW || maker == SLOT_LIVE_NEW_ARRAY)
        return false;
    call->kind = maker == 0 ? CALL_MALLOC : CALL_REALLOC;
    call->maker = SLOT_LIVE_MALLOC;
    if (maker != 0 && call->bytes == 0) {
        call->kind = CALL_FREE;
        return plan_free(plan, call);
    }
    return judge(call) && plan_block(plan, call);
}

static void plan_burst(struct call *call, uint8_t variant, uint8_t delta)
{
    call->bytes %= 64 * KIB;
    call->count = 4u * (delta + 1u);
    call->order = variant % BURST_ORDER_COUNT;
    if (call->count * call->bytes > OPS_BURST_BYTES_MAX)
        call->count = (unsigned)(OPS_BURST_BYTES_MAX / call->bytes);
}

struct record {
    enum op op;
    uint8_t variant;
    unsigned slot;
    unsigned size_kind;
    uint8_t index;
    uint8_t delta;
};

static struct record record_at(const uint8_t *bytes)
{
    return (struct record){
        .op = bytes[0] % 16,
        .variant = bytes[0] / 16,
        .slot = bytes[1] % OPS_SLOTS,
        .size_kind = bytes[1] / OPS_SLOTS,
        .index = bytes[2],
        .delta = bytes[3],
    };
}

static uint8_t maker_of(uint8_t variant)
{
    static const uint8_t makers[4] = {SLOT_LIVE_MALLOC, SLOT_LIVE_NEW, SLOT_LIVE_NEW_ARRAY,
                                      SLOT_LIVE_MALLOC};

    return makers[variant % 4];
}

static bool resolve_block(struct plan *plan, const struct record *record, struct call *call)
{
    switch (record->op) {
    case OP_CALLOC:
    case OP_CALLOC_AGAIN:
        call->kind = CALL_CALLOC;
        call->maker = SLOT_LIVE_MALLOC;
        return plan_make(plan, call);
    case OP_ALIGNED:
        call->kind = CALL_ALIGNED;
        call->alignment = (size_t)1 << alignment_log2[record->delta / 16];
        call->maker = SLOT_LIVE_ALIGNED;
        return plan_make(plan, call);
    case OP_REALLOC_NEAR:
        call->bytes = bytes_near(plan->blocks[call->slot].bytes, record->size_kind, record->index,
                                 record->delta);
        return plan_realloc(plan, call);
    case OP_REALLOC:
    case OP_REALLOC_AGAIN:
        return plan_realloc(plan, call);
    default:
        call->kind = CALL_MALLOC;
        call->maker = maker_of(record->variant);
        return plan_make(plan, call);
    }
}

static bool resolve(struct plan *plan, const struct record *record, struct call *call)
{
    *call = (struct call){
        .slot = (record->slot + plan->repeat_index) % OPS_SLOTS,
        .bytes = bytes_of(record->size_kind, record->index, record->delta),
        .variant = record->variant % 4,
    };
    switch (record->op) {
    case OP_FREE:
    case OP_FREE_AGAIN:
    case OP_FREE_STATED:
        call->kind = record->op == OP_FREE_STATED ? CALL_FREE_STATED : CALL_FREE;
        return plan_free(plan, call);
    case OP_USABLE:
        call->kind = CALL_USABLE;
        return plan->blocks[call->slot].maker != 0;
    case OP_VERIFY:
        call->kind = CALL_VERIFY;
        return true;
    case OP_TRIM:
        call->kind = CALL_TRIM;
        call->bytes = record->variant % 2 == 0 ? 0 : record->index * PAGE_BYTES;
        return true;
    case OP_STATISTICS:
        call->kind = CALL_STATISTICS;
        return true;
    case OP_BURST:
        call->kind = CALL_BURST;
        plan_burst(call, record->variant, record->delta);
        return true;
    default:
        return resolve_block(plan, record, call);
    }
}

/* The variant's upper half says on how many slots a record works: 1, 2, 8 or 64. */
static unsigned repeats_of(const struct record *record)
{
    static const uint8_t repeats[4] = {1, 2, 8, 64};

    if (record->op >= OP_VERIFY && record->op <= OP_BURST)
        return 1;
    return repeats[record->variant / 4];
}

void plan_start(struct plan *plan, const uint8_t *data, size_t bytes)
{
    size_t header_bytes = bytes < OPS_HEADER_BYTES ? bytes : OPS_HEADER_BYTES;
    size_t records = (bytes - header_bytes) / OPS_RECORD_BYTES;

    *plan = (struct plan){.next = data};
    if (header_bytes > 0)
        plan->next = data + header_bytes;
    if (records > OPS_RECORDS_MAX)
        records = OPS_RECORDS_MAX;
    plan->end = plan->next;
    if (records > 0)
        plan->end += records * OPS_RECORD_BYTES;
}

/* Ends: each round uses up one repeat or one record. */
bool plan_next(struct plan *plan, struct call *ret_call)
{
    while (plan->repeats_left > 0 || plan->next < plan->end) {
        if (plan->repeats_left == 0) {
            struct record started = record_at(plan->next);

            plan->next += OPS_RECORD_BYTES;
            plan->repeats_left = repeats_of(&started);
            plan->repeat_index = 0;
        }

        struct record record = record_at(plan->next - OPS_RECORD_BYTES);
        bool is_call = resolve(plan, &record, ret_call);
        plan->repeats_left--;
        plan->repeat_index++;
        if (is_call)
            return true;
    }
    return false;
}
