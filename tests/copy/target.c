/* usage: target FUNCTION BLOCK OFFSET EXTRA [heap|stack|global|freed|source]
 *
 * Fills what is left of a block of BLOCK bytes behind OFFSET with one call of FUNCTION, and EXTRA
 * bytes more. `source`: the target has room, the block is what is read. Built plain and
 * fortified. */
#include "calls.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_BYTES (2u << 20)

static char source[MOST_BYTES] __attribute__((aligned(16)));
static char global_target[MOST_BYTES] __attribute__((aligned(16)));

/* To the compiler, a new object of MOST_BYTES: so fortified code calls the checking twins. */
__attribute__((noinline, alloc_size(2))) static void *known(void *to, size_t bytes)
{
    __asm__("" : "+r"(to) : "r"(bytes));
    return to;
}

#define CALL(name, unit, call)                                                                     \
    static __attribute__((noinline)) void *call_##name(void *to, const void *from, size_t bytes)   \
    {                                                                                              \
        (void)from, (void)bytes;                                                                   \
        to = known(to, MOST_BYTES);                                                                \
        return call;                                                                               \
    }
CALLS(CALL)

static const struct call {
    const char *name;
    size_t unit;
    void *(*call)(void *to, const void *from, size_t bytes);
} calls[] = {
#define ROW(name, unit, call) {#name, unit, call_##name},
    CALLS(ROW)};

static const struct call *find(const char *name)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    exit(2);
}

/* `bytes` with the terminator of `unit` bytes. */
static const char *make_source(size_t bytes, size_t unit)
{
    for (size_t i = 0; i < bytes; i++)
        source[i] = 'x';
    for (size_t i = bytes - unit; i < bytes; i++)
        source[i] = 0;
    return source;
}

static void use_stack(const struct call *call, size_t bytes)
{
    char *target = __builtin_alloca(bytes + 16);

    target[0] = target[1] = target[2] = target[3] = 0;
    call->call(target, make_source(bytes, call->unit), bytes);
}

static void use_heap(const struct call *call, char *const argv[])
{
    size_t offset = strtoul(argv[3], NULL, 10), extra = strtoul(argv[4], NULL, 10);
    char *block = malloc(strtoul(argv[2], NULL, 10));
    size_t usable = malloc_usable_size(block);
    size_t bytes = usable - offset + extra;

    printf("usable=%zu bytes=%zu\n", usable, bytes);
    fflush(stdout);
    for (size_t i = 0; i < call->unit && offset + i < usable; i++)
        block[offset + i] = 0; /* strcat appends to nothing */
    if (strcmp(argv[5], "source") == 0) {
        call->call(global_target, block + offset, bytes);
        return;
    }
    if (strcmp(argv[5], "freed") == 0)
        free(block);
    call->call(block + offset, make_source(bytes, call->unit), bytes);
}

int main(int argc, char *argv[])
{
    if (argc != 6)
        return 2;

    const struct call *call = find(argv[1]);
    if (strcmp(argv[5], "stack") == 0)
        use_stack(call, strtoul(argv[2], NULL, 10));
    else if (strcmp(argv[5], "global") == 0)
        call->call(global_target, make_source(strtoul(argv[2], NULL, 10), call->unit),
                   strtoul(argv[2], NULL, 10));
    else
        use_heap(call, argv);
    puts("end");
    return 0;
}
