/* One thread, the public interface, and a model heap beside it. The allocator under test is
 * nobody's malloc here: the fuzzer keeps libc's. */
#include "target.h"

#include "api_calls.h"
#include "bounds.h"
#include "generate.h"
#include "laboratory.h"
#include "lifecycle.h"
#include "page_map.h"
#include "pool.h"
#include "span.h"
#include "walk.h"

#include <errno.h>
#include <string.h>

const struct target target = {
    .name = "pool",
    .header_bytes = OPS_HEADER_BYTES,
    .record_bytes = OPS_RECORD_BYTES,
    .records_max = OPS_RECORDS_MAX,
    .generate = generate_input,
    .change = generate_change,
};

static struct answer answer_of(void *block)
{
    return (struct answer){block, block == NULL ? 0 : api_usable(block)};
}

static void *make(const struct call *call)
{
    if (call->kind != CALL_MALLOC)
        return api_make(call);
    bounds_before_malloc(call->bytes);
    void *block = api_make(call);
    bounds_after_malloc(call->slot);
    return block;
}

/* The k-th block to be freed. */
static unsigned burst_index(const struct call *call, unsigned k)
{
    unsigned half = (call->count + 1) / 2;

    if (call->order == BURST_DOWNWARDS)
        return call->count - 1 - k;
    if (call->order == BURST_EVERY_SECOND)
        return k < half ? 2 * k : 2 * (k - half) + 1;
    return k;
}

/* Each block is stamped with its own address: two that overlap cannot both keep theirs. */
static void burst(const struct call *call)
{
    static void *blocks[OPS_BURST_BLOCKS_MAX];
    const struct call one = {.kind = CALL_MALLOC, .bytes = call->bytes, .maker = SLOT_LIVE_MALLOC};
    const struct call end = {.kind = CALL_FREE, .maker = SLOT_LIVE_MALLOC};
    bool is_stamped = call->bytes >= sizeof(void *);

    for (unsigned i = 0; i < call->count; i++) {
        blocks[i] = make(&one);
        if (blocks[i] == NULL)
            shadow_fail("out of memory", i);
        if (is_stamped)
            memcpy(blocks[i], &blocks[i], sizeof(blocks[i]));
    }
    for (unsigned k = 0; k < call->count; k++) {
        unsigned i = burst_index(call, k);

        if (is_stamped && memcmp(blocks[i], &blocks[i], sizeof(blocks[i])) != 0)
            shadow_fail("contents of a burst changed", i);
        api_end(&end, blocks[i]);
    }
}

static void require_dead(const void *block, unsigned slot)
{
    const struct span *span = page_map_lookup((uintptr_t)block);
    const slot_state_byte *state = span == NULL ? NULL : slot_state_of(&span->slots, block);

    if (state != NULL && slot_state_is_live(load_relaxed(state)))
        shadow_fail("a freed block lives", slot);
}

static void end_block(struct shadow *shadow, const struct call *call)
{
    void *block = shadow_take(shadow, call->slot);

    api_end(call, block);
    require_dead(block, call->slot);
    bounds_after_free(block, call->slot);
}

static void resize_block(struct shadow *shadow, const struct call *call)
{
    char *block = shadow->blocks[call->slot].address;

    shadow_prepare_move(shadow, call);
    shadow_move(shadow, call, answer_of(api_resize(call, block)));
}

static void ask_usable(struct shadow *shadow, const struct call *call)
{
    struct shadow_block *block = &shadow->blocks[call->slot];

    if (api_usable(block->address) != block->usable_bytes)
        shadow_fail("usable changed", call->slot);
    shadow_fill_usable(shadow, call->slot);
}

static void verify_all(const struct shadow *shadow)
{
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++)
        if (shadow->blocks[slot].address != NULL)
            shadow_verify(shadow, slot);
}

static void perform(struct shadow *shadow, const struct call *call)
{
    switch (call->kind) {
    case CALL_MALLOC:
    case CALL_CALLOC:
    case CALL_ALIGNED:
        shadow_give(shadow, call, answer_of(make(call)));
        return;
    case CALL_REALLOC:
        resize_block(shadow, call);
        return;
    case CALL_FREE:
    case CALL_FREE_STATED:
        end_block(shadow, call);
        return;
    case CALL_USABLE:
        ask_usable(shadow, call);
        return;
    case CALL_VERIFY:
        verify_all(shadow);
        return;
    case CALL_TRIM:
        api_trim(call);
        walk_trimmed(call->bytes);
        return;
    case CALL_STATISTICS:
        walk_statistics(shadow);
        return;
    case CALL_BURST:
        burst(call);
        return;
    }
}

static void end_all(struct shadow *shadow)
{
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++) {
        struct call call = {.kind = CALL_FREE, .slot = slot, .maker = shadow->blocks[slot].maker};

        if (shadow->blocks[slot].address != NULL)
            end_block(shadow, &call);
    }
    walk_end();
    bounds_check_end();
    laboratory_end();
}

static void look(const struct shadow *shadow)
{
    walk_check(shadow);
    bounds_check(shadow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct shadow shadow;
    static struct plan plan;
    struct tuning tuning;
    struct call call;

    plan_start(&plan, data, bytes);
    tuning_read(&tuning, data, bytes);
    laboratory_begin(&tuning.settings);
    bounds_start();
    lifecycle_start();
    shadow_start(&shadow, tuning.is_dense);
    errno = API_ERRNO;
    for (unsigned number = 1; plan_next(&plan, &call); number++) {
        shadow_note_call(number);
        perform(&shadow, &call);
        if (errno != API_ERRNO)
            shadow_fail("errno changed", call.slot);
        if (number % tuning.calls_per_walk == 0)
            look(&shadow);
    }
    end_all(&shadow);
    return 0;
}
