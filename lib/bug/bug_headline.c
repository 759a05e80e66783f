/* One line for each kind of bug, out of its facts. */
#include "bug_words.h"

/* What is put in for a letter behind %:
 *   k the block, by its size    c what was found changed    a the access    o its offset, signed
 *   p how far past the end, and u how far before the start it begins    f what the program called
 *   m what made the block    n what was stated    s size of the block    l live or freed
 *   w what lies at the address    L B P blocks, bytes and places of leaks    i distance inside */
static const char *const forms[BUG_KINDS] = {
    [BUG_OVERFLOW] = "heap overflow: %c written %ppast the end of %k",
    [BUG_OVERFLOW_FAULT] = "heap overflow: %a%d%k",
    [BUG_UNDERFLOW] = "heap underflow: %c written BEFORE %k",
    [BUG_UNDERFLOW_FAULT] = "heap underflow: %a, %u before %k",
    [BUG_FREED_FAULT] = "use after free: %a at %o in a freed %s-byte block",
    [BUG_FREED_WRITE] = "use after free: %c written at %o into a freed %s-byte block",
    [BUG_DOUBLE_FREE] = "double free%v of %k",
    [BUG_STALE] = "free of a stale pointer%v: block was freed, then its memory reused",
    [BUG_FREED_POINTER] = "use after free: a pointer was used that was read from freed memory",
    [BUG_INTERIOR] = "%f of a pointer %i a %l %s-byte block",
    [BUG_FOREIGN] = "%f of %w",
    [BUG_INTERFACE] = "%m released with %g",
    [BUG_SIZE] = "%f with size %n, but the block has %s bytes",
    [BUG_ALIGNMENT] = "%f with alignment %n, but the block of %s bytes lacks it",
    [BUG_LEAK] = "%B leaked in %L, from %P",
    [BUG_REALLOC_FAULT] = "use after realloc: %a at %o of the OLD block",
    [BUG_REALLOC_WRITE] = "use after realloc: %c written at %o of the OLD block",
    [BUG_MAP_LIMIT] = "out of mappings, not out of memory (%x returns NULL)",
};

static void say_access(struct text *text, const struct bug *bug)
{
    sg_text_string(text, bug->is_write ? "WRITE" : "READ");
    if (bug->access_bytes == 0)
        return;
    sg_text_string(text, " of ");
    sg_bug_say_bytes(text, bug->access_bytes);
}

/* Unsigned: a line of JSON may say anything. */
static int64_t past_end(const struct bug *bug)
{
    return (int64_t)((uint64_t)bug->access_offset - bug->block.bytes);
}

/* Where an access beyond a block begins; it may begin inside. */
static void say_distance(struct text *text, const struct bug *bug)
{
    int64_t past = past_end(bug);

    if (past < 0) {
        sg_text_string(text, " at ");
        sg_bug_say_offset(text, bug->access_offset);
        sg_text_string(text, " of ");
        return;
    }
    sg_text_string(text, ", ");
    sg_bug_say_bytes(text, (uint64_t)past);
    sg_text_string(text, " past ");
}

static void say_gap(struct text *text, const struct bug *bug)
{
    int64_t past = past_end(bug);

    if (past <= 0)
        return;
    sg_bug_say_bytes(text, (uint64_t)past);
    sg_text_string(text, " ");
}

static void say_changed(struct text *text, const struct bug *bug)
{
    if (bug->changed_bytes == 0)
        sg_text_string(text, "bytes");
    else
        sg_bug_say_bytes(text, bug->changed_bytes);
}

static void say_block(struct text *text, const struct bug *bug)
{
    sg_text_string(text, "a ");
    sg_bug_say_count(text, bug->block.bytes);
    sg_text_string(text, "-byte block");
}

/* Of free it goes without saying. */
static void say_other_call(struct text *text, const char *function)
{
    if (function == NULL || sg_bug_is(function, "free"))
        return;
    sg_text_string(text, " by ");
    sg_bug_say_call(text, function);
}

static void say_many(struct text *text, uint64_t count, const char *what)
{
    sg_bug_say_count(text, count);
    sg_text_string(text, what);
    if (count != 1)
        sg_text_string(text, "s");
}

static void say_bare_call(struct text *text, const char *function)
{
    size_t start = text->length;

    sg_bug_say_call(text, function);
    if (text->length - start > 2 && text->bytes[text->length - 1] == ')')
        text->bytes[text->length -= 2] = '\0';
}

static void say_maker(struct text *text, const char *function)
{
    if (function == NULL)
        return sg_text_string(text, "a block of another interface");
    say_bare_call(text, function);
}

static void say_request(struct text *text, const struct bug *bug)
{
    sg_bug_say_head(text, bug->function != NULL ? bug->function : "malloc", 32);
    sg_text_string(text, "(");
    sg_text_decimal(text, bug->stated);
    sg_text_string(text, ")");
}

static void say_leaks(struct text *text, char letter, const struct bug *bug)
{
    if (letter == 'B')
        return sg_bug_say_bytes(text, bug->leak_bytes);
    if (letter == 'L')
        return say_many(text, bug->leak_blocks, " block");
    say_many(text, bug->leak_places, " place");
}

/* How far the pointer is inside of the block, in front of it or past its end. */
static void say_inside(struct text *text, const struct bug *bug)
{
    int64_t offset = bug->access_offset;

    if (offset < 0) {
        sg_bug_say_bytes(text, -(uint64_t)offset);
        sg_text_string(text, " in front of");
    } else if ((uint64_t)offset >= bug->block.bytes && offset > 0) {
        sg_bug_say_bytes(text, (uint64_t)offset - bug->block.bytes);
        sg_text_string(text, " past the end of");
    } else {
        sg_bug_say_bytes(text, (uint64_t)offset);
        sg_text_string(text, " inside");
    }
}

static void say_number(struct text *text, char letter, const struct bug *bug)
{
    switch (letter) {
    case 'o':
        return sg_bug_say_offset(text, bug->access_offset);
    case 'u':
        return sg_bug_say_bytes(text, -(uint64_t)bug->access_offset);
    case 'i':
        return say_inside(text, bug);
    case 'n':
        return sg_bug_say_count(text, bug->stated);
    case 's':
        return sg_bug_say_count(text, bug->block.bytes);
    default:
        return say_leaks(text, letter, bug);
    }
}

static void say_word(struct text *text, char letter, const struct bug *bug)
{
    switch (letter) {
    case 'k':
        return say_block(text, bug);
    case 'c':
        return say_changed(text, bug);
    case 'a':
        return say_access(text, bug);
    case 'd':
        return say_distance(text, bug);
    case 'p':
        return say_gap(text, bug);
    case 'f':
        return say_bare_call(text, bug->function);
    case 'g':
        return sg_bug_say_call(text, bug->function);
    case 'v':
        return say_other_call(text, bug->function);
    case 'm':
        return say_maker(text, bug->block.made.function);
    case 'l':
        return sg_text_string(text, bug->block.is_freed ? "freed" : "live");
    case 'w':
        return sg_bug_say_where(text, bug);
    case 'x':
        return say_request(text, bug);
    default:
        return say_number(text, letter, bug);
    }
}

void sg_bug_say_headline(struct text *text, const struct bug *bug)
{
    const char *form = bug->kind < BUG_KINDS ? forms[bug->kind] : "unknown";

    for (; *form != '\0'; form++) {
        if (*form == '%')
            say_word(text, *++form, bug);
        else
            sg_text_bytes(text, form, 1);
    }
}

void sg_bug_say_where(struct text *text, const struct bug *bug)
{
    static const char *const words[] = {
        [BUG_PLACE_UNKNOWN] = "an address where nothing is mapped",
        [BUG_PLACE_STACK] = "a stack address",
        [BUG_PLACE_GLOBAL] = "the address of a global variable",
        [BUG_PLACE_MAPPING] = "an address in a mapping that is not the heap",
        [BUG_PLACE_HEAP] = "a heap address where no block is known",
        [BUG_PLACE_SYSTEM] = "a block of another allocator",
        [BUG_PLACE_OVERFLOW] = "a number that is no address",
    };

    sg_text_string(text, words[bug->place <= BUG_PLACE_OVERFLOW ? bug->place : 0]);
    if (bug->place_name == NULL || bug->place_name[0] == '\0')
        return;
    sg_text_string(text, ": ");
    sg_bug_say_head(text, bug->place_name, 36);
}
