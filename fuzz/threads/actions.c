#include "actions.h"

#include "checked_path.h"
#include "fast_path.h"
#include "os_thread.h"
#include "pool.h"
#include "thread_registry.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define BURST_BLOCKS_MAX 16u
#define ERRNO_CANARY 4711
#define LIVE_BYTES_MAX (8 * MIB)
#define FEW_SLOTS 8u /* in a span of such a class: it soon fills and empties */

static struct {
    struct shadow shadows[OPS_SLOTS]; /* shared: only the first is used */
    bool is_shared;
    size_t alignment[OPS_SLOTS];
    _Atomic bool is_taken[OPS_SLOTS];
    _Atomic size_t live_bytes; /* relaxed: a bound */
} model;

/* Before the constructors of the tiers: they register what fork is to call, and these are called
 * here without a fork. Replaces the one in libc. */
static struct {
    void (*prepare)(void);
    void (*parent)(void);
} at_fork;

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    (void)child;
    at_fork.prepare = prepare;
    at_fork.parent = parent;
    return 0;
}

static void *tier_malloc(size_t bytes)
{
    void *block = sg_policy.is_checked ? checked_allocate(bytes, SLOT_LIVE_MALLOC)
                                       : fast_allocate(bytes, SLOT_LIVE_MALLOC);

    if (block == NULL && sg_policy.is_checked)
        block = slot_make(bytes, SLOT_LIVE_MALLOC);
    return block != NULL ? block : sg_pool_allocate(bytes, SLOT_LIVE_MALLOC);
}

static const struct end_call ending = {"free", SLOT_LIVE_MALLOC};

static void tier_free(void *block)
{
    bool is_freed = sg_policy.is_checked ? checked_free(block, &ending, BYTES_ANY)
                                         : fast_free(block, SLOT_LIVE_MALLOC);

    if (!is_freed)
        sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
}

static void tier_free_stated(void *block, size_t bytes, size_t alignment)
{
    struct stated stated = {.bytes = bytes, .alignment = alignment};
    bool is_freed = false;

    if (alignment == 0)
        is_freed = sg_policy.is_checked ? checked_free(block, &ending, bytes)
                                        : fast_free_sized(block, bytes, SLOT_LIVE_MALLOC);
    if (!is_freed)
        sg_pool_free_stated(block, stated, SLOT_LIVE_MALLOC, "free_sized");
}

static struct shadow *shadow_of(unsigned slot)
{
    return &model.shadows[model.is_shared ? 0 : slot];
}

static struct shadow_block *block_of(unsigned slot)
{
    return &shadow_of(slot)->blocks[slot];
}

static size_t bytes_of_class(uint32_t class, uint8_t delta)
{
    size_t edge = sg_size_classes[class].slot_bytes;

    return edge + delta % 16 - 12;
}

/* Counts only classes whose spans hold few slots. */
static uint32_t scarce_class(uint32_t index)
{
    static uint32_t classes[CLASS_COUNT];
    static uint32_t count;

    if (count == 0) {
        uint32_t found = 0;

        for (uint32_t class = CLASS_FIRST; class < CLASS_COUNT; class ++)
            if (sg_size_classes[class].slot_count <= FEW_SLOTS)
                classes[found++] = class;
        count = found;
    }
    return classes[index * index / 256 * count / 256]; /* the shorter ones more often */
}

static size_t bytes_of(unsigned kind, uint8_t index, uint8_t delta)
{
    switch (kind) {
    case 0:
        return bytes_of_class(scarce_class(index), delta);
    case 1:
        return bytes_of_class(CLASS_FIRST + index % (CLASS_COUNT - CLASS_FIRST), delta);
    case 2:
        return SMALL_MAX_BYTES + 1 + (size_t)(index % 64) * 4 * KIB + delta;
    default:
        return index;
    }
}

struct action action_of(const uint8_t *record)
{
    return (struct action){
        .op = record[0] % 16,
        .thread = record[0] / 16,
        .slot = record[1] % OPS_SLOTS,
        .bytes = bytes_of(record[1] / OPS_SLOTS, record[2], record[3]),
        .delta = record[3],
    };
}

void actions_start(bool is_shared, bool is_dense)
{
    (void)scarce_class(0);
    model.is_shared = is_shared;
    model.live_bytes = 0;
    for (unsigned slot = 0; slot < (is_shared ? 1 : OPS_SLOTS); slot++)
        shadow_start(&model.shadows[slot], is_dense);
    memset(model.alignment, 0, sizeof(model.alignment));
    memset(model.is_taken, 0, sizeof(model.is_taken));
}

static bool may_take(size_t bytes)
{
    if (atomic_fetch_add_explicit(&model.live_bytes, bytes, memory_order_relaxed) + bytes <=
        LIVE_BYTES_MAX)
        return true;
    atomic_fetch_sub_explicit(&model.live_bytes, bytes, memory_order_relaxed);
    return false;
}

static void give_back(size_t bytes)
{
    atomic_fetch_sub_explicit(&model.live_bytes, bytes, memory_order_relaxed);
}

static struct answer answer_of(void *block)
{
    return (struct answer){block, block == NULL ? 0 : sg_pool_usable_bytes(block, "usable")};
}

static void make(const struct action *action)
{
    struct call call = {.slot = action->slot, .bytes = action->bytes, .maker = SLOT_LIVE_MALLOC};
    void *block;

    if (block_of(action->slot)->address != NULL || !may_take(action->bytes))
        return;
    if (action->op == ACTION_CALLOC) {
        call.kind = CALL_CALLOC;
        block = sg_pool_allocate_zeroed(action->bytes);
    } else if (action->op == ACTION_ALIGNED) {
        call.kind = CALL_ALIGNED;
        call.alignment = (size_t)MIN_ALIGNMENT << action->delta / 16;
        block = sg_pool_allocate_aligned(call.alignment, action->bytes, SLOT_LIVE_ALIGNED);
    } else {
        call.kind = CALL_MALLOC;
        block = tier_malloc(action->bytes);
    }
    model.alignment[action->slot] = call.alignment;
    shadow_give(shadow_of(action->slot), &call, answer_of(block));
}

static void end(unsigned slot, bool is_stated)
{
    size_t bytes = block_of(slot)->bytes;

    if (block_of(slot)->address == NULL)
        return;
    void *block = shadow_take(shadow_of(slot), slot);
    give_back(bytes);
    if (is_stated)
        tier_free_stated(block, bytes, model.alignment[slot]);
    else
        tier_free(block);
}

/* While the tiers are at it the block is in no model: its old place may serve others before the
 * call returns. */
static void resize(unsigned slot, size_t bytes)
{
    struct call call = {
        .kind = CALL_REALLOC, .slot = slot, .bytes = bytes, .maker = SLOT_LIVE_MALLOC};
    struct shadow_block before = *block_of(slot);

    if (before.address == NULL || bytes == 0 || !may_take(bytes))
        return;
    shadow_prepare_move(shadow_of(slot), &call);
    *block_of(slot) = (struct shadow_block){.address = NULL};
    struct answer answer = answer_of(sg_pool_reallocate(before.address, bytes, "realloc"));
    *block_of(slot) = before;
    model.alignment[slot] = 0;
    shadow_move(shadow_of(slot), &call, answer);
    give_back(before.bytes);
}

/* Larger, smaller or the same class. */
static size_t near(size_t bytes, uint8_t delta)
{
    switch (delta % 4) {
    case 0:
        return bytes + delta * 64u;
    case 1:
        return bytes / 2 + delta;
    case 2:
        return bytes * 2 > MIB ? bytes : bytes * 2 + delta;
    default:
        return bytes > delta ? bytes - delta : 1;
    }
}

/* Each block is stamped with its own address: two that overlap cannot both keep theirs. */
static void burst(const struct action *action)
{
    void *blocks[BURST_BLOCKS_MAX];
    unsigned count = 1 + action->delta % BURST_BLOCKS_MAX;
    size_t bytes = sizeof(void *) + action->bytes % (64 * KIB);

    for (unsigned i = 0; i < count; i++) {
        blocks[i] = tier_malloc(bytes);
        if (blocks[i] == NULL)
            shadow_fail("out of memory", action->slot);
        memcpy(blocks[i], &blocks[i], sizeof(blocks[i]));
    }
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(blocks[i], &blocks[i], sizeof(blocks[i])) != 0)
            shadow_fail("contents of a burst changed", action->slot);
        tier_free(blocks[i]);
    }
}

/* Sums are of moments that differ; but none may have wrapped around below zero. */
static void statistics(const struct action *action)
{
    struct pool_statistics statistics;
    const size_t absurd = (size_t)1 << 40;

    sg_pool_statistics(&statistics);
    if (statistics.live_bytes > absurd || statistics.cached_bytes > absurd ||
        statistics.central_bytes > absurd || statistics.large_bytes > absurd ||
        statistics.dirty_bytes > absurd || statistics.clean_bytes > absurd)
        shadow_fail("a statistic is absurd", action->slot);
}

static void act_on_slot(const struct action *action)
{
    unsigned slot = action->slot;

    switch (action->op) {
    case ACTION_CALLOC:
    case ACTION_ALIGNED:
        make(action);
        return;
    case ACTION_REALLOC:
        resize(slot, action->bytes);
        return;
    case ACTION_RESIZE:
        resize(slot, near(block_of(slot)->bytes, action->delta));
        return;
    case ACTION_FREE:
    case ACTION_FREE_AGAIN:
    case ACTION_FREE_STATED:
        end(slot, action->op == ACTION_FREE_STATED);
        return;
    case ACTION_VERIFY:
        if (block_of(slot)->address != NULL)
            shadow_fill_usable(shadow_of(slot), slot);
        return;
    case ACTION_REPLACE:
        end(slot, false);
        make(action);
        return;
    default:
        make(action);
        return;
    }
}

static void take_slot_and_act(const struct action *action)
{
    _Atomic bool *is_taken = &model.is_taken[action->slot];

    /* Acquire and release: the program's own order, when a block changes hands. */
    if (atomic_exchange_explicit(is_taken, true, memory_order_acquire))
        return;
    act_on_slot(action);
    atomic_store_explicit(is_taken, false, memory_order_release);
}

static void freeze(void)
{
    at_fork.prepare();
    at_fork.parent();
}

void actions_perform(const struct action *action)
{
    errno = ERRNO_CANARY;
    switch (action->op) {
    case ACTION_BURST:
        burst(action);
        break;
    case ACTION_STATISTICS:
        statistics(action);
        break;
    case ACTION_TRIM:
        (void)sg_pool_trim(action->delta % 2 == 0 ? 0 : action->bytes);
        break;
    case ACTION_FREEZE:
        freeze();
        break;
    default:
        take_slot_and_act(action);
        break;
    }
    if (errno != ERRNO_CANARY)
        shadow_fail("errno changed", action->slot);
}

void actions_retire(void)
{
    struct thread_cache *cache = sg_thread_cache_self;

    if (cache != NULL && cache != &sg_thread_cache_none) {
        (void)sg_os_thread_exit_arm(NULL);
        sg_thread_cache_retire(cache);
    }
    sg_thread_cache_self = NULL;
}

void actions_misuse(unsigned slot, size_t bytes)
{
    void *block = block_of(slot)->address;

    if (bytes == 0)
        tier_free(block);
    else
        (void)!sg_pool_reallocate(block, bytes, "realloc");
}

void actions_end(void)
{
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++)
        end(slot, false);
}

const struct shadow *actions_shadow(void)
{
    static struct shadow all;

    if (model.is_shared)
        return &model.shadows[0];
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++)
        all.blocks[slot] = model.shadows[slot].blocks[slot];
    return &all;
}
