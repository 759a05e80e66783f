#include "report.h"

#include "format.h"
#include "os_file.h"
#include "os_thread.h"
#include "slot.h"

#include <stdlib.h>

#define LINE_BYTES 512

static const struct {
    const char *code;
    const char *title;
} titles[] = {
#define MISUSE(name, code, title) {code, title},
    MISUSES(MISUSE)
#undef MISUSE
};

static const char *const makers[SLOT_STATE_COUNT] = {
    [SLOT_LIVE_MALLOC] = "malloc",
    [SLOT_LIVE_ALIGNED] = "aligned_alloc",
    [SLOT_LIVE_SHRUNK] = "malloc",
    [SLOT_LIVE_NEW] = "new",
    [SLOT_LIVE_NEW_ARRAY] = "new[]",
    [SLOT_LIVE_NEW_ALIGNED] = "aligned new",
    [SLOT_LIVE_NEW_ARRAY_ALIGNED] = "aligned new[]",
};

static void say_prefix(struct text *text)
{
    sg_text_string(text, "spanguard[");
    sg_text_decimal(text, (uint64_t)sg_os_process_id());
    sg_text_string(text, "]: ");
}

static void say_line(struct text *text)
{
    text->bytes[text->length++] = '\n'; /* begin_line() keeps room for it */
    sg_os_write(OS_STDERR, text->bytes, text->length);
}

static struct text begin_line(char *buffer)
{
    struct text text = sg_text_begin(buffer, LINE_BYTES - 1);

    say_prefix(&text);
    return text;
}

static void say_class(struct text *text, const struct misuse *misuse)
{
    sg_text_string(text, " (class ");
    if (misuse->class == REPORT_CLASS_LARGE)
        sg_text_string(text, "large");
    else
        sg_text_decimal(text, misuse->class);
    sg_text_string(text, ")");
}

static void say_block(struct text *text, const struct misuse *misuse)
{
    sg_text_string(text, "the block at ");
    sg_text_hex(text, misuse->block);
    sg_text_string(text, " of ");
    sg_text_decimal(text, misuse->block_bytes);
    sg_text_string(text, " bytes");
}

static void say_interior(struct text *text, const struct misuse *misuse)
{
    sg_text_decimal(text, (uintptr_t)misuse->address - misuse->block);
    sg_text_string(text, " bytes inside the ");
    sg_text_string(text, slot_state_is_live(misuse->state) ? "live" : "free");
    sg_text_string(text, " block at ");
    sg_text_hex(text, misuse->block);
    sg_text_string(text, " of ");
    sg_text_decimal(text, misuse->block_bytes);
    sg_text_string(text, " bytes");
    say_class(text, misuse);
}

static void say_stated(struct text *text, const struct misuse *misuse)
{
    sg_text_string(text, "the block at ");
    sg_text_hex(text, misuse->block);
    sg_text_string(text, misuse->kind == MISUSE_SIZE ? " has " : " is not so aligned, it has ");
    sg_text_decimal(text, misuse->block_bytes);
    sg_text_string(text, " bytes");
    say_class(text, misuse);
}

static void say_observation(struct text *text, const struct misuse *misuse)
{
    switch (misuse->kind) {
    case MISUSE_DOUBLE_FREE:
        say_block(text, misuse);
        sg_text_string(text, " is already free");
        say_class(text, misuse);
        return;
    case MISUSE_STALE:
        sg_text_string(text, "no block is there any more, its memory was recycled");
        return;
    case MISUSE_INTERIOR:
    case MISUSE_UNALIGNED:
        say_interior(text, misuse);
        return;
    case MISUSE_FOREIGN:
        sg_text_string(text, "the address was never handed out by this allocator");
        return;
    case MISUSE_INTERFACE:
        say_block(text, misuse);
        sg_text_string(text, " was made by ");
        sg_text_string(text, makers[misuse->state]);
        say_class(text, misuse);
        return;
    case MISUSE_SIZE:
    case MISUSE_ALIGNMENT:
        say_stated(text, misuse);
        return;
    case MISUSE_CACHED_SLOT:
        sg_text_string(text, "the block at ");
        sg_text_hex(text, misuse->block);
        sg_text_string(text, " waits in a cache and is not free: freed by two threads at once, or"
                             " by a signal handler inside malloc");
        say_class(text, misuse);
        return;
    case MISUSE_REENTRY:
        sg_text_string(text, "a signal handler called it while it interrupted the allocator");
        return;
    }
}

static void say_call(struct text *text, const struct misuse *misuse)
{
    sg_text_string(text, misuse->function);
    if (misuse->kind != MISUSE_REENTRY && misuse->kind != MISUSE_CACHED_SLOT) {
        sg_text_string(text, "(");
        sg_text_hex(text, (uintptr_t)misuse->address);
        if (misuse->kind == MISUSE_SIZE || misuse->kind == MISUSE_ALIGNMENT) {
            sg_text_string(text, ", ");
            sg_text_decimal(text, misuse->stated);
        }
        sg_text_string(text, ")");
    }
    sg_text_string(text, ": ");
}

void sg_report_misuse(const struct misuse *misuse)
{
    char buffer[LINE_BYTES];
    struct text text = begin_line(buffer);

    sg_text_string(&text, titles[misuse->kind].code);
    sg_text_string(&text, " ");
    sg_text_string(&text, titles[misuse->kind].title);
    sg_text_string(&text, ": ");
    say_call(&text, misuse);
    say_observation(&text, misuse);
    say_line(&text);
    abort();
}

void sg_report_notice(const char *first, const char *second, const char *third)
{
    char buffer[LINE_BYTES];
    struct text text = begin_line(buffer);

    sg_text_string(&text, first);
    sg_text_string(&text, second);
    sg_text_string(&text, third);
    say_line(&text);
}

void sg_report_panic(const char *where, const char *text_of_panic)
{
    sg_report_notice(where, ": broken invariant: ", text_of_panic);
}
