/* The reply. It comes from another process, so that anything may stand there: what does not read
 * as lib/command/symbolize.h says ends it. */
#include "symbols_printable.h"
#include "symbols_query.h"

#define FIELDS 5
#define STRING_BYTES 256

struct field {
    const char *bytes;
    size_t length;
};

struct line {
    struct field word;
    struct field fields[FIELDS]; /* those that are not there are empty */
    size_t bytes;                /* with its end */
};

/* False: no whole line is left. */
static bool read_line(const struct symbols_work *work, uint32_t at, struct line *ret_line)
{
    struct line line = {0};
    struct field *field = &line.word;
    uint32_t i = at;

    field->bytes = work->reply + at;
    for (; i < work->reply_bytes && work->reply[i] != '\n'; i++) {
        if (work->reply[i] != '\t') {
            field->length++;
            continue;
        }
        if (field == &line.fields[FIELDS - 1])
            return false;
        field = field == &line.word ? line.fields : field + 1;
        field->bytes = work->reply + i + 1;
    }
    line.bytes = i + 1 - at;
    *ret_line = line;
    return i < work->reply_bytes;
}

static bool is_word(const struct line *line, const char *word)
{
    size_t length = __builtin_strlen(word);

    return line->word.length == length && __builtin_memcmp(line->word.bytes, word, length) == 0;
}

/* Finds where the answer of each query lies. */
static bool index_answers(struct symbols_work *work)
{
    uint32_t query = 0, at = 0, first = 0, lines = 0;
    bool is_any = false;
    struct line line;

    while (query < work->query_count && read_line(work, at, &line)) {
        at += (uint32_t)line.bytes;
        if (is_word(&line, ".")) {
            work->queries[query].answer = first;
            work->queries[query++].lines = lines;
            is_any |= lines > 0;
            first = at;
            lines = 0;
        } else if (is_word(&line, work->queries[query].is_data ? "name" : "frame")) {
            lines++;
        } else {
            break;
        }
    }
    return is_any;
}

static uint32_t number_of(struct field field)
{
    uint32_t value = 0;

    if (field.length > 9)
        return 0;
    for (size_t i = 0; i < field.length; i++) {
        if (field.bytes[i] < '0' || field.bytes[i] > '9')
            return 0;
        value = value * 10 + (uint32_t)(field.bytes[i] - '0');
    }
    return value;
}

static int digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static size_t unescape(struct field field, char raw[STRING_BYTES])
{
    size_t length = 0;

    for (size_t i = 0; i < field.length && length < STRING_BYTES; i++) {
        char byte = field.bytes[i];

        if (byte == '%' && i + 2 < field.length && digit_of(field.bytes[i + 1]) >= 0 &&
            digit_of(field.bytes[i + 2]) >= 0) {
            byte = (char)(digit_of(field.bytes[i + 1]) << 4 | digit_of(field.bytes[i + 2]));
            i += 2;
        }
        raw[length++] = byte;
    }
    return length;
}

/* NULL for an empty field, and when there is no room left. The same string is kept once: frames of
 * one file are many. */
static const char *string_of(struct bug *bug, struct field field)
{
    char raw[STRING_BYTES], printable[STRING_BYTES];
    struct text text = sg_text_begin(printable, sizeof(printable));
    const char *kept;

    sg_symbols_put_printable(&text, raw, unescape(field, raw));
    if (text.length == 0)
        return NULL;
    for (size_t at = 0; at < bug->string_bytes; at += __builtin_strlen(&bug->strings[at]) + 1)
        if (__builtin_strcmp(&bug->strings[at], printable) == 0)
            return &bug->strings[at];
    kept = sg_bug_keep(bug, printable, text.length);
    return kept[0] == '\0' ? NULL : kept;
}

static struct bug_frame read_frame(struct bug *bug, const struct line *line,
                                   const struct bug_frame *frame)
{
    struct bug_frame result = *frame;

    result.line = number_of(line->fields[0]);
    result.column = number_of(line->fields[1]);
    result.function = string_of(bug, line->fields[2]);
    result.file = string_of(bug, line->fields[3]);
    result.source = string_of(bug, line->fields[4]);
    return result;
}

static void answer_stack(struct bug *bug, struct symbols_work *work, struct bug_stack *stack)
{
    struct bug_stack *before = &work->before;
    struct line line;

    __builtin_memcpy(before, stack, sizeof(*before));
    stack->count = 0;
    for (uint32_t i = 0; i < before->count && i < BUG_FRAMES; i++) {
        const struct bug_frame *frame = &before->frames[i];
        const struct symbols_query *query =
            frame->function == NULL ? sg_symbols_query_of(work, frame) : NULL;
        uint32_t lines = query == NULL ? 0 : query->lines;
        uint32_t at = lines == 0 ? 0 : query->answer;

        if (lines == 0 && stack->count < BUG_FRAMES)
            stack->frames[stack->count++] = *frame;
        for (; lines > 0 && stack->count < BUG_FRAMES && read_line(work, at, &line); lines--) {
            stack->frames[stack->count] = read_frame(bug, &line, frame);
            stack->frames[stack->count++].is_inlined = lines > 1;
            at += (uint32_t)line.bytes;
        }
    }
}

bool sg_symbols_answer(struct bug *bug, struct symbols_work *work)
{
    const struct symbols_query *last = &work->queries[work->query_count - 1];
    struct line line;
    const char *name;

    if (!index_answers(work))
        return false;
    sg_symbols_each_stack(bug, work, answer_stack);
    if (last->is_data && last->lines > 0 && read_line(work, last->answer, &line)) {
        name = string_of(bug, line.fields[0]);
        bug->place_name = name == NULL ? bug->place_name : name;
    }
    return true;
}
