/* The way back to how a process begins: variables of the tiers, the arena, what libc keeps for us. */
#include "arena.h"
#include "arena_memory.h"
#include "laboratory.h"

#include "os_thread.h"
#include "page_map.h"
#include "span.h"
#include "thread_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* By state.ld. */
extern char sg_laboratory_state_start[] HIDDEN;
extern char sg_laboratory_state_end[] HIDDEN;
extern char sg_laboratory_cold_start[] HIDDEN;
extern char sg_laboratory_cold_end[] HIDDEN;

typedef uint64_t word __attribute__((may_alias));

static struct {
    word *image;    /* of the variables, as the loader made them */
    uint8_t *notes; /* on the pages of those that are mostly zero */
    bool is_clean;
    char options[LABORATORY_OPTIONS_BYTES];
} reset;

/* Read by the tiers as any program's would be. */
EXPORT const char *const spanguard_options = reset.options;

static size_t state_bytes(void)
{
    return (size_t)(sg_laboratory_state_end - sg_laboratory_state_start);
}

static size_t cold_bytes(void)
{
    return (size_t)(sg_laboratory_cold_end - sg_laboratory_cold_start);
}

/* Sanitizers keep gaps between variables that nothing may touch but this. */
__attribute__((no_sanitize("address", "thread", "undefined"), noinline)) static void copy(
    word *to, const word *from, size_t bytes)
{
#if defined(__x86_64__)
    size_t words = bytes / sizeof(word);

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
#else
    for (size_t i = 0; i < bytes / sizeof(word); i++) {
        to[i] = from[i];
        __asm__ volatile("" ::: "memory"); /* not a call of memcpy, which is watched */
    }
#endif
}

static void *map_image(size_t bytes)
{
    void *image = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (image == MAP_FAILED) {
        perror("fuzz: mmap");
        abort();
    }
    return image;
}

/* Before the constructors of the tiers. */
__attribute__((constructor(101))) static void remember(void)
{
    reset.image = map_image(state_bytes());
    reset.notes = map_image(cold_bytes() / ARENA_OS_PAGE_BYTES + 1);
    copy(reset.image, (const word *)(const void *)sg_laboratory_state_start, state_bytes());
    /* Faults are for who watches the harness: the constructor of the tiers leaves them alone. */
    snprintf(reset.options, sizeof(reset.options), "fault_reports=0");
}

static void put_back(void)
{
    const struct arena_memory cold = {.start = sg_laboratory_cold_start, .notes = reset.notes};

    sg_os_thread_exit_stop();
    arena_drop();
    copy((word *)(void *)sg_laboratory_state_start, reset.image, state_bytes());
    arena_memory_zero(&cold, 0, cold_bytes() / ARENA_OS_PAGE_BYTES, NULL);
    sg_thread_cache_self = NULL;
    reset.is_clean = true;
}

/* Stands before the page map: --wrap of the linker. */
void __real_sg_page_map_set(uintptr_t base, size_t pages, struct span *span) HIDDEN;
void __wrap_sg_page_map_set(uintptr_t base, size_t pages, struct span *span) HIDDEN;

void __wrap_sg_page_map_set(uintptr_t base, size_t pages, struct span *span)
{
    if (span != NULL && span != &sg_span_retired && span != &sg_span_forbidden)
        arena_note_handed_out((void *)base, pages * PAGE_BYTES);
    __real_sg_page_map_set(base, pages, span);
}

void laboratory_begin(const struct laboratory_settings *settings)
{
    const struct arena_settings arena = {
        .seed = settings->seed,
        .base = settings->base,
        .is_real = settings->is_real,
        .is_upwards = settings->is_upwards,
        .is_gapped = settings->is_gapped,
        .looks_everywhere = settings->looks_everywhere,
        .without_guard_advice = settings->without_guard_advice,
    };

    if (!reset.is_clean)
        put_back();
    reset.is_clean = false;
    snprintf(reset.options, sizeof(reset.options), "%s",
             settings->options == NULL ? "" : settings->options);
    arena_start(&arena);
    laboratory = (struct laboratory){.kernel = arena_call};
}

void laboratory_end(void)
{
    laboratory = (struct laboratory){.kernel = NULL};
    put_back();
}
