/* Preloaded into a program: walks the stack in one of 97 calls of malloc, once by our unwinder
 * and once by libgcc's, and notes both in the file UNWIND_LOG where they are not the same.
 *
 * Ours may go on where libgcc's ends: into callers of code that has no tables. */
#include "format.h"
#include "unwind.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct _Unwind_Context;
int _Unwind_Backtrace(int (*see)(struct _Unwind_Context *, void *), void *opaque);
uintptr_t _Unwind_GetIP(struct _Unwind_Context *context);

enum { GO_ON = 0, END_OF_STACK = 5 };

#define FRAMES 100
#define PERIOD 97
#define LINE_BYTES 16384

void *__libc_malloc(size_t bytes);

struct seen {
    uintptr_t frames[FRAMES];
    size_t count;
};

static _Atomic unsigned calls, walks, frames, longer, different;
static _Atomic uint64_t our_ns, their_ns;
static __thread bool is_walking;

static int see(struct _Unwind_Context *context, void *opaque)
{
    struct seen *seen = opaque;
    uintptr_t pc = _Unwind_GetIP(context);

    if (pc == 0 || seen->count == FRAMES)
        return END_OF_STACK;
    seen->frames[seen->count++] = pc;
    return GO_ON;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void log_line(const struct text *text)
{
    const char *path = getenv("UNWIND_LOG");
    int log = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (log < 0 || write(log, text->bytes, text->length) < 0)
        abort();
    close(log);
}

static void say_walk(struct text *text, const char *name, const struct seen *seen)
{
    sg_text_string(text, name);
    for (size_t i = 0; i < seen->count; i++) {
        struct place place = {.module = "nowhere"};

        (void)!sg_unwind_place(seen->frames[i], &place);
        sg_text_string(text, " ");
        sg_text_string(text, place.module);
        sg_text_string(text, "+");
        sg_text_hex(text, place.offset);
    }
}

static void note_difference(const struct seen *ours, const struct seen *theirs)
{
    static char line[LINE_BYTES];
    struct text text = sg_text_begin(line, sizeof(line) - 1);

    if (atomic_fetch_add(&different, 1) != 0)
        return; /* the first one of a process will do */
    sg_text_string(&text, "different");
    say_walk(&text, " ours:", ours);
    say_walk(&text, " theirs:", theirs);
    text.bytes[text.length++] = '\n';
    log_line(&text);
}

static bool is_same(const struct seen *ours, const struct seen *theirs)
{
    /* The first frame is the same function, at its two calls. */
    return ours->count >= theirs->count && memcmp(ours->frames + 1, theirs->frames + 1,
                                                  (theirs->count - 1) * sizeof(uintptr_t)) == 0;
}

static __attribute__((noinline)) void walk(void)
{
    static __thread struct seen ours, theirs;
    uint64_t start = now_ns(), middle;

    ours.count = sg_unwind(ours.frames, FRAMES, NULL);
    middle = now_ns();
    theirs.count = 0;
    _Unwind_Backtrace(see, &theirs);
    atomic_fetch_add(&their_ns, now_ns() - middle);
    atomic_fetch_add(&our_ns, middle - start);
    atomic_fetch_add(&walks, 1);
    atomic_fetch_add(&frames, (unsigned)ours.count);
    if (!is_same(&ours, &theirs))
        note_difference(&ours, &theirs);
    else if (ours.count > theirs.count)
        atomic_fetch_add(&longer, 1);
}

EXPORT void *malloc(size_t bytes)
{
    if (atomic_fetch_add(&calls, 1) % PERIOD == PERIOD / 2 && !is_walking) {
        is_walking = true;
        walk();
        is_walking = false;
    }
    return __libc_malloc(bytes);
}

static __attribute__((destructor)) void at_exit(void)
{
    char line[256];
    struct text text = sg_text_begin(line, sizeof(line));
    const struct {
        const char *name;
        uint64_t value;
    } facts[] = {{"walks ", walks},          {" frames ", frames}, {" longer ", longer},
                 {" different ", different}, {" our_ns ", our_ns}, {" their_ns ", their_ns}};

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        sg_text_string(&text, facts[i].name);
        sg_text_decimal(&text, facts[i].value);
    }
    sg_text_string(&text, "\n");
    log_line(&text);
}
