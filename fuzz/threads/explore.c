/* Every schedule of small scenarios: two threads of some calls each, all orders with at most two
 * preemptions (Musuvathi and Qadeer 2007; a switch because a thread waits or ends is none). Depth
 * first: a run follows the choices of the last one up to the last that has an alternative.
 *
 *   explore [--most N] [NAME-PART]     TAP; of each scenario the number of its schedules
 *
 * After each schedule: the model's promises, a walk of the tiers, and all memory is back. */
#include "scenarios.h"

#include "actions.h"
#include "scheduler.h"
#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREEMPTIONS_MAX 2u
#define NODES_MAX 65536u
#define STEPS_MAX 100000u

/* A point where somebody else could have gone on. */
struct node {
    uint32_t options;
    uint32_t tried;
    unsigned current;
    unsigned chosen;
    unsigned preemptions; /* in front of it */
};

static struct {
    struct node nodes[NODES_MAX];
    size_t depth; /* of the path that is to be followed */
    size_t next;
    const struct scenario *scenario;
} search;

static unsigned cost(const struct node *node, unsigned option)
{
    return (node->options >> node->current & 1) != 0 && option != node->current;
}

static unsigned follow(const struct choice *choice)
{
    struct node *node = &search.nodes[search.next++];

    if (node->options != choice->runnable || node->current != choice->current)
        shadow_fail("the same choices led elsewhere", OPS_SLOTS);
    return node->chosen;
}

/* Beyond the path: as few switches as can be. */
static unsigned extend(const struct choice *choice)
{
    struct node *node = &search.nodes[search.next++];
    const struct node *last = search.next > 1 ? node - 1 : NULL;
    bool goes_on = (choice->runnable >> choice->current & 1) != 0;

    if (search.next == NODES_MAX)
        shadow_fail("a schedule too long to explore", OPS_SLOTS);
    *node = (struct node){
        .options = choice->runnable,
        .current = choice->current,
        .chosen = goes_on ? choice->current : (unsigned)__builtin_ctz(choice->runnable),
        .preemptions = last == NULL ? 0 : last->preemptions + cost(last, last->chosen),
    };
    node->tried = 1u << node->chosen;
    search.depth = search.next;
    return node->chosen;
}

static unsigned choose(void *strategy, const struct choice *choice)
{
    (void)strategy;
    if ((choice->runnable & (choice->runnable - 1)) == 0)
        return (unsigned)__builtin_ctz(choice->runnable);
    return search.next < search.depth ? follow(choice) : extend(choice);
}

static bool take_alternative(struct node *node)
{
    for (unsigned i = 0; i < SCHEDULER_THREADS_MAX; i++) {
        if (((node->options & ~node->tried) >> i & 1) == 0 ||
            node->preemptions + cost(node, i) > PREEMPTIONS_MAX)
            continue;
        node->tried |= 1u << i;
        node->chosen = i;
        return true;
    }
    return false;
}

/* The path to the next schedule; false: that was the last. */
static bool go_back(void)
{
    while (search.depth > 0 && !take_alternative(&search.nodes[search.depth - 1]))
        search.depth--;
    return search.depth > 0;
}

static bool body(unsigned thread)
{
    scenario_play(search.scenario, thread);
    return false;
}

static struct scheduler_result run_once(void)
{
    struct scheduler_run run = {
        .threads = SCENARIO_THREADS,
        .body = body,
        .choose = choose,
        .steps_max = STEPS_MAX,
    };

    search.next = 0;
    scenario_begin(search.scenario);
    struct scheduler_result result = scheduler_run(&run);
    scenario_end(search.scenario);
    return result;
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* True: all of them. */
static bool explore(const struct scenario *scenario, unsigned number, unsigned long most)
{
    double start = seconds_now();
    unsigned long schedules = 0;
    uint32_t steps = 0;
    bool is_more = true;

    search.scenario = scenario;
    search.depth = 0;
    for (; is_more && schedules < most; schedules++) {
        struct scheduler_result result = run_once();

        steps = result.steps > steps ? result.steps : steps;
        is_more = go_back();
    }
    printf("%s %u - %s: %lu schedules of up to %u points, %.1f s\n", is_more ? "not ok" : "ok",
           number, scenario->name, schedules, steps, seconds_now() - start);
    return !is_more;
}

int main(int count, char **arguments)
{
    unsigned long most = 1000000;
    const char *wanted = "";
    unsigned number = 0;
    bool passed = true;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--most") == 0 && i + 1 < count)
            most = strtoul(arguments[++i], NULL, 0);
        else
            wanted = arguments[i];
    }
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++) {
        if (strstr(scenario->name, wanted) == NULL)
            continue;
        alarm(120);
        passed = explore(scenario, ++number, most) && passed;
    }
    printf("1..%u\n", number);
    return number > 0 && passed ? 0 : 1;
}
