/* Stacks, in one line as a chain, or a line for each frame. */
#include "bug_screen.h"

#define FUNCTION_COLUMNS 36
#define PATH_COLUMNS 30
#define FRAME_LINES 4
#define SOURCE_ROOM 24 /* with less, the source line gets a line of its own */
#define PIECE_BYTES (4 * (FUNCTION_COLUMNS + PATH_COLUMNS + 48))
#define MORE_COLUMNS 6 /* of " < ..." */

static bool is_start_code(const struct bug_frame *frame)
{
    return sg_bug_is(frame->function, "start_thread") ||
           sg_bug_is(frame->function, "__libc_start_call_main");
}

uint32_t sg_screen_frame_count(const struct bug_stack *stack)
{
    uint32_t all = stack->count < BUG_FRAMES ? stack->count : BUG_FRAMES;
    uint32_t count = 0;

    while (count < all && !(count > 0 && is_start_code(&stack->frames[count])))
        if (sg_bug_is(stack->frames[count++].function, "main"))
            break;
    return count;
}

static void say_function(struct text *text, const struct bug_frame *frame)
{
    if (frame->function != NULL && frame->function[0] != '\0')
        sg_bug_say_head(text, frame->function, FUNCTION_COLUMNS);
}

static void say_location(struct text *text, const struct bug *bug, const struct bug_frame *frame)
{
    if (frame->file == NULL || frame->file[0] == '\0')
        return sg_bug_say_place(text, bug, frame);
    sg_bug_say_tail(text, sg_bug_short_path(frame->file), PATH_COLUMNS);
    if (frame->line == 0)
        return;
    sg_text_string(text, ":");
    sg_text_decimal(text, frame->line);
}

static void say_frame(struct text *text, const struct bug *bug, const struct bug_frame *frame)
{
    say_function(text, frame);
    if (text->length > 0)
        sg_text_string(text, " ");
    say_location(text, bug, frame);
}

/* Room that a frame may take on this line, if `is_last` says that there will be no other line. */
static bool fits(const struct screen *screen, size_t width, bool is_last)
{
    return width + (is_last ? MORE_COLUMNS : 0) <= sg_screen_room(screen);
}

void sg_screen_chain(struct screen *screen, const struct bug *bug, const struct bug_stack *stack,
                     unsigned lines)
{
    uint32_t count = sg_screen_frame_count(stack);

    if (count == 0)
        sg_screen_put(screen, "(stack not recorded)");
    for (uint32_t i = 0; i < count; i++) {
        char piece[PIECE_BYTES];
        struct text text = sg_text_begin(piece, sizeof(piece));
        size_t width;

        say_frame(&text, bug, &stack->frames[i]);
        width = sg_bug_width(piece) + (i > 0 ? 3 : 0);
        if (!fits(screen, width, lines == 1 && i + 1 < count) && lines > 1) {
            sg_screen_row(screen, "");
            lines--;
        } else if (i > 0 && !fits(screen, width, lines == 1 && i + 1 < count)) {
            return sg_screen_put(screen, " < ...");
        }
        if (i > 0)
            sg_screen_put(screen, screen->column == SCREEN_INDENT ? "< " : " < ");
        sg_screen_put(screen, piece);
    }
}

struct columns {
    unsigned location, source; /* where these begin */
};

static struct columns measure(const struct bug *bug, uint32_t count)
{
    unsigned functions = 0, locations = 0;

    for (uint32_t i = 0; i < count; i++) {
        char piece[PIECE_BYTES];
        struct text text = sg_text_begin(piece, sizeof(piece));
        unsigned width;

        say_function(&text, &bug->at.frames[i]);
        width = (unsigned)sg_bug_width(piece);
        functions = width > functions ? width : functions;
        text = sg_text_begin(piece, sizeof(piece));
        say_location(&text, bug, &bug->at.frames[i]);
        width = (unsigned)sg_bug_width(piece);
        locations = width > locations ? width : locations;
    }
    functions += functions > 0 ? 2 : 0;
    return (struct columns){.location = SCREEN_INDENT + functions,
                            .source = SCREEN_INDENT + functions + locations + 4};
}

static void put_source(struct screen *screen, const char *source, struct columns columns)
{
    size_t width = sg_bug_width(source);

    if (columns.source + (width < SOURCE_ROOM ? width : SOURCE_ROOM) > SCREEN_COLUMNS) {
        sg_screen_row(screen, "");
        sg_screen_put(screen, "    ");
    } else {
        sg_screen_pad(screen, columns.source);
    }
    sg_screen_style(screen, STYLE_BOLD);
    sg_screen_put(screen, source);
    sg_screen_style(screen, STYLE_PLAIN);
}

static void put_frame(struct screen *screen, const struct bug *bug, const struct bug_frame *frame,
                      struct columns columns)
{
    char piece[PIECE_BYTES];
    struct text text = sg_text_begin(piece, sizeof(piece));

    say_function(&text, frame);
    sg_screen_put(screen, piece);
    if (columns.location > screen->column)
        sg_screen_pad(screen, columns.location);
    text = sg_text_begin(piece, sizeof(piece));
    say_location(&text, bug, frame);
    sg_screen_put(screen, piece);
}

static void put_more(struct screen *screen, uint32_t more)
{
    char piece[48];
    struct text text = sg_text_begin(piece, sizeof(piece));

    if (more == 0)
        return;
    sg_text_string(&text, " < ");
    sg_text_decimal(&text, more);
    sg_text_string(&text, " more");
    sg_screen_put(screen, piece);
}

static uint32_t first_with_source(const struct bug_stack *stack, uint32_t count)
{
    uint32_t i = 0;

    while (i < count && (stack->frames[i].source == NULL || stack->frames[i].source[0] == '\0'))
        i++;
    return i;
}

void sg_screen_frames(struct screen *screen, const struct bug *bug)
{
    uint32_t all = sg_screen_frame_count(&bug->at);
    uint32_t count = all < FRAME_LINES ? all : FRAME_LINES;
    uint32_t sourced = first_with_source(&bug->at, count);
    struct columns columns = measure(bug, count);

    if (count == 0)
        sg_screen_put(screen, "(stack not recorded)");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            sg_screen_row(screen, "");
        put_frame(screen, bug, &bug->at.frames[i], columns);
        if (i + 1 == count)
            put_more(screen, all - count);
        if (i == sourced)
            put_source(screen, bug->at.frames[i].source, columns);
    }
}
