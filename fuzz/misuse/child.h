/* An input runs in a process of its own: a report or a fault is its end, and what came of it goes
 * to a page that it shares with its parent. */
#ifndef SG_FUZZ_MISUSE_CHILD_H
#define SG_FUZZ_MISUSE_CHILD_H

#include "acts.h"

#include "compiler.h"

/* What came of an act. */
enum outcome {
    OUTCOME_IMMEDIATE, /* a report, or a fault at a page without access, at the act */
    OUTCOME_LATER,     /* a report when the block was looked at: freed, resized, handed out again */
    OUTCOME_HARMLESS,  /* nothing that matters changed, or what changed is nobody's any more */
    OUTCOME_MISSED,    /* it did harm to the program's data, and nothing noticed */
    OUTCOME_OPEN,      /* the input ended before anyone looked */
    OUTCOME_COUNT,
};

enum { PROFILES = 3, BANDS = 5, ACTS_PER_INPUT_MAX = 64 };

struct act {
    enum act_kind kind;
    uint8_t band;    /* of the block's size */
    uint8_t outcome; /* OUTCOME_OPEN until it is known */
};

struct shared {
    bool is_done;
    char failure[512]; /* empty: all promises were kept */
    char said[1024];
    uint8_t profile;
    uint32_t act_count;
    struct act acts[ACTS_PER_INPUT_MAX];
};

/* The page, after child_run() also the parent's to read. */
extern struct shared *child_page;

/* Runs `body` in a child and waits. False: see child_page->failure. */
bool child_run(void (*body)(const void *argument), const void *argument);

/* In the child. A promise was broken. */
_Noreturn void child_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* In the child: the end. */
_Noreturn void child_finish(void);

/* In the child: what to do when the tiers report a misuse, which must not return, and on a fault.
 * Anything else that kills is a failure. */
struct child_events {
    void (*on_report)(void);
    void (*on_fault)(uintptr_t address, const void *context);
};
void child_watch(const struct child_events *events);

#endif
