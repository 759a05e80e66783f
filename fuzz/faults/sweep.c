/* Fails call 1, 2, 3 ... of each kind of a recorded workload, each time in a process that begins
 * (laboratory.h): so also the first calls that a process makes. Once alone, once with all that
 * follow. What is told of together runs in a child, which a broken promise ends.
 *
 *   PROGRAM                   the scripted workload, each profile, the first errno; thinned out
 *   PROGRAM --all PATH...     each errno, each call, and these inputs of the target `pool` too
 *   PROGRAM --one PROFILE KIND FIRST COUNT ERRNO [PATH]    again, in this process */
#include "fault_run.h"
#include "laboratory.h"
#include "lifecycle.h"
#include "pool.h"
#include "script.h"
#include "secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_MAX 20u
#define FIRST_MAX 20000u
#define NOT_REACHED 7

static const char *const call_names[FAULTY_CALLS] = {"mmap",  "munmap",  "mprotect", "purge",
                                                     "guard", "unguard", "mremap",   "getrandom"};
static const char *const profile_names[FAULT_PROFILES] = {"fast", "hardened", "strict", "guarded"};

static struct {
    const char *name;
    uint8_t bytes[OPS_INPUT_BYTES_MAX];
    size_t size;
} input;

static struct {
    bool is_whole; /* --all */
    unsigned results;
    unsigned failures;
} sweep;

struct trial {
    enum fault_profile profile;
    bool by_mprotect;
    struct faulty_rule rule;
};

/* With the children. */
static struct {
    struct trial trial; /* the one under way */
    unsigned long runs;
    uint32_t reached; /* trials since the child began in which a call failed */
    struct keys keys;
} * shared;

/* Memory is unmapped where something else failed: records that could not be opened. */
static const struct faulty_rule for_munmap = {
    .mask = 1u << FAULTY_MPROTECT, .first = 1, .count = 8, .error = ENOMEM};

static bool run_trial(const struct trial *trial)
{
    bool is_munmap = trial->rule.mask == 1u << FAULTY_MUNMAP;
    struct fault_setup setup = {
        .rules = {trial->rule, is_munmap ? for_munmap : (struct faulty_rule){.mask = 0}},
        .profile = trial->profile,
        .by_mprotect = trial->by_mprotect,
        .retries = trial->rule.count == 1,
        .is_fresh = true,
    };

    alarm(SECONDS_MAX);
    shared->trial = *trial;
    shared->runs++;
    fault_run(&setup, input.bytes, input.size);
    return faulty_failures(trial->rule.mask) != 0;
}

/* How the child ended: 0 is well. */
static int run_child(void (*run)(struct trial *trial), struct trial *trial)
{
    int status = -1;

    shared->reached = 0;
    pid_t child = fork();
    if (child == 0) {
        run(trial);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void result(bool passed, const char *text)
{
    sweep.results++;
    sweep.failures += !passed;
    printf("%s %u - %s\n", passed ? "ok" : "not ok", sweep.results, text);
}

static void say_again(int status)
{
    const struct trial *trial = &shared->trial;

    printf("# status %d: --one %s%s %s %u %u %d %s\n", status, profile_names[trial->profile],
           trial->by_mprotect ? "+mprotect" : "", call_names[__builtin_ctz(trial->rule.mask)],
           trial->rule.first, trial->rule.count, trial->rule.error, input.name);
}

/* Late calls are many and much alike. */
static uint32_t step_after(uint32_t first)
{
    if (sweep.is_whole || first < 4)
        return 1;
    return 1 + first / 2;
}

static void sweep_calls(struct trial *trial)
{
    for (uint32_t first = 1; first < FIRST_MAX; first += step_after(first)) {
        trial->rule.first = first;
        if (!run_trial(trial))
            return;
        shared->reached++;
    }
}

/* A kind that the workload never needs in a profile must be one of these. */
static bool may_be_idle(const struct trial *trial, enum faulty_call call)
{
    return call == FAULTY_MREMAP ||
           (trial->by_mprotect && (call == FAULTY_GUARD || call == FAULTY_UNGUARD)) ||
           call == FAULTY_DONTNEED || (trial->profile == FAULT_FAST && call == FAULTY_UNGUARD);
}

/* Of the kind of call that the trial's rule has. */
static void sweep_errors(struct trial *trial)
{
    static const uint32_t counts[] = {1, FAULTY_FOR_EVER};
    enum faulty_call call = (enum faulty_call)__builtin_ctz(trial->rule.mask);

    for (const int *error = faulty_errors(call); *error >= 0; error++) {
        for (unsigned i = 0; i < 2; i++) {
            trial->rule.error = *error;
            trial->rule.count = counts[i];
            sweep_calls(trial);
        }
        if (!sweep.is_whole)
            break;
    }
}

static uint32_t sweep_kind(struct trial *trial, enum faulty_call call)
{
    char text[512];

    trial->rule = (struct faulty_rule){.mask = (uint8_t)(1u << call)};
    int status = run_child(sweep_errors, trial);
    if (status != 0)
        say_again(status);
    snprintf(text, sizeof(text), "%s, %s%s: %s refused, %u times in turn", input.name,
             profile_names[trial->profile], trial->by_mprotect ? ", guards by mprotect" : "",
             call_names[call], shared->reached);
    result(status == 0 && (shared->reached > 0 || may_be_idle(trial, call)), text);
    return shared->reached;
}

static void sweep_input(void)
{
    uint32_t of_kind[FAULTY_CALLS] = {0};

    for (unsigned profile = 0; profile < FAULT_PROFILES; profile++)
        for (unsigned by_mprotect = 0; by_mprotect < 2; by_mprotect++) {
            struct trial trial = {.profile = profile, .by_mprotect = by_mprotect != 0};

            if (!sweep.is_whole && (by_mprotect != 0) != (profile == FAULT_STRICT))
                continue;
            for (unsigned call = 0; call < FAULTY_CALLS; call++)
                of_kind[call] += sweep_kind(&trial, call);
        }
    for (unsigned call = 0; call < FAULTY_CALLS && strcmp(input.name, "script") == 0; call++)
        if (of_kind[call] == 0)
            result(false, call_names[call]);
}

static void run_start(struct trial *trial)
{
    static const struct laboratory_settings settings;

    laboratory_begin(&settings);
    faulty_start(&trial->rule, 1);
    lifecycle_start();
    if (faulty_failures(trial->rule.mask) == 0)
        _exit(1);
    shared->keys = sg_keys;
}

static void test_keys(int error)
{
    char text[128];
    struct keys first;
    struct trial trial = {
        .profile = FAULT_HARDENED,
        .rule = {
            .mask = 1u << FAULTY_GETRANDOM, .first = 1, .count = FAULTY_FOR_EVER, .error = error}};

    bool passed = run_child(run_start, &trial) == 0;
    first = shared->keys;
    passed = passed && run_child(run_start, &trial) == 0;
    snprintf(text, sizeof(text), "getrandom fails with %d: two processes have other keys", error);
    result(passed && first.slot != shared->keys.slot && first.canary != shared->keys.canary &&
               first.tag != shared->keys.tag && first.state != shared->keys.state &&
               first.canary_factor != shared->keys.canary_factor,
           text);
}

#define PARTITION_ROUNDS 40u
#define PARTITION_BYTES 300000u

/* Blocks of a partition whose memory the kernel keeps, as it does with locked memory. */
static void run_partition(struct trial *trial)
{
    static const struct laboratory_settings settings;

    laboratory_begin(&settings);
    faulty_start(&trial->rule, 1);
    for (unsigned round = 0; round < PARTITION_ROUNDS; round++) {
        char *block = sg_pool_allocate_typed_zeroed(PARTITION_BYTES, 1);

        if (block == NULL)
            _exit(1);
        for (size_t i = 0; i < PARTITION_BYTES; i++)
            if (block[i] != 0)
                _exit(2);
        memset(block, 7, PARTITION_BYTES);
        sg_pool_free(block, SLOT_LIVE_MALLOC, "free");
    }
    if (faulty_failures(trial->rule.mask) == 0)
        _exit(3);
}

static void test_partition(void)
{
    struct trial trial = {.rule = {.mask = 1u << FAULTY_DONTNEED | 1u << FAULTY_GUARD,
                                   .first = 1,
                                   .count = FAULTY_FOR_EVER,
                                   .error = EINVAL}};

    result(run_child(run_partition, &trial) == 0,
           "calloc of a partition is zero though the kernel keeps memory");
}

static bool read_input(const char *path)
{
    FILE *file = fopen(path, "rb");
    const char *slash = strrchr(path, '/');

    if (file == NULL)
        return false;
    input.name = slash == NULL ? path : slash + 1;
    input.size = fread(input.bytes, 1, sizeof(input.bytes), file);
    return fclose(file) == 0 && input.size > 0;
}

static unsigned index_of(const char *name, const char *const *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return i;
    fprintf(stderr, "no such name: %s\n", name);
    exit(2);
}

static int run_one(int count, char **arguments)
{
    struct trial trial = {
        .profile = index_of(arguments[0], profile_names, FAULT_PROFILES),
        .by_mprotect = strchr(arguments[0], '+') != NULL,
        .rule = {.mask = (uint8_t)(1u << index_of(arguments[1], call_names, FAULTY_CALLS)),
                 .first = (uint32_t)strtoul(arguments[2], NULL, 0),
                 .count = (uint32_t)strtoul(arguments[3], NULL, 0),
                 .error = atoi(arguments[4])},
    };

    if (count > 5 && strcmp(arguments[5], "script") != 0 && !read_input(arguments[5]))
        return 2;
    return run_trial(&trial) ? 0 : NOT_REACHED;
}

static int finish(void)
{
    printf("1..%u\n# %lu trials\n", sweep.results, shared->runs);
    return sweep.failures != 0;
}

int main(int count, char **arguments)
{
    input.name = "script";
    input.size = script_write(input.bytes);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    if (count > 6 && strcmp(arguments[1], "--one") == 0)
        return run_one(count - 2, arguments + 2);
    setvbuf(stdout, NULL, _IOLBF, 0); /* so that a child has nothing of ours to write */
    sweep.is_whole = count > 1 && strcmp(arguments[1], "--all") == 0;
    for (const int *error = faulty_errors(FAULTY_GETRANDOM); *error >= 0; error++)
        test_keys(*error);
    test_partition();
    sweep_input();
    for (int i = 2; i < count; i++) {
        if (read_input(arguments[i]))
            sweep_input();
        else
            result(false, arguments[i]);
    }
    return finish();
}
