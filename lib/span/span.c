#include "span.h"

#include "object_pool.h"
#include "page_map.h"
#include "size_class.h"

struct span sg_span_retired;

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

static void check_pages(const struct span *span, uintptr_t from, uintptr_t end,
                        const struct span *expected)
{
    for (uintptr_t page = from; page < end; page += PAGE_BYTES)
        ASSERT(page_map_lookup(page) == expected);
    (void)span;
    (void)expected;
}

void sg_span_check(const struct span *span)
{
    if (!SG_DEBUG_CHECKS)
        return;

    uintptr_t base = span->slots.base;
    uintptr_t last = span_end(span) - PAGE_BYTES;

    ASSERT(span->pages > 0);
    ASSERT(page_map_lookup(base) == span && page_map_lookup(last) == span); /* I1, I2 */
    if (span->slots.owner == SPAN_FREE) {
        ASSERT(span->slots.slot_count == 0); /* I2 */
        if (last > base)
            check_pages(span, base + PAGE_BYTES, last, &sg_span_retired);
        return;
    }
    check_pages(span, base, span_end(span), span); /* I1 */
    if (span->slots.owner == SPAN_CENTRAL) {       /* I3 */
        ASSERT(span->free_slots <= span->slots.slot_count);
        ASSERT(span->slots.inverse == sg_size_classes[span->slots.class].inverse);
        ASSERT(span->slots.slot_count == sg_size_classes[span->slots.class].slot_count);
    }
}
