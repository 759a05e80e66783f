/* A kernel on paper: it hands out addresses of one area and keeps a ledger of what each OS page
 * is. Calls about other memory (that of our own records) go to the kernel that was there before:
 * the arena of laboratory_begin(), or the machine. */
#ifndef SG_FUZZ_TIERS_PAPER_KERNEL_H
#define SG_FUZZ_TIERS_PAPER_KERNEL_H

#include "compiler.h"
#include "units.h"

#define PAPER_OS_PAGE_BYTES ((size_t)4096)
#define PAPER_BYTES ((size_t)256 << 20)
#define PAPER_OS_PAGES (PAPER_BYTES / PAPER_OS_PAGE_BYTES)

/* The boundary of two leaves of the page map lies inside. */
#define PAPER_BOUNDARY ((uintptr_t)0x200080000000)
#define PAPER_BASE (PAPER_BOUNDARY - PAPER_BYTES / 4)

enum paper_flag {
    PAPER_MAPPED = 1,
    PAPER_MARKED = 2,    /* a guard by madvise: no access */
    PAPER_PROTECTED = 4, /* no access */
    PAPER_WRITTEN = 8,   /* may hold something else than zeroes */
};

enum paper_memory {
    PAPER_NO_MEMORY, /* for a tier that never looks into it: a touch is a crash */
    PAPER_RESIDENT,  /* always there, all of it accessible: page faults would take most of the
                        time. What loses its memory is cleared where it was written */
    PAPER_REAL,      /* the machine does what the ledger says */
};

struct paper_setup {
    enum paper_memory memory;
    uint8_t start;     /* one of some places for the first mapping */
    bool is_unaligned; /* mappings begin at odd OS pages */
    uint64_t seed;     /* what getrandom gives */
};

/* A range that lost its memory: by DONTNEED, or as a guard was made of it. Noted only of memory
 * that is none. */
struct paper_purge {
    uintptr_t address;
    size_t bytes;
};

#define PAPER_PURGES_MAX 1024u

struct paper {
    uint64_t milliseconds;
    unsigned fail_mmap_in; /* the so manieth mapping in the area fails; 0: none */
    unsigned fail_advice_in;
    uintptr_t last_mapping;
    void (*meanwhile)(void); /* once, during the next madvise: what another thread might do */
    unsigned failures;       /* that were delivered */
    size_t purge_count;
    struct paper_purge purges[PAPER_PURGES_MAX]; /* since the target last set the count to 0 */
};

extern struct paper paper;

/* Becomes the kernel of the tiers; everything in the area is unmapped. */
void paper_start(struct paper_setup setup);

/* Every mapping so far lies in [start, end). */
uintptr_t paper_first(void);
uintptr_t paper_end(void);

uint8_t paper_flags(uintptr_t address);

/* The program writes, or is about to; false if some of it has no access. */
bool paper_write(uintptr_t address, size_t bytes);
bool paper_is_written(uintptr_t address, size_t bytes);
bool paper_is_open(uintptr_t address, size_t bytes);

/* The memory goes, as by DONTNEED, but it is the program's doing and is not noted. */
void paper_clear(uintptr_t address, size_t bytes);

#endif
