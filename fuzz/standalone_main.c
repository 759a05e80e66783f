/* A target without libFuzzer: replays files, or makes inputs from a seed.
 *
 *   PROGRAM [OPTION...] PATH...  files, and the files in folders
 *   PROGRAM [OPTION...] --random SEED COUNT
 *
 * --tap reports as TAP, --save FILE keeps a failing input, --times N replays each file so often,
 * --interrupts sends a signal each millisecond, as libFuzzer's clock does now and then: a system call
 * of the harness that it cuts short is no failure of the input.
 *
 * Status 0 only if there was an input and every one was read and passed. A failing input ends the
 * process. */
#include "target.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool is_tap;
    const char *save;
    unsigned long times; /* each file */
    unsigned results;
    unsigned failures;
} options = {.times = 1};

/* What a signal handler needs to tell of the input under way. */
static struct {
    uint8_t bytes[TARGET_INPUT_BYTES_MAX + 1];
    size_t size;
    char name[512];
} input;

static void result(bool passed, const char *name)
{
    options.results++;
    options.failures += !passed;
    if (options.is_tap)
        printf("%s %u - %s\n", passed ? "ok" : "not ok", options.results, name);
    else if (!passed)
        fprintf(stderr, "failed: %s\n", name);
}

static void say(const char *text)
{
    size_t length = strlen(text);

    if (write(STDOUT_FILENO, text, length) != (ssize_t)length)
        _exit(3);
}

static void on_death(int number)
{
    if (options.save != NULL) {
        int file = open(options.save, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        if (file < 0 || write(file, input.bytes, input.size) != (ssize_t)input.size)
            say("# the input could not be saved\n");
    }
    say(options.is_tap ? "Bail out! died of " : "died of ");
    say(input.name);
    say("\n");
    raise(number); /* by now the default: the handler was for one time */
}

static void watch_for_death(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGALRM};
    struct sigaction action = {.sa_handler = on_death, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

static void do_nothing(int number)
{
    (void)number;
}

static bool start_interrupts(void)
{
    static const struct timespec millisecond = {.tv_nsec = 1000000};
    const struct itimerspec times = {.it_interval = millisecond, .it_value = millisecond};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    struct sigaction action = {.sa_handler = do_nothing}; /* without SA_RESTART, as libFuzzer's */
    timer_t timer;

    return sigaction(SIGUSR2, &action, NULL) == 0 &&
           timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 &&
           timer_settime(timer, 0, &times, NULL) == 0;
}

#define INPUT_SECONDS 20u /* an input that takes longer hangs */

static void run_input(void)
{
    alarm(INPUT_SECONDS);
    LLVMFuzzerTestOneInput(input.bytes, input.size);
    alarm(0);
}

/* One byte more than the longest input is asked for, so that a longer file is noticed. */
static bool read_input(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return false;
    input.size = fread(input.bytes, 1, sizeof(input.bytes), file);
    bool whole = ferror(file) == 0 && input.size <= TARGET_INPUT_BYTES_MAX;
    fclose(file);
    return whole;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static void replay_file(const char *path)
{
    snprintf(input.name, sizeof(input.name), "%s", last_part(path));
    if (!read_input(path)) {
        snprintf(input.name, sizeof(input.name), "%s cannot be read, or is too long", path);
        result(false, input.name);
        return;
    }
    for (unsigned long i = 0; i < options.times; i++)
        run_input();
    result(options.times > 0, last_part(path));
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_visible, alphasort);

    if (count <= 0) {
        result(false, "a folder without inputs");
        return;
    }
    for (int i = 0; i < count; i++) {
        char file[1024];
        int length = snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);

        if (length < (int)sizeof(file))
            replay_file(file);
        else
            result(false, "a path that is too long");
        free(entries[i]);
    }
    free(entries);
}

static void replay(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        replay_folder(path);
    else
        replay_file(path);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_random(uint64_t seed, uint64_t count)
{
    double start = seconds_now();
    char name[96];

    for (uint64_t index = 0; index < count; index++) {
        struct random random = target_random(seed, index);

        input.size = target.generate(&random, input.bytes, TARGET_INPUT_BYTES_MAX);
        snprintf(input.name, sizeof(input.name), "random input %llu of seed %llu",
                 (unsigned long long)index, (unsigned long long)seed);
        run_input();
    }
    snprintf(name, sizeof(name), "%llu random inputs of seed %llu", (unsigned long long)count,
             (unsigned long long)seed);
    result(count > 0, name);
    printf("# %.0f inputs/s\n", (double)count / (seconds_now() - start));
}

static int usage(void)
{
    fprintf(stderr, "usage: [--tap] [--save FILE] [--times N] [--interrupts] "
                    "PATH... | --random SEED COUNT\n");
    return 2;
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    watch_for_death();
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--tap") == 0) {
            options.is_tap = true;
        } else if (strcmp(arguments[i], "--interrupts") == 0) {
            if (!start_interrupts())
                return 3;
        } else if (strcmp(arguments[i], "--save") == 0 && i + 1 < count) {
            options.save = arguments[++i];
        } else if (strcmp(arguments[i], "--times") == 0 && i + 1 < count) {
            options.times = strtoul(arguments[++i], NULL, 0);
        } else if (strcmp(arguments[i], "--random") == 0 && i + 2 < count) {
            run_random(strtoull(arguments[i + 1], NULL, 0), strtoull(arguments[i + 2], NULL, 0));
            i += 2;
        } else if (arguments[i][0] == '-') {
            return usage();
        } else {
            replay(arguments[i]);
        }
    }
    if (options.is_tap)
        printf("1..%u\n", options.results);
    if (options.results == 0)
        return usage();
    return options.failures != 0;
}
