/* A misuse ends the process with one true line, on stderr or where the settings say. Written
 * without allocating, without locks, safe in a signal handler and with the heap destroyed. It
 * names what was observed, never a guess at the cause; no absolute addresses and no bytes of the
 * heap, since attackers read logs. */
#ifndef SG_HARDENING_REPORT_H
#define SG_HARDENING_REPORT_H

#include "compiler.h"
#include "unwind.h"

/* code, name, what was observed. The code is stable for ever; tests match the whole line. */
#define MISUSES(X)                                                                                 \
    X(OVERFLOW, "P101", "heap overflow")                                                           \
    X(OVERFLOW_FAULT, "P102", "heap overflow")                                                     \
    X(UNDERFLOW, "P103", "heap underflow")                                                         \
    X(UNDERFLOW_FAULT, "P104", "heap underflow")                                                   \
    X(COPY_WRITE, "P105", "copy overflow")                                                         \
    X(COPY_READ, "P106", "copy over-read")                                                         \
    X(FREED_FAULT, "P201", "use after free")                                                       \
    X(FREED_WRITE, "P202", "write after free")                                                     \
    X(DOUBLE_FREE, "P203", "double free")                                                          \
    X(STALE, "P204", "stale pointer")                                                              \
    X(INTERIOR, "P301", "interior pointer")                                                        \
    X(FOREIGN, "P302", "foreign pointer")                                                          \
    X(UNALIGNED, "P303", "unaligned pointer")                                                      \
    X(INTERFACE, "P401", "interface mismatch")                                                     \
    X(SIZE, "P402", "size mismatch")                                                               \
    X(ALIGNMENT, "P403", "alignment mismatch")                                                     \
    X(CACHED_SLOT, "P801", "free slot changed hands")                                              \
    X(REENTRY, "P802", "allocator re-entered")                                                     \
    X(ENTRY, "P803", "damaged cache entry")

enum misuse_kind {
#define MISUSE(name, code, title) MISUSE_##name,
    MISUSES(MISUSE)
#undef MISUSE
};

#define REPORT_CLASS_LARGE UINT32_MAX

/* What is known; fields that do not apply to the kind are not read. A report says class= if it has
 * a block, that is for all kinds but STALE, FOREIGN, REENTRY and ENTRY. */
struct misuse {
    enum misuse_kind kind;
    const char *function; /* what the program called; "fault" for the three *_FAULT */
    const void *address;  /* what it passed, or where it touched; within or around the block */
    uintptr_t block;      /* start of the block that was found there */
    size_t block_bytes;   /* as asked for where canaries are on, else of the slot */
    size_t stated;        /* size or alignment that the program stated; COPY_*: bytes to copy */
    size_t offset;        /* OVERFLOW, FREED_WRITE: of the first changed byte from the block's
                              start; UNDERFLOW: how many bytes before the block that follows */
    uint32_t class;       /* or REPORT_CLASS_LARGE */
    uint8_t state;        /* enum slot_state; read by INTERFACE, INTERIOR and UNALIGNED */
    bool is_write;        /* *_FAULT */
    const struct stack *allocated; /* of a sampled block, else NULL */
    const struct stack *freed;     /* and who freed it; NULL while it lives */
    const void *context;           /* ucontext_t of the signal that found it, or NULL: the stack is
                                      then that of the caller */
};

enum report_target { REPORT_STDERR, REPORT_JOURNAL, REPORT_DESCRIPTOR };

struct report_settings {
    const char *profile; /* its name, a string that lives for ever */
    enum report_target target;
    int descriptor; /* of REPORT_DESCRIPTOR */
};

/* Once at start, before settings are sealed; until then: hardened, stderr. */
HIDDEN void sg_report_configure(const struct report_settings *settings);

/* Writes the line and aborts. */
HIDDEN _Noreturn void sg_report_misuse(const struct misuse *misuse);

/* Writes the line and returns, errno as it was: for a handler of faults, which then lets the
 * program fault again. */
HIDDEN void sg_report_line_of(const struct misuse *misuse);

#define REPORT_LINE_BYTES 2048

/* The line written last, for a debugger that looks at a core: complete, without the newline. */
extern HIDDEN char sg_report_last[REPORT_LINE_BYTES];

/* One line of ours that ends nothing: a wrong option, a plugin that asks for another allocator. */
HIDDEN void sg_report_notice(const char *first, const char *second, const char *third);

/* A text of the debug library, of lines that end in a newline, to where reports go. */
struct text;
HIDDEN void sg_report_lines(const struct text *lines, const char *code);

/* For ASSERT; see invariant.h. */
HIDDEN void sg_report_panic(const char *where, const char *text);

#endif
