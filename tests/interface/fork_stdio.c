/* fork while other threads are inside stdio.
 *
 * libc's fork runs the prepare handlers first and takes the lock of its list of streams after
 * them. A thread in fflush(NULL) holds that list and waits for a stream whose owner waits for
 * the allocator: an allocator that locks itself in a prepare handler closes the circle. */
#include "check.h"
#include "child.h"
#include "threads.h"

#define LONG_LINE "a_long_line" /* in the working folder, which the runner made */
enum { FORKS = 2000, BATCH = 500, THREADS = 5, LINE_BYTES = 900000 };

static void write_long_line(void)
{
    FILE *file = fopen(LONG_LINE, "w");

    for (int i = 1; i < LINE_BYTES; i++)
        fputc('x', file);
    fputc('\n', file);
    fclose(file);
}

/* fopen and fclose change the list; the first write allocates under the stream's lock. */
static void *open_and_close(void *unused)
{
    while (!atomic_load(&threads_stop)) {
        FILE *file = fopen("/dev/null", "w");

        if (file == NULL)
            abort();
        fputc('x', file);
        fclose(file);
    }
    return unused;
}

/* getline grows its buffer under the stream's lock, from 120 bytes to a megabyte. */
static void *read_long_lines(void *unused)
{
    while (!atomic_load(&threads_stop)) {
        FILE *file = fopen(LONG_LINE, "r");
        char *line = NULL;
        size_t room = 0;

        if (file == NULL || getline(&line, &room, file) != LINE_BYTES)
            abort();
        fclose(file);
        free(line);
    }
    return unused;
}

/* A precision beyond libc's own buffer makes printf allocate, again under the lock. */
static void *print_long_numbers(void *unused)
{
    FILE *file = fopen("/dev/null", "w");

    for (int digits = 1000; !atomic_load(&threads_stop); digits = digits * 3 % 400000 + 1000)
        fprintf(file, "%.*d", digits, 1);
    fclose(file);
    return unused;
}

static void *flush_everything(void *unused)
{
    while (!atomic_load(&threads_stop)) {
        fflush(NULL);
        allocate_a_round(7);
    }
    return unused;
}

static void use_stdio_in_child(void *unused)
{
    FILE *file = fopen("/dev/null", "w");

    (void)unused;
    if (file == NULL || !allocate_a_round(3))
        _exit(2);
    fprintf(file, "%d %s", 5, "text");
    fclose(file);
    fflush(NULL);
}

/* Returns how many children there were. */
static int fork_a_batch(void)
{
    static void *(*const work[THREADS])(void *) = {
        open_and_close, read_long_lines, print_long_numbers, flush_everything, allocate_until_told,
    };
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        threads_start(&threads[i], 1, work[i]);
    int forks = 0;
    while (forks < BATCH && EXPECT_EQUAL(child_ending(use_stdio_in_child, NULL), 0))
        forks++;
    threads_end(threads, THREADS);
    return forks;
}

TEST(two_thousand_forks_beside_stdio_do_not_deadlock)
{
    write_long_line();
    for (int done = 0; done < FORKS; done += BATCH)
        check_say("# %d forks\n", fork_a_batch());
    unlink(LONG_LINE);
}
