#include "span.h"

#include "object_pool.h"
#include "page_map.h"
#include "size_class.h"

struct span sg_span_retired;
struct span sg_span_forbidden;

struct span *sg_span_create(uintptr_t base, uint32_t pages)
{
    struct span *span = sg_object_pool_take(sizeof(struct span));

    if (span == NULL)
        return NULL;
    *span = (struct span){.slots = {.base = base, .owner = SPAN_NOWHERE}};
    span->pages = pages;
    return span;
}

void sg_span_destroy(struct span *span)
{
    /* A look-up that raced with us finds a record from which nothing can be freed. */
    span->slots.slot_count = 0;
    span->slots.owner = SPAN_NOWHERE;
    sg_object_pool_give(span, sizeof(struct span));
}

/* I1 */
static void check_pages(const struct span *span)
{
    for (uintptr_t page = span_start(span); page < span_end(span); page += PAGE_BYTES)
        ASSERT(page_map_lookup(page) == span);
}

/* I2 */
static void check_free_pages(const struct span *span)
{
    uintptr_t last = span_end(span) - PAGE_BYTES;

    for (uintptr_t page = span_start(span) + PAGE_BYTES; page < last; page += PAGE_BYTES)
        ASSERT(page_map_lookup(page) == &sg_span_retired ||
               page_map_lookup(page) == &sg_span_forbidden);
}

void sg_span_check(const struct span *span)
{
    if (!SG_DEBUG_CHECKS)
        return;

    uintptr_t first = span_start(span);
    uintptr_t last = span_end(span) - PAGE_BYTES;

    ASSERT(span->pages > 0);
    ASSERT(page_map_lookup(first) == span && page_map_lookup(last) == span); /* I1, I2 */
    (void)first;
    (void)last;
    if (span->slots.owner == SPAN_FREE) {
        ASSERT(span->slots.slot_count == 0); /* I2 */
        check_free_pages(span);
        return;
    }
    check_pages(span);                       /* I1 */
    if (span->slots.owner == SPAN_CENTRAL) { /* I3 */
        ASSERT(span->free_slots <= span->slots.slot_count);
        ASSERT(span->slots.inverse == sg_size_classes[span->slots.class].inverse);
        ASSERT(span->slots.slot_count == sg_size_classes[span->slots.class].slot_count);
    }
}
