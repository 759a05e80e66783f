/* pool=guarded: every block lies alone at the end of its pages, and is gone once it is freed. */
#include "check.h"
#include "child.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

/* Not in this libc, or of C++: the library's. */
static void *(*operator_new)(size_t bytes);
static void (*operator_delete)(void *block), (*end_sized)(void *block, size_t bytes);

__attribute__((constructor)) static void find_others(void)
{
    *(void **)&operator_new = dlsym(RTLD_DEFAULT, "_Znwm");
    *(void **)&operator_delete = dlsym(RTLD_DEFAULT, "_ZdlPv");
    *(void **)&end_sized = dlsym(RTLD_DEFAULT, "free_sized");
}

enum { FAULT = 128 + SIGSEGV, REPORT = 128 + SIGABRT };

/* In children, whose report is nobody's concern. */
static void write_a_byte(void *at)
{
    close(STDERR_FILENO);
    *(volatile char *)at = 1;
}

static void read_a_byte(void *at)
{
    close(STDERR_FILENO);
    (void)*(volatile char *)at;
}

static void free_it(void *block)
{
    close(STDERR_FILENO);
    free(block);
}

static const size_t sizes[] = {16, 32, 208, 1024, 4096, 4112, 8192, 65536, 262144, 262160, 3 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes };

TEST(a_write_right_behind_a_block_of_any_size_faults)
{
    for (int i = 0; i < SIZES; i++) {
        char *block = malloc(sizes[i]);

        memset(block, 7, sizes[i]);
        EXPECT_EQUAL(child_ending(write_a_byte, block + sizes[i]), FAULT);
        EXPECT_EQUAL(child_ending(read_a_byte, block + sizes[i] - 1), 0);
        free(block);
    }
}

TEST(a_byte_between_the_end_of_a_block_and_of_its_page_is_found_when_it_is_freed)
{
    for (size_t bytes = 1; bytes < 400000; bytes = bytes * 3 + 4) {
        char *block = malloc(bytes);

        block[bytes] = 1;
        EXPECT_EQUAL(child_ending(free_it, block), REPORT);
        block[bytes] = 0;
        free(block);
    }
}

TEST(a_freed_block_of_any_size_cannot_be_read)
{
    for (int i = 0; i < SIZES; i++) {
        char *block = calloc(1, sizes[i]);

        free(block);
        EXPECT_EQUAL(child_ending(read_a_byte, block), FAULT);
        EXPECT_EQUAL(child_ending(read_a_byte, block + sizes[i] - 1), FAULT);
        EXPECT_EQUAL(child_ending(free_it, block), REPORT);
    }
}

TEST(what_realloc_left_cannot_be_read)
{
    for (int i = 0; i < SIZES; i++) {
        char *block = malloc(sizes[i]), *moved;

        memset(block, 0x5a, sizes[i]);
        moved = realloc(block, sizes[i] + 16);
        EXPECT(moved != block && moved[0] == 0x5a && moved[sizes[i] - 1] == 0x5a);
        EXPECT_EQUAL(child_ending(read_a_byte, block), FAULT);
        EXPECT_EQUAL(child_ending(write_a_byte, moved + sizes[i] + 16), FAULT);
        free(moved);
    }
}

TEST(aligned_blocks_end_with_their_page_too)
{
    for (size_t alignment = 32; alignment <= 4096; alignment *= 2) {
        char *block = aligned_alloc(alignment, alignment * 3);

        EXPECT_EQUAL((uintptr_t)block % alignment, 0);
        EXPECT_EQUAL(child_ending(write_a_byte, block + alignment * 3), FAULT);
        free(block);
        EXPECT_EQUAL(child_ending(read_a_byte, block), FAULT);
    }
    char *block = aligned_alloc(1 << 20, 16);
    EXPECT(block != NULL && (uintptr_t)block % (1 << 20) == 0);
    free(block);
}

TEST(what_new_made_is_guarded_and_ended_by_delete)
{
    char *block = operator_new(opaque(48));

    EXPECT_EQUAL(child_ending(write_a_byte, block + 48), FAULT);
    EXPECT_EQUAL(child_ending(free_it, block), REPORT);
    operator_delete(block);
    EXPECT_EQUAL(child_ending(read_a_byte, block), FAULT);
}

static void free_with_a_wrong_size(void *block)
{
    close(STDERR_FILENO);
    end_sized(block, 99);
}

TEST(sizes_that_are_stated_must_be_true)
{
    char *block = malloc(100);

    EXPECT_EQUAL(malloc_usable_size(block), 100);
    EXPECT_EQUAL(child_ending(free_with_a_wrong_size, block), REPORT);
    end_sized(block, 100);
}

TEST(content_is_kept_and_calloc_is_zero)
{
    for (int round = 0; round < 300; round++) {
        size_t bytes = (size_t)round * 37 + 1;
        unsigned char *block = calloc(1, bytes);
        int wrong = 0;

        for (size_t i = 0; i < bytes; i++)
            wrong += block[i] != 0;
        memset(block, round, bytes);
        block = realloc(block, bytes * 2);
        for (size_t i = 0; i < bytes; i++)
            wrong += block[i] != (unsigned char)round;
        block = realloc(block, bytes / 2 + 1);
        for (size_t i = 0; i <= bytes / 2; i++)
            wrong += block[i] != (unsigned char)round;
        EXPECT_EQUAL(wrong, 0);
        free(block);
    }
}

TEST(blocks_of_no_bytes_are_distinct_and_have_no_access)
{
    char *one = malloc(opaque(0)), *other = malloc(opaque(0));

    EXPECT(one != NULL && other != NULL && one != other);
    EXPECT_EQUAL(child_ending(read_a_byte, one), FAULT);
    free(one);
    free(other);
}

static void *work(void *seed)
{
    static void *_Atomic shelf[64];
    unsigned random = (unsigned)(uintptr_t)seed;

    for (int i = 0; i < 5000; i++) {
        random = random * 1103515245 + 12345;
        char *block = malloc(random >> 8 & 0x3ff);

        free(__atomic_exchange_n((void **)&shelf[random >> 24 & 63], block, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

TEST(threads_free_each_others_blocks)
{
    pthread_t threads[4];

    for (uintptr_t i = 0; i < 4; i++)
        EXPECT_EQUAL(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++)
        EXPECT_EQUAL(pthread_join(threads[i], NULL), 0);
}

/* From /proc, without a stream: it would allocate. */
static size_t resident_kib(void)
{
    char text[4096];
    FILE *status = fopen("/proc/self/status", "r");
    size_t length = fread(text, 1, sizeof text - 1, status), kib = 0;

    fclose(status);
    text[length] = '\0';
    sscanf(strstr(text, "VmRSS:"), "VmRSS: %zu", &kib);
    return kib;
}

static int mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int count = 0;

    for (int c = getc(maps); c != EOF; c = getc(maps))
        count += c == '\n';
    fclose(maps);
    return count;
}

/* The last one: where guards are mappings it uses them up. */
TEST(a_hundred_thousand_live_blocks_take_a_page_each_and_leave_mappings)
{
    enum { COUNT = 100000 };
    static unsigned char *blocks[COUNT];
    size_t before = resident_kib();
    int wrong = 0;

    for (int i = 0; i < COUNT; i++) {
        blocks[i] = malloc((size_t)(i % 250) + 1);
        if (!EXPECT(blocks[i] != NULL))
            return;
        blocks[i][i % 250] = (unsigned char)i;
    }
    EXPECT(resident_kib() - before < COUNT * 5u);
    EXPECT(mappings() < 40000); /* of 65,530 */
    for (int i = 0; i < COUNT; i++) {
        wrong += blocks[i][i % 250] != (unsigned char)i;
        free(blocks[i]);
    }
    EXPECT_EQUAL(wrong, 0);
    EXPECT(resident_kib() < before + 40000u);
}
