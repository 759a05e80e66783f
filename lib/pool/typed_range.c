/* Addresses of partitions: mapped, cut up, never given back. And large objects on them. */
#include "bits.h"
#include "os_guard.h"
#include "os_memory.h"
#include "page_map.h"
#include "secrets.h"
#include "typed_state.h"

#define CHUNK_BYTES_MIN (1 * MIB)
#define CHUNK_BYTES_MAX (64 * MIB)

COLD_ZEROES struct partition sg_partitions[TYPED_PARTITIONS];

struct partition *sg_partition_acquire(uint32_t partition)
{
    struct partition *found = &sg_partitions[partition];

    lock_acquire(&found->lock, RANK_TYPED);
    if (UNLIKELY(!load_relaxed(&found->is_used))) {
        found->random = sg_secrets_random(SECRETS_PARTITION + partition);
        store_relaxed(&found->is_used, true);
    }
    return found;
}

void sg_partition_release(struct partition *partition)
{
    lock_release(&partition->lock, RANK_TYPED);
}

static size_t unit_bytes(void)
{
    return sg_os_page_bytes > PAGE_BYTES ? sg_os_page_bytes : PAGE_BYTES;
}

/* From the chunk; 0: too little is left of it. `bytes` is a multiple of the unit. */
static uintptr_t cut(uint32_t number, size_t bytes, size_t *ret_mapped_bytes)
{
    struct partition *partition = sg_partition_acquire(number);
    uintptr_t address = 0;

    if (partition->chunk_end - partition->chunk >= bytes) {
        address = partition->chunk;
        partition->chunk += bytes;
    }
    *ret_mapped_bytes = partition->mapped_bytes;
    sg_partition_release(partition);
    return address;
}

/* Fresh from the kernel: nothing of ours was ever there. What is left becomes the chunk; of the old
 * one the rest is never used, which costs addresses only. */
static uintptr_t map(uint32_t number, size_t bytes, size_t chunk_bytes)
{
    size_t unit = unit_bytes();
    char *memory = sg_os_map(NULL, chunk_bytes + unit);

    if (memory == NULL)
        return 0;
    uintptr_t base = align_up((uintptr_t)memory, unit);
    if (!sg_page_map_cover(base, chunk_bytes)) {
        sg_os_unmap(memory, chunk_bytes + unit);
        return 0;
    }
    struct partition *partition = sg_partition_acquire(number);
    partition->mapped_bytes += chunk_bytes;
    if (chunk_bytes > bytes) {
        partition->chunk = base + bytes;
        partition->chunk_end = base + chunk_bytes;
    }
    sg_partition_release(partition);
    return base;
}

static uintptr_t take_range(uint32_t number, size_t bytes)
{
    size_t mapped_bytes;
    uintptr_t address = cut(number, bytes, &mapped_bytes);
    size_t chunk_bytes = align_up(mapped_bytes / 8, CHUNK_BYTES_MIN);

    if (address != 0)
        return address;
    if (chunk_bytes < CHUNK_BYTES_MIN)
        chunk_bytes = CHUNK_BYTES_MIN;
    if (chunk_bytes > CHUNK_BYTES_MAX)
        chunk_bytes = CHUNK_BYTES_MAX;
    if (bytes < chunk_bytes)
        address = map(number, bytes, chunk_bytes);
    return address != 0 ? address : map(number, bytes, bytes);
}

struct span *sg_typed_span_create(uint32_t partition, size_t pages)
{
    if (pages > SPAN_MAX_PAGES / 2)
        return NULL;

    uintptr_t base = take_range(partition, align_up(pages * PAGE_BYTES, unit_bytes()));
    struct span *span = base == 0 ? NULL : sg_span_create(base, (uint32_t)pages);

    if (span == NULL)
        return NULL;
    span->partition = (uint8_t)partition;
    span->slots.owner = SPAN_TYPED;
    sg_page_map_set(base, pages, span);
    return span;
}

/* Up to the next step of its length. */
static size_t rounded_pages(size_t pages)
{
    unsigned bits = log2_floor(pages);

    if (bits <= VACANT_STEPS_LOG2)
        return pages;
    return align_up(pages, (size_t)1 << (bits - VACANT_STEPS_LOG2));
}

/* Of a rounded length. */
static uint32_t list_of(size_t pages)
{
    unsigned bits = log2_floor(pages);

    if (bits <= VACANT_STEPS_LOG2)
        return (uint32_t)pages;
    return (uint32_t)((bits << VACANT_STEPS_LOG2) +
                      ((pages >> (bits - VACANT_STEPS_LOG2)) & ((1u << VACANT_STEPS_LOG2) - 1)));
}

void sg_typed_vacant_push(struct partition *partition, struct span *span)
{
    span->slots.mark = TYPED_VACANT;
    struct list_node **head = &partition->vacant[list_of(span->pages)];

    if (*head != &span->link) /* a rebuild may meet it twice in a row */
        list_push(head, &span->link);
}

static struct span *vacant_take(uint32_t number, size_t pages)
{
    struct partition *partition = sg_partition_acquire(number);
    struct list_node **head = &partition->vacant[list_of(pages)];
    struct span *span = *head == NULL ? NULL : container_of(*head, struct span, link);

    if (span != NULL) {
        list_unlink(head, &span->link);
        span->slots.mark = TYPED_UNLISTED;
    }
    sg_partition_release(partition);
    return span;
}

void *sg_typed_large_take(struct large_request request, bool *ret_zeroed)
{
    size_t pages = rounded_pages(sg_large_pages_most(request));
    struct span *span;

    if (pages > SPAN_MAX_PAGES / 2)
        return NULL;
    span = vacant_take(request.partition, pages);
    *ret_zeroed = span == NULL || (span->is_empty_inside && span->is_empty_around);
    if (span == NULL)
        span = sg_typed_span_create(request.partition, pages);
    else if (!sg_os_allow((void *)span->slots.base, span_bytes(span)))
        return NULL; /* no more mappings: its addresses are lost */
    if (span == NULL)
        return NULL;
    span->lead_bytes = 0;
    span->slots.owner = SPAN_LARGE;
    return sg_large_open(span, request, *ret_zeroed);
}

/* The room of one that was freed before, chosen by chance, becomes vacant. */
void sg_typed_large_give(struct span *span)
{
    struct span *vacated = NULL;

    sg_large_close(span);
    struct partition *partition = sg_partition_acquire(span->partition);
    if (partition->recent_count < RECENT_MAX) {
        partition->recent[partition->recent_count++] = span;
    } else {
        uint32_t chosen = random_below(&partition->random, RECENT_MAX);

        vacated = partition->recent[chosen];
        partition->recent[chosen] = span;
        sg_large_vacate(vacated);
        vacated->slots.owner = SPAN_TYPED;
        sg_typed_vacant_push(partition, vacated);
    }
    span->slots.mark = TYPED_RECENT;
    sg_partition_release(partition);
}
