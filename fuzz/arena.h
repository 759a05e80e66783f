/* A kernel for the tiers, as far as they ask one: mappings, access, guards and purges in a piece of
 * address space of its own, random numbers and a clock. All of it follows from a seed, so that an
 * input is replayed with the addresses it had. What it granted it writes down ("ledger"), for
 * oracles to ask.
 *
 * Played, not real, unless `is_real`: page tables are left alone, since a fault costs what thirty
 * pages cost to look through. A touch of what is guarded or unmapped then faults nowhere; at the
 * end of the input a byte written there is found, see arena_drop(). */
#ifndef SG_FUZZ_ARENA_H
#define SG_FUZZ_ARENA_H

#include "compiler.h"

#define ARENA_OS_PAGE_BYTES ((size_t)4096)
#define ARENA_BYTES ((size_t)8 << 30)
#define ARENA_ZONE_BYTES (ARENA_BYTES / 2)

struct arena_settings {
    uint64_t seed;
    unsigned base;         /* which of some addresses, modulo their number */
    bool is_real;          /* access and guards are the machine's too */
    bool is_upwards;       /* the next mapping lies above the last; the kernel's own goes down */
    bool is_gapped;        /* no two mappings touch */
    bool looks_everywhere; /* at the end, also at pages that were never handed out: slow */
    bool without_guard_advice; /* as a kernel before 6.13: only mprotect forbids */
};

/* An empty arena. */
void arena_start(const struct arena_settings *settings);

/* Everything is unmapped and reads as zero. Ends the process if a page was written to while it
 * could not have been. */
void arena_drop(void);

/* All memory for blocks is clean: arena_drop() also ends the process if some of it is not zero. */
void arena_expect_clean(void);

/* A system_call of laboratory.h. Ends the process where the tiers ask for what is not theirs. */
long arena_call(long number, const long *arguments);

/* The page cache handed these pages out: from here on they may hold anything. */
void arena_note_handed_out(const void *address, size_t bytes);

/* The ledger. `address` is anything at all. */
bool arena_contains(const void *address);
bool arena_is_of_blocks(const void *address); /* or else of records, if it is mapped */
bool arena_is_mapped(const void *address);
bool arena_has_access(const void *address, size_t bytes); /* to each of them */
bool arena_is_guarded(const void *address);               /* mapped, yet without access */
size_t arena_mapped_bytes(void);
size_t arena_accessible_bytes(void);

/* The lowest mapped byte from `address` on and, behind it, the first that is not; false: no more. */
bool arena_next_mapping(const void *address, const char **ret_start, const char **ret_end);

/* The clock that the tiers read; each look at it takes `step_us`. */
void arena_clock_advance(uint64_t microseconds);
void arena_clock_step(uint64_t step_us);

/* The tiers are asked for something else now: the bound of system calls, which finds what never
 * ends, counts from here. */
void arena_note_progress(void);

/* Mappings that were refused since arena_start() because the arena is full. */
unsigned arena_no_room(void);

#endif
