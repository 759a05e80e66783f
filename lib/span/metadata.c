#include "metadata.h"

#include "bits.h"
#include "os_memory.h"
#include "secrets.h"

#define REGION_BYTES_FIRST (256 * KIB)
#define REGION_BYTES_MAX (8 * MIB)
#define CHUNKS_KEPT 8u /* free chunks whose memory stays: 256 KiB at most */

/* Free chunks form two stacks. Those that keep their memory are linked through it; the addresses
 * of those without memory are noted in a chunk that has some ("ledger"). */
struct kept_chunk {
    struct kept_chunk *next;
};

#define LEDGER_ENTRIES (METADATA_CHUNK_BYTES / sizeof(void *) - 2)

struct ledger {
    struct ledger *next;
    size_t count;
    void *chunks[LEDGER_ENTRIES];
};

static struct {
    struct lock lock; /* RANK_METADATA; guards all of this */
    struct random random;
    struct kept_chunk *kept;
    size_t kept_count;
    struct ledger *ledgers;
    char *fresh; /* never used part of the newest region */
    char *fresh_end;
    size_t next_region_bytes;
    _Atomic size_t mapped_bytes; /* relaxed: a statistic */
} metadata;

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
#if defined(__SANITIZE_THREAD__)
    return NULL; /* ThreadSanitizer owns most of the address space */
#else
    uint64_t bits;

    if (metadata.random.state[0] == 0)
        metadata.random = sg_secrets_random((uintptr_t)&metadata);
    bits = random_next(&metadata.random);
    return (void *)(align_down(bits & (((uint64_t)1 << 46) - 1), METADATA_CHUNK_BYTES) |
                    ((uint64_t)1 << 40));
#endif
}

/* [guard][alignment][bytes][guard]: what is not opened stays without access. */
static void *map_between_guards(size_t bytes)
{
    size_t guard = METADATA_CHUNK_BYTES > sg_os_page_bytes ? METADATA_CHUNK_BYTES
                                                           : sg_os_page_bytes;
    size_t open_bytes = align_up(bytes, sg_os_page_bytes);
    size_t reserved = open_bytes + 3 * guard;
    char *region = sg_os_reserve(random_address(), reserved);

    if (region == NULL)
        return NULL;

    void *open = (void *)align_up((uintptr_t)region + guard, guard);
    if (!sg_os_commit(open, open_bytes)) {
        sg_os_unmap(region, reserved);
        return NULL;
    }
    atomic_fetch_add_explicit(&metadata.mapped_bytes, reserved, memory_order_relaxed);
    return open;
}

void *sg_metadata_map(size_t bytes)
{
    lock_acquire(&metadata.lock, RANK_METADATA);
    void *memory = map_between_guards(bytes);
    lock_release(&metadata.lock, RANK_METADATA);
    return memory;
}

void sg_metadata_abandon(void)
{
    metadata.kept = NULL;
    metadata.kept_count = 0;
    metadata.ledgers = NULL;
    metadata.fresh = metadata.fresh_end;
}

static bool grow(void)
{
    size_t bytes = metadata.next_region_bytes == 0 ? REGION_BYTES_FIRST
                                                   : metadata.next_region_bytes;
    char *region = map_between_guards(bytes);

    if (region == NULL) { /* little address space is left: the least that helps */
        bytes = METADATA_CHUNK_BYTES > sg_os_page_bytes ? METADATA_CHUNK_BYTES : sg_os_page_bytes;
        region = map_between_guards(bytes);
    }
    if (region == NULL)
        return false;
    metadata.fresh = region;
    metadata.fresh_end = region + bytes;
    metadata.next_region_bytes = bytes >= REGION_BYTES_MAX ? REGION_BYTES_MAX : bytes * 2;
    return true;
}

static void *take_from_ledger(void)
{
    struct ledger *ledger = metadata.ledgers;

    if (ledger == NULL)
        return NULL;
    if (ledger->count > 0)
        return ledger->chunks[--ledger->count];
    metadata.ledgers = ledger->next; /* empty: it is a free chunk itself */
    return ledger;
}

static void *take_locked(void)
{
    struct kept_chunk *kept = metadata.kept;

    if (kept != NULL) {
        metadata.kept = kept->next;
        metadata.kept_count--;
        return kept;
    }

    void *chunk = take_from_ledger();
    if (chunk != NULL)
        return chunk;
    if (metadata.fresh == metadata.fresh_end && !grow())
        return NULL;
    chunk = metadata.fresh;
    metadata.fresh += METADATA_CHUNK_BYTES;
    return chunk;
}

void *sg_metadata_chunk_take(void)
{
    lock_acquire(&metadata.lock, RANK_METADATA);
    void *chunk = take_locked();
    lock_release(&metadata.lock, RANK_METADATA);
    return chunk;
}

static void give_locked(void *chunk)
{
    struct kept_chunk *kept = chunk;
    struct ledger *ledger = metadata.ledgers;

    if (metadata.kept_count < CHUNKS_KEPT) {
        kept->next = metadata.kept;
        metadata.kept = kept;
        metadata.kept_count++;
        return;
    }
    if (ledger == NULL || ledger->count == LEDGER_ENTRIES) {
        struct ledger *added = chunk;

        added->next = ledger;
        added->count = 0;
        metadata.ledgers = added;
        return;
    }
    (void)sg_os_purge(chunk, METADATA_CHUNK_BYTES); /* kept resident at worst */
    ledger->chunks[ledger->count++] = chunk;
}

void sg_metadata_chunk_give(void *chunk)
{
    lock_acquire(&metadata.lock, RANK_METADATA);
    give_locked(chunk);
    lock_release(&metadata.lock, RANK_METADATA);
}
