#include "arena_memory.h"

#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ARENA_OS_PAGE_BYTES
#define CHUNK_PAGES ((size_t)1024)
/* A page fault costs as much as some thirty looks at a page; but pages are either written to by
 * nearly each input, or by few. */
#define IDLE_MAX 48u
#define WIPED_BY_HAND_MAX ((size_t)256)

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

enum note {
    NOTE_IDLE = 0x7f, /* for how many inputs */
    NOTE_RESIDENT = 0x80,
};

static bool is_candidate(const struct arena_memory *memory, size_t page)
{
    return memory->touched == NULL || memory->touched[page] != 0;
}

/* Notes which of some pages are resident. The kernel is asked only if there is one to ask about. */
static void find_resident(const struct arena_memory *memory, size_t first, size_t end)
{
    unsigned char resident[CHUNK_PAGES];

    while (first < end && (!is_candidate(memory, first) || memory->notes[first] & NOTE_RESIDENT))
        first++;
    while (first < end &&
           (!is_candidate(memory, end - 1) || memory->notes[end - 1] & NOTE_RESIDENT))
        end--;
    if (first == end)
        return;
    if (mincore(memory->start + first * PAGE, (end - first) * PAGE, resident) != 0) {
        perror("fuzz: mincore");
        abort();
    }
    for (size_t page = first; page < end; page++)
        if ((resident[page - first] & 1) != 0)
            memory->notes[page] |= NOTE_RESIDENT;
}

/* The next page from `page` on that is not all zero; those before `known` were asked about. */
struct search {
    size_t page;
    size_t end;
    size_t known;
};

static bool next_written(const struct arena_memory *memory, struct search *search,
                         void (*on_clean)(const struct arena_memory *memory, size_t page))
{
    for (; search->page < search->end; search->page++) {
        if (search->page >= search->known) {
            search->known = search->end - search->page > CHUNK_PAGES ? search->page + CHUNK_PAGES
                                                                     : search->end;
            find_resident(memory, search->page, search->known);
        }
        if (!is_candidate(memory, search->page) ||
            (memory->notes[search->page] & NOTE_RESIDENT) == 0)
            continue;
        if (!page_is_zero(memory->start + search->page * PAGE))
            return true;
        if (on_clean != NULL)
            on_clean(memory, search->page);
    }
    return false;
}

static void drop(const struct arena_memory *memory, size_t first, size_t end)
{
    if (madvise(memory->start + first * PAGE, (end - first) * PAGE, MADV_DONTNEED) != 0) {
        perror("fuzz: madvise");
        abort();
    }
    for (size_t page = first; page < end; page++)
        memory->notes[page] = 0;
}

static void grow_idle(const struct arena_memory *memory, size_t page)
{
    if ((++memory->notes[page] & NOTE_IDLE) > IDLE_MAX)
        drop(memory, page, page + 1);
}

void arena_memory_zero(const struct arena_memory *memory, size_t first, size_t end,
                       void (*on_written)(const char *page))
{
    struct search search = {.page = first, .end = end, .known = first};

    for (; next_written(memory, &search, grow_idle); search.page++) {
        char *page = memory->start + search.page * PAGE;

        if (on_written != NULL)
            on_written(page);
        page_zero(page);
        memory->notes[search.page] = NOTE_RESIDENT;
    }
}

void arena_memory_wipe(const struct arena_memory *memory, size_t first, size_t end)
{
    struct search search = {.page = first, .end = end, .known = first};

    if (end - first > WIPED_BY_HAND_MAX) {
        drop(memory, first, end);
        return;
    }
    for (; next_written(memory, &search, NULL); search.page++)
        page_zero(memory->start + search.page * PAGE);
}

void arena_memory_move(const struct arena_memory *memory, size_t to, size_t first, size_t end)
{
    struct search search = {.page = first, .end = end, .known = first};

    for (; next_written(memory, &search, NULL); search.page++) {
        char *page = memory->start + search.page * PAGE;

        page_copy(memory->start + (to + search.page - first) * PAGE, page);
        page_zero(page);
    }
}
