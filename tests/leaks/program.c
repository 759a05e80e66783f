#include "program.h"

#include "../unit/test.h"

#include <string.h>

__attribute__((noinline)) void forget(void)
{
    volatile char garbage[16384];

    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = 0;
#if defined(__x86_64__)
    __asm__ volatile("xor %%eax, %%eax\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\t"
                     "xor %%esi, %%esi\n\txor %%edi, %%edi\n\txor %%r8d, %%r8d\n\t"
                     "xor %%r9d, %%r9d\n\txor %%r10d, %%r10d\n\txor %%r11d, %%r11d\n\t"
                     "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2" ::
                         : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0",
                           "xmm1", "xmm2", "memory");
#endif
}

static __attribute__((noinline)) hidden make_inner(size_t bytes, uint32_t stack)
{
    void *block = double_make(bytes, stack);

    memset(block, 0, bytes);
    return hide(block);
}

__attribute__((noinline)) hidden make_hidden(size_t bytes, uint32_t stack)
{
    volatile hidden made = make_inner(bytes, stack);

    forget();
    return made;
}

static __attribute__((noinline)) void store_inner(void *place, hidden pointer)
{
    *(void *volatile *)place = seen(pointer);
}

__attribute__((noinline)) void store_at(void *place, hidden pointer)
{
    store_inner(place, pointer);
    forget();
}

__attribute__((noinline)) void store_into(hidden place, size_t offset, hidden pointer)
{
    store_inner((char *)seen(place) + offset, pointer);
    forget();
}

static __attribute__((noinline)) void clear_inner(hidden place, size_t bytes)
{
    memset(seen(place), 0, bytes);
}

__attribute__((noinline)) void clear_hidden(hidden place, size_t bytes)
{
    clear_inner(place, bytes);
    forget();
}

uint64_t leaked_bytes(void)
{
    const struct double_result *result = double_find(NULL);

    EXPECT(result->why == NULL);
    if (result->why != NULL)
        printf("# why: %s\n", result->why);
    EXPECT(result->found == (result->bug.leak_bytes != 0 || result->bug.leak_blocks != 0));
    return result->bug.leak_bytes;
}
