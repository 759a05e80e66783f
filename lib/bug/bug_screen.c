#include "bug_screen.h"

#define DOTS 3

struct screen sg_screen_begin(struct text *text, bool has_colour)
{
    return (struct screen){.text = text, .has_colour = has_colour, .last_fit = text->length};
}

static bool is_full(const struct screen *screen)
{
    return screen->is_cut || screen->lines >= SCREEN_LINES;
}

static void cut(struct screen *screen)
{
    screen->text->length = screen->last_fit;
    sg_text_string(screen->text, "...");
    screen->is_cut = true;
    screen->column = SCREEN_COLUMNS;
}

void sg_screen_put(struct screen *screen, const char *string)
{
    size_t length = __builtin_strlen(string);
    size_t count;

    for (size_t i = 0; i < length && !is_full(screen); i += count) {
        count = sg_bug_glyph(string + i, length - i);
        if (screen->column == SCREEN_COLUMNS)
            return cut(screen);
        sg_text_bytes(screen->text, count > 0 ? string + i : "?", count > 0 ? count : 1);
        count += count == 0;
        if (++screen->column <= SCREEN_COLUMNS - DOTS)
            screen->last_fit = screen->text->length;
    }
}

void sg_screen_style(struct screen *screen, enum screen_style style)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[31m", "\033[2m"};

    if (!screen->has_colour || is_full(screen) || (style == STYLE_PLAIN && !screen->is_styled))
        return;
    sg_text_string(screen->text, codes[style]);
    screen->is_styled = style != STYLE_PLAIN;
    if (screen->column <= SCREEN_COLUMNS - DOTS)
        screen->last_fit = screen->text->length;
}

void sg_screen_pad(struct screen *screen, unsigned column)
{
    do
        sg_screen_put(screen, " ");
    while (screen->column < column && !is_full(screen));
}

unsigned sg_screen_room(const struct screen *screen)
{
    return is_full(screen) ? 0 : SCREEN_COLUMNS - screen->column;
}

static void trim(struct text *text)
{
    while (text->length > 0 && text->bytes[text->length - 1] == ' ')
        text->bytes[--text->length] = '\0';
}

void sg_screen_end_line(struct screen *screen)
{
    if (screen->column == 0)
        return;
    trim(screen->text);
    if (screen->has_colour && (screen->is_styled || screen->is_cut))
        sg_text_string(screen->text, "\033[0m");
    sg_text_string(screen->text, "\n");
    screen->lines++;
    screen->column = 0;
    screen->is_cut = screen->is_styled = false;
    screen->last_fit = screen->text->length;
}

void sg_screen_row(struct screen *screen, const char *label)
{
    sg_screen_end_line(screen);
    sg_screen_put(screen, "  ");
    sg_screen_style(screen, STYLE_DIM);
    sg_screen_put(screen, label);
    sg_screen_style(screen, STYLE_PLAIN);
    sg_screen_pad(screen, SCREEN_INDENT);
}

/* Bytes up to the next blank. */
static size_t word_length(const char *string)
{
    size_t length = 0;

    while (string[length] != '\0' && string[length] != ' ')
        length++;
    return length;
}

static size_t word_width(const char *string, size_t length)
{
    size_t width = 0;

    for (size_t i = 0; i < length; width++) {
        size_t glyph = sg_bug_glyph(string + i, length - i);

        i += glyph > 0 ? glyph : 1;
    }
    return width;
}

static void put_word(struct screen *screen, const char *word, size_t length)
{
    char copy[SCREEN_COLUMNS * 4 + 1];
    struct text text = sg_text_begin(copy, sizeof(copy));

    sg_text_bytes(&text, word, length);
    sg_screen_put(screen, copy);
}

void sg_screen_wrap(struct screen *screen, const char *string, unsigned more)
{
    while (*string != '\0') {
        size_t length = word_length(string);

        if (word_width(string, length) > sg_screen_room(screen) && more > 0) {
            more--;
            sg_screen_row(screen, "");
        }
        put_word(screen, string, length);
        string += length;
        if (*string == ' ' && *++string != '\0')
            sg_screen_put(screen, " ");
    }
}
