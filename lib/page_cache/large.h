/* Objects that are spans of their own: beyond the size classes, aligned beyond them, or guarded for
 * themselves. Before and behind each lie pages without access, at a random distance in front. A
 * freed one loses its memory and all access at once, and its addresses wait in quarantine.
 *
 *   span_start |guard| object |slack|guard| span_end
 */
#ifndef SG_PAGE_CACHE_LARGE_H
#define SG_PAGE_CACHE_LARGE_H

#include "compiler.h"
#include "span.h"

struct large_request {
    size_t bytes;
    size_t alignment; /* a power of two */
    uint8_t maker;
    uint32_t sample;   /* number of its record, or 0 */
    bool at_the_end;   /* the object ends at its last OS page, as far as the alignment allows */
    uint8_t partition; /* whose addresses these are for ever, see lib/pool/typed.h; else 0 */
};

/* The start of an object; `*ret_zeroed`: all of it reads as zero. NULL: no memory. */
HIDDEN MUST_USE void *sg_large_take(struct large_request request, bool *ret_zeroed);

/* The same on a run that the caller keeps for ever: a span of owner LARGE without a lead, all of it
 * accessible, of the pages that sg_large_pages_most() says or more. `zeroed`: it reads as zero. */
HIDDEN MUST_USE size_t sg_large_pages_most(struct large_request request);
HIDDEN void *sg_large_open(struct span *span, struct large_request request, bool zeroed);

/* Ends such an object, claimed, which then has no memory and no access. What is known of it stays
 * for reports until sg_large_vacate() returns it to what sg_large_open() wants, but without access;
 * false: it has lost neither memory nor access. */
HIDDEN void sg_large_close(struct span *span);
HIDDEN bool sg_large_vacate(struct span *span);

/* Takes the right to end or resize an object that is in `state`; false: another thread has it. */
HIDDEN MUST_USE bool sg_large_claim(struct span *span, uint8_t state);

/* Ends an object that is claimed. */
HIDDEN void sg_large_give(struct span *span);

/* Changes the size of a claimed object in place; false: not possible, nothing changed. */
HIDDEN MUST_USE bool sg_large_resize(struct span *span, size_t bytes);

/* The contents of one object into another, by moving its pages where that is cheaper. False: `to`
 * is lost. */
HIDDEN MUST_USE bool sg_large_move(struct span *to, struct span *from, size_t bytes);

/* Whether nobody wrote into the first bytes behind the object; else `*ret_first` is the offset of
 * the first that changed. */
HIDDEN MUST_USE bool sg_large_is_undamaged(const struct span *span, size_t *ret_first);

/* Empties the quarantine of large objects. */
HIDDEN void sg_large_quarantine_drain(void);

HIDDEN size_t sg_large_live_count(void);
HIDDEN size_t sg_large_live_bytes(void); /* as asked for */

#endif
