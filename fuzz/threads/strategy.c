#include "strategy.h"

#define TIMED_CHANCE 8u /* one switch in so many ends somebody's patience */
#define RUN_MAX 32u     /* points that one byte of the input can say */

/* The n-th bit that is set. */
static unsigned bit_at(uint32_t bits, uint32_t n)
{
    while (n-- > 0)
        bits &= bits - 1;
    return (unsigned)__builtin_ctz(bits);
}

static unsigned anybody(struct strategy *strategy, const struct choice *choice)
{
    uint32_t bits = choice->runnable;

    if (choice->timed != 0 && random_below(&strategy->random, TIMED_CHANCE) == 0)
        bits = choice->timed;
    return bit_at(bits, random_below(&strategy->random, (uint32_t)__builtin_popcount(bits)));
}

static bool can_go_on(const struct choice *choice)
{
    return choice->current < SCHEDULER_THREADS_MAX &&
           (choice->runnable >> choice->current & 1) != 0;
}

static unsigned walk(struct strategy *strategy, const struct choice *choice)
{
    if (can_go_on(choice) && random_below(&strategy->random, 256) >= strategy->chance)
        return choice->current;
    return anybody(strategy, choice);
}

static unsigned first_by_priority(const struct strategy *strategy, uint32_t runnable)
{
    unsigned first = (unsigned)__builtin_ctz(runnable);

    for (unsigned i = first; i < SCHEDULER_THREADS_MAX; i++)
        if ((runnable >> i & 1) != 0 && strategy->priority[i] > strategy->priority[first])
            first = i;
    return first;
}

static unsigned by_priority(struct strategy *strategy, const struct choice *choice)
{
    strategy->step++;
    for (unsigned i = 0; i < STRATEGY_CHANGES_MAX; i++)
        if (strategy->changes[i] == strategy->step && choice->current < SCHEDULER_THREADS_MAX)
            strategy->priority[choice->current] = STRATEGY_CHANGES_MAX - i; /* below all others */
    return first_by_priority(strategy, choice->runnable);
}

static unsigned by_bytes(struct strategy *strategy, const struct choice *choice)
{
    bool is_end = strategy->next_byte == STRATEGY_BYTES;

    if (can_go_on(choice) && (is_end || strategy->left > 0)) {
        strategy->left -= strategy->left > 0;
        return choice->current;
    }
    if (is_end)
        return (unsigned)__builtin_ctz(choice->runnable);
    uint8_t byte = strategy->bytes[strategy->next_byte++];
    uint32_t count = (uint32_t)__builtin_popcount(choice->runnable);
    strategy->left = byte % RUN_MAX;
    return bit_at(choice->runnable, byte / RUN_MAX % count);
}

void strategy_start_priority(struct strategy *strategy, unsigned depth, uint32_t steps)
{
    for (unsigned i = 0; i < SCHEDULER_THREADS_MAX; i++)
        strategy->priority[i] = 1 + STRATEGY_CHANGES_MAX + i;
    for (unsigned i = SCHEDULER_THREADS_MAX - 1; i > 0; i--) { /* Fisher and Yates */
        unsigned other = random_below(&strategy->random, i + 1);
        uint32_t kept = strategy->priority[i];

        strategy->priority[i] = strategy->priority[other];
        strategy->priority[other] = kept;
    }
    for (unsigned i = 0; i < STRATEGY_CHANGES_MAX; i++)
        strategy->changes[i] = i + 1 < depth ? 1 + random_below(&strategy->random, steps) : 0;
    strategy->step = 0;
}

unsigned strategy_choose(void *context, const struct choice *choice)
{
    struct strategy *strategy = context;

    switch (strategy->kind) {
    case STRATEGY_WALK:
        return walk(strategy, choice);
    case STRATEGY_PRIORITY:
        return by_priority(strategy, choice);
    default:
        return by_bytes(strategy, choice);
    }
}
