/* Leaks: the largest first, a row for each place that allocated them. */
#include "bug_screen.h"

#define LEAK_ROWS BUG_LEAKS

static void put_right(struct screen *screen, const char *words, unsigned column)
{
    unsigned width = (unsigned)sg_bug_width(words);

    if (screen->column + width < column)
        sg_screen_pad(screen, column - width);
    sg_screen_put(screen, words);
}

static void put_amounts(struct screen *screen, const struct bug_leak *leak)
{
    char words[64];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_bug_say_count(&text, leak->bytes);
    sg_text_string(&text, " B");
    put_right(screen, words, SCREEN_INDENT + 12);
    text = sg_text_begin(words, sizeof(words));
    sg_text_string(&text, " ");
    sg_bug_say_count(&text, leak->blocks);
    sg_text_string(&text, leak->blocks == 1 ? " block " : " blocks");
    put_right(screen, words, SCREEN_INDENT + 25);
    sg_screen_put(screen, "   ");
}

static void put_leak(struct screen *screen, const struct bug *bug, uint32_t i)
{
    static const char held[] = "(held by another)";
    char number[16];
    struct text text = sg_text_begin(number, sizeof(number));

    sg_text_decimal(&text, i + 1);
    sg_screen_row(screen, number);
    put_amounts(screen, &bug->leaks[i]);
    sg_screen_chain(screen, bug, &bug->leaks[i].stack, 1);
    if (!bug->leaks[i].is_indirect)
        return;
    if (sizeof(held) + 1 > sg_screen_room(screen))
        sg_screen_row(screen, "");
    else
        sg_screen_put(screen, "  ");
    sg_screen_put(screen, held);
}

static void put_rest(struct screen *screen, const struct bug *bug, uint32_t shown)
{
    char words[160];
    struct text text = sg_text_begin(words, sizeof(words));

    if (bug->leak_places > shown) {
        sg_screen_row(screen, "");
        sg_text_string(&text, "and from ");
        sg_bug_say_count(&text, bug->leak_places - shown);
        sg_text_string(&text, bug->leak_places - shown == 1 ? " more place" : " more places");
        sg_screen_put(screen, words);
    }
    if (bug->reachable_blocks == 0)
        return;
    text = sg_text_begin(words, sizeof(words));
    sg_text_string(&text, "  not counted: ");
    sg_bug_say_bytes(&text, bug->reachable_bytes);
    sg_text_string(&text, bug->reachable_blocks == 1 ? " in 1 block" : " in ");
    if (bug->reachable_blocks != 1) {
        sg_bug_say_count(&text, bug->reachable_blocks);
        sg_text_string(&text, " blocks");
    }
    sg_text_string(&text, " still reachable");
    sg_screen_end_line(screen);
    sg_screen_put(screen, words);
}

/* The name that a suppression would match: function, else file. */
static void put_silence(struct screen *screen, const struct bug *bug)
{
    const struct bug_frame *frame = &bug->leaks[0].stack.frames[0];
    char words[96];
    struct text text = sg_text_begin(words, sizeof(words));

    if (bug->leak_count == 0 || bug->leaks[0].stack.count == 0 || frame->function == NULL ||
        frame->function[0] == '\0')
        return;
    sg_screen_row(screen, "silence");
    sg_text_string(&text, "leak:");
    sg_bug_say_head(&text, frame->function, 32);
    sg_text_string(&text, "   a line of the file SPANGUARD_SUPPRESSIONS");
    sg_screen_put(screen, words);
}

void sg_screen_leaks(struct screen *screen, const struct bug *bug)
{
    uint32_t count = bug->leak_count < LEAK_ROWS ? bug->leak_count : LEAK_ROWS;

    for (uint32_t i = 0; i < count; i++)
        put_leak(screen, bug, i);
    put_rest(screen, bug, count);
    put_silence(screen, bug);
}
