#include "central_guard.h"

#include "options.h"
#include "os_guard.h"
#include "os_memory.h"
#include "secrets.h"

static size_t random_pages(void)
{
    static _Atomic uint64_t guards; /* relaxed: each guard has another number, no more */
    uint64_t number = atomic_fetch_add_explicit(&guards, 1, memory_order_relaxed);
    struct random random = sg_secrets_random(SECRETS_GUARD + number);

    return 1 + random_below(&random, (uint32_t)sg_options.guard_pages);
}

size_t sg_central_guard_pages(uint32_t class, size_t body_pages, size_t alignment_pages)
{
    size_t pages = 1;

    if (sg_options.guard_pages == 0 || class == CLASS_ZERO || sg_os_page_bytes > PAGE_BYTES ||
        body_pages * PAGE_BYTES < sg_options.guard_interval)
        return 0;
    if (sg_options.guard_pages > 1)
        pages = random_pages();
    /* Spans of aligned slots follow each other without gaps. */
    return pages + alignment_pages - 1 - (body_pages + pages - 1) % alignment_pages;
}

static _Atomic size_t guard_bytes; /* relaxed: a statistic */

size_t sg_central_guard_bytes(void)
{
    return load_relaxed(&guard_bytes);
}

void sg_central_note_guard(long bytes)
{
    atomic_fetch_add_explicit(&guard_bytes, (size_t)bytes, memory_order_relaxed);
}

bool sg_central_spare_give(struct span *span, size_t *ret_open_pages)
{
    struct central_list *list = &sg_central[span->slots.class];
    size_t bytes = sg_central_body_bytes(span->slots.class);

    *ret_open_pages = span->slots.class == CLASS_ZERO ? 0 : bytes / PAGE_BYTES;
    if (sg_options.isolate_classes == 0)
        return false;

    /* The kernel refuses, or keeps its memory. It may have been closed before. */
    if (sg_os_forbid((void *)span->slots.base, bytes) != OS_CLOSED_EMPTY) {
        *ret_open_pages = sg_os_allow((void *)span->slots.base, bytes) ? bytes / PAGE_BYTES : 0;
        return false;
    }
    span->slots.slot_count = 0;
    lock_acquire(&list->lock, RANK_CENTRAL_LIST);
    list_push(&list->spare, &span->link);
    lock_release(&list->lock, RANK_CENTRAL_LIST);
    return true;
}

struct span *sg_central_spare_take(uint32_t class)
{
    struct central_list *list = &sg_central[class];
    struct span *span = NULL;

    if (sg_options.isolate_classes == 0)
        return NULL;
    lock_acquire(&list->lock, RANK_CENTRAL_LIST);
    if (list->spare != NULL) {
        span = container_of(list->spare, struct span, link);
        list_unlink(&list->spare, &span->link);
    }
    lock_release(&list->lock, RANK_CENTRAL_LIST);
    if (span == NULL || sg_os_allow((void *)span->slots.base, sg_central_body_bytes(class)))
        return span;
    lock_acquire(&list->lock, RANK_CENTRAL_LIST); /* no more mappings, for now */
    list_push(&list->spare, &span->link);
    lock_release(&list->lock, RANK_CENTRAL_LIST);
    return NULL;
}
