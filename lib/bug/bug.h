/* A heap bug as facts, and its reports: one screen of text, one JSON line, or the text that tools
 * for AddressSanitizer read. Used by the debug library, where nothing here may allocate, lock or
 * call stdio, and by the `spanguard` command, which reads the JSON line back.
 *
 * Facts only. What a cause may have been is said by rules (bug_likely.c), each of which must have
 * fired on facts in here. */
#ifndef SG_BUG_BUG_H
#define SG_BUG_BUG_H

#include "compiler.h"
#include "format.h"

/* name, code, ASan's word for it, title. Codes are stable for ever and those of hardening/report.h
 * where that has the same bug. */
#define BUGS(X)                                                                                    \
    X(OVERFLOW, "P101", "heap-buffer-overflow", "heap overflow")                                   \
    X(OVERFLOW_FAULT, "P102", "heap-buffer-overflow", "heap overflow")                             \
    X(UNDERFLOW, "P103", "heap-buffer-overflow", "heap underflow")                                 \
    X(UNDERFLOW_FAULT, "P104", "heap-buffer-overflow", "heap underflow")                           \
    X(FREED_FAULT, "P201", "heap-use-after-free", "use after free")                                \
    X(FREED_WRITE, "P202", "heap-use-after-free", "use after free")                                \
    X(DOUBLE_FREE, "P203", "attempting double-free", "double free")                                \
    X(STALE, "P204", "attempting free on address which was not malloc()-ed",                       \
      "free of a stale pointer")                                                                   \
    X(FREED_POINTER, "P205", "heap-use-after-free", "use after free")                              \
    X(INTERIOR, "P301", "attempting free on address which was not malloc()-ed",                    \
      "free of a pointer into a block")                                                            \
    X(FOREIGN, "P302", "attempting free on address which was not malloc()-ed",                     \
      "free of a foreign pointer")                                                                 \
    X(INTERFACE, "P401", "alloc-dealloc-mismatch", "interface mismatch")                           \
    X(SIZE, "P402", "new-delete-type-mismatch", "size mismatch")                                   \
    X(ALIGNMENT, "P403", "new-delete-type-mismatch", "alignment mismatch")                         \
    X(LEAK, "P501", "detected memory leaks", "memory leaked")                                      \
    X(REALLOC_FAULT, "P701", "heap-use-after-free", "use after realloc")                           \
    X(REALLOC_WRITE, "P702", "heap-use-after-free", "use after realloc")                           \
    X(MAP_LIMIT, "P901", "out-of-memory", "out of mappings, not out of memory")

enum bug_kind {
#define BUG(name, code, asan, title) BUG_##name,
    BUGS(BUG)
#undef BUG
        BUG_KINDS
};

#define BUG_FRAMES 16
#define BUG_MODULES 32
#define BUG_STRING_BYTES (24 * 1024)
#define BUG_NO_MODULE UINT16_MAX

struct bug_module {
    char path[256];    /* of its file, or the program's name if that is not known; printable */
    char build_id[41]; /* hexadecimal, or "" */
};

/* A place in a program. Symbols are strings in bug.strings or static storage, NULL while unknown.
 * Several frames may have one `pc`: functions inlined there, the innermost first. */
struct bug_frame {
    uint64_t pc;     /* inside the instruction, for a call one below where it returns to */
    uint64_t offset; /* the same from the module's load address */
    const char *function;
    const char *file;
    const char *source; /* the line itself, without leading blanks */
    uint32_t line;      /* 0: not known */
    uint32_t column;    /* 0: not known */
    uint16_t module;    /* index into bug.modules, or BUG_NO_MODULE */
    bool is_inlined;    /* into the frame that follows */
};

/* The program's frames, innermost first; none of ours. Count 0: not recorded. */
struct bug_stack {
    uint32_t count;
    struct bug_frame frames[BUG_FRAMES];
};

/* One call that made or ended a block. */
struct bug_event {
    struct bug_stack stack;
    const char *function;  /* "malloc", "new[]", "free" ...: what the program called */
    uint64_t sequence;     /* number of the allocation, from 1; 0: not known */
    uint64_t microseconds; /* before the report; UINT64_MAX: not known */
    uint32_t thread;       /* number in the order of their first allocation, from 1; 0: unknown */
};

struct bug_block {
    bool is_known;
    bool is_freed;
    uint64_t start;         /* address */
    uint64_t bytes;         /* as asked for */
    struct bug_event made;  /* and of the n-th call from that stack: */
    uint64_t site_ordinal;  /* 0: not counted */
    struct bug_event ended; /* function NULL: lives, or not recorded */
};

/* Bytes of the block and around it, as they are at the report. */
#define BUG_MEMORY_BYTES 64
struct bug_memory {
    int64_t offset; /* of bytes[0] from the block's start, a multiple of 16, maybe negative */
    uint32_t count; /* 0: none are shown */
    uint8_t expected;
    uint8_t bytes[BUG_MEMORY_BYTES];
    uint64_t changed;  /* bit i: bytes[i] is not what it should be... */
    uint64_t readable; /* bit i: bytes[i] could be read */
};

/* What lies at an address that is no block. */
enum bug_place {
    BUG_PLACE_UNKNOWN,  /* nothing is mapped there */
    BUG_PLACE_STACK,    /* of the thread `place_thread`, or of another one if that is 0 */
    BUG_PLACE_GLOBAL,   /* data of a module: `symbol` if its name was found */
    BUG_PLACE_MAPPING,  /* a mapping of a file or without a name */
    BUG_PLACE_HEAP,     /* ours, but no block was ever there or nothing is known of it */
    BUG_PLACE_SYSTEM,   /* libc's own heap, or another allocator's */
    BUG_PLACE_OVERFLOW, /* no address of a program: not canonical, or in the kernel's half */
};

#define BUG_LEAKS 8
struct bug_leak {
    uint64_t bytes;
    uint64_t blocks;
    bool is_indirect; /* reachable from another leaked block */
    struct bug_stack stack;
};

struct bug {
    enum bug_kind kind;
    int process;
    uint32_t id;         /* bug_identify() */
    uint32_t same_as;    /* id of an earlier report of this process on the same block; 0: none */
    const char *program; /* base name of the executable */
    const char *profile; /* "debug" or "guard" */

    const char *function;   /* what the program called: "free", "realloc", "operator delete" ... */
    const char *found;      /* why this was looked at: "when the block was freed", "at exit",
                                 "when the block left quarantine", "by a check of all blocks",
                                 "at the instruction" */
    bool is_late;           /* found after the fact */
    bool is_write;          /* *_FAULT: else a read */
    uint32_t access_bytes;  /* *_FAULT; 0: not known */
    int64_t access_offset;  /* of the access or first changed byte from the block's start; of the
                                 passed pointer for INTERIOR */
    uint64_t changed_bytes; /* how many bytes were found changed, at least */
    uint64_t address;       /* that was passed, or accessed */
    uint64_t stated;        /* size or alignment that the program stated */
    uint64_t frees_since;   /* FREED_WRITE: how many frees after its own */
    uint64_t limit, limit_used; /* MAP_LIMIT */
    enum bug_place place;       /* FOREIGN */
    const char *place_name;     /* symbol, mapping or module; NULL */
    uint32_t place_thread;      /* BUG_PLACE_STACK: whose, if it is known; else 0 */
    uint32_t thread;            /* that the report is made on */
    struct bug_stack at;        /* where it is now */
    struct bug_block block;     /* the block that was hit */
    struct bug_block owner;     /* STALE: who has the memory now */
    struct bug_event moved;     /* REALLOC_*: the realloc; .sequence is the new block's */
    uint64_t moved_bytes;       /* REALLOC_*: size of the new block */
    struct bug_memory memory;   /* at report time */
    bool is_memory_withheld;    /* there is some, but not for who started the program */
    uint64_t pointers_left;     /* FREED_*: words on this thread's stack that still point into it */

    uint64_t leak_bytes, leak_blocks, leak_places; /* LEAK: totals, of which the largest are: */
    uint64_t reachable_bytes, reachable_blocks;    /* not counted */
    uint32_t leak_count;
    struct bug_leak leaks[BUG_LEAKS];

    bool is_cut; /* read from a JSON line into which not all names and frames did fit */

    uint32_t module_count;
    struct bug_module modules[BUG_MODULES];
    uint32_t string_bytes; /* used of: */
    char strings[BUG_STRING_BYTES];
};

HIDDEN const char *sg_bug_code(enum bug_kind kind);
HIDDEN const char *sg_bug_title(enum bug_kind kind);
HIDDEN const char *sg_bug_asan_word(enum bug_kind kind);

/* A copy of `length` bytes, terminated, in bug->strings; "" once that is full. */
HIDDEN const char *sg_bug_keep(struct bug *bug, const char *bytes, size_t length);

/* Sets bug->id: a hash of code, module base names and offsets of the three innermost program frames
 * of `at`, or where a late report was found, of who allocated the block. Stable under ASLR. */
HIDDEN void sg_bug_identify(struct bug *bug);

/* Each writes the whole report, which ends with a newline, into a text of at least
 * BUG_REPORT_BYTES. `colour`: for a terminal. */
#define BUG_REPORT_BYTES (32 * 1024)
HIDDEN void sg_bug_say_text(struct text *text, const struct bug *bug, bool colour);
HIDDEN void sg_bug_say_json(struct text *text, const struct bug *bug);
HIDDEN void sg_bug_say_asan(struct text *text, const struct bug *bug);

/* One line, before anything that could fail: `spanguard[PID]: CODE title: ... id=XXXXXXXX at=...`
 * with module+offset of the first frames of each stack. */
HIDDEN void sg_bug_say_core(struct text *text, const struct bug *bug);

/* The likely cause, or false: no rule fired. */
HIDDEN MUST_USE bool sg_bug_say_likely(struct text *text, const struct bug *bug);

/* What a code means, why it happens, what to do: some lines for `spanguard explain CODE`, also for
 * the codes of the release build. NULL: no such code. */
HIDDEN MUST_USE const char *sg_bug_explain(const char *code);

/* Reads a line that sg_bug_say_json() wrote. Needs no memory but `bug`. False: it is none. What it
 * does not know is passed over; numbers and names that cannot be are left out. */
HIDDEN MUST_USE bool sg_bug_read_json(struct bug *bug, const char *line, size_t length);

#endif
