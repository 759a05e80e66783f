#include "bug.h"

static const struct {
    const char *code, *asan_word, *title;
} table[BUG_KINDS] = {
#define BUG(name, code, asan, title) {code, asan, title},
    BUGS(BUG)
#undef BUG
};

const char *sg_bug_code(enum bug_kind kind)
{
    return kind < BUG_KINDS ? table[kind].code : "P000";
}

const char *sg_bug_title(enum bug_kind kind)
{
    return kind < BUG_KINDS ? table[kind].title : "unknown";
}

const char *sg_bug_asan_word(enum bug_kind kind)
{
    return kind < BUG_KINDS ? table[kind].asan_word : "unknown-crash";
}

const char *sg_bug_keep(struct bug *bug, const char *bytes, size_t length)
{
    char *kept = bug->strings + bug->string_bytes;

    if (bug->string_bytes >= BUG_STRING_BYTES || length >= BUG_STRING_BYTES - bug->string_bytes)
        return "";
    __builtin_memcpy(kept, bytes, length);
    kept[length] = '\0';
    bug->string_bytes += (uint32_t)length + 1;
    return kept;
}
