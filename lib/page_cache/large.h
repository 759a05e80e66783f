/* Objects of whole pages: beyond the largest size class, or aligned beyond a page. Each is a span
 * of its own, cut into one slot. */
#ifndef SG_PAGE_CACHE_LARGE_H
#define SG_PAGE_CACHE_LARGE_H

#include "compiler.h"
#include "span.h"

/* An object of `bytes`, aligned to `alignment` (a power of two), made by `maker`; NULL: no memory.
 * `*ret_zeroed`: all of it reads as zero. */
HIDDEN MUST_USE void *sg_large_take(size_t bytes, size_t alignment, uint8_t maker,
                                    bool *ret_zeroed);

/* Claims a live object in state `state` for the caller alone until it stores
 * another state; false if another thread was first. */
HIDDEN MUST_USE bool sg_large_claim(struct span *span, uint8_t state);

/* Ends an object that the caller has claimed. */
HIDDEN void sg_large_give(struct span *span);

/* Changes the size of a live object, without moving it. */
HIDDEN MUST_USE bool sg_large_resize(struct span *span, size_t bytes);

/* Moves the first `bytes` of one large object to another, page tables instead of contents where
 * that pays. The contents of `from` are lost. False: they are not, and `to` must never be touched
 * or freed again. */
HIDDEN MUST_USE bool sg_large_move(struct span *to, struct span *from, size_t bytes);

HIDDEN size_t sg_large_live_count(void);

#endif
