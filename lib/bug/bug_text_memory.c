/* The bytes of the block, as a dump: what changed stands between > and <, what was accessed
 * between [ and ], and | is the edge of the block. */
#include "bug_memory.h"
#include "bug_screen.h"

#define ROW_BYTES 16
#define LABEL_COLUMNS 7 /* of +0x00 and two blanks */
#define ASCII_LAST (SCREEN_COLUMNS - ROW_BYTES - 3)

struct dump {
    struct screen *screen;
    const struct bug *bug;
    unsigned base; /* column of the mark in front of the first byte */
};

static bool has_access(const struct bug *bug)
{
    return bug->kind == BUG_FREED_FAULT || bug->kind == BUG_REALLOC_FAULT;
}

/* Unsigned inside: a line of JSON may say anything. */
static int64_t offset_of(const struct bug *bug, uint32_t i)
{
    return (int64_t)((uint64_t)bug->memory.offset + i);
}

static bool is_edge(const struct bug *bug, uint32_t i)
{
    int64_t offset = offset_of(bug, i);

    return bug->block.is_known &&
           (offset == (int64_t)bug->block.bytes || (offset == 0 && bug->memory.offset < 0));
}

static bool is_accessed(const struct bug *bug, uint32_t i)
{
    uint64_t distance = (uint64_t)offset_of(bug, i) - (uint64_t)bug->access_offset;

    return has_access(bug) && distance < bug->access_bytes;
}

/* What stands before byte i; rows open and close what goes on in the next one. */
static char mark_before(const struct bug *bug, uint32_t i, bool is_row_start, bool is_row_end)
{
    const struct bug_memory *memory = &bug->memory;
    bool was = !is_row_start && memory_is_changed(memory, i - 1);
    bool is = !is_row_end && memory_is_changed(memory, i);

    if (!is_row_end && is_edge(bug, i))
        return '|';
    if (was != is)
        return is ? '>' : '<';
    was = !is_row_start && is_accessed(bug, i - 1);
    is = !is_row_end && i < memory_count(memory) && is_accessed(bug, i);
    if (was != is)
        return is ? '[' : ']';
    return ' ';
}

static void put_char(struct screen *screen, char character)
{
    char string[2] = {character, '\0'};

    sg_screen_put(screen, string);
}

static void put_byte(struct dump *dump, uint32_t i)
{
    const struct bug_memory *memory = &dump->bug->memory;
    char digits[4] = "  ";
    struct text text = sg_text_begin(digits, sizeof(digits));

    if (i >= memory_count(memory))
        sg_text_string(&text, "  ");
    else if (!memory_is_readable(memory, i))
        sg_text_string(&text, "??");
    else
        sg_text_hex_digits(&text, memory->bytes[i], 2);
    if (memory_is_changed(memory, i))
        sg_screen_style(dump->screen, STYLE_RED);
    sg_screen_put(dump->screen, digits);
    sg_screen_style(dump->screen, STYLE_PLAIN);
}

/* Of what surrounds the block only what changed is shown: the rest is ours. */
static char ascii_of(const struct bug *bug, uint32_t i)
{
    const struct bug_memory *memory = &bug->memory;
    int64_t offset = offset_of(bug, i);
    bool is_inside = offset >= 0 && offset < (int64_t)bug->block.bytes;

    if (!memory_is_readable(memory, i) || (!is_inside && !memory_is_changed(memory, i)))
        return ' ';
    return memory->bytes[i] >= 0x20 && memory->bytes[i] < 0x7f ? (char)memory->bytes[i] : '.';
}

static void put_ascii(struct dump *dump, uint32_t first)
{
    unsigned column = dump->base + 3 * ROW_BYTES + 3;

    if (column > ASCII_LAST)
        return;
    sg_screen_pad(dump->screen, column);
    for (uint32_t i = first; i < first + ROW_BYTES; i++) {
        if (is_edge(dump->bug, i))
            put_char(dump->screen, '|');
        put_char(dump->screen, ascii_of(dump->bug, i));
    }
}

static void say_row_offset(struct text *text, int64_t offset)
{
    uint64_t distance = offset < 0 ? -(uint64_t)offset : (uint64_t)offset;

    sg_text_string(text, offset < 0 ? "-" : "+");
    if (distance > 0xff)
        return sg_text_hex(text, distance);
    sg_text_string(text, "0x");
    sg_text_hex_digits(text, distance, 2);
}

/* In the middle of a row there is one blank more, on the side where the mark does not point. */
static void put_mark(struct dump *dump, uint32_t i, uint32_t first)
{
    char mark = mark_before(dump->bug, i, i == first, false);
    bool is_middle = i == first + ROW_BYTES / 2;
    bool is_closing = mark == '<' || mark == ']';

    if (is_middle && !is_closing)
        put_char(dump->screen, ' ');
    put_char(dump->screen, mark);
    if (is_middle && is_closing)
        put_char(dump->screen, ' ');
}

static void put_row(struct dump *dump, uint32_t first)
{
    char label[32];
    struct text text = sg_text_begin(label, sizeof(label));

    say_row_offset(&text, offset_of(dump->bug, first));
    sg_screen_put(dump->screen, label);
    sg_screen_pad(dump->screen, dump->base);
    for (uint32_t i = first; i < first + ROW_BYTES; i++) {
        put_mark(dump, i, first);
        put_byte(dump, i);
    }
    put_char(dump->screen, mark_before(dump->bug, first + ROW_BYTES, false, true));
    put_ascii(dump, first);
}

static uint32_t first_of_note(const struct bug *bug)
{
    uint32_t i = 0;

    if (bug->kind == BUG_INTERIOR)
        return memory_index(&bug->memory, bug->access_offset);
    while (i < BUG_MEMORY_BYTES && !memory_is_changed(&bug->memory, i))
        i++;
    return i;
}

static bool shows(const struct bug *bug, int64_t edge)
{
    uint64_t distance = (uint64_t)edge - (uint64_t)bug->memory.offset;

    return bug->block.is_known && distance < memory_count(&bug->memory);
}

static void say_note(struct text *text, const struct bug *bug)
{
    if (bug->kind == BUG_INTERIOR) {
        sg_text_string(text, "passed to ");
        return sg_bug_say_call(text, bug->function);
    }
    sg_text_string(text, "was ");
    sg_text_hex_digits(text, bug->memory.expected, 2);
    if (bug->kind == BUG_FREED_WRITE || bug->kind == BUG_REALLOC_WRITE)
        sg_text_string(text, ", as all that is freed");
    else if (bug->kind == BUG_OVERFLOW && shows(bug, (int64_t)bug->block.bytes))
        sg_text_string(text, ", block ends at |");
    else if (bug->kind == BUG_UNDERFLOW && shows(bug, 0) && bug->memory.offset < 0)
        sg_text_string(text, ", block starts at |");
}

static void put_note(struct dump *dump, uint32_t i)
{
    char note[80];
    struct text text = sg_text_begin(note, sizeof(note));
    unsigned column = dump->base + 1 + 3 * (i % ROW_BYTES) + (i % ROW_BYTES >= ROW_BYTES / 2);
    unsigned width;

    say_note(&text, dump->bug);
    width = (unsigned)sg_bug_width(note);
    sg_screen_row(dump->screen, "");
    if (column + 2 + width <= SCREEN_COLUMNS) {
        sg_screen_pad(dump->screen, column);
        sg_screen_put(dump->screen, "^ ");
        return sg_screen_put(dump->screen, note);
    }
    sg_screen_pad(dump->screen, column - 1 - width);
    sg_screen_put(dump->screen, note);
    sg_screen_put(dump->screen, " ^");
}

static bool has_something(const struct bug_memory *memory, uint32_t first)
{
    for (uint32_t i = first; i < first + ROW_BYTES; i++)
        if (memory_is_readable(memory, i))
            return true;
    return false;
}

static unsigned base_of(const struct bug *bug)
{
    unsigned widest = LABEL_COLUMNS;

    for (uint32_t i = 0; i < memory_count(&bug->memory); i += ROW_BYTES) {
        char label[32];
        struct text text = sg_text_begin(label, sizeof(label));

        say_row_offset(&text, offset_of(bug, i));
        widest = text.length + 1 > widest ? (unsigned)text.length + 1 : widest;
    }
    return SCREEN_INDENT + widest;
}

void sg_screen_memory(struct screen *screen, const struct bug *bug)
{
    struct dump dump = {.screen = screen, .bug = bug, .base = base_of(bug)};
    uint32_t note = first_of_note(bug);
    const char *label = "memory";

    if (bug->is_memory_withheld) {
        sg_screen_row(screen, label);
        sg_screen_put(screen, "not shown: set-uid program");
    }
    for (uint32_t i = 0; i < memory_count(&bug->memory); i += ROW_BYTES) {
        if (!has_something(&bug->memory, i))
            continue;
        sg_screen_row(screen, label);
        label = "";
        put_row(&dump, i);
        if (note / ROW_BYTES == i / ROW_BYTES)
            put_note(&dump, note);
    }
}
