/* An allocator for the benchmarks' own tests: glibc's, with defences whose price is known. `canary`
 * burns time in every malloc, `quarantine_slots` never gives back the first 48 MiB that are freed,
 * `seal` does nothing at all. It answers help=1 and profile= as the library does. */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BURN_TURNS = 1000, MOST_HELD_BYTES = 48 << 20 };

void *__libc_malloc(size_t bytes);
void __libc_free(void *block);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static bool is_slow, is_holding, is_sealed; /* written before main */
static _Atomic size_t held_bytes;

static bool has(const char *options, const char *entry)
{
    size_t length = strlen(entry);

    for (const char *at = options; at != NULL; at = strchr(at, ':')) {
        at += *at == ':';
        if (strncmp(at, entry, length) == 0 && (at[length] == ':' || at[length] == '\0'))
            return true;
    }
    return false;
}

static void __attribute__((constructor)) read_options(void)
{
    const char *options = getenv("SPANGUARD_OPTIONS");
    bool hardened;

    if (options == NULL)
        return;
    hardened = has(options, "profile=hardened") || has(options, "profile=strict");
    is_slow = has(options, "canary=1") || (hardened && !has(options, "canary=0"));
    is_holding = has(options, "quarantine_slots=64") ||
                 (hardened && !has(options, "quarantine_slots=0"));
    is_sealed = has(options, "seal=1") || (hardened && !has(options, "seal=0"));
    if (has(options, "help=1"))
        dprintf(STDERR_FILENO, "canary=%d  (x) x\nquarantine_slots=%d  (x) x\nseal=%d  (x) x\n",
                is_slow, is_holding ? 64 : 0, is_sealed);
}

static void burn(void)
{
    for (volatile int turn = 0; is_slow && turn < BURN_TURNS; turn++)
        ;
}

void *malloc(size_t bytes)
{
    burn();
    return __libc_malloc(bytes);
}

void free(void *block)
{
    if (is_holding && block != NULL &&
        atomic_load_explicit(&held_bytes, memory_order_relaxed) < MOST_HELD_BYTES) {
        /* relaxed: a bound that may be passed by a few blocks, and orders nothing */
        atomic_fetch_add_explicit(&held_bytes, malloc_usable_size(block), memory_order_relaxed);
        return;
    }
    __libc_free(block);
}

void *calloc(size_t count, size_t bytes)
{
    burn();
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    burn();
    return __libc_realloc(block, bytes);
}

int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
    void *block = __libc_memalign(alignment, bytes);

    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}
