/* Preloaded into a program: captures the stack of each malloc and free, as the debug library does,
 * and holds one in 97 against a fresh walk. Notes both in the file UNWIND_LOG where they are not the
 * same, and at exit how many there were and what they took (of the first thread, in cycles). */
#include "capture_thread.h"

#include "capture.h"
#include "format.h"
#include "unwind.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define DEPTH 16u
#define OWN_FRAMES 4u
#define PERIOD 97
#define LINE_BYTES 16384

void *__libc_malloc(size_t bytes);
void __libc_free(void *block);

static _Atomic unsigned calls, walks, frames, different;
static uint64_t cycles, captures;

static void log_line(const struct text *text)
{
    const char *path = getenv("UNWIND_LOG");
    int log = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (path == NULL)
        return;
    if (log < 0 || write(log, text->bytes, text->length) < 0)
        abort();
    close(log);
}

static void say_stack(struct text *text, const char *name, const struct depot_stack *stack)
{
    sg_text_string(text, name);
    for (size_t i = 0; i < stack->count; i++) {
        struct place place = {.module = "nowhere"};

        (void)!sg_unwind_place(stack->frames[i], &place);
        sg_text_string(text, " ");
        sg_text_string(text, place.module);
        sg_text_string(text, "+");
        sg_text_hex(text, place.offset);
    }
}

static void note_difference(const struct depot_stack *captured, const struct depot_stack *walked)
{
    static char line[LINE_BYTES];
    struct text text = sg_text_begin(line, sizeof(line) - 1);

    if (atomic_fetch_add(&different, 1) != 0)
        return; /* the first one of a process will do */
    sg_text_string(&text, "different");
    say_stack(&text, " captured:", captured);
    say_stack(&text, " walked:", walked);
    text.bytes[text.length++] = '\n';
    log_line(&text);
}

/* Without the frames of this library, which a capture leaves out. */
static uint32_t without_own(uintptr_t *found, size_t count)
{
    uint32_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct place place = {.is_own = false};

        (void)!sg_unwind_place(found[i], &place);
        if (!place.is_own && kept < DEPTH)
            found[kept++] = found[i];
    }
    return kept;
}

static __attribute__((noinline)) void compare(stack_id id)
{
    uintptr_t found[DEPTH + OWN_FRAMES];
    size_t count = sg_unwind(found, DEPTH + OWN_FRAMES, NULL);
    struct depot_stack walked = {.count = without_own(found, count), .frames = found};
    struct depot_stack captured = sg_depot_get(id);
    bool is_same = walked.count == captured.count;

    for (uint32_t i = 0; is_same && i < walked.count; i++)
        is_same = walked.frames[i] == captured.frames[i];
    if (!is_same)
        note_difference(&captured, &walked);
    atomic_fetch_add(&walks, 1);
    atomic_fetch_add(&frames, walked.count);
}

static uint64_t now_cycles(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

static inline __attribute__((always_inline)) void capture(void)
{
    uint64_t start = now_cycles();
    stack_id id = sg_capture(DEPTH);

    if (gettid() == getpid()) {
        cycles += now_cycles() - start;
        captures++;
    }
    if (atomic_fetch_add(&calls, 1) % PERIOD == PERIOD / 2)
        compare(id);
}

EXPORT void *malloc(size_t bytes)
{
    capture();
    return __libc_malloc(bytes);
}

EXPORT void free(void *block)
{
    capture();
    __libc_free(block);
}

static uint64_t hits_of_this_thread(void)
{
    struct capture_thread *thread = capture_enter((uintptr_t)__builtin_frame_address(0));
    uint64_t hits = thread == NULL ? 0 : thread->hits;

    if (thread != NULL)
        capture_leave(thread);
    return hits;
}

static __attribute__((destructor)) void at_exit(void)
{
    char line[256];
    struct text text = sg_text_begin(line, sizeof(line));
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {{"walks ", walks},
                 {" frames ", frames},
                 {" different ", different},
                 {" captures ", captures},
                 {" cycles ", cycles},
                 {" hits ", hits_of_this_thread()},
                 {" bytes ", sg_depot_bytes()}};

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        sg_text_string(&text, facts[i].name);
        sg_text_decimal(&text, facts[i].value);
    }
    sg_text_string(&text, "\n");
    log_line(&text);
}
