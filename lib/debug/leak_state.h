/* What the parts of a leak check share: copies of the facts about all blocks, the address space,
 * and the list of what was reached and is still to be read. All of it in mappings of its own that
 * end with the check, and all of it used by one task at a time. */
#ifndef SG_DEBUG_LEAK_STATE_H
#define SG_DEBUG_LEAK_STATE_H

#include "compiler.h"
#include "depot.h"
#include "os_touched.h"
#include "os_tracer.h"

enum leak_mark {
    LEAK_UNSEEN,
    LEAK_REACHABLE,
    LEAK_INDIRECT, /* from a block that nobody reaches */
};

struct leak_block {
    uintptr_t start;
    size_t bytes;
    uint64_t time; /* when it was made: debug_time() */
    stack_id stack;
    uint8_t mark;    /* enum leak_mark */
    bool is_root;    /* reachable whatever points to it */
    bool is_counted; /* false: in the hands of a thread that frees, makes or resizes it */
};

struct leak_range {
    uintptr_t start;
    uintptr_t end;
};

enum leak_row_flags {
    LEAK_ROW_READABLE = 1,
    LEAK_ROW_WRITABLE = 2,
    LEAK_ROW_EXECUTABLE = 4,
    LEAK_ROW_STACK = 8,   /* that of the first thread */
    LEAK_ROW_LOADER = 16, /* of ld.so */
    LEAK_ROW_REGION = 32, /* the program's own mapping: read if a pointer to it is found */
    LEAK_ROW_OPENED = 64,
};

/* A line of /proc/self/maps. */
struct leak_row {
    uintptr_t start;
    uintptr_t end;
    uint64_t offset; /* in its file */
    uint64_t file;   /* number made of device and inode; 0: none */
    uint32_t flags;
};

#define LEAK_MAPPINGS_MAX 16u
#define LEAK_OWN_MAX 4096u
#define LEAK_PAGES 4096u
#define LEAK_REGISTERS 2048u

struct leak_scan {
    struct leak_block *blocks; /* by address, until the marks are given; then by stack */
    struct leak_block *spare;  /* room for as many */
    uint32_t block_count;
    uint32_t block_limit;

    struct leak_row *rows; /* by address */
    uint32_t row_count;
    uint32_t row_limit;

    uint32_t *work; /* indices of blocks; of rows, behind block_count */
    uint32_t work_count;
    uint32_t work_limit;

    enum leak_mark mark;  /* that what is reached gets now */
    bool may_open;        /* it is known what is ours in the mappings of the program */
    bool opens_regions;   /* what is read now; only if may_open */
    bool skips_untouched; /* what is read now is anonymous memory */
    uint64_t deadline;    /* in milliseconds */
    const char *why;      /* NULL: nothing went wrong */

    /* Memory of ours with addresses of blocks in it, which are no pointers to them. */
    struct leak_range own[LEAK_OWN_MAX];
    uint32_t own_count;

    struct leak_range mappings[LEAK_MAPPINGS_MAX];
    uint32_t mapping_count;

    struct os_touched touched;
    uintptr_t readable[LEAK_PAGES];      /* OS pages that were found to be */
    uintptr_t registers[LEAK_REGISTERS]; /* of one thread */
};

/* Memory that lasts as long as the check; NULL: none, and `why` says so. */
HIDDEN MUST_USE void *sg_leak_map(struct leak_scan *scan, size_t bytes);

/* leak_blocks.c: copies what is known of all blocks, in order of address. */
HIDDEN MUST_USE bool sg_leak_collect(struct leak_scan *scan);

/* Sorts by start, or by stack; `blocks` and `spare` may change places. */
enum leak_order { LEAK_BY_START, LEAK_BY_STACK };
HIDDEN void sg_leak_sort(struct leak_scan *scan, enum leak_order order);

/* Index of the first block that ends at or behind the address; block_count if there is none. */
HIDDEN MUST_USE uint32_t sg_leak_block_from(const struct leak_scan *scan, uintptr_t address);

/* leak_maps.c: with room for rows that are split. */
HIDDEN MUST_USE bool sg_leak_read_maps(struct leak_scan *scan, uint32_t spare_rows);
HIDDEN MUST_USE struct leak_row *sg_leak_row_at(const struct leak_scan *scan, uintptr_t address);

/* leak_mark.c: takes a word for a pointer; reads a range of the program, without what is ours or a
 * block in it; then reads whatever was reached, until nothing new is. */
HIDDEN void sg_leak_mark_word(struct leak_scan *scan, uintptr_t word);
HIDDEN void sg_leak_mark_range(struct leak_scan *scan, struct leak_range range);
HIDDEN void sg_leak_mark_block(struct leak_scan *scan, uint32_t index);
HIDDEN void sg_leak_mark_all(struct leak_scan *scan);
HIDDEN MUST_USE bool sg_leak_is_readable(struct leak_scan *scan, uintptr_t address);

/* leak_modules.c, leak_threads.c: where reading begins. The loader comes last, and without opening
 * mappings: its lists and vectors name the stacks of threads that are no more. */
HIDDEN void sg_leak_mark_modules(struct leak_scan *scan);
HIDDEN void sg_leak_mark_loader(struct leak_scan *scan);
HIDDEN void sg_leak_mark_threads(struct leak_scan *scan, const struct os_traced *traced);

/* leak_groups.c: what was not reached, by who made it. */
struct bug;
HIDDEN void sg_leak_report(struct leak_scan *scan, struct bug *bug, const char *suppressions);

/* leak_suppress.c: whether a line of the text names a frame of the stack by what is known of it;
 * whether it has lines that need more than the name of a module. */
struct bug_stack;
HIDDEN MUST_USE bool sg_leak_is_suppressed(const struct bug *bug, const struct bug_stack *stack,
                                           const char *suppressions);
HIDDEN MUST_USE bool sg_leak_needs_names(const char *suppressions);

#endif
