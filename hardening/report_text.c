#include "report_text.h"

#include "slot.h"

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
    [SLOT_LIVE_TYPED] = "spanguard_malloc_typed",
    [SLOT_LIVE_NEW] = "new",
    [SLOT_LIVE_NEW_ARRAY] = "new[]",
    [SLOT_LIVE_NEW_ALIGNED] = "aligned new",
    [SLOT_LIVE_NEW_ARRAY_ALIGNED] = "aligned new[]",
};

static const char *maker_of(uint8_t state)
{
    return state < SLOT_STATE_COUNT && makers[state] != NULL ? makers[state] : "another interface";
}

/* What is put in for a letter behind %:
 *   b bytes of the block    i from its start to the address    p from its end to the address
 *   u from the address to its start    o offset    n what was stated
 *   W READ or WRITE    S live or free    M who made it */
static const char *const forms[] = {
    [MISUSE_OVERFLOW] = "a block of %b bytes was written past its end, first at +%o",
    [MISUSE_OVERFLOW_FAULT] = "%W at +%i, %p bytes past the end of a block of %b bytes",
    [MISUSE_UNDERFLOW] = "%o bytes before the block that follows one of %b bytes were written",
    [MISUSE_UNDERFLOW_FAULT] = "%W %u bytes before a block of %b bytes",
    [MISUSE_COPY_WRITE] = "%n bytes to +%i of a %Fblock of %b bytes",
    [MISUSE_COPY_READ] = "%n bytes from +%i of a %Fblock of %b bytes",
    [MISUSE_FREED_FAULT] = "%W at +%i of a freed block of %b bytes",
    [MISUSE_FREED_WRITE] = "a free block of %b bytes was written to, first at +%o",
    [MISUSE_DOUBLE_FREE] = "a block of %b bytes that is already free",
    [MISUSE_STALE] = "no block is there any more, its memory was recycled",
    [MISUSE_INTERIOR] = "%i bytes inside a %S block of %b bytes",
    [MISUSE_FOREIGN] = "the address was never handed out by this allocator",
    [MISUSE_UNALIGNED] = "%i bytes inside a %S block of %b bytes",
    [MISUSE_INTERFACE] = "a block of %b bytes made by %M",
    [MISUSE_SIZE] = "size %n stated for a block of %b bytes",
    [MISUSE_ALIGNMENT] = "alignment %n stated for a block of %b bytes that lacks it",
    [MISUSE_CACHED_SLOT] = ("a block of %b bytes waits in a cache and is not free: freed by two"
                            " threads at once, or by a signal handler inside malloc"),
    [MISUSE_REENTRY] = "a signal handler called it while it interrupted the allocator",
    [MISUSE_ENTRY] = "an entry of a cache of free blocks does not decode",
};

static_assert(sizeof(forms) / sizeof(forms[0]) == sizeof(titles) / sizeof(titles[0]),
              "each kind has its sentence");

static void say_word(struct text *text, char conversion, const struct misuse *misuse)
{
    uintptr_t address = (uintptr_t)misuse->address;

    switch (conversion) {
    case 'b':
        return sg_text_decimal(text, misuse->block_bytes);
    case 'i':
        return sg_text_decimal(text, address - misuse->block);
    case 'p':
        return sg_text_decimal(text, address - misuse->block - misuse->block_bytes);
    case 'u':
        return sg_text_decimal(text, misuse->block - address);
    case 'o':
        return sg_text_decimal(text, misuse->offset);
    case 'n':
        return sg_text_decimal(text, misuse->stated);
    case 'W':
        return sg_text_string(text, misuse->is_write ? "WRITE" : "READ");
    case 'S':
        return sg_text_string(text, slot_state_is_live(misuse->state) ? "live" : "free");
    case 'F':
        return sg_text_string(text, slot_state_is_live(misuse->state) ? "" : "free ");
    case 'M':
        return sg_text_string(text, maker_of(misuse->state));
    default:
        return;
    }
}

const char *sg_report_code(enum misuse_kind kind)
{
    return titles[kind].code;
}

void sg_report_say_finding(struct text *text, const struct misuse *misuse)
{
    sg_text_string(text, titles[misuse->kind].code);
    sg_text_string(text, " ");
    sg_text_string(text, titles[misuse->kind].title);
    sg_text_string(text, ": ");
    sg_text_string(text, misuse->function);
    sg_text_string(text, ": ");
    for (const char *form = forms[misuse->kind]; *form != '\0'; form++) {
        if (*form == '%')
            say_word(text, *++form, misuse);
        else
            sg_text_bytes(text, form, 1);
    }
}
