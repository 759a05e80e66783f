/* Allocators that are wrong in one way each, chosen by -DWRONG=...; glibc does the real work.
 * They exist so that the suite can be seen to fail. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum wrong {
    NOTHING,        /* a faithful allocator: the suite must pass it */
    STOPS,          /* reports and aborts in the middle of the program */
    ONLY_REPORTS,   /* reports, and the program goes on and succeeds */
    ENDS_PROGRAM,   /* ends the program with another exit status, silently */
    TALKS,          /* writes into the program's own output, as some allocators do */
    LOSES_BYTE,     /* realloc forgets the last byte of what it moves */
    NEVER_RETURNS,  /* waits for ever in one call of malloc */
    LEAVES_PROCESS, /* leaves a child behind */
    LOCKS_FORK,     /* holds its lock while libc's fork waits for the list of streams */
};

enum { FATAL_CALL = 10000, LINGER_SECONDS = 60 };

extern void *__libc_malloc(size_t bytes);
extern void __libc_free(void *block);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *block, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static atomic_int calls;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void say(int file, const char *text)
{
    if (write(file, text, strlen(text)) < 0)
        _exit(1);
}

static void misbehave(void)
{
    static const char report[] = "spanguard[1]: P203 double-free size=120\n";

    if (WRONG == STOPS || WRONG == ONLY_REPORTS)
        say(STDERR_FILENO, report);
    if (WRONG == STOPS)
        abort();
    if (WRONG == ENDS_PROGRAM)
        _exit(3);
    if (WRONG == TALKS)
        say(STDOUT_FILENO, "a line of the allocator's own\n");
    while (WRONG == NEVER_RETURNS)
        pause();
}

static void take_lock(void)
{
    if (WRONG == LOCKS_FORK)
        pthread_mutex_lock(&lock);
}

static void give_lock(void)
{
    if (WRONG == LOCKS_FORK)
        pthread_mutex_unlock(&lock);
}

void *malloc(size_t bytes)
{
    if (atomic_fetch_add(&calls, 1) + 1 == FATAL_CALL)
        misbehave();
    take_lock();
    void *block = __libc_malloc(bytes);
    give_lock();
    return block;
}

void free(void *block)
{
    __libc_free(block);
}

void *calloc(size_t count, size_t bytes)
{
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    unsigned char *moved = __libc_realloc(block, bytes);

    if (WRONG == LOSES_BYTE && moved != NULL && block != NULL && bytes > 256)
        moved[bytes / 2 - 1] = 0;
    return moved;
}

int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
    *ret_block = __libc_memalign(alignment, bytes);
    return *ret_block == NULL ? 12 : 0;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return __libc_memalign(alignment, bytes);
}

__attribute__((constructor)) static void prepare(void)
{
    if (WRONG == LOCKS_FORK)
        pthread_atfork(take_lock, give_lock, give_lock);
    if (WRONG == LEAVES_PROCESS && fork() == 0) {
        sleep(LINGER_SECONDS);
        _exit(0);
    }
}
