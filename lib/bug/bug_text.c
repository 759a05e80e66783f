/* The report for people: one screen, the whole story in its first line. */
#include "bug_screen.h"

#define CODE_COLUMN 75
#define EVENT_LINES 2 /* of a stack in one row */
#define LIKELY_BYTES 512

static void put_headline(struct screen *screen, const struct bug *bug)
{
    char line[256], whole[SCREEN_COLUMNS * 4], code[16];
    struct text text = sg_text_begin(line, sizeof(line));
    struct text fitted = sg_text_begin(whole, sizeof(whole));
    struct text last = sg_text_begin(code, sizeof(code));

    sg_text_string(&last, "[");
    sg_text_string(&last, sg_bug_code(bug->kind));
    sg_text_string(&last, "]");
    sg_text_string(&text, "spanguard: ");
    sg_bug_say_headline(&text, bug);
    sg_bug_say_head(&fitted, line, SCREEN_COLUMNS - last.length - 1);
    sg_screen_style(screen, STYLE_BOLD);
    sg_screen_put(screen, whole);
    sg_screen_pad(screen, CODE_COLUMN);
    sg_screen_put(screen, code);
    sg_screen_style(screen, STYLE_PLAIN);
}

static void say_late(struct text *text, const struct bug *bug)
{
    sg_text_string(text, "late: ");
    sg_bug_say_head(text, bug->found != NULL ? bug->found : "after the fact", 48);
    if (bug->kind == BUG_FREED_WRITE && bug->frees_since > 0) {
        sg_text_string(text, ", ");
        sg_bug_say_count(text, bug->frees_since);
        sg_text_string(text, bug->frees_since == 1 ? " free" : " frees");
        sg_text_string(text, " after its own");
    }
    if (bug->kind == BUG_UNDERFLOW && bug->access_offset < 0) {
        sg_text_string(text, "; first bad byte is ");
        sg_bug_say_signed(text, bug->access_offset);
    }
    if (bug->at.count > 0)
        sg_text_string(text, ", in");
}

static void put_place(struct screen *screen, const struct bug *bug)
{
    char words[256];
    struct text text = sg_text_begin(words, sizeof(words));

    if (!bug->is_late) {
        sg_screen_row(screen, bug->kind == BUG_DOUBLE_FREE ? "2nd free" : "at");
        return sg_screen_frames(screen, bug);
    }
    sg_screen_row(screen, "found");
    say_late(&text, bug);
    sg_screen_wrap(screen, words, 1);
    if (bug->at.count > 0) {
        sg_screen_put(screen, "  ");
        sg_screen_chain(screen, bug, &bug->at, EVENT_LINES);
    }
}

static void comma(struct text *text)
{
    if (text->length > 0)
        sg_text_string(text, ", ");
}

static void say_thread(struct text *text, const struct bug *bug, const struct bug_event *event)
{
    if (event->thread == 0 || bug->thread == 0)
        return;
    comma(text);
    if (event->thread == bug->thread)
        return sg_text_string(text, "same thread");
    sg_text_string(text, "by thread ");
    sg_text_decimal(text, event->thread);
    sg_text_string(text, " (now: thread ");
    sg_text_decimal(text, bug->thread);
    sg_text_string(text, ")");
}

/* On the same line if it fits, else on one of its own. */
static void put_aside(struct screen *screen, const char *words)
{
    if (words[0] == '\0')
        return;
    if (sg_bug_width(words) + 3 > sg_screen_room(screen))
        sg_screen_row(screen, "");
    else
        sg_screen_put(screen, "   ");
    sg_screen_put(screen, words);
}

/* Times of an event that was not recorded are not there either, whatever the field holds. */
static bool has_time(const struct bug_event *event)
{
    return event->function != NULL && event->microseconds != UINT64_MAX;
}

static void put_event(struct screen *screen, const struct bug *bug, const struct bug_event *event)
{
    char words[160];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_screen_chain(screen, bug, &event->stack, EVENT_LINES);
    if (has_time(event)) {
        sg_bug_say_time(&text, event->microseconds);
        sg_text_string(&text, " before");
    }
    say_thread(&text, bug, event);
    put_aside(screen, words);
}

static void put_freed(struct screen *screen, const struct bug *bug)
{
    const struct bug_event *ended = &bug->block.ended;

    if (!bug->block.is_freed)
        return;
    sg_screen_row(screen, bug->kind == BUG_DOUBLE_FREE ? "1st free" : "freed");
    put_event(screen, bug, ended);
}

static void say_site(struct text *text, const struct bug *bug, const struct bug_block *block)
{
    const struct bug_frame *frame = &block->made.stack.frames[0];

    if (block->site_ordinal == 0 || block->made.stack.count == 0)
        return;
    comma(text);
    sg_text_string(text, "@");
    if (frame->function != NULL && frame->function[0] != '\0')
        sg_bug_say_head(text, frame->function, 30);
    else
        sg_bug_say_place(text, bug, frame);
    sg_text_string(text, "#");
    sg_text_decimal(text, block->site_ordinal);
}

static void say_age(struct text *text, const struct bug_block *block)
{
    if (!has_time(&block->made))
        return;
    if (!block->is_freed) {
        comma(text);
        sg_bug_say_time(text, block->made.microseconds);
        return sg_text_string(text, " old");
    }
    if (!has_time(&block->ended) || block->ended.microseconds > block->made.microseconds)
        return;
    sg_text_string(text, text->length > 0 ? ", lived " : "lived ");
    sg_bug_say_time(text, block->made.microseconds - block->ended.microseconds);
}

static void put_history(struct screen *screen, const struct bug *bug, const struct bug_block *block)
{
    char words[256];
    struct text text = sg_text_begin(words, sizeof(words));

    if (block->made.sequence != 0) {
        sg_text_string(&text, "allocation ");
        sg_bug_say_count(&text, block->made.sequence);
    }
    say_site(&text, bug, block);
    say_age(&text, block);
    say_thread(&text, bug, &block->made);
    put_aside(screen, words);
}

static void put_block(struct screen *screen, const struct bug *bug, const struct bug_block *block)
{
    char words[96];
    struct text text = sg_text_begin(words, sizeof(words));
    const char *maker = block->made.function;

    sg_bug_say_bytes(&text, block->bytes);
    sg_text_string(&text, ", ");
    if (maker == NULL || sg_bug_is(maker, "malloc"))
        sg_text_string(&text, "allocated");
    else
        sg_bug_say_head(&text, maker, 32);
    sg_text_string(&text, " by  ");
    sg_screen_put(screen, words);
    sg_screen_chain(screen, bug, &block->made.stack, EVENT_LINES);
}

static bool is_moved(const struct bug *bug)
{
    return bug->kind == BUG_REALLOC_FAULT || bug->kind == BUG_REALLOC_WRITE;
}

static void put_moved(struct screen *screen, const struct bug *bug)
{
    char words[96];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_screen_row(screen, "moved");
    if (bug->moved_bytes == 0) { /* not known any more */
        sg_text_string(&text, "realloc of ");
        sg_bug_say_bytes(&text, bug->block.bytes);
    } else {
        sg_text_string(&text, "realloc ");
        sg_bug_say_count(&text, bug->block.bytes);
        sg_text_string(&text, " -> ");
        sg_bug_say_bytes(&text, bug->moved_bytes);
    }
    sg_text_string(&text, " by  ");
    sg_screen_put(screen, words);
    put_event(screen, bug, &bug->moved);
}

static void put_blocks(struct screen *screen, const struct bug *bug)
{
    if (is_moved(bug))
        put_moved(screen, bug);
    else
        put_freed(screen, bug);
    if (bug->block.is_known) {
        sg_screen_row(screen, "block");
        put_block(screen, bug, &bug->block);
        put_history(screen, bug, &bug->block);
    }
    if (bug->owner.is_known) {
        sg_screen_row(screen, "owner");
        put_block(screen, bug, &bug->owner);
        put_aside(screen, bug->owner.is_freed ? "freed again" : "still in use");
    }
}

static void put_address(struct screen *screen, const struct bug *bug)
{
    char words[32];
    struct text text = sg_text_begin(words, sizeof(words));

    if (bug->kind != BUG_FOREIGN)
        return;
    sg_screen_row(screen, "address");
    sg_text_hex(&text, bug->address);
    sg_screen_put(screen, bug->address == 0 ? "not shown" : words);
    if (bug->place == BUG_PLACE_STACK)
        sg_screen_put(screen, bug->place_thread != 0 ? ", in the stack of this thread"
                              : bug->thread != 0     ? ", in the stack of another thread"
                                                     : ", in a stack");
}

static void put_likely(struct screen *screen, const struct bug *bug)
{
    char words[LIKELY_BYTES];
    struct text text = sg_text_begin(words, sizeof(words));

    if (!sg_bug_say_likely(&text, bug))
        return;
    sg_screen_row(screen, "likely");
    sg_screen_wrap(screen, words, 1);
}

static void put_pointers(struct screen *screen, const struct bug *bug)
{
    char words[96];
    struct text text = sg_text_begin(words, sizeof(words));

    if (bug->pointers_left == 0)
        return;
    sg_screen_row(screen, "still");
    sg_bug_say_count(&text, bug->pointers_left);
    sg_text_string(&text, bug->pointers_left == 1 ? " word on this thread's stack points into it"
                                                  : " words on this thread's stack point into it");
    sg_screen_put(screen, words);
}

static void put_id(struct screen *screen, const struct bug *bug)
{
    char words[256];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_screen_row(screen, "id");
    sg_text_hex_digits(&text, bug->id, 8);
    sg_text_string(&text, "   ");
    sg_bug_say_head(&text, bug->program != NULL ? bug->program : "program", 24);
    sg_text_string(&text, "[");
    sg_bug_say_signed(&text, bug->process);
    sg_text_string(&text, "], profile ");
    sg_bug_say_head(&text, bug->profile != NULL ? bug->profile : "debug", 16);
    if (bug->same_as != 0) {
        sg_text_string(&text, ", same block as ");
        sg_text_hex_digits(&text, bug->same_as, 8);
    }
    sg_screen_put(screen, words);
}

void sg_bug_say_text(struct text *text, const struct bug *bug, bool colour)
{
    struct screen screen = sg_screen_begin(text, colour);

    put_headline(&screen, bug);
    if (bug->kind == BUG_LEAK) {
        sg_screen_leaks(&screen, bug);
    } else {
        put_place(&screen, bug);
        put_address(&screen, bug);
        put_blocks(&screen, bug);
        put_pointers(&screen, bug);
        sg_screen_memory(&screen, bug);
        put_likely(&screen, bug);
    }
    sg_screen_next(&screen, bug);
    put_id(&screen, bug);
    sg_screen_end_line(&screen);
}
