#include "debug_pool.h"

#include "capture.h"
#include "capture_thread.h"
#include "checker.h"
#include "debug_report.h"
#include "debug_state.h"
#include "lifecycle.h"
#include "record_name.h"
#include "slot.h"
#include "sweep.h"
#include "ticks.h"

#define BYTES_MAX ((size_t)1 << 47)
static_assert(BYTES_MAX <= RECORD_BYTES_MAX, "each size can be told");
static_assert(SLOT_STATE_COUNT <= 16, "each maker fits into its bits");
#define ALIGNMENT_MAX ((size_t)1 << 40)

_Atomic uint64_t sg_debug_frees;

/* Relaxed, both: numbers, no order. */
static _Atomic uint64_t sequences, calls;

static ALWAYS_INLINE stack_id capture(void)
{
    return sg_capture((uint32_t)sg_options.stack_depth);
}

static void count_call(void)
{
    if (LIKELY(sg_options.check_every == 0))
        return;
    uint64_t call = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
    if (call % sg_options.check_every == 0)
        sg_debug_check_all("by a check of all blocks");
}

/* All of it anew. Cleared first, and to the compiler that is news of somebody else: a field of bits
 * is changed by reading what lies beside it, and what is there was last touched long ago. */
static ALWAYS_INLINE void describe(struct record *record, const struct making *making,
                                   const struct raw_block *raw)
{
    uint64_t sequence = debug_count(&sequences), time = debug_time();
    uint16_t thread = sg_debug_thread();
    uint8_t made_by = sg_record_name_number(making->function);

    __builtin_memset((char *)record + sizeof(record->start), 0,
                     offsetof(struct record, made_stack) - sizeof(record->start));
    atomic_signal_fence(memory_order_seq_cst);
    record->bytes = making->bytes & RECORD_BYTES_MAX;
    record->made_time = time & RECORD_TIME_MAX;
    record->sequence = sequence & RECORD_SEQUENCE_MAX;
    record->maker = making->maker & 0xfu;
    record->made_thread = thread;
    record->behind_bytes = raw->behind_bytes & RECORD_BEHIND_MAX;
    record->made_by = made_by;
    record->ended_stack = 0;
    record->moved_to = 0;
    record->front_bytes = raw->front_bytes & RECORD_FRONT_MAX;
}

static bool is_refused(const struct making *making)
{
    return making->bytes > BYTES_MAX || making->alignment > ALIGNMENT_MAX ||
           (sg_options.max_alloc != 0 && making->bytes > sg_options.max_alloc);
}

/* The record of a new block, BUSY; NULL: no memory. Inlined up to what the program called, for few
 * frames of ours in each stack. Nothing of the capture waits for the memory of the block, which the
 * processor fetches meanwhile. */
static ALWAYS_INLINE struct record *make(const struct making *making)
{
    struct raw_block raw = {0};

    if (is_refused(making))
        return NULL;
    capture_begin();
    if (!(debug_is_guard() ? sg_raw_take_guarded(making, &raw) : sg_raw_take(making, &raw))) {
        sg_debug_report_map_limit(making->bytes);
        return NULL;
    }
    checker_taken(raw.start, raw.front_bytes);
    stack_id stack = capture();
    struct record *record = sg_record_create(raw.start);
    if (record == NULL) {
        sg_pool_free(raw.raw, SLOT_LIVE_MALLOC, "free");
        return NULL;
    }
    describe(record, making, &raw);
    record->made_stack = stack;
    sg_redzone_write(record);
    if (!making->zeroed || !raw.is_zeroed)
        sg_fill_fresh(record, making->zeroed);
    checker_made(record, making->zeroed);
    return record;
}

static ALWAYS_INLINE void *allocate(const struct making *making)
{
    lifecycle_start();
    checker_enter();
    count_call();

    struct record *record = make(making);
    void *object = record == NULL ? NULL : (void *)load_relaxed(&record->start);
    if (record != NULL)
        record_become(record, RECORD_LIVE);
    checker_leave();
    return object;
}

static NOINLINE void *allocate_rare(const struct making *making)
{
    return allocate(making);
}

/* As what the program called. */
static const char *name_of(uint8_t maker)
{
    static const char *const names[SLOT_STATE_COUNT] = {
        [SLOT_LIVE_MALLOC] = "malloc",
        [SLOT_LIVE_ALIGNED] = "aligned_alloc",
        [SLOT_LIVE_NEW] = "new",
        [SLOT_LIVE_NEW_ARRAY] = "new[]",
        [SLOT_LIVE_NEW_ALIGNED] = "aligned new",
        [SLOT_LIVE_NEW_ARRAY_ALIGNED] = "aligned new[]",
        [SLOT_LIVE_TYPED] = "spanguard_malloc_typed",
    };

    return names[maker] != NULL ? names[maker] : "malloc";
}

void *sg_debug_allocate(size_t bytes, uint8_t maker)
{
    struct making making = {bytes, 1, maker, false, name_of(maker)};

    return allocate(&making);
}

void *sg_debug_allocate_zeroed(size_t bytes)
{
    struct making making = {bytes, 1, SLOT_LIVE_MALLOC, true, "calloc"};

    return allocate(&making);
}

void *sg_debug_allocate_typed(size_t bytes, uint32_t partition)
{
    struct making making = {bytes, 1, SLOT_LIVE_MALLOC, false, name_of(SLOT_LIVE_TYPED)};

    (void)partition;
    return allocate_rare(&making);
}

void *sg_debug_allocate_typed_zeroed(size_t bytes, uint32_t partition)
{
    struct making making = {bytes, 1, SLOT_LIVE_MALLOC, true, "spanguard_calloc_typed"};

    (void)partition;
    return allocate_rare(&making);
}

void *sg_debug_allocate_aligned(size_t alignment, size_t bytes, uint8_t maker)
{
    struct making making = {bytes, alignment, maker, false, name_of(maker)};

    return allocate_rare(&making);
}

#define BUSY_SPINS 2000000u

/* Of a block that ends, what is looked at and filled, and its record, which is returned if it is
 * not another: on their way while the stack is captured. Safe on any value. */
static ALWAYS_INLINE struct record *prefetch_object(const void *object)
{
    const char *start = object;

    __builtin_prefetch(start - 1, 1);
    __builtin_prefetch(start + CACHE_LINE_BYTES - 1, 1);
    __builtin_prefetch(start + (size_t)2 * CACHE_LINE_BYTES - 1, 1);
    return sg_record_soon((uintptr_t)object);
}

static NOINLINE struct record *claim_slowly(const void *object, const char *function)
{
    struct record *record = sg_record_find((uintptr_t)object);

    if (record != NULL) {
        if (record_claim(record, RECORD_LIVE))
            return record;
        /* A check looks at it for some nanoseconds; or another thread frees it. */
        for (uint32_t i = 0; i < BUSY_SPINS && load_relaxed(&record->state) == RECORD_BUSY; i++)
            os_relax();
        if (sg_sweep_await(record) == SWEEP_OWN)
            return NULL; /* the handler of a signal cannot have it now */
        if (record_claim(record, RECORD_LIVE))
            return record;
    }
    sg_debug_report_pointer(object, record, function);
    return NULL;
}

static inline bool starts_at(const struct record *record, const void *object)
{
    return load_relaxed(&record->start) == (uintptr_t)object;
}

/* The block that starts there, BUSY from now on; NULL: there is none, it was reported, and the
 * program goes on; or this thread is just looking at it in a check. `soon`: of
 * prefetch_object(). */
static inline struct record *claim(const void *object, struct record *soon, const char *function)
{
    if (LIKELY(soon != NULL) && LIKELY(starts_at(soon, object)) &&
        LIKELY(record_claim(soon, RECORD_LIVE))) {
        /* Looked at again: from now on it cannot become another's. */
        if (LIKELY(starts_at(soon, object)))
            return soon;
        record_become(soon, RECORD_LIVE);
    }
    return claim_slowly(object, function);
}

struct ending {
    const char *function;
    uint32_t moved_to;
    stack_id stack;
    uint64_t time;
};

/* One that is BUSY. */
static void end(struct record *record, const struct ending *ending)
{
    record->ended_by = sg_record_name_number(ending->function);
    record->ended_thread = sg_debug_thread();
    record->ended_time = ending->time & RECORD_TIME_MAX;
    record->ended_count = (uint32_t)debug_count(&sg_debug_frees);
    record->moved_to = ending->moved_to;
    record->ended_stack = ending->stack;
    checker_ended(record);
    if (sg_raw_closes(record)) {
        record_become(record, RECORD_GONE);
        sg_raw_give(record);
        sg_record_retire(&record, 1);
        return;
    }
    sg_fill_freed(record);
    record_become(record, RECORD_FREED);
    sg_hold_put(record);
}

/* Blocks of aligned_alloc and its kin end with free, as those of malloc. */
static uint8_t family(uint8_t maker)
{
    return maker == SLOT_LIVE_ALIGNED || maker == SLOT_LIVE_SHRUNK || maker == SLOT_LIVE_TYPED
               ? SLOT_LIVE_MALLOC
               : maker;
}

static inline void require_maker(const struct record *record, uint8_t maker, const char *function)
{
    if (LIKELY(record->maker == maker))
        return;
    if (family(record->maker) != family(maker))
        sg_debug_report_mismatch(BUG_INTERFACE, record, 0, function);
}

static inline void require_stated(const struct record *record, const struct stated *stated,
                                  const char *function)
{
    uintptr_t start = load_relaxed(&record->start);

    if (LIKELY(stated->without_bytes) && stated->alignment == 0)
        return;
    if (stated->alignment != 0 && (start & (stated->alignment - 1)) != 0)
        sg_debug_report_mismatch(BUG_ALIGNMENT, record, stated->alignment, function);
    if (!stated->without_bytes && stated->bytes != record->bytes)
        sg_debug_report_mismatch(BUG_SIZE, record, stated->bytes, function);
}

static ALWAYS_INLINE void release(void *object, const struct stated *stated, uint8_t maker,
                                  const char *function)
{
    if (object == NULL)
        return;
    lifecycle_start();
    checker_enter();
    count_call();

    struct record *soon = prefetch_object(object);
    struct ending ending = {function, 0, capture(), debug_time()};
    struct record *record = claim(object, soon, function);
    if (record != NULL) {
        require_maker(record, maker, function);
        require_stated(record, stated, function);
        sg_debug_check_live(record, function, "when the block was freed");
        end(record, &ending);
    }
    checker_leave();
}

void sg_debug_free(void *object, uint8_t maker, const char *function)
{
    static const struct stated nothing = {.without_bytes = true};

    release(object, &nothing, maker, function);
}

void sg_debug_free_stated(void *object, struct stated stated, uint8_t maker, const char *function)
{
    release(object, &stated, maker, function);
}

/* Where there is no memory to move to: less of the block is the program's from now on. */
static bool shrink(struct record *record, size_t bytes)
{
    uint64_t behind = record->behind_bytes + (record->bytes - bytes);

    if (bytes > record->bytes)
        return false;
    record->bytes = bytes & RECORD_BYTES_MAX;
    record->behind_bytes = (behind < RECORD_BEHIND_MAX ? behind : RECORD_BEHIND_MAX) &
                           RECORD_BEHIND_MAX;
    sg_redzone_write(record);
    return true;
}

/* Always to another place: who goes on with the old pointer is found. */
static ALWAYS_INLINE void *move(void *object, size_t bytes, const char *function)
{
    struct making making = {bytes, 1, SLOT_LIVE_MALLOC, false, function};
    struct record *old = claim(object, prefetch_object(object), function);
    if (old == NULL)
        return NULL;
    require_maker(old, SLOT_LIVE_MALLOC, function);
    sg_debug_check_live(old, function, "when the block was reallocated");

    struct record *moved = make(&making);
    if (moved == NULL) {
        bool is_shrunk = shrink(old, bytes);

        record_become(old, RECORD_LIVE);
        return is_shrunk ? object : NULL;
    }
    void *target = (void *)load_relaxed(&moved->start);
    __builtin_memcpy(target, object, old->bytes < bytes ? old->bytes : bytes);
    /* One call, one stack, one time. */
    struct ending ending = {function, moved->number, moved->made_stack, moved->made_time};
    record_become(moved, RECORD_LIVE);
    end(old, &ending);
    return target;
}

void *sg_debug_reallocate(void *object, size_t bytes, const char *function)
{
    lifecycle_start();
    checker_enter();
    count_call();
    void *target = move(object, bytes, function);
    checker_leave();
    return target;
}
