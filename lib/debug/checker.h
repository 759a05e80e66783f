/* What valgrind is told of our blocks, when the program runs under it and leaves malloc to us
 * (--soname-synonyms=somalloc=nouserintercepts): memcheck then reports each byte of an overflow, of
 * a use after free or that was never written, where it happens, and helgrind and DRD take memory
 * that changed hands for new. What we do ourselves is nothing to report. */
#ifndef SG_DEBUG_CHECKER_H
#define SG_DEBUG_CHECKER_H

#include "record.h"

#ifdef SG_DEBUG_VALGRIND
#include <valgrind/helgrind.h>
#include <valgrind/memcheck.h>

/* Constant since the start. */
extern HIDDEN bool sg_has_checker;

/* Each outside request: what this thread does up to checker_leave() is not reported. They nest. */
static inline void checker_enter(void)
{
    if (UNLIKELY(sg_has_checker))
        VALGRIND_DISABLE_ERROR_REPORTING;
}

static inline void checker_leave(void)
{
    if (UNLIKELY(sg_has_checker))
        VALGRIND_ENABLE_ERROR_REPORTING;
}

HIDDEN void sg_checker_start(void);
HIDDEN void sg_checker_taken(uintptr_t start, size_t front_bytes);
HIDDEN void sg_checker_made(const struct record *record, bool zeroed);
HIDDEN void sg_checker_ended(const struct record *record);

/* Before the record of a block is made that is to begin at `start`. */
static inline void checker_taken(uintptr_t start, size_t front_bytes)
{
    if (UNLIKELY(sg_has_checker))
        sg_checker_taken(start, front_bytes);
}

/* A fresh block, all of it and around it written. */
static inline void checker_made(const struct record *record, bool zeroed)
{
    if (UNLIKELY(sg_has_checker))
        sg_checker_made(record, zeroed);
}

/* The block is the program's no longer. */
static inline void checker_ended(const struct record *record)
{
    if (UNLIKELY(sg_has_checker))
        sg_checker_ended(record);
}
#else
static inline void checker_enter(void)
{
}

static inline void checker_leave(void)
{
}

static inline void sg_checker_start(void)
{
}

static inline void checker_taken(uintptr_t start, size_t front_bytes)
{
    (void)start, (void)front_bytes;
}

static inline void checker_made(const struct record *record, bool zeroed)
{
    (void)record, (void)zeroed;
}

static inline void checker_ended(const struct record *record)
{
    (void)record;
}
#endif

#endif
