#include "record.h"

#include "debug_state.h"
#include "magazine.h"
#include "metadata.h"
#include "number_queue.h"
#include "record_memory.h"

#define STEP_SHIFT 4  /* blocks start at multiples of 16 */
#define LEAF_SHIFT 13 /* a leaf is 8 KiB of addresses */
#define NODE_SHIFT 31 /* a node is 2 GiB of them */
#define GUARD_SHIFT 8 /* profile guard: all that 256 times; each block has pages to itself */
#define TREE_SHIFT 47 /* what programs get on x86-64 and arm64 unless they ask for more */
#define LEAF_STEPS (1u << (LEAF_SHIFT - STEP_SHIFT))
#define NODE_LEAVES (1u << (NODE_SHIFT - LEAF_SHIFT))
#define TREE_NODES (1u << (TREE_SHIFT - NODE_SHIFT))

/* Numbers of records, by step. */
struct leaf {
    _Atomic uint32_t numbers[LEAF_STEPS];
};

struct node {
    struct leaf *_Atomic leaves[NODE_LEAVES];
};

static COLD_ZEROES struct node *_Atomic tree[TREE_NODES];

#define CHUNK_SHIFT 15
#define CHUNK_RECORDS (1u << CHUNK_SHIFT)
#define CHUNKS_MAX (1u << 12) /* 128 million records */

static COLD_ZEROES struct record *_Atomic chunks[CHUNKS_MAX];
static_assert(CHUNK_RECORDS * sizeof(struct record) == RECORD_MEMORY_BYTES, "a chunk is a piece");

/* Records that describe a block that is gone, oldest first, and how many there are at all. A look
 * at what is long gone is worth keeping, so a third as many as are in use stay before they are used
 * again. */
static struct {
    struct lock lock;            /* RANK_DEBUG_RECORD */
    _Atomic uint32_t count;      /* records that were ever taken; number `count` is the last */
    struct number_queue waiting; /* their bytes are not counted */
    struct leaf *next_leaf;      /* of those never used, and how many are left */
    size_t leaves_left;
} all;

#define WAITING_MIN 4096u
#define WAITING_GUARD (1u << 20)

/* In the profile guard addresses stay without access for long: so long who was there is known. */
static uint32_t waiting_least(void)
{
    return debug_is_guard() ? WAITING_GUARD : WAITING_MIN;
}

struct lock *sg_record_lock(void)
{
    return &all.lock;
}

static ALWAYS_INLINE struct record *record_of(uint32_t number)
{
    struct record *chunk;

    if (number == 0 || number >> CHUNK_SHIFT >= CHUNKS_MAX)
        return NULL;
    /* Acquire: pairs with the publication of the chunk. */
    chunk = atomic_load_explicit(&chunks[number >> CHUNK_SHIFT], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[number & (CHUNK_RECORDS - 1)];
}

struct record *sg_record_of(uint32_t number)
{
    return record_of(number);
}

static inline uintptr_t scaled(uintptr_t address)
{
    return debug_is_guard() ? address >> GUARD_SHIFT : address;
}

static ALWAYS_INLINE _Atomic uint32_t *step_find(uintptr_t whole_address)
{
    uintptr_t address = scaled(whole_address);

    if (whole_address >> TREE_SHIFT != 0)
        return NULL;
    /* Acquire, twice: what hangs below was zeroed before it was published. */
    struct node *node = atomic_load_explicit(&tree[address >> NODE_SHIFT], memory_order_acquire);
    if (node == NULL)
        return NULL;
    struct leaf *leaf = atomic_load_explicit(
        &node->leaves[address >> LEAF_SHIFT & (NODE_LEAVES - 1)], memory_order_acquire);
    return leaf == NULL ? NULL : &leaf->numbers[address >> STEP_SHIFT & (LEAF_STEPS - 1)];
}

/* Both run under the lock: only look-ups are concurrent. */
static struct node *node_make(uintptr_t address)
{
    struct node *node = load_relaxed(&tree[address >> NODE_SHIFT]);

    if (node != NULL)
        return node;
    node = sg_metadata_map(sizeof(struct node));
    if (node != NULL)
        atomic_store_explicit(&tree[address >> NODE_SHIFT], node, memory_order_release);
    return node;
}

/* All zero; none ever comes back. */
static struct leaf *leaf_take(void)
{
    if (all.leaves_left == 0) {
        struct leaf *leaves = sg_record_memory(all.next_leaf == NULL);

        if (leaves == NULL)
            return NULL;
        all.next_leaf = leaves;
        all.leaves_left = RECORD_MEMORY_BYTES / sizeof(struct leaf);
    }
    all.leaves_left--;
    return all.next_leaf++;
}

static struct leaf *leaf_make(struct node *node, uintptr_t address)
{
    struct leaf *_Atomic *place = &node->leaves[address >> LEAF_SHIFT & (NODE_LEAVES - 1)];
    struct leaf *leaf = load_relaxed(place);

    if (leaf != NULL)
        return leaf;
    leaf = leaf_take();
    if (leaf != NULL)
        atomic_store_explicit(place, leaf, memory_order_release);
    return leaf;
}

static _Atomic uint32_t *step_make(uintptr_t address)
{
    _Atomic uint32_t *step = step_find(address);

    if (step != NULL || address >> TREE_SHIFT != 0)
        return step;
    lock_acquire(&all.lock, RANK_DEBUG_RECORD);
    struct node *node = node_make(scaled(address));
    if (node != NULL)
        (void)leaf_make(node, scaled(address));
    lock_release(&all.lock, RANK_DEBUG_RECORD);
    return step_find(address);
}

struct record *sg_record_find(uintptr_t start)
{
    _Atomic uint32_t *step = step_find(start);
    struct record *record;

    if (step == NULL)
        return NULL;
    /* Acquire: pairs with the publication in sg_record_create(). */
    record = record_of(atomic_load_explicit(step, memory_order_acquire));
    if (record == NULL || load_relaxed(&record->start) != start)
        return NULL;
    return load_relaxed(&record->state) == RECORD_NONE ? NULL : record;
}

struct record *sg_record_soon(uintptr_t start)
{
    _Atomic uint32_t *step = step_find(start);
    struct record *record;

    if (step == NULL)
        return NULL;
    record = record_of(atomic_load_explicit(step, memory_order_acquire)); /* as above */
    __builtin_prefetch(record, 1);
    return record;
}

static struct record *number_new(void)
{
    uint32_t number = load_relaxed(&all.count) + 1; /* relaxed: changes under the lock only */
    struct record *chunk;

    if (number >> CHUNK_SHIFT >= CHUNKS_MAX)
        return NULL;
    chunk = load_relaxed(&chunks[number >> CHUNK_SHIFT]);
    if (chunk == NULL) {
        chunk = sg_record_memory(number >> CHUNK_SHIFT == 0);
        if (chunk == NULL)
            return NULL;
        /* Release: pairs with sg_record_of(). */
        atomic_store_explicit(&chunks[number >> CHUNK_SHIFT], chunk, memory_order_release);
    }
    chunk[number & (CHUNK_RECORDS - 1)].number = number;
    /* Release: who sees the count finds the chunk. */
    atomic_store_explicit(&all.count, number, memory_order_release);
    return &chunk[number & (CHUNK_RECORDS - 1)];
}

static struct record *first_waiting(void)
{
    return all.waiting.count == 0 ? NULL : record_of(queue_pop(&all.waiting).number);
}

/* How many wait that need not. */
static uint64_t waiting_enough(void)
{
    uint64_t least = waiting_least(), quarter = load_relaxed(&all.count) / 4;
    uint64_t kept = least > quarter ? least : quarter;

    return all.waiting.count > kept ? all.waiting.count - kept : 0;
}

/* Under the lock. */
static struct record *take(void)
{
    struct record *record = number_new();

    return record != NULL ? record : first_waiting(); /* no memory for new ones */
}

/* What is taken was last touched long ago: all of it is asked for at once. */
static uint32_t take_many(struct record **ret_records, uint32_t most)
{
    uint32_t count = 0;

    lock_acquire(&all.lock, RANK_DEBUG_RECORD);
    uint64_t enough = waiting_enough();
    while (count < most && count < enough)
        ret_records[count++] = first_waiting();
    while (count < most && (ret_records[count] = take()) != NULL)
        count++;
    lock_release(&all.lock, RANK_DEBUG_RECORD);
    for (uint32_t i = 0; i < count; i++)
        __builtin_prefetch(ret_records[i], 1);
    return count;
}

static struct record *take_one(void)
{
    struct magazine *magazine = sg_magazine_enter();
    struct record *record = NULL;

    if (UNLIKELY(magazine == NULL))
        return take_many(&record, 1) == 1 ? record : NULL;
    if (magazine->fresh_count == 0)
        magazine->fresh_count = take_many(magazine->fresh, MAGAZINE_ENTRIES);
    if (magazine->fresh_count != 0)
        record = magazine->fresh[--magazine->fresh_count];
    magazine_leave(magazine);
    return record;
}

struct record *sg_record_create(uintptr_t start)
{
    _Atomic uint32_t *step = step_make(start);
    struct record *record = step == NULL ? NULL : take_one();

    if (record == NULL)
        return NULL;
    record_become(record, RECORD_BUSY);
    store_relaxed(&record->start, start);
    /* Release: whoever finds the number finds a record that is BUSY, at this address. */
    atomic_store_explicit(step, record->number, memory_order_release);
    return record;
}

void sg_record_retire(struct record *const *records, uint32_t count)
{
    lock_acquire(&all.lock, RANK_DEBUG_RECORD);
    /* Without memory for the queue a record stays as it is, for ever. */
    for (uint32_t i = 0; i < count; i++)
        (void)!queue_push(&all.waiting, (struct queue_entry){records[i]->number, 0});
    lock_release(&all.lock, RANK_DEBUG_RECORD);
}

void sg_record_abandon(void)
{
    __builtin_memset(&all.waiting, 0, sizeof(all.waiting));
    all.leaves_left = 0;
}

void sg_record_each(void (*visit)(struct record *record, void *context), void *context)
{
    uint32_t count = atomic_load_explicit(&all.count, memory_order_acquire);

    for (uint32_t number = 1; number <= count; number++) {
        struct record *record = record_of(number);
        uint8_t state = atomic_load_explicit(&record->state, memory_order_acquire);

        if (state != RECORD_NONE && state != RECORD_GONE)
            visit(record, context);
    }
}

size_t sg_record_bytes(void)
{
    return (size_t)load_relaxed(&all.count) * sizeof(struct record);
}

_Atomic uint32_t *sg_record_step(uintptr_t address)
{
    return step_find(address);
}
