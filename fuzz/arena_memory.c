#include "arena_memory.h"

#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ARENA_OS_PAGE_BYTES
#define CHUNK_PAGES ((size_t)1024)
/* A page fault costs as much as some thirty looks at a page; but pages are either written to by
 * nearly each input, or by few. */
#define IDLE_MAX 100u
#define WIPED_BY_HAND_MAX (256 * PAGE)

/* The harness looks at memory of the tiers, which sanitizers may have poisoned. */
#define UNWATCHED __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

typedef uint64_t word __attribute__((may_alias));
typedef uint64_t two_words __attribute__((vector_size(16), may_alias));

/* `type` is a vector of 64-bit words; eight at a time. */
#define ALL_ZERO(type, page)                                                                       \
    for (const type *at = (const type *)(const void *)(page),                                      \
                    *end = (const type *)(const void *)((page) + PAGE);                            \
         at < end; at += 8) {                                                                      \
        const type some = at[0] | at[1] | at[2] | at[3] | at[4] | at[5] | at[6] | at[7];           \
        if ((some[0] | some[1] | some[sizeof(type) / 8 - 2] | some[sizeof(type) / 8 - 1]) != 0)    \
            return false;                                                                          \
    }                                                                                              \
    return true

#if defined(__x86_64__)
typedef uint64_t four_words __attribute__((vector_size(32), may_alias));

UNWATCHED __attribute__((target("avx2"))) static bool page_is_zero_wide(const char *page)
{
    ALL_ZERO(four_words, page);
}
#endif

UNWATCHED static bool page_is_zero_narrow(const char *page)
{
    ALL_ZERO(two_words, page);
}

static bool page_is_zero(const char *page)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return page_is_zero_wide(page);
#endif
    return page_is_zero_narrow(page);
}

UNWATCHED static void page_copy(char *to, const char *from)
{
    word *target = (word *)(void *)to;
    const word *source = (const word *)(const void *)from;

    for (size_t i = 0; i < PAGE / sizeof(word); i++) {
        target[i] = source == NULL ? 0 : source[i];
        __asm__ volatile("" ::: "memory"); /* no call of memset: that of the tiers is watched */
    }
}

static void page_zero(char *page)
{
#if defined(__x86_64__)
    size_t words = PAGE / sizeof(word);

    __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0) : "memory");
#else
    page_copy(page, NULL);
#endif
}

static void drop(char *start, size_t bytes)
{
    if (madvise(start, bytes, MADV_DONTNEED) != 0) {
        perror("fuzz: madvise");
        abort();
    }
}

struct residency {
    unsigned char pages[CHUNK_PAGES];
};

static void look_up(struct residency *residency, const char *start, size_t pages)
{
    if (mincore((void *)start, pages * PAGE, residency->pages) != 0) {
        perror("fuzz: mincore");
        abort();
    }
}

static size_t chunk_of(size_t pages)
{
    return pages < CHUNK_PAGES ? pages : CHUNK_PAGES;
}

/* Pages that were idle for long, gathered to runs. */
struct idle_run {
    char *start;
    char *end;
};

static void release(struct idle_run *run, char *page)
{
    if (page != NULL && run->end == page) {
        run->end += PAGE;
        return;
    }
    if (run->start != NULL)
        drop(run->start, (size_t)(run->end - run->start));
    *run = (struct idle_run){page, page == NULL ? NULL : page + PAGE};
}

void arena_memory_zero(char *start, size_t bytes, uint8_t *idle,
                       void (*on_written)(const char *page))
{
    struct residency residency;
    struct idle_run run = {NULL, NULL};

    for (size_t done = 0; done < bytes / PAGE; done += CHUNK_PAGES) {
        size_t pages = chunk_of(bytes / PAGE - done);

        look_up(&residency, start + done * PAGE, pages);
        for (size_t i = 0; i < pages; i++) {
            char *page = start + (done + i) * PAGE;

            if ((residency.pages[i] & 1) == 0)
                continue;
            if (!page_is_zero(page)) {
                if (on_written != NULL)
                    on_written(page);
                page_zero(page);
                idle[done + i] = 0;
            } else if (++idle[done + i] > IDLE_MAX) {
                idle[done + i] = 0;
                release(&run, page);
            }
        }
    }
    release(&run, NULL);
}

void arena_memory_move(char *to, char *from, size_t bytes)
{
    struct residency residency;

    for (size_t done = 0; done < bytes / PAGE; done += CHUNK_PAGES) {
        size_t pages = chunk_of(bytes / PAGE - done);

        look_up(&residency, from + done * PAGE, pages);
        for (size_t i = 0; i < pages; i++) {
            char *page = from + (done + i) * PAGE;

            if ((residency.pages[i] & 1) == 0 || page_is_zero(page))
                continue;
            if (to != NULL)
                page_copy(to + (done + i) * PAGE, page);
            page_zero(page);
        }
    }
}

void arena_memory_wipe(char *start, size_t bytes)
{
    if (bytes <= WIPED_BY_HAND_MAX)
        arena_memory_move(NULL, start, bytes);
    else
        drop(start, bytes);
}
