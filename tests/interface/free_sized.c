/* C23's free_sized and free_aligned_sized, found by the linker and by dlsym. */
#include "check.h"

#include <dlfcn.h>
#include <malloc.h>

extern void free_sized(void *block, size_t bytes) __attribute__((weak));
extern void free_aligned_sized(void *block, size_t alignment, size_t bytes) __attribute__((weak));

#define NEED(function)                                                                             \
    do {                                                                                           \
        if ((function) == NULL && !under_preload())                                                \
            SKIP("this glibc has no " #function);                                                  \
        if (!EXPECT((function) != NULL))                                                           \
            return;                                                                                \
    } while (0)

static const size_t sizes[] = {1, 16, 17, 100, 1024, 1025, 5000, 65536, 262144, 262145, 3 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

TEST(free_sized_takes_blocks_of_malloc_calloc_and_realloc)
{
    NEED(free_sized);
    for (int times = 0; times < 200; times++) {
        for (int i = 0; i < SIZES; i++) {
            free_sized(malloc(sizes[i]), sizes[i]);
            free_sized(calloc(1, sizes[i]), sizes[i]);
            free_sized(realloc(malloc(7), sizes[i]), sizes[i]);
        }
    }
}

TEST(free_sized_takes_every_size_up_to_4_KiB)
{
    NEED(free_sized);
    for (size_t bytes = 0; bytes <= 4096; bytes++)
        free_sized(malloc(bytes), bytes);
}

TEST(free_sized_of_NULL_does_nothing)
{
    NEED(free_sized);
    free_sized(NULL, 0);
    free_sized(NULL, opaque(12345));
}

TEST(free_sized_keeps_errno)
{
    NEED(free_sized);
    for (int i = 0; i < SIZES; i++) {
        void *block = malloc(sizes[i]);

        errno = 1234;
        free_sized(block, sizes[i]);
        EXPECT_EQUAL(errno, 1234);
    }
}

TEST(free_aligned_sized_takes_blocks_of_aligned_alloc)
{
    NEED(free_aligned_sized);
    for (size_t alignment = 16; alignment <= 1 << 20; alignment *= 4) {
        for (int i = 0; i < SIZES; i++) {
            void *block = aligned_alloc(alignment, sizes[i]);

            errno = 1234;
            free_aligned_sized(block, alignment, sizes[i]);
            EXPECT_EQUAL(errno, 1234);
        }
    }
    free_aligned_sized(NULL, 64, 128);
}

TEST(dlsym_finds_the_functions_that_were_linked)
{
    void (*by_size)(void *, size_t), (*by_both)(void *, size_t, size_t);

    NEED(free_sized);
    *(void **)&by_size = dlsym(RTLD_DEFAULT, "free_sized");
    *(void **)&by_both = dlsym(RTLD_DEFAULT, "free_aligned_sized");
    if (!EXPECT(by_size == free_sized) || !EXPECT(by_both == free_aligned_sized))
        return;
    by_size(malloc(100), 100);
    by_both(aligned_alloc(64, 100), 64, 100);
}
