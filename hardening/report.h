/* A misuse ends the process with one true line on stderr. Written without allocating, without
 * locks, safe in a signal handler and with the heap destroyed. It names what was observed, never
 * a guess at the cause. */
#ifndef SG_HARDENING_REPORT_H
#define SG_HARDENING_REPORT_H

#include "compiler.h"

/* code, name, what was observed. The code is stable for ever; tests match the whole line. */
#define MISUSES(X)                                                                                 \
    X(DOUBLE_FREE, "P203", "double free")                                                          \
    X(STALE, "P204", "stale pointer")                                                              \
    X(INTERIOR, "P301", "interior pointer")                                                        \
    X(FOREIGN, "P302", "foreign pointer")                                                          \
    X(UNALIGNED, "P303", "unaligned pointer")                                                      \
    X(INTERFACE, "P401", "interface mismatch")                                                     \
    X(SIZE, "P402", "size mismatch")                                                               \
    X(ALIGNMENT, "P403", "alignment mismatch")                                                     \
    X(CACHED_SLOT, "P801", "free slot changed hands")                                              \
    X(REENTRY, "P802", "allocator re-entered")

enum misuse_kind {
#define MISUSE(name, code, title) MISUSE_##name,
    MISUSES(MISUSE)
#undef MISUSE
};

#define REPORT_CLASS_LARGE UINT32_MAX

/* What is known; fields that do not apply to the kind are not read. */
struct misuse {
    enum misuse_kind kind;
    const char *function; /* what the program called */
    const void *address;  /* what it passed */
    uintptr_t block;      /* start of the block that was found there */
    size_t block_bytes;   /* usable bytes */
    size_t stated;        /* size or alignment that the program stated */
    uint32_t class;       /* or REPORT_CLASS_LARGE */
    uint8_t state;        /* enum slot_state */
};

HIDDEN _Noreturn void sg_report_misuse(const struct misuse *misuse);

/* One line of ours that ends nothing: a wrong option, a plugin that asks for another allocator. */
HIDDEN void sg_report_notice(const char *first, const char *second, const char *third);

/* For ASSERT; see invariant.h. */
HIDDEN void sg_report_panic(const char *where, const char *text);

#endif
