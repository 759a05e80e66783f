/* Rules that look at the bytes that were written where none should be. */
#include "bug_memory.h"
#include "bug_rules.h"

#define RUN_LEAST 4        /* equal bytes that are a run... */
#define RUN_LEAST_PLAIN 16 /* ...of 00 or ff, of which a single number may consist */
#define TEXT_LEAST 4       /* characters that are a text */
#define POINTER_BYTES 8
#define ADDRESS_LEAST (1ull << 32) /* programs, their heaps and stacks lie above that... */
#define ADDRESS_BOUND (1ull << 47) /* ...and below this */

/* The changed bytes that are in one piece, from the first on. */
struct run {
    uint32_t first, count;
    int64_t offset; /* of the first, from the start of the block */
};

static struct run changed_run(const struct bug *bug)
{
    const struct bug_memory *memory = &bug->memory;
    struct run run = {0};

    while (run.first < BUG_MEMORY_BYTES && !memory_is_changed(memory, run.first))
        run.first++;
    while (memory_is_changed(memory, run.first + run.count))
        run.count++;
    run.offset = (int64_t)((uint64_t)memory->offset + run.first);
    return run;
}

/* True if the run is all that was changed; more may have been, out of sight. */
static bool is_all(const struct bug *bug, struct run run)
{
    return run.count > 0 && run.count == bug->changed_bytes &&
           (uint32_t)__builtin_popcountll(bug->memory.changed) == run.count;
}

static bool is_overwritten(const struct bug *bug)
{
    return bug->kind == BUG_OVERFLOW || bug->kind == BUG_UNDERFLOW ||
           bug->kind == BUG_FREED_WRITE || bug->kind == BUG_REALLOC_WRITE;
}

/* How many of the block's last bytes are text; UINT64_MAX: all of its bytes, and all were seen. */
static uint64_t text_at_end(const struct bug *bug)
{
    int64_t bytes = (int64_t)bug->block.bytes, offset = bytes;

    while (offset > 0) {
        uint32_t i = memory_index(&bug->memory, offset - 1);

        if (i == BUG_MEMORY_BYTES)
            break;
        if (!byte_is_text(bug->memory.bytes[i]))
            return 0;
        offset--;
    }
    return offset == 0 && bytes > 0 ? UINT64_MAX : (uint64_t)(bytes - offset);
}

static void say_characters(struct text *text, uint64_t count)
{
    sg_bug_say_count(text, count);
    sg_text_string(text, count == 1 ? " character" : " characters");
}

bool sg_rule_missing_nul(struct text *text, const struct bug *bug)
{
    struct run run = changed_run(bug);
    uint64_t length = text_at_end(bug);

    if (bug->kind != BUG_OVERFLOW || !is_all(bug, run) || run.count != 1 ||
        run.offset != (int64_t)bug->block.bytes || bug->memory.bytes[run.first] != 0 ||
        length < TEXT_LEAST)
        return false;
    sg_text_string(text, "room for the text but not for its NUL: ");
    if (length != UINT64_MAX) {
        sg_text_string(text, "strlen(s) + 1 bytes are needed");
        return true;
    }
    sg_text_string(text, "malloc(strlen(s)), s = ");
    say_characters(text, bug->block.bytes);
    return true;
}

/* Text up to the end of the block, and on behind it up to a NUL. */
bool sg_rule_long_text(struct text *text, const struct bug *bug)
{
    struct run run = changed_run(bug);
    uint64_t length = text_at_end(bug);

    if (bug->kind != BUG_OVERFLOW || !is_all(bug, run) || run.count < 2 ||
        run.offset != (int64_t)bug->block.bytes || length < TEXT_LEAST)
        return false;
    for (uint32_t i = 0; i < run.count; i++) {
        uint8_t byte = bug->memory.bytes[run.first + i];

        if (i + 1 < run.count ? !byte_is_text(byte) : byte != 0)
            return false;
    }
    if (length == UINT64_MAX) {
        sg_text_string(text, "a text of ");
        say_characters(text, bug->block.bytes + run.count - 1);
    } else {
        sg_text_string(text, "a text that is too long by ");
        sg_bug_say_bytes(text, run.count);
    }
    sg_text_string(text, " copied without regard to the block's size");
    return true;
}

static bool is_element(uint64_t bytes)
{
    return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

/* Element -1, of one of the usual sizes. */
bool sg_rule_below_zero(struct text *text, const struct bug *bug)
{
    struct run run = changed_run(bug);
    uint64_t bytes = 0;

    if (bug->kind == BUG_UNDERFLOW && is_all(bug, run) && run.offset == -(int64_t)run.count)
        bytes = run.count;
    if (bug->kind == BUG_UNDERFLOW_FAULT && bug->access_offset == -(int64_t)bug->access_bytes)
        bytes = bug->access_bytes;
    if (!is_element(bytes) || bug->block.bytes % bytes != 0)
        return false;
    sg_text_string(text, "a loop that runs down through index 0: element -1, of ");
    sg_bug_say_bytes(text, bytes);
    return true;
}

/* Element n of an array of n. One byte could be the NUL of a text as well. */
bool sg_rule_one_too_many(struct text *text, const struct bug *bug)
{
    struct run run = changed_run(bug);

    if (bug->kind != BUG_OVERFLOW || !is_all(bug, run) || !is_element(run.count) || run.count < 4 ||
        run.offset != (int64_t)bug->block.bytes || bug->block.bytes % run.count != 0 ||
        bug->block.bytes < 2ull * run.count)
        return false;
    sg_text_string(text, "one element too many: index ");
    sg_bug_say_count(text, bug->block.bytes / run.count);
    sg_text_string(text, " in an array of ");
    sg_bug_say_count(text, bug->block.bytes / run.count);
    sg_text_string(text, " (<= instead of <?)");
    return true;
}

bool sg_rule_pointer(struct text *text, const struct bug *bug)
{
    struct run run = changed_run(bug);
    uint64_t value = 0;

    if (!is_overwritten(bug) || !is_all(bug, run) || run.count != POINTER_BYTES ||
        run.offset % POINTER_BYTES != 0)
        return false;
    for (uint32_t i = POINTER_BYTES; i-- > 0;)
        value = value << 8 | bug->memory.bytes[run.first + i];
    if (value < ADDRESS_LEAST || value >= ADDRESS_BOUND)
        return false;
    sg_text_string(text, "a pointer was stored there: a field or link at ");
    sg_bug_say_offset(text, run.offset);
    sg_text_string(text, " of a structure");
    return true;
}

/* How many of the block's last bytes have this value, as far as they are seen. */
static uint32_t same_at_end(const struct bug *bug, uint8_t value)
{
    uint32_t count = 0;

    for (int64_t offset = (int64_t)(bug->block.bytes - 1); offset >= 0; offset--) {
        uint32_t i = memory_index(&bug->memory, offset);

        if (i == BUG_MEMORY_BYTES || bug->memory.bytes[i] != value)
            break;
        count++;
    }
    return count;
}

static uint32_t run_least(uint8_t value)
{
    return value == 0 || value == 0xff ? RUN_LEAST_PLAIN : RUN_LEAST;
}

bool sg_rule_run(struct text *text, const struct bug *bug)
{
    struct run run = changed_run(bug);
    uint8_t value = bug->memory.bytes[run.first % BUG_MEMORY_BYTES];

    if (!is_overwritten(bug) || run.count < run_least(value))
        return false;
    for (uint32_t i = 0; i < run.count; i++)
        if (bug->memory.bytes[run.first + i] != value)
            return false;
    sg_bug_say_count(text, run.count);
    sg_text_string(text, " bytes of ");
    sg_text_hex_digits(text, value, 2);
    sg_text_string(text, " in a row: a memset or a loop ");
    if (bug->kind == BUG_OVERFLOW && run.offset == (int64_t)bug->block.bytes &&
        same_at_end(bug, value) >= RUN_LEAST)
        sg_text_string(text, "that began in the block went on past its end");
    else
        sg_text_string(text, "that fills");
    return true;
}
