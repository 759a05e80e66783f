/* The line that comes first, in the form of the release library's reports: who reads one reads
 * both. No name of a function is in it, since nothing was asked for yet that could fail. */
#include "bug_words.h"

#define CORE_FRAMES 8 /* of each stack */

/* What is put in for a letter behind %: as in hardening/report_text.c
 *   s bytes of the block    o offset of the access or of the first change    p the same from its
 *   end    u the distance to its start    c changed bytes    n what was stated    a the access
 *   l live or free    m who made it    w what lies there    b bytes, k blocks, q places of leaks */
static const char *const forms[BUG_KINDS] = {
    [BUG_OVERFLOW] = "a block of %s bytes was written past its end, first at %o",
    [BUG_OVERFLOW_FAULT] = "%a at %o, %p bytes past the end of a block of %s bytes",
    [BUG_UNDERFLOW] = "%u bytes before a block of %s bytes were written",
    [BUG_UNDERFLOW_FAULT] = "%a %u bytes before a block of %s bytes",
    [BUG_FREED_FAULT] = "%a at %o of a freed block of %s bytes",
    [BUG_FREED_WRITE] = "a freed block of %s bytes was written to, first at %o",
    [BUG_DOUBLE_FREE] = "a block of %s bytes that is already free",
    [BUG_STALE] = "a block that was freed, and whose memory was used again",
    [BUG_FREED_POINTER] = "a pointer was used that was read from freed memory",
    [BUG_INTERIOR] = "%i a %l block of %s bytes",
    [BUG_FOREIGN] = "%w",
    [BUG_INTERFACE] = "a block of %s bytes made by %m",
    [BUG_SIZE] = "size %n stated for a block of %s bytes",
    [BUG_ALIGNMENT] = "alignment %n stated for a block of %s bytes that lacks it",
    [BUG_LEAK] = "%b bytes in %k blocks from %q places",
    [BUG_REALLOC_FAULT] = "%a at %o of a block of %s bytes that realloc moved",
    [BUG_REALLOC_WRITE] = "a block of %s bytes that realloc moved was written to, first at %o",
    [BUG_MAP_LIMIT] = "%n bytes refused",
};

static uint64_t number_of(char letter, const struct bug *bug)
{
    switch (letter) {
    case 's':
        return bug->block.bytes;
    case 'p':
        return (uint64_t)bug->access_offset - bug->block.bytes;
    case 'u':
        return -(uint64_t)bug->access_offset;
    case 'n':
        return bug->stated;
    case 'b':
        return bug->leak_bytes;
    case 'k':
        return bug->leak_blocks;
    default:
        return bug->leak_places;
    }
}

static void say_inside(struct text *text, const struct bug *bug)
{
    int64_t offset = bug->access_offset;
    bool is_past = offset > 0 && (uint64_t)offset >= bug->block.bytes;
    uint64_t distance = offset < 0 ? -(uint64_t)offset : (uint64_t)offset;

    sg_text_decimal(text, is_past ? distance - bug->block.bytes : distance);
    sg_text_string(text, offset < 0 ? " bytes in front of"
                         : is_past  ? " bytes past the end of"
                                    : " bytes inside");
}

static void say_word(struct text *text, char letter, const struct bug *bug)
{
    const char *maker = bug->block.made.function;

    switch (letter) {
    case 'a':
        return sg_text_string(text, bug->is_write ? "WRITE" : "READ");
    case 'o':
        return sg_bug_say_offset(text, bug->access_offset);
    case 'i':
        return say_inside(text, bug);
    case 'l':
        return sg_text_string(text, bug->block.is_freed ? "freed" : "live");
    case 'm':
        return sg_bug_say_head(text, maker != NULL ? maker : "another interface", 32);
    case 'w':
        return sg_bug_say_where(text, bug);
    default:
        return sg_text_decimal(text, number_of(letter, bug));
    }
}

static void say_finding(struct text *text, const struct bug *bug)
{
    /* An access that begins inside and ends past the end is not past the end by that much. */
    bool is_across = bug->kind == BUG_OVERFLOW_FAULT &&
                     bug->access_offset < (int64_t)bug->block.bytes;
    const char *form = bug->kind < BUG_KINDS ? forms[bug->kind] : "";

    if (is_across)
        form = "%a at %o across the end of a block of %s bytes";
    for (; *form != '\0'; form++) {
        if (*form == '%')
            say_word(text, *++form, bug);
        else
            sg_text_bytes(text, form, 1);
    }
}

static void say_stack(struct text *text, const char *name, const struct bug *bug,
                      const struct bug_stack *stack)
{
    unsigned said = 0;

    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES && said < CORE_FRAMES; i++) {
        if (stack->frames[i].is_inlined)
            continue;
        sg_text_string(text, said++ == 0 ? name : "<");
        sg_bug_say_place(text, bug, &stack->frames[i]);
    }
}

static void say_stacks(struct text *text, const struct bug *bug)
{
    if (bug->kind == BUG_LEAK)
        return say_stack(text, " allocated=", bug, &bug->leaks[0].stack);
    say_stack(text, " allocated=", bug, &bug->block.made.stack);
    say_stack(text, " freed=", bug, &bug->block.ended.stack);
    say_stack(text, " moved=", bug, &bug->moved.stack);
    say_stack(text, " owner=", bug, &bug->owner.made.stack);
}

void sg_bug_say_core(struct text *text, const struct bug *bug)
{
    sg_text_string(text, "spanguard[");
    sg_bug_say_signed(text, bug->process);
    sg_text_string(text, "]: ");
    sg_text_string(text, sg_bug_code(bug->kind));
    sg_text_string(text, " ");
    sg_text_string(text, sg_bug_title(bug->kind));
    sg_text_string(text, ": ");
    sg_bug_say_head(text, bug->function != NULL ? bug->function : "fault", 40);
    sg_text_string(text, ": ");
    say_finding(text, bug);
    sg_text_string(text, " (profile=");
    sg_bug_say_head(text, bug->profile != NULL ? bug->profile : "debug", 16);
    say_stack(text, " at=", bug, &bug->at);
    sg_text_string(text, " id=");
    sg_text_hex_digits(text, bug->id, 8);
    say_stacks(text, bug);
    sg_text_string(text, ")\n");
    sg_bug_end_line(text);
}
