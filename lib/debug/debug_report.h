/* From what was found to a report. None of these returns unless on_report=continue. They take no
 * lock that the allocator holds, and allocate nothing: safe in signal handlers and with the heap
 * destroyed. */
#ifndef SG_DEBUG_DEBUG_REPORT_H
#define SG_DEBUG_DEBUG_REPORT_H

#include "bug.h"
#include "record.h"
#include "redzone.h"

/* A pointer that is no start of a live block; `record` is what was found for exactly that address,
 * or NULL. */
HIDDEN void sg_debug_report_pointer(const void *object, const struct record *record,
                                    const char *function);

struct finding {
    enum bug_kind kind;
    const char *function; /* that the program called */
    const char *found;    /* when: words of the report */
};
HIDDEN void sg_debug_report_damage(const struct record *record, struct damage damage,
                                   struct finding finding);

/* `stated`: size or alignment. */
HIDDEN void sg_debug_report_mismatch(enum bug_kind kind, const struct record *record, size_t stated,
                                     const char *function);

/* Of the kernel's limit of mappings: a request got no memory for it. Once. Returns. */
HIDDEN void sg_debug_report_map_limit(size_t bytes);

/* At the end of the program, or when a signal asked. Both arguments as in a finding. Returns. */
HIDDEN void sg_debug_report_leaks(const char *function, const char *found);

/* The steps of each of these: one bug at a time, all zero; the writer's thread and stack, or those
 * of the `context` of a signal. NULL: this thread is in the middle of another report. */
HIDDEN MUST_USE struct bug *sg_debug_bug_begin(enum bug_kind kind, const char *function,
                                               const void *context);
HIDDEN void sg_debug_bug_block(struct bug *bug, struct bug_block *block,
                               const struct record *record);
HIDDEN void sg_debug_bug_memory(struct bug *bug, const struct record *record, struct damage damage);
/* Writes it out. `is_final`: then does what on_report says. */
HIDDEN void sg_debug_bug_end(struct bug *bug, bool is_final);

/* What is written from here on has no address, only offsets into modules and blocks. */
HIDDEN void sg_debug_withhold_addresses(struct bug *bug);
HIDDEN void sg_debug_bug_cancel(void);

/* Whether the calling thread is between the first and the last of these: for a signal handler. */
HIDDEN MUST_USE bool sg_debug_is_reporting(void);

/* What lies at an address that is no block: sets place and place_name. */
HIDDEN void sg_debug_bug_place(struct bug *bug, uintptr_t address);

/* Where the environment said that reports go besides, and what is no leak; once, at start. */
HIDDEN void sg_debug_report_start(void);
HIDDEN const char *sg_debug_suppressions(void);

#endif
