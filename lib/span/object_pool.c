#include "object_pool.h"

#include "bits.h"
#include "list.h"
#include "metadata.h"
#include "sync_point.h"

/* Record sizes: 64 to 1 KiB in steps of 64, then powers of two and what a thread cache needs. */
#define STEP_BYTES 64u
#define STEPPED_COUNT 16u

static const uint16_t larger_bytes[] = {1536, 2048, 3072, 3584, 4096, 6144, 7168, 8192};

static_assert(STEPPED_COUNT + sizeof(larger_bytes) / sizeof(larger_bytes[0]) == OBJECT_POOL_COUNT,
              "every pool has its size");

#define NO_RECORD UINT16_MAX

/* At the start of each chunk; the records follow. Free records are linked by their index, in
 * their first two bytes. */
struct chunk {
    struct list_node link; /* in its pool's list while some record is free */
    uint32_t epoch;        /* of the pool when it was last put into the list */
    uint16_t live_count;
    uint16_t fresh_index; /* records from here on were never used */
    uint16_t first_free;
};

static_assert(sizeof(struct chunk) <= STEP_BYTES, "records start at STEP_BYTES");

struct pool {
    alignas(CACHE_LINE_BYTES) struct lock lock; /* RANK_OBJECT_POOL; guards the rest */
    struct list_node *available;                /* chunks with a free record */
    size_t live_count;
    uint32_t epoch; /* chunks of an older one are in no list, whatever their links say */
};

static struct pool pools[OBJECT_POOL_COUNT];

struct lock *sg_object_pool_lock(uint32_t index)
{
    return &pools[index].lock;
}

void sg_object_pool_abandon(uint32_t index)
{
    pools[index].available = NULL;
    pools[index].epoch++;
}

static uint32_t pool_index(size_t bytes)
{
    if (bytes <= (size_t)STEPPED_COUNT * STEP_BYTES)
        return (uint32_t)((bytes + STEP_BYTES - 1) / STEP_BYTES) - 1;

    uint32_t i = 0;
    while (larger_bytes[i] < bytes)
        i++;
    return STEPPED_COUNT + i;
}

static uint32_t record_bytes(uint32_t index)
{
    return index < STEPPED_COUNT ? (index + 1) * STEP_BYTES : larger_bytes[index - STEPPED_COUNT];
}

static enum metadata_kind kind_of(uint32_t index)
{
    return index < STEPPED_COUNT ? METADATA_SMALL : METADATA_BLOCK;
}

static size_t chunk_bytes(uint32_t index)
{
    return kind_of(index) == METADATA_SMALL ? METADATA_SMALL_BYTES : METADATA_BLOCK_BYTES;
}

static uint32_t records_per_chunk(uint32_t index)
{
    return (uint32_t)(chunk_bytes(index) - STEP_BYTES) / record_bytes(index);
}

static void *record_at(struct chunk *chunk, uint32_t index, uint32_t record)
{
    return (char *)chunk + STEP_BYTES + (size_t)record * record_bytes(index);
}

static void enlist(struct pool *pool, struct chunk *chunk)
{
    chunk->epoch = pool->epoch;
    list_push(&pool->available, &chunk->link);
}

static struct chunk *add_chunk(struct pool *pool, uint32_t index)
{
    struct chunk *chunk = sg_metadata_take(kind_of(index));

    if (chunk == NULL)
        return NULL;
    chunk->live_count = 0;
    chunk->fresh_index = 0;
    chunk->first_free = NO_RECORD;
    enlist(pool, chunk);
    return chunk;
}

static void *take_from(struct pool *pool, uint32_t index, struct chunk *chunk)
{
    void *record;

    SYNC_POINT(SYNC_HANDOVER, chunk);
    if (chunk->first_free != NO_RECORD) {
        record = record_at(chunk, index, chunk->first_free);
        chunk->first_free = *(uint16_t *)record;
    } else {
        record = record_at(chunk, index, chunk->fresh_index++);
    }
    chunk->live_count++;
    pool->live_count++;
    if (chunk->live_count == records_per_chunk(index))
        list_unlink(&pool->available, &chunk->link);
    return record;
}

void *sg_object_pool_take(size_t bytes)
{
    uint32_t index = pool_index(bytes);
    struct pool *pool = &pools[index];
    void *record = NULL;

    ASSERT(bytes > 0 && bytes <= OBJECT_POOL_MAX_BYTES);
    lock_acquire(&pool->lock, RANK_OBJECT_POOL);
    struct chunk *chunk = pool->available != NULL
                              ? container_of(pool->available, struct chunk, link)
                              : add_chunk(pool, index);
    if (chunk != NULL)
        record = take_from(pool, index, chunk);
    lock_release(&pool->lock, RANK_OBJECT_POOL);
    return record;
}

static struct chunk *chunk_of(void *object, uint32_t index)
{
    return (struct chunk *)align_down((uintptr_t)object, chunk_bytes(index));
}

/* True if the chunk is empty now and was taken out of the pool. */
static bool give_locked(struct pool *pool, uint32_t index, void *object)
{
    struct chunk *chunk = chunk_of(object, index);

    if (chunk->live_count == records_per_chunk(index) || chunk->epoch != pool->epoch)
        enlist(pool, chunk);
    *(uint16_t *)object = chunk->first_free;
    SYNC_POINT(SYNC_HANDOVER, object);
    chunk->first_free = (uint16_t)(((uintptr_t)object - (uintptr_t)record_at(chunk, index, 0)) /
                                   record_bytes(index));
    pool->live_count--;
    if (--chunk->live_count != 0)
        return false;
    list_unlink(&pool->available, &chunk->link);
    return true;
}

void sg_object_pool_give(void *object, size_t bytes)
{
    uint32_t index = pool_index(bytes);
    struct pool *pool = &pools[index];

    lock_acquire(&pool->lock, RANK_OBJECT_POOL);
    bool empty = give_locked(pool, index, object);
    lock_release(&pool->lock, RANK_OBJECT_POOL);
    SYNC_POINT(SYNC_HANDOVER, object);
    if (empty)
        sg_metadata_give(kind_of(index), chunk_of(object, index));
}

size_t sg_object_pool_live_bytes(void)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < OBJECT_POOL_COUNT; i++) {
        lock_acquire(&pools[i].lock, RANK_OBJECT_POOL);
        bytes += pools[i].live_count * record_bytes(i);
        lock_release(&pools[i].lock, RANK_OBJECT_POOL);
    }
    return bytes;
}
