/* Who finds a span in the page map finds it whole: spans are made and published by one thread, and
 * looked up by others that were handed nothing. In a program, whoever frees a block was handed it,
 * and that orders the look-up too; here nothing else does, so that ThreadSanitizer sees whether the
 * publication alone is enough.
 *
 *   map SEED     TAP */
#include "laboratory.h"
#include "lifecycle.h"
#include "os_memory.h"
#include "page_map.h"
#include "random.h"
#include "span.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SPANS 2000u
#define SPAN_PAGES 9u /* of which the last are published one by one */
#define READERS 2u

static uintptr_t base; /* of all; set before the threads start */
static unsigned wrong[READERS];

static uintptr_t base_of(unsigned number)
{
    return base + (uintptr_t)number * SPAN_PAGES * PAGE_BYTES;
}

static void *read_spans(void *result)
{
    unsigned *mistakes = result;

    for (unsigned i = 0; i < SPANS; i++) {
        uintptr_t page = base_of(i) + i % SPAN_PAGES * PAGE_BYTES;
        const struct span *span;

        while ((span = page_map_lookup(page)) == NULL)
            sched_yield();
        *mistakes += span->slots.base != base_of(i) || span->pages != SPAN_PAGES;
    }
    return NULL;
}

static bool publish_spans(void)
{
    for (unsigned i = 0; i < SPANS; i++) {
        struct span *span = sg_span_create(base_of(i), SPAN_PAGES);

        if (span == NULL)
            return false;
        sg_page_map_set(base_of(i), SPAN_PAGES, span);
        if (i % 16 == 0)
            sched_yield();
    }
    return true;
}

int main(int count, char **arguments)
{
    const struct laboratory_settings settings = {.seed = count > 1 ? strtoull(arguments[1], NULL, 0)
                                                                   : 1};
    size_t bytes = (size_t)SPANS * SPAN_PAGES * PAGE_BYTES;
    pthread_t readers[READERS];
    bool is_whole;

    laboratory_begin(&settings);
    lifecycle_start();
    base = (uintptr_t)sg_os_map(NULL, bytes);
    if (base == 0 || !sg_page_map_cover(base, bytes))
        return 2;
    for (unsigned i = 0; i < READERS; i++)
        if (pthread_create(&readers[i], NULL, read_spans, &wrong[i]) != 0)
            return 2;
    is_whole = publish_spans();
    if (!is_whole)
        return 2; /* with the readers, who wait */
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        is_whole = is_whole && wrong[i] == 0;
    }
    printf("%sok 1 - a span that is found is whole: %u spans, %u readers\n1..1\n",
           is_whole ? "" : "not ", SPANS, READERS);
    return is_whole ? 0 : 1;
}
