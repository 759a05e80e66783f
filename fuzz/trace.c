/* Loaded before a program, writes down what that asks of malloc: one line for each call that
 * worked, to the descriptor that the environment names. trace_corpus.py builds it and reads that.
 *
 *   PID x                          a program begins: none of the process's blocks is there any more
 *   PID m|c BLOCK BYTES            malloc, calloc
 *   PID a|p|l BLOCK BYTES ALIGNMENT  aligned_alloc, posix_memalign, memalign
 *   PID r BLOCK BYTES OLD          realloc; BLOCK 0: it ended OLD; OLD 0: it was malloc
 *   PID f BLOCK                    free
 *
 * All in hexadecimal. A block's number is its place; it is free for another block once it ended.
 * Nothing here allocates: a line is put together on the stack, and one write() appends it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define LINE_BYTES (2 + 5 * 17)

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

static int descriptor = -1; /* until the environment was read */

static size_t put_number(char *at, uintptr_t number)
{
    unsigned shift = 0;
    size_t length = 0;

    while (shift < 60 && number >> shift >> 4 != 0)
        shift += 4;
    for (unsigned left = shift + 4; left > 0; left -= 4)
        at[length++] = "0123456789abcdef"[number >> (left - 4) & 15];
    return length;
}

static void tell(char call, unsigned count, const uintptr_t *numbers)
{
    char line[LINE_BYTES];
    int before = errno;

    if (descriptor < 0)
        return;
    size_t length = put_number(line, (uintptr_t)getpid());
    line[length++] = ' ';
    line[length++] = call;
    for (unsigned i = 0; i < count; i++) {
        line[length++] = ' ';
        length += put_number(line + length, numbers[i]);
    }
    line[length++] = '\n';
    if (write(descriptor, line, length) != (ssize_t)length)
        descriptor = -1; /* the program closed it, or the disk is full: the trace ends here */
    errno = before;
}

#define TELL(call, ...)                                                                            \
    tell(call, sizeof((uintptr_t[]){__VA_ARGS__}) / sizeof(uintptr_t), (uintptr_t[]){__VA_ARGS__})

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("SPANGUARD_TRACE_DESCRIPTOR");

    if (text != NULL)
        descriptor = atoi(text);
    tell('x', 0, NULL);
}

EXPORT void *malloc(size_t bytes)
{
    void *block = __libc_malloc(bytes);

    if (block != NULL)
        TELL('m', (uintptr_t)block, bytes);
    return block;
}

EXPORT void *calloc(size_t count, size_t bytes)
{
    void *block = __libc_calloc(count, bytes);

    if (block != NULL)
        TELL('c', (uintptr_t)block, count * bytes);
    return block;
}

EXPORT void *realloc(void *old, size_t bytes)
{
    uintptr_t number = (uintptr_t)old;
    void *block = __libc_realloc(old, bytes);

    if (block != NULL || (number != 0 && bytes == 0))
        TELL('r', (uintptr_t)block, bytes, number);
    return block;
}

static void *make_aligned(char call, size_t alignment, size_t bytes)
{
    void *block = __libc_memalign(alignment, bytes);

    if (block != NULL)
        TELL(call, (uintptr_t)block, bytes, alignment);
    return block;
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    return make_aligned('a', alignment, bytes);
}

EXPORT void *memalign(size_t alignment, size_t bytes)
{
    return make_aligned('l', alignment, bytes);
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
    int before = errno;

    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
        return EINVAL;
    void *block = make_aligned('p', alignment, bytes);
    errno = before;
    if (block == NULL)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

EXPORT void free(void *block)
{
    if (block != NULL) /* told first: at once afterwards another thread may be given it */
        TELL('f', (uintptr_t)block);
    __libc_free(block);
}
