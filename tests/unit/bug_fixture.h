/* Bugs made by hand, for the tests of their reports. */
#ifndef SG_UNIT_BUG_FIXTURE_H
#define SG_UNIT_BUG_FIXTURE_H

#include "bug.h"
#include "test.h"

#include <string.h>

static struct bug bug; /* the one that a test works on: too large for the stack */

static inline void new_bug(enum bug_kind kind)
{
    memset(&bug, 0, sizeof(bug));
    bug.kind = kind;
    bug.process = 4711;
    bug.program = "names";
    bug.profile = "debug";
    bug.function = "free";
    bug.id = 0x7f3a91c2;
    bug.thread = 1;
    bug.block.made.microseconds = bug.block.ended.microseconds = UINT64_MAX;
    bug.owner.made.microseconds = bug.owner.ended.microseconds = UINT64_MAX;
    bug.moved.microseconds = UINT64_MAX;
    bug.module_count = 2;
    strcpy(bug.modules[0].path, "/usr/bin/names");
    strcpy(bug.modules[0].build_id, "00aa11bb");
    strcpy(bug.modules[1].path, "/usr/lib/libthing.so.2");
}

/* A frame with names, further out than those before. */
static inline struct bug_frame *add(struct bug_stack *stack, const char *function, const char *file,
                                    uint32_t line)
{
    struct bug_frame *frame = &stack->frames[stack->count++];

    *frame = (struct bug_frame){.pc = 0x555555555000 + line,
                                .offset = 0x1000 + line,
                                .function = function,
                                .file = file,
                                .line = line};
    return frame;
}

static inline struct bug_frame *add_bare(struct bug_stack *stack, uint16_t module, uint64_t offset)
{
    struct bug_frame *frame = &stack->frames[stack->count++];

    *frame = (struct bug_frame){.pc = 0x7f0000000000 + offset, .offset = offset, .module = module};
    return frame;
}

static inline void set_block(uint64_t bytes, const char *maker)
{
    bug.block.is_known = true;
    bug.block.start = 0x602000000010;
    bug.block.bytes = bytes;
    bug.block.made.function = maker;
    bug.address = bug.block.start;
}

static inline void set_freed(const char *function, uint64_t microseconds)
{
    bug.block.is_freed = true;
    bug.block.ended.function = function;
    bug.block.ended.microseconds = microseconds;
    bug.block.ended.thread = 1;
}

static inline void set_late(const char *found)
{
    bug.is_late = true;
    bug.found = found;
}

/* `count` bytes from the offset on; the block's `changed` first bytes from `change` are not as they
 * should be. */
static inline void set_memory(int64_t offset, const void *bytes, uint32_t count)
{
    bug.memory.offset = offset;
    bug.memory.count = count;
    memcpy(bug.memory.bytes, bytes, count);
    bug.memory.readable = count == 64 ? UINT64_MAX : (1ull << count) - 1;
}

static inline void set_change(int64_t offset, uint32_t count)
{
    uint64_t bits = count >= 64 ? UINT64_MAX : (1ull << count) - 1;

    bug.memory.changed |= bits << (offset - bug.memory.offset);
    bug.access_offset = offset;
    bug.changed_bytes = count;
}

/* The report, in a buffer of the size that every caller must give. */
static char said[BUG_REPORT_BYTES];

static inline const char *say_text(void)
{
    struct text text = sg_text_begin(said, sizeof(said));

    sg_bug_say_text(&text, &bug, false);
    return said;
}

static inline const char *say_json(void)
{
    struct text text = sg_text_begin(said, sizeof(said));

    sg_bug_say_json(&text, &bug);
    return said;
}

static inline const char *say_asan(void)
{
    struct text text = sg_text_begin(said, sizeof(said));

    sg_bug_say_asan(&text, &bug);
    return said;
}

static inline const char *say_core(void)
{
    struct text text = sg_text_begin(said, sizeof(said));

    sg_bug_say_core(&text, &bug);
    return said;
}

static inline void expect_text(const char *actual, const char *expected, int line)
{
    if (strcmp(actual, expected) == 0)
        return;
    printf("# line %d says:\n", line);
    for (const char *c = actual; *c != '\0'; c++) {
        if (c == actual || c[-1] == '\n')
            printf("#   ");
        putchar(*c);
    }
    test_failed(__FILE__, line, "the text as it is expected");
}

#define EXPECT_TEXT(actual, expected) expect_text(actual, expected, __LINE__)

/* The bugs of the examples in the documentation, all facts known. */

static inline void dup_name_bug(void)
{
    static const char memory[] = "abcdefghijklmnopqrstuvwx\0\\\\\\\\\\\\\\";

    new_bug(BUG_OVERFLOW);
    set_block(24, "malloc");
    set_late("when the block was freed");
    add(&bug.at, "main", "names.c", 11);
    add(&bug.block.made.stack, "dup_name", "names.c", 3);
    add(&bug.block.made.stack, "main", "names.c", 7);
    bug.block.made.microseconds = 3100;
    bug.block.made.thread = 1;
    bug.block.made.sequence = 57;
    bug.block.site_ordinal = 1;
    set_memory(0, memory, 32);
    bug.memory.expected = 0x5c;
    set_change(24, 1);
}

static inline void session_bug(void)
{
    static const char memory[] = "\1\0\0\0\xe8\3\0\0alice\0\0\0";

    new_bug(BUG_FREED_FAULT);
    bug.function = NULL;
    set_block(40, "malloc");
    set_freed("free", 12);
    bug.found = "at the instruction";
    bug.access_bytes = 4;
    bug.access_offset = 4;
    bug.address = bug.block.start + 4;
    add(&bug.at, "is_root", "session.c", 5)->source = "return s->uid == 0;";
    add(&bug.at, "main", "session.c", 9);
    add(&bug.block.ended.stack, "close_session", "session.c", 4);
    add(&bug.block.ended.stack, "main", "session.c", 8);
    add(&bug.block.made.stack, "open_session", "session.c", 3);
    add(&bug.block.made.stack, "main", "session.c", 7);
    bug.pointers_left = 1;
    set_memory(0, memory, 16);
}

static inline void connection_bug(void)
{
    new_bug(BUG_DOUBLE_FREE);
    set_block(120, "malloc");
    set_freed("free", 8);
    add(&bug.at, "conn_close", "conn.c", 3)->source = "free(c->buf);";
    add(&bug.at, "main", "conn.c", 8);
    add(&bug.block.ended.stack, "conn_error", "conn.c", 4);
    add(&bug.block.ended.stack, "main", "conn.c", 7);
    add(&bug.block.made.stack, "main", "conn.c", 6);
}

#endif
