#include "scenarios.h"

#include "laboratory.h"
#include "lifecycle.h"
#include "pool.h"
#include "slot.h"
#include "walk.h"

#include <stdio.h>

#define MAKE(slot_, bytes_) MAKE_MANY(1, slot_, bytes_)
#define MAKE_MANY(count_, slot_, bytes_)                                                           \
    {                                                                                              \
        .op = ACTION_MALLOC, .count = (count_), .slot = (slot_), .bytes = (bytes_)                 \
    }
#define END(slot_) END_MANY(1, slot_)
#define END_MANY(count_, slot_)                                                                    \
    {                                                                                              \
        .op = ACTION_FREE, .count = (count_), .slot = (slot_)                                      \
    }
#define RESIZE(slot_, bytes_)                                                                      \
    {                                                                                              \
        .op = ACTION_REALLOC, .count = 1, .slot = (slot_), .bytes = (bytes_)                       \
    }
#define MISUSE(slot_, bytes_)                                                                      \
    {                                                                                              \
        .op = SCENARIO_MISUSE, .count = 1, .slot = (slot_), .bytes = (bytes_)                      \
    }
#define DO(op_)                                                                                    \
    {                                                                                              \
        .op = (op_), .count = 1                                                                    \
    }

#define FEW 48000  /* a class whose spans hold two or three slots */
#define ONE 200000 /* a class whose spans hold one */
#define LARGE 300000

const struct scenario scenarios[] = {
    {
        .name = "refill against release of the same span",
        .before = {MAKE(0, ONE)},
        .calls = {{END(0)}, {MAKE(1, ONE)}},
    },
    {
        .name = "refill against release in one class",
        .before = {MAKE_MANY(2, 0, FEW)},
        .calls = {{END_MANY(2, 0)}, {MAKE_MANY(2, 2, FEW)}},
    },
    {
        .name = "exit against a free of its block",
        .before = {MAKE_MANY(2, 0, FEW)},
        .calls = {{END(0), DO(ACTION_EXIT)}, {END(1), MAKE(2, FEW)}},
    },
    {
        .name = "split against merge of runs",
        .before = {MAKE(0, LARGE), MAKE(1, LARGE)},
        .calls = {{END(0), MAKE(2, ONE)}, {END(1)}},
    },
    {
        .name = "trim against allocation",
        .before = {MAKE(0, LARGE), END(0)},
        .calls = {{DO(ACTION_TRIM)}, {MAKE(1, LARGE), END(1)}},
    },
    {
        .name = "the locks frozen for a fork against allocation",
        .before = {MAKE(0, FEW)},
        .calls = {{DO(ACTION_FREEZE)}, {END(0), MAKE(1, FEW)}},
    },
    {
        .name = "sweep against refill",
        .before = {MAKE_MANY(3, 0, FEW), END(0)},
        .calls = {{DO(ACTION_TRIM)}, {MAKE(3, FEW), END(1)}},
    },
    {
        .name = "free of a large block against realloc of its neighbour",
        .before = {MAKE(0, LARGE), MAKE(1, LARGE)},
        .calls = {{END(0)}, {RESIZE(1, LARGE + 40000)}},
    },
    {
        .name = "a large block grows against allocation of what lies above",
        .before = {MAKE(0, LARGE)},
        .calls = {{RESIZE(0, LARGE + 40000)}, {MAKE(1, ONE), END(1)}},
    },
    {
        .name = "two large blocks shrink",
        .before = {MAKE(0, 2 * LARGE), MAKE(1, 2 * LARGE)},
        .calls = {{RESIZE(0, LARGE)}, {RESIZE(1, LARGE)}},
    },
    {
        .name = "two first blocks of two threads",
        .calls = {{MAKE(0, 24)}, {MAKE(1, 24)}},
    },
    {
        .name = "statistics against an exit",
        .before = {MAKE(0, 24), MAKE(1, 24)},
        .calls = {{DO(ACTION_STATISTICS)}, {END(0), DO(ACTION_EXIT)}},
    },
    {
        .name = "two exits with blocks of each other",
        .before = {MAKE(0, FEW), MAKE(1, FEW)},
        .calls = {{END(1), DO(ACTION_EXIT)}, {END(0), DO(ACTION_EXIT)}},
    },
    {
        .name = "two threads free one small block",
        .is_misuse = true,
        .before = {MAKE_MANY(2, 0, 24)},
        .calls = {{MISUSE(0, 0)}, {MISUSE(0, 0)}},
        .after = {MISUSE(1, 0), DO(ACTION_TRIM)},
    },
    {
        .name = "two threads free one small block into their caches",
        .is_misuse = true,
        .thread_cache_bytes = 65536,
        .before = {MAKE_MANY(2, 0, 24)},
        /* Of another class: what is freed again after it was handed out again cannot be told. */
        .calls = {{MISUSE(0, 0), MAKE(2, 48)}, {MISUSE(0, 0), MAKE(3, 48)}},
        .after = {MISUSE(1, 0), MISUSE(2, 0), MISUSE(3, 0), DO(ACTION_TRIM)},
    },
    {
        .name = "two threads free one large block",
        .is_misuse = true,
        .before = {MAKE(0, LARGE)},
        .calls = {{MISUSE(0, 0)}, {MISUSE(0, 0)}},
    },
    {
        .name = "a large block is freed while it is resized",
        .is_misuse = true,
        .before = {MAKE(0, LARGE)},
        .calls = {{MISUSE(0, 0)}, {MISUSE(0, 24)}},
    },
    {
        .name = "two threads free one block of a partition",
        .is_misuse = true,
        .before = {DO(SCENARIO_MAKE_TYPED)},
        .calls = {{DO(SCENARIO_END_TYPED)}, {DO(SCENARIO_END_TYPED)}},
    },
    {.name = NULL},
};

static void *typed_block;

static void perform(const struct action *action)
{
    if (action->op == ACTION_EXIT)
        actions_retire();
    else if (action->op == SCENARIO_MISUSE)
        actions_misuse(action->slot, action->bytes);
    else if (action->op == SCENARIO_MAKE_TYPED)
        typed_block = sg_pool_allocate_typed(FEW, 1);
    else if (action->op == SCENARIO_END_TYPED)
        sg_pool_free(typed_block, SLOT_LIVE_MALLOC, "free");
    else
        actions_perform(action);
}

static void play(const struct scenario_call *calls)
{
    for (const struct scenario_call *call = calls;
         call < calls + SCENARIO_CALLS_MAX && call->count > 0; call++)
        for (unsigned i = 0; i < call->count; i++) {
            struct action action = {
                .op = call->op,
                .slot = call->slot + i,
                .bytes = call->bytes,
                .delta = call->delta,
            };

            perform(&action);
        }
}

void scenario_begin(const struct scenario *scenario)
{
    char options[LABORATORY_OPTIONS_BYTES];
    struct laboratory_settings settings = {.seed = 1, .options = options};

    snprintf(options, sizeof(options), "sample_bytes=0:thread_cache_bytes=%zu:dirty_bytes=%zu",
             scenario->thread_cache_bytes, scenario->dirty_bytes);
    laboratory_begin(&settings);
    lifecycle_start();
    actions_start(true, false);
    play(scenario->before);
    actions_retire();
}

void scenario_play(const struct scenario *scenario, unsigned thread)
{
    play(scenario->calls[thread]);
    actions_retire();
}

void scenario_play_after(const struct scenario *scenario)
{
    play(scenario->after);
    actions_retire();
}

void scenario_end(const struct scenario *scenario)
{
    (void)scenario;
    if (typed_block != NULL) { /* a partition keeps its spans for ever: the walk knows none */
        typed_block = NULL;
        laboratory_end();
        return;
    }
    walk_check(actions_shadow());
    walk_statistics(actions_shadow());
    actions_end();
    actions_retire();
    walk_end();
    laboratory_end();
}
