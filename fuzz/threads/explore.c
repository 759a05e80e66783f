/* Every schedule of small scenarios: two threads of some calls each, all orders with at most two
 * preemptions (Musuvathi and Qadeer 2007; a switch because a thread waits or ends is none). Depth
 * first: a run follows the choices of the last one up to the last that has an alternative.
 *
 *   explore [--most N] [NAME-PART]     TAP; of each scenario the number of its schedules
 *
 * After each schedule: the model's promises, a walk of the tiers, and all memory is back. Where
 * the threads misuse a block: each schedule is a process that ends with one report, the right one. */
#include "scenarios.h"

#include "actions.h"
#include "scheduler.h"
#include "walk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
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

/* Shared with children, which go on where the path ends. */
static struct search {
    struct node nodes[NODES_MAX];
    size_t depth; /* of the path that is to be followed */
    size_t next;
    const struct scenario *scenario;
    struct scheduler_result result;
} * search;

static unsigned cost(const struct node *node, unsigned option)
{
    return (node->options >> node->current & 1) != 0 && option != node->current;
}

static unsigned follow(const struct choice *choice)
{
    struct node *node = &search->nodes[search->next++];

    if (node->options != choice->runnable || node->current != choice->current)
        shadow_fail("the same choices led elsewhere", OPS_SLOTS);
    return node->chosen;
}

/* Beyond the path: as few switches as can be. */
static unsigned extend(const struct choice *choice)
{
    struct node *node = &search->nodes[search->next++];
    const struct node *last = search->next > 1 ? node - 1 : NULL;
    bool goes_on = (choice->runnable >> choice->current & 1) != 0;

    if (search->next == NODES_MAX)
        shadow_fail("a schedule too long to explore", OPS_SLOTS);
    *node = (struct node){
        .options = choice->runnable,
        .current = choice->current,
        .chosen = goes_on ? choice->current : (unsigned)__builtin_ctz(choice->runnable),
        .preemptions = last == NULL ? 0 : last->preemptions + cost(last, last->chosen),
    };
    node->tried = 1u << node->chosen;
    search->depth = search->next;
    return node->chosen;
}

static unsigned choose(void *strategy, const struct choice *choice)
{
    (void)strategy;
    if ((choice->runnable & (choice->runnable - 1)) == 0)
        return (unsigned)__builtin_ctz(choice->runnable);
    return search->next < search->depth ? follow(choice) : extend(choice);
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
    while (search->depth > 0 && !take_alternative(&search->nodes[search->depth - 1]))
        search->depth--;
    return search->depth > 0;
}

static bool body(unsigned thread)
{
    scenario_play(search->scenario, thread);
    return false;
}

static void run_schedule(void)
{
    struct scheduler_run run = {
        .threads = SCENARIO_THREADS,
        .body = body,
        .choose = choose,
        .steps_max = STEPS_MAX,
    };

    search->next = 0;
    search->result = scheduler_run(&run);
}

static bool is_reported(const char *said)
{
    const char *second = strstr(said, "\nspanguard[");

    return strncmp(said, "spanguard[", 10) == 0 && second == NULL &&
           (strstr(said, "P203 ") != NULL || strstr(said, "P801 ") != NULL ||
            strstr(said, "P201 ") !=
                NULL); /* proven, and then freed by another: found by a guard */
}

/* In a child, which is to die of it. */
static void run_misuse(void)
{
    char said[4096];
    size_t length = 0;
    ssize_t got;
    int ends[2];
    int status;

    if (pipe(ends) != 0)
        shadow_fail("no pipe", OPS_SLOTS);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        scheduler_after_fork();
        run_schedule();
        scenario_play_after(search->scenario);
        _exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], said + length, sizeof(said) - 1 - length)) > 0)
        length += (size_t)got;
    close(ends[0]);
    said[length] = '\0';
    if (child < 0 || waitpid(child, &status, 0) != child)
        shadow_fail("no child", OPS_SLOTS);
    if (!WIFSIGNALED(status) || !is_reported(said)) {
        fprintf(stderr, "status %d: %s", status, said);
        shadow_fail("a misuse is not reported once, and rightly", OPS_SLOTS);
    }
}

static void run_once(void)
{
    if (search->scenario->is_misuse) {
        run_misuse();
        return;
    }
    scenario_begin(search->scenario);
    run_schedule();
    scenario_end(search->scenario);
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

    search->scenario = scenario;
    search->depth = 0;
    if (scenario->is_misuse)
        scenario_begin(scenario);
    for (; is_more && schedules < most; schedules++) {
        run_once();
        steps = search->result.steps > steps ? search->result.steps : steps;
        is_more = go_back();
    }
    if (scenario->is_misuse)
        scenario_end(scenario);
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

    search = mmap(NULL, sizeof(*search), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (search == MAP_FAILED)
        return 1;
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
