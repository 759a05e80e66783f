/* The allocator at vm.max_map_count: no mmap, no mprotect and no munmap of part of a mapping
 * succeeds any more. It may then say NULL and ENOMEM; it may not crash, hand out memory twice
 * or forget what it holds, and it works again once mappings are to be had. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "resident.h"
#include "tap.h"

enum {
    PAGE_BYTES = 4096,
    MOST_MAPS = 2 << 20, /* where the limit is higher, reaching it would take too long */
    MOST_BLOCKS = 4096,
    EDGE_BYTES = 64,
};

/* Every second page readable: each is a mapping of its own. */
static char *comb;
static size_t comb_bytes, comb_teeth;

static bool reach_limit(size_t limit)
{
    comb_bytes = 2 * (limit + 16) * PAGE_BYTES;
    comb = mmap(NULL, comb_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (comb == MAP_FAILED)
        return false;
    while ((2 * comb_teeth + 2) * PAGE_BYTES <= comb_bytes &&
           mprotect(comb + (2 * comb_teeth + 1) * PAGE_BYTES, PAGE_BYTES, PROT_READ) == 0)
        comb_teeth++;
    return errno == ENOMEM;
}

/* A tooth that becomes like its neighbours merges with both: two mappings fewer. */
static void give_back_teeth(size_t count)
{
    for (; count > 0 && comb_teeth > 0; count--) {
        comb_teeth--;
        mprotect(comb + (2 * comb_teeth + 1) * PAGE_BYTES, PAGE_BYTES, PROT_NONE);
    }
}

/* The kernel lets mmap go one mapping further than mprotect. */
static char *fill_last_place(void)
{
    char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? NULL : page;
}

struct block {
    unsigned char *start;
    size_t bytes;
    unsigned char stamp;
};

struct batch {
    struct block blocks[MOST_BLOCKS];
    size_t count;
    size_t asked;
    size_t wrong_errno;
    size_t not_zero;
    size_t misaligned;
};

static struct batch early, main_batch, thread_batch;

static size_t edge_bytes(const struct block *block)
{
    return block->bytes < EDGE_BYTES ? block->bytes : EDGE_BYTES;
}

static void stamp(struct block *block)
{
    memset(block->start, block->stamp, edge_bytes(block));
    memset(block->start + block->bytes - edge_bytes(block), block->stamp, edge_bytes(block));
}

static bool is_stamped(const struct block *block)
{
    for (size_t i = 0; i < edge_bytes(block); i++)
        if (block->start[i] != block->stamp || block->start[block->bytes - 1 - i] != block->stamp)
            return false;
    return true;
}

/* Files what a request gave; `error` is errno right after it. */
static void file_result(struct batch *batch, void *start, size_t bytes, int error)
{
    batch->asked++;
    if (start == NULL) {
        batch->wrong_errno += error != ENOMEM;
        return;
    }
    if (batch->count == MOST_BLOCKS) {
        free(start);
        return;
    }
    struct block *block = &batch->blocks[batch->count++];

    *block = (struct block){start, bytes, (unsigned char)(batch->count % 251 + 1)};
    stamp(block);
}

static void ask_malloc(struct batch *batch, size_t bytes)
{
    errno = 0;
    void *start = malloc(bytes);

    file_result(batch, start, bytes, errno);
}

static void ask_calloc(struct batch *batch, size_t bytes)
{
    errno = 0;
    unsigned char *start = calloc(1, bytes);
    int error = errno;

    for (size_t i = 0; start != NULL && i < bytes; i += bytes / 64 + 1)
        batch->not_zero += start[i] != 0;
    file_result(batch, start, bytes, error);
}

static void ask_aligned(struct batch *batch, size_t alignment, size_t bytes)
{
    void *start = NULL;
    int error = posix_memalign(&start, alignment, bytes);

    if (error != 0)
        start = NULL;
    batch->misaligned += (uintptr_t)start % alignment != 0;
    file_result(batch, start, bytes, error);
}

/* Enough of each small size to outrun what any cache holds, and few of what takes real memory. */
static int requests_of(size_t bytes)
{
    if (bytes <= 5000)
        return 200;
    return bytes <= MIB ? 40 : 6;
}

static void ask_for_everything(struct batch *batch)
{
    static const size_t sizes[] = {0,     1,      16,        100, 1000,     5000,
                                   40000, 200000, 300 * KIB, MIB, 10 * MIB, 100 * MIB};
    static const size_t alignments[] = {64, PAGE_BYTES, 64 << 10, 2 << 20};

    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (int i = 0; i < requests_of(sizes[s]); i++)
            ask_malloc(batch, sizes[s]);
        for (int i = 0; i < 6 && sizes[s] != 0 && sizes[s] <= 10 * MIB; i++)
            ask_calloc(batch, sizes[s]);
        for (size_t a = 0; a < sizeof alignments / sizeof alignments[0]; a++)
            ask_aligned(batch, alignments[a], sizes[s] + 1);
    }
}

/* Returns how many had changed; a changed block has met another, or its pages are gone. */
static size_t free_batch(struct batch *batch)
{
    size_t changed = 0;

    for (size_t i = 0; i < batch->count; i++) {
        changed += !is_stamped(&batch->blocks[i]);
        free(batch->blocks[i].start);
    }
    batch->count = 0;
    return changed;
}

static void check_batch(struct batch *batch, const char *when)
{
    size_t held = batch->count;

    tap_ok(batch->wrong_errno == 0, "%s: a request gives a block, or NULL and ENOMEM", when);
    tap_ok(batch->not_zero == 0 && batch->misaligned == 0,
           "%s: calloc is zero and alignment is kept", when);
    tap_ok(free_batch(batch) == 0, "%s: every block keeps what was written to it", when);
    tap_note("%s: %zu of %zu requests were granted", when, held, batch->asked);
    batch->asked = batch->wrong_errno = batch->not_zero = batch->misaligned = 0;
}

/* Grows large blocks from before. Where realloc says NULL, the old block is whole. */
static void check_realloc(struct batch *batch, const char *when)
{
    size_t moved = 0, failed = 0, bad = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct block *block = &batch->blocks[i];

        if (block->bytes < 100000 || block->bytes > 2 * MIB)
            continue;
        errno = 0;
        unsigned char *grown = realloc(block->start, 4 * block->bytes);

        if (grown == NULL) {
            bad += errno != ENOMEM || !is_stamped(block);
            failed++;
            continue;
        }
        block->start = grown;
        bad += !is_stamped(block);
        block->bytes *= 4;
        stamp(block);
        moved++;
    }
    tap_ok(bad == 0, "%s: realloc of large blocks keeps them, grown or not", when);
    tap_note("%s: realloc grew %zu and refused %zu", when, moved, failed);
}

static sem_t thread_may_start;

/* This thread's first allocation comes when the allocator can map nothing for it. */
static void *ask_in_thread(void *unused)
{
    while (sem_wait(&thread_may_start) != 0)
        ;
    ask_for_everything(&thread_batch);
    return unused;
}

static void check_at_limit(pthread_t thread)
{
    static const size_t teeth[] = {0, 1, 1, 2, 4, 8, 16, 32};
    char *last_place = fill_last_place();
    char when[64];
    size_t left = 0;

    sem_post(&thread_may_start);
    pthread_join(thread, NULL);
    check_batch(&thread_batch, "first use by a thread at the limit");
    check_realloc(&early, "at the limit");
    for (size_t i = 0; i < sizeof teeth / sizeof teeth[0]; i++) {
        give_back_teeth(teeth[i]);
        left += 2 * teeth[i];
        snprintf(when, sizeof when, "%zu mappings below the limit", left);
        ask_for_everything(&main_batch);
        check_batch(&main_batch, when);
    }
    tap_ok(free_batch(&early) == 0, "blocks from before the limit are whole");
    if (last_place != NULL)
        munmap(last_place, PAGE_BYTES);
}

static size_t map_limit(void)
{
    char text[64];

    read_text("/proc/sys/vm/max_map_count", text, sizeof text);
    return strtoull(text, NULL, 10);
}

int main(void)
{
    size_t limit = map_limit();
    pthread_t thread;

    tap_begin();
    if (limit == 0 || limit > MOST_MAPS) {
        tap_skip("the allocator at vm.max_map_count", "the limit is unknown or out of reach");
        return tap_finish();
    }
    sem_init(&thread_may_start, 0, 0);
    if (pthread_create(&thread, NULL, ask_in_thread, NULL) != 0)
        return 2;
    ask_for_everything(&early);
    tap_ok(early.count == early.asked, "before the limit every request is granted");

    tap_ok(reach_limit(limit), "the limit of %zu mappings is reached", limit);
    tap_note("%zu mappings were ours to add", 2 * comb_teeth);
    check_at_limit(thread);
    munmap(comb, comb_bytes);

    ask_for_everything(&main_batch);
    tap_ok(main_batch.count == main_batch.asked, "after the limit every request is granted again");
    check_batch(&main_batch, "after the limit");
    return tap_finish();
}
