/* The pages without access behind the slots of a span, and spans that wait for their own class. */
#ifndef SG_CENTRAL_CACHE_CENTRAL_GUARD_H
#define SG_CENTRAL_CACHE_CENTRAL_GUARD_H

#include "central_state.h"

/* How many pages of a new span are to be its guard; 0: it is shorter than `guard_interval`. */
HIDDEN size_t sg_central_guard_pages(uint32_t class, size_t body_pages, size_t alignment_pages);

/* Address space that guards of spans take, whether the kernel agreed to all of them or not. */
HIDDEN size_t sg_central_guard_bytes(void);
HIDDEN void sg_central_note_guard(long bytes);

/* `isolate_classes`: an emptied span loses memory and access and waits for the next one of its
 * class. False, and NULL: not so here, and only the first `*ret_open_pages` pages have access. */
HIDDEN MUST_USE bool sg_central_spare_give(struct span *span, size_t *ret_open_pages);
HIDDEN MUST_USE struct span *sg_central_spare_take(uint32_t class);

#endif
