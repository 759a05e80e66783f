/* Kernels with larger pages, played on one with 4 KiB pages: everything that we do by OS page is
 * then coarser, never wrong. One process for each size: it is read once, at start. */
#include "lifecycle.h"
#include "os_memory.h"
#include "page_cache.h"
#include "pool.h"
#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 400

static void require(bool condition, int status)
{
    if (!condition)
        _exit(status);
}

static size_t size_of(size_t i, size_t round)
{
    size_t bytes = (i * 7919 + round * 104729) % 300000;

    return i % 3 == 0 ? bytes : bytes % 5000;
}

static void churn(char **blocks, size_t round)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t bytes = size_of(i, round);

        blocks[i] = sg_pool_allocate_zeroed(bytes);
        require(blocks[i] != NULL, 2);
        for (size_t j = 0; j < bytes; j += 512)
            require(blocks[i][j] == 0, 3);
        memset(blocks[i], (int)i, bytes);
    }
    for (size_t k = 0; k < BLOCKS; k++) {
        size_t i = (k * 7 + round) % BLOCKS;
        size_t bytes = size_of(i, round);

        require(bytes == 0 || blocks[i][bytes - 1] == (char)i, 4);
        sg_pool_free(blocks[i], SLOT_LIVE_MALLOC, "free");
        if (k % 100 == 0)
            sg_pool_trim(0);
    }
}

static void live_with_os_pages(size_t os_page_bytes)
{
    static char *blocks[BLOCKS];
    struct pool_statistics now;

    lifecycle_start();
    sg_os_page_bytes = os_page_bytes;
    for (size_t round = 0; round < 6; round++)
        churn(blocks, round);
    char *nothing = sg_pool_allocate(0, SLOT_LIVE_MALLOC);
    require(nothing != NULL && sg_pool_allocate(0, SLOT_LIVE_MALLOC) != nothing, 5);
    sg_pool_trim(0);
    sg_page_cache_check();
    sg_pool_statistics(&now);
    require(now.large_count == 0 && now.live_bytes <= 64, 6);
    _exit(0);
}

static void expect_works(size_t os_page_bytes)
{
    int status = 1;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        live_with_os_pages(os_page_bytes);
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT_EQUAL(status, 0);
}

TEST(os_pages_of_4_kib_work)
{
    expect_works(4096);
}

TEST(os_pages_of_16_kib_work)
{
    expect_works(16384);
}

TEST(os_pages_of_64_kib_work)
{
    expect_works(65536);
}
