/* Two to eight threads over the tiers, in the order that the input says. The model is one for all;
 * the tiers are walked whenever no thread is inside them, and at the end.
 *
 *   header   TUNING_BYTES as in tuning.h, threads, strategy, chance, depth, 4 unused,
 *            STRATEGY_BYTES of schedule
 *   records  see actions.h */
#include "target.h"

#include "actions.h"
#include "laboratory.h"
#include "lifecycle.h"
#include "strategy.h"
#include "tuning.h"
#include "walk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEDULE_AT (TUNING_BYTES + 8u)
#define HEADER_BYTES (SCHEDULE_AT + STRATEGY_BYTES)
#define RECORDS_MAX 256u
#define STEPS_MAX 500000u
#define REALLY 16u /* one end of a thread in so many is a real one */

struct header {
    struct tuning tuning;
    unsigned threads;
    uint8_t strategy;
    uint8_t chance;
    uint8_t depth;
    uint8_t schedule[STRATEGY_BYTES];
};

static struct {
    const uint8_t *records;
    size_t count;
    unsigned threads;
    size_t next[SCHEDULER_THREADS_MAX];
    unsigned ending; /* the thread that ends really, or SCHEDULER_THREADS_MAX: one at a time */
    unsigned inside; /* threads in the midst of an action */
    unsigned actions;
    unsigned actions_per_walk;
} program;

/* There under ThreadSanitizer, which does not see that all others stand still while one walks, and
 * owns most addresses. */
void __tsan_acquire(void *) __attribute__((weak));

static void read_header(struct header *ret_header, const uint8_t *data, size_t bytes)
{
    uint8_t raw[HEADER_BYTES] = {0};
    const uint8_t *own = raw + TUNING_BYTES;

    if (bytes > 0) /* of an empty input not even the address need be there */
        memcpy(raw, data, bytes < sizeof(raw) ? bytes : sizeof(raw));
    ret_header->threads = 2 + own[0] % (SCHEDULER_THREADS_MAX - 1);
    ret_header->strategy = own[1];
    ret_header->chance = own[2];
    ret_header->depth = own[3];
    memcpy(ret_header->schedule, raw + SCHEDULE_AT, sizeof(ret_header->schedule));
    tuning_read(&ret_header->tuning, raw, sizeof(raw));
    if (__tsan_acquire != NULL)
        ret_header->tuning.settings.base = 0;
}

/* Half walks, a third by priority, the rest as the bytes say. */
static enum strategy_kind kind_of(const struct header *header)
{
    unsigned number = header->strategy % 20;

    return number < 10 ? STRATEGY_WALK : number < 17 ? STRATEGY_PRIORITY : STRATEGY_BYTES_OF_INPUT;
}

static struct strategy strategy_of(const struct header *header)
{
    struct strategy strategy = {
        .kind = kind_of(header),
        .random = target_random(header->tuning.settings.seed, 1),
        .chance = 1 + header->chance / 2,
    };

    memcpy(strategy.bytes, header->schedule, sizeof(strategy.bytes));
    return strategy;
}

/* The tiers as they stand between two actions, if no thread is inside. */
static void look(void)
{
    if (__tsan_acquire != NULL)
        return;
    if (program.inside > 0 || ++program.actions % program.actions_per_walk != 0)
        return;
    scheduler_pause();
    walk_check(actions_shadow());
    walk_statistics(actions_shadow());
    scheduler_resume();
}

static void perform(const struct action *action)
{
    program.inside++;
    if (action->op == ACTION_EXIT)
        actions_retire();
    else
        actions_perform(action);
    program.inside--;
    look();
}

/* Of the actions in the input those of this thread. */
static bool body(unsigned thread)
{
    size_t *next = &program.next[thread];

    if (program.ending == thread) { /* that was its predecessor, destructors and all */
        program.ending = SCHEDULER_THREADS_MAX;
        program.inside--;
    }
    while (*next < program.count) {
        struct action action = action_of(program.records + *next * ACTION_BYTES);

        ++*next;
        if (action.thread % program.threads != thread)
            continue;
        if (action.op == ACTION_EXIT && action.delta % REALLY == 0 &&
            program.ending == SCHEDULER_THREADS_MAX) {
            program.ending = thread;
            program.inside++;
            return true;
        }
        shadow_note_call((unsigned)*next);
        perform(&action);
        scheduler_point();
    }
    program.inside++;
    actions_retire();
    program.inside--;
    return false;
}

static struct scheduler_result run(const struct header *header, struct strategy *strategy)
{
    struct scheduler_run plan = {
        .threads = header->threads,
        .body = body,
        .choose = strategy_choose,
        .strategy = strategy,
        .steps_max = STEPS_MAX,
    };

    laboratory_begin(&header->tuning.settings);
    lifecycle_start();
    actions_start(true, header->tuning.is_dense);
    program.actions_per_walk = header->tuning.calls_per_walk;
    program.threads = header->threads;
    program.inside = 0;
    program.actions = 0;
    memset(program.next, 0, sizeof(program.next));
    program.ending = SCHEDULER_THREADS_MAX;
    struct scheduler_result result = scheduler_run(&plan);
    actions_end();
    actions_retire();
    walk_end();
    laboratory_end();
    return result;
}

/* The last words: a run that is replayed has the same. */

static struct sigaction before[NSIG];

static void on_death(int number)
{
    struct scheduler_result result = scheduler_so_far();
    char line[96];
    int length = snprintf(line, sizeof(line), "# trace %016llx, %u steps, %u switches\n",
                          (unsigned long long)result.trace, result.steps, result.switches);

    if (write(STDERR_FILENO, line, (size_t)length) != length)
        _exit(3);
    sigaction(number, &before[number], NULL);
    raise(number);
}

static void watch_for_death(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    static bool is_watching;
    struct sigaction action = {.sa_handler = on_death, .sa_flags = (int)SA_NODEFER};

    if (is_watching)
        return;
    is_watching = true;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, &before[signals[i]]);
}

static void tell(const struct scheduler_result *result)
{
    if (getenv("FUZZ_TRACE") != NULL)
        fprintf(stderr, "# trace %016llx, %u steps, %u switches\n",
                (unsigned long long)result->trace, result->steps, result->switches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct header header;

    read_header(&header, data, bytes);
    struct strategy strategy = strategy_of(&header);
    size_t count = bytes > HEADER_BYTES ? (bytes - HEADER_BYTES) / ACTION_BYTES : 0;

    watch_for_death();
    program.records = count > 0 ? data + HEADER_BYTES : data;
    program.count = count < RECORDS_MAX ? count : RECORDS_MAX;
    if (strategy.kind == STRATEGY_PRIORITY) {
        unsigned depth = 1 + header.depth % (STRATEGY_CHANGES_MAX + 1);
        struct strategy calm = strategy;

        strategy_start_priority(&calm, 1, 1);
        struct scheduler_result result = run(&header, &calm);
        strategy_start_priority(&strategy, depth, result.steps);
    }
    struct scheduler_result result = run(&header, &strategy);
    tell(&result);
    return 0;
}

/* Inputs: as a swarm, so that threads meet on few slots and few sizes. */

static uint8_t byte_below(struct random *random, uint32_t limit)
{
    return (uint8_t)random_below(random, limit);
}

#define SWARM_SIZES 3u
#define SWARM_OPS 16u

struct swarm {
    unsigned threads;
    unsigned slots;
    unsigned sizes;
    uint8_t size_kind[SWARM_SIZES];
    uint8_t size_index[SWARM_SIZES];
    unsigned ops;
    uint8_t op[SWARM_OPS];
};

/* What is slow, or ends what others do, is drawn less often. */
static uint8_t draw_op(struct random *random)
{
    uint8_t op = byte_below(random, 16);

    if (op >= ACTION_STATISTICS && random_below(random, 4) != 0)
        op = byte_below(random, ACTION_STATISTICS);
    return op;
}

static struct swarm draw_swarm(struct random *random)
{
    static const uint8_t slots[4] = {2, 4, 12, 32};
    static const uint8_t kinds[8] = {0, 0, 0, 1, 1, 2, 2, 3};
    struct swarm swarm = {
        .threads = 2 + random_below(random, 3),
        .slots = slots[random_below(random, 4)],
        .sizes = 1 + random_below(random, SWARM_SIZES),
        .ops = 3 + random_below(random, SWARM_OPS - 2),
    };

    if (random_below(random, 8) == 0)
        swarm.threads = SCHEDULER_THREADS_MAX;
    bool is_large = random_below(random, 4) == 0; /* and whole spans, which lie among them */
    for (unsigned i = 0; i < SWARM_SIZES; i++) {
        swarm.size_kind[i] = is_large ? i % 2 * 2 : kinds[random_below(random, 8)];
        swarm.size_index[i] = byte_below(random, 256);
    }
    for (unsigned i = 0; i < swarm.ops; i++)
        swarm.op[i] = i == 0 ? ACTION_MALLOC : i == 1 ? ACTION_FREE : draw_op(random);
    return swarm;
}

static void draw_record(struct random *random, const struct swarm *swarm, uint8_t *record)
{
    unsigned size = random_below(random, swarm->sizes);
    unsigned thread = random_below(random, swarm->threads);

    record[0] = (uint8_t)(swarm->op[random_below(random, swarm->ops)] | thread << 4);
    record[1] =
        (uint8_t)(random_below(random, swarm->slots) | (unsigned)swarm->size_kind[size] << 6);
    record[2] = swarm->size_index[size];
    record[3] = byte_below(random, 256);
}

static size_t generate(struct random *random, uint8_t *bytes, size_t most)
{
    struct swarm swarm = draw_swarm(random);
    size_t records = 8 + random_below(random, 40);

    if (most < HEADER_BYTES)
        return 0;
    if (records > (most - HEADER_BYTES) / ACTION_BYTES)
        records = (most - HEADER_BYTES) / ACTION_BYTES;
    for (unsigned i = 0; i < HEADER_BYTES; i++)
        bytes[i] = byte_below(random, 256);
    bytes[0] &= 0x7f; /* what is slow and finds no races: a kernel that is real, all contents, */
    bytes[1] &= random_below(random, 16) == 0 ? 0x7f : 0x2f; /* a walk after each action */
    bytes[TUNING_BYTES] = (uint8_t)(swarm.threads - 2);
    for (size_t i = 0; i < records; i++)
        draw_record(random, &swarm, bytes + HEADER_BYTES + i * ACTION_BYTES);
    return HEADER_BYTES + records * ACTION_BYTES;
}

static void change(struct random *random, uint8_t *record, const uint8_t *other)
{
    switch (random_below(random, 5)) {
    case 0: /* another thread */
        record[0] = (uint8_t)((record[0] & 15) | byte_below(random, 16) << 4);
        break;
    case 1: /* the same slot */
        record[1] = (uint8_t)((record[1] & 0xc0) | (other[1] & 0x3f));
        break;
    case 2: /* the same size */
        record[1] = (uint8_t)((record[1] & 0x3f) | (other[1] & 0xc0));
        record[2] = other[2];
        break;
    case 3: /* another op */
        record[0] = (uint8_t)((record[0] & 0xf0) | draw_op(random));
        break;
    default:
        record[random_below(random, ACTION_BYTES)] = (uint8_t)random_next(random);
        break;
    }
}

const struct target target = {
    .name = "threads",
    .header_bytes = HEADER_BYTES,
    .record_bytes = ACTION_BYTES,
    .records_max = RECORDS_MAX,
    .generate = generate,
    .change = change,
};
