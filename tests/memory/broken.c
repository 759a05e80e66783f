/* glibc's allocator with one fault, chosen by -DBREAK_...: what selftest.py preloads to see that
 * the tests notice. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void __libc_free(void *block);

#define EXPORT __attribute__((visibility("default")))

/* Blocks of this size are all the same block. */
enum { SHARED_BYTES = 100 };
static char shared_block[SHARED_BYTES] __attribute__((aligned(16)));

#ifdef BREAK_START
/* Takes a gibibyte of address space before the program starts. */
__attribute__((constructor)) static void reserve_too_much(void)
{
    void *space =
        mmap(NULL, (size_t)1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (space == MAP_FAILED)
        _exit(3);
}
#endif

#ifdef BREAK_HANG
__attribute__((constructor)) static void never_start(void)
{
    for (;;)
        pause();
}
#endif

#ifdef BREAK_THREADS
/* Gives each thread a resident cache that nothing bounds. */
static void fatten_thread(void)
{
    enum { CACHE_BYTES = 64 << 10 };
    static __thread char *cache __attribute__((tls_model("initial-exec")));

    if (cache != NULL)
        return;
    cache = mmap(NULL, CACHE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (cache != MAP_FAILED)
        memset(cache, 1, CACHE_BYTES);
}
#endif

static void after_malloc(void *block, size_t bytes)
{
    (void)block;
    (void)bytes;
#ifdef BREAK_EAGER
    if (block != NULL)
        memset(block, 0, bytes);
#endif
#ifdef BREAK_ABORT
    if (block == NULL)
        abort();
#endif
#ifdef BREAK_ERRNO
    if (block == NULL)
        errno = 0;
#endif
}

EXPORT void *malloc(size_t bytes)
{
#ifdef BREAK_THREADS
    fatten_thread();
#endif
#ifdef BREAK_OVERLAP
    if (bytes == SHARED_BYTES)
        return shared_block;
#endif
    void *block = __libc_malloc(bytes);

    after_malloc(block, bytes);
    return block;
}

EXPORT void *calloc(size_t count, size_t bytes)
{
    void *block = __libc_calloc(count, bytes);

    after_malloc(block, count * bytes);
#ifdef BREAK_ZERO
    if (block != NULL)
        memset(block, 0xa5, count * bytes);
#endif
    return block;
}

EXPORT void *realloc(void *block, size_t bytes)
{
    void *grown = __libc_realloc(block, bytes);

#ifdef BREAK_REALLOC
    if (grown != NULL)
        memset(grown, 0, bytes);
#endif
    return grown;
}

EXPORT void free(void *block)
{
    if (block == shared_block)
        return;
#ifndef BREAK_FREE
    __libc_free(block);
#endif
}
