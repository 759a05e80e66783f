#include "metadata.h"

#include "bits.h"
#include "os_memory.h"
#include "secrets.h"
#include "sync_point.h"

#define REGION_BYTES_FIRST (256 * KIB)
#define REGION_BYTES_MAX (8 * MIB)
#define KEPT_BYTES_MAX (128 * KIB) /* free chunks of a kind whose memory stays */

/* Free chunks that keep their memory are linked through it; the addresses of those without memory
 * are noted in a chunk that has some ("ledger"). */
struct kept_chunk {
    struct kept_chunk *next;
};

struct ledger {
    struct ledger *next;
    size_t count;
    void *chunks[];
};

struct stock {
    size_t chunk_bytes;
    struct kept_chunk *kept;
    size_t kept_bytes;
    struct ledger *ledgers;
    char *fresh; /* never used yet, up to fresh_end */
    char *fresh_end;
};

static struct {
    struct lock lock; /* RANK_METADATA; guards all of this */
    struct random random;
    struct stock stocks[METADATA_KINDS];
    size_t next_region_bytes;
    _Atomic size_t mapped_bytes; /* relaxed: a statistic */
} metadata = {
    .stocks = {[METADATA_SMALL] = {.chunk_bytes = METADATA_SMALL_BYTES},
               [METADATA_BLOCK] = {.chunk_bytes = METADATA_BLOCK_BYTES}},
};

struct lock *sg_metadata_lock(void)
{
    return &metadata.lock;
}

size_t sg_metadata_mapped_bytes(void)
{
    return load_relaxed(&metadata.mapped_bytes);
}

/* 46 random bits, so that on every kernel the address is one that mmap could have chosen. */
static void *random_address(void)
{
#if defined(__SANITIZE_THREAD__) && !defined(SG_LABORATORY)
    return NULL; /* ThreadSanitizer owns most of the address space */
#else
    uint64_t bits;

    if (metadata.random.state[0] == 0)
        metadata.random = sg_secrets_random(SECRETS_METADATA);
    bits = random_next(&metadata.random);
    return (void *)(align_down(bits & (((uint64_t)1 << 46) - 1), METADATA_BLOCK_BYTES) |
                    ((uint64_t)1 << 40));
#endif
}

/* What is mapped and protected at once: OS pages may be larger than our chunks. */
static size_t grain(void)
{
    return METADATA_BLOCK_BYTES > sg_os_page_bytes ? METADATA_BLOCK_BYTES : sg_os_page_bytes;
}

/* [guard][alignment][bytes][guard]: what is not opened stays without access. */
static void *map_aligned(size_t bytes, size_t alignment)
{
    size_t open_bytes = align_up(bytes, sg_os_page_bytes);
    size_t reserved = open_bytes + 2 * grain() + alignment;
    char *region = sg_os_reserve(random_address(), reserved);

    if (region == NULL)
        return NULL;

    void *open = (void *)align_up((uintptr_t)region + grain(), alignment);
    if (!sg_os_commit(open, open_bytes)) {
        sg_os_unmap(region, reserved);
        return NULL;
    }
    atomic_fetch_add_explicit(&metadata.mapped_bytes, reserved, memory_order_relaxed);
    return open;
}

static void *map_between_guards(size_t bytes)
{
    return map_aligned(bytes, grain());
}

void *sg_metadata_map_aligned(size_t bytes, size_t alignment)
{
    lock_acquire(&metadata.lock, RANK_METADATA);
    void *memory = map_aligned(bytes, alignment > grain() ? alignment : grain());
    lock_release(&metadata.lock, RANK_METADATA);
    return memory;
}

void *sg_metadata_map(size_t bytes)
{
    return sg_metadata_map_aligned(bytes, METADATA_BLOCK_BYTES);
}

static bool refresh(struct stock *stock, char *memory, size_t bytes)
{
    if (memory == NULL)
        return false;
    stock->fresh = memory;
    stock->fresh_end = memory + bytes;
    return true;
}

static bool map_blocks(struct stock *stock)
{
    size_t bytes = metadata.next_region_bytes == 0 ? REGION_BYTES_FIRST
                                                   : metadata.next_region_bytes;

    if (refresh(stock, map_between_guards(bytes), bytes)) {
        metadata.next_region_bytes = bytes >= REGION_BYTES_MAX ? REGION_BYTES_MAX : bytes * 2;
        return true;
    }
    /* Little address space is left: the least that helps. */
    return refresh(stock, map_between_guards(grain()), grain());
}

static void *take_from_ledger(struct stock *stock)
{
    struct ledger *ledger = stock->ledgers;

    if (ledger == NULL)
        return NULL;
    if (ledger->count > 0)
        return ledger->chunks[--ledger->count];
    stock->ledgers = ledger->next; /* empty: it is a free chunk itself */
    return ledger;
}

static void *take_free(struct stock *stock)
{
    struct kept_chunk *kept = stock->kept;

    if (kept == NULL)
        return take_from_ledger(stock);
    SYNC_POINT(SYNC_HANDOVER, kept);
    stock->kept = kept->next;
    stock->kept_bytes -= stock->chunk_bytes;
    return kept;
}

static void *take_fresh(struct stock *stock)
{
    void *chunk = stock->fresh;

    SYNC_POINT(SYNC_HANDOVER, chunk);
    stock->fresh += stock->chunk_bytes;
    return chunk;
}

static void *take_block(void)
{
    struct stock *stock = &metadata.stocks[METADATA_BLOCK];
    void *block = take_free(stock);

    if (block != NULL)
        return block;
    if (stock->fresh == stock->fresh_end && !map_blocks(stock))
        return NULL;
    return take_fresh(stock);
}

/* Small chunks are cut from blocks, and never put together again. */
static void *take_small(void)
{
    struct stock *stock = &metadata.stocks[METADATA_SMALL];
    void *chunk = take_free(stock);

    if (chunk != NULL)
        return chunk;
    if (stock->fresh == stock->fresh_end && !refresh(stock, take_block(), METADATA_BLOCK_BYTES))
        return NULL;
    return take_fresh(stock);
}

void *sg_metadata_take(enum metadata_kind kind)
{
    lock_acquire(&metadata.lock, RANK_METADATA);
    void *chunk = kind == METADATA_SMALL ? take_small() : take_block();
    lock_release(&metadata.lock, RANK_METADATA);
    return chunk;
}

static void give_locked(struct stock *stock, void *chunk)
{
    struct kept_chunk *kept = chunk;
    struct ledger *ledger = stock->ledgers;
    size_t ledger_entries = (stock->chunk_bytes - sizeof(struct ledger)) / sizeof(void *);

    if (stock->kept_bytes < KEPT_BYTES_MAX) {
        kept->next = stock->kept;
        SYNC_POINT(SYNC_HANDOVER, kept);
        stock->kept = kept;
        stock->kept_bytes += stock->chunk_bytes;
        return;
    }
    if (ledger == NULL || ledger->count == ledger_entries) {
        struct ledger *added = chunk;

        added->next = ledger;
        added->count = 0;
        stock->ledgers = added;
        return;
    }
    sg_os_purge(chunk, stock->chunk_bytes); /* at worst it stays resident */
    ledger->chunks[ledger->count++] = chunk;
}

void sg_metadata_give(enum metadata_kind kind, void *chunk)
{
    lock_acquire(&metadata.lock, RANK_METADATA);
    give_locked(&metadata.stocks[kind], chunk);
    lock_release(&metadata.lock, RANK_METADATA);
}

void sg_metadata_abandon(void)
{
    for (int kind = 0; kind < METADATA_KINDS; kind++) {
        struct stock *stock = &metadata.stocks[kind];

        *stock = (struct stock){.chunk_bytes = stock->chunk_bytes};
    }
}
