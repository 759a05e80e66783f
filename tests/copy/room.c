/* spanguard_block_room() itself, as TAP-like lines "ok NAME" / "not ok NAME". */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

size_t spanguard_block_room(const void *address) __attribute__((weak));

static int failed;

static void tell(bool right, const char *name, size_t bytes)
{
    printf("%s %s %zu\n", right ? "ok" : "not ok", name, bytes);
    failed |= !right;
}

static size_t room(const void *address)
{
    return spanguard_block_room(address);
}

static void try_block(size_t bytes)
{
    char *block = malloc(bytes);
    size_t usable = malloc_usable_size(block);

    tell(room(block) == usable, "start", bytes);
    tell(usable == 0 || room(block + usable / 2) == usable - usable / 2, "middle", bytes);
    tell(usable == 0 || room(block + usable - 1) == 1, "last byte", bytes);
    free(block);
    tell(room(block) == 0, "freed", bytes);
}

static void try_anything(void)
{
    static char global;
    char local;
    uint64_t value = 88172645463325252u; /* xorshift, fixed */
    void *mapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t largest = 0;

    tell(room(&global) == SIZE_MAX, "a global", 0);
    tell(room(&local) == SIZE_MAX, "the stack", 0);
    tell(room(mapped) == SIZE_MAX, "a mapping", 0);
    tell(room(NULL) == SIZE_MAX, "NULL", 0);
    tell(room((void *)UINTPTR_MAX) == SIZE_MAX, "the highest address", 0);
    for (int i = 0; i < 1000000; i++) {
        value ^= value << 13;
        value ^= value >> 7;
        value ^= value << 17;
        size_t found = room((void *)(value >> (value % 17)));
        largest = found != SIZE_MAX && found > largest ? found : largest;
    }
    tell(largest <= (64u << 20), "any value at all", largest);
    munmap(mapped, 4096);
}

int main(void)
{
    static const size_t sizes[] = {0,    1,    8,    16,    24,     48,     64,     100,
                                   1000, 1024, 5000, 65536, 262144, 300000, 1048576};

    if (spanguard_block_room == NULL)
        return 3;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        try_block(sizes[i]);
    try_anything();
    return failed;
}
