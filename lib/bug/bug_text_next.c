/* One command or one change that leads on, where the report is not the end of the search. */
#include "bug_screen.h"

#define PROGRAM_COLUMNS 24

/* A name that a shell takes as it stands; else a word for it. */
static bool is_plain(const char *name)
{
    size_t length = 0;

    for (; name[length] != '\0'; length++) {
        char c = name[length];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '+' &&
            (c != '-' || length == 0))
            return false;
    }
    return length > 0 && length <= PROGRAM_COLUMNS;
}

static void say_run(struct text *text, const struct bug *bug, const char *options)
{
    sg_text_string(text, "spanguard run ");
    sg_text_string(text, options);
    sg_text_string(text, " -- ");
    if (bug->program != NULL && is_plain(bug->program)) {
        sg_text_string(text, bug->program);
        sg_text_string(text, " ...");
    } else {
        sg_text_string(text, "PROGRAM ...");
    }
}

#define ALIGNMENT 16u /* of blocks, and so how far the end of one may be from that of its page */

/* In profile guard, what lies between the end of a block and its page is seen late, as in debug. */
static bool ends_before_guard(const struct bug *bug)
{
    uint64_t end = (bug->block.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    return bug->access_offset >= 0 && (uint64_t)bug->access_offset + bug->changed_bytes <= end;
}

static const char *options_of(const struct bug *bug)
{
    if (bug->kind == BUG_UNDERFLOW)
        return "--profile guard -o guard_side=below";
    if (bug->kind == BUG_OVERFLOW && (sg_bug_is(bug->profile, "guard") || ends_before_guard(bug)))
        return "--profile guard -o guard_exact=1";
    return "--profile guard";
}

static bool lacks_stacks(const struct bug *bug)
{
    return bug->block.is_known && bug->block.made.stack.count == 0;
}

static void put_row(struct screen *screen, const char *label, const char *words, const char *why)
{
    sg_screen_row(screen, label);
    sg_screen_put(screen, words);
    if (sg_bug_width(why) + 3 > sg_screen_room(screen))
        sg_screen_row(screen, "");
    else
        sg_screen_put(screen, "   ");
    sg_screen_put(screen, why);
}

static void put_release(struct screen *screen, const struct bug *bug)
{
    static const struct {
        const char *maker, *release;
    } pairs[] = {
        {"new[]", "delete[] p"},
        {"new", "delete p"},
        {"operator new[]", "delete[] p"},
        {"operator new", "delete p"},
        {"malloc", "free(p)"},
        {"calloc", "free(p)"},
        {"realloc", "free(p)"},
        {"aligned_alloc", "free(p)"},
        {"posix_memalign", "free(p)"},
        {"aligned new", "delete p, of its type, which states the alignment"},
        {"aligned new[]", "delete[] p, of its type, which states the alignment"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (sg_bug_is(bug->block.made.function, pairs[i].maker)) {
            sg_screen_row(screen, "fix");
            return sg_screen_put(screen, pairs[i].release);
        }
}

/* Twice the limit: processes come here by growth. */
static void put_limit(struct screen *screen, const struct bug *bug)
{
    char words[160];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_screen_row(screen, "limit");
    sg_text_string(&text, "vm.max_map_count = ");
    sg_text_decimal(&text, bug->limit);
    sg_text_string(&text, ", in use ");
    sg_text_decimal(&text, bug->limit_used);
    sg_screen_put(screen, words);
    text = sg_text_begin(words, sizeof(words));
    sg_text_string(&text, "sysctl vm.max_map_count=");
    sg_text_decimal(&text, bug->limit * 2);
    put_row(screen, "fix", words, "or run with -o guard_pages=0");
}

static void put_run(struct screen *screen, const struct bug *bug, const char *options,
                    const char *why)
{
    char words[160];
    struct text text = sg_text_begin(words, sizeof(words));

    say_run(&text, bug, options);
    put_row(screen, "next", words, why);
}

void sg_screen_next(struct screen *screen, const struct bug *bug)
{
    switch (bug->kind) {
    case BUG_OVERFLOW:
    case BUG_UNDERFLOW:
        return put_run(screen, bug, options_of(bug), "stops at the write itself");
    case BUG_FREED_WRITE:
    case BUG_REALLOC_WRITE:
        return put_run(screen, bug, options_of(bug), "stops at the write itself");
    case BUG_FREED_POINTER:
        return put_run(screen, bug, options_of(bug), "stops at the read itself");
    case BUG_INTERFACE:
        return put_release(screen, bug);
    case BUG_MAP_LIMIT:
        return put_limit(screen, bug);
    default:
        if (lacks_stacks(bug))
            put_run(screen, bug, "--profile debug -o stack_depth=16", "records who allocated");
    }
}
