/* The line that comes first, the codes, the ids, and what `spanguard explain` says. */
#include "bug_fixture.h"
#include "report.h"

TEST(the_first_line_of_a_report)
{
    dup_name_bug();
    EXPECT_TEXT(say_core(),
                "spanguard[4711]: P101 heap overflow: free: a block of 24 bytes was written past"
                " its end, first at +24 (profile=debug at=names+0x100b id=7f3a91c2"
                " allocated=names+0x1003<names+0x1007)\n");
    session_bug();
    bug.at.frames[0].is_inlined = true;
    EXPECT_TEXT(say_core(),
                "spanguard[4711]: P201 use after free: fault: READ at +4 of a freed block of 40"
                " bytes (profile=debug at=names+0x1009 id=7f3a91c2"
                " allocated=names+0x1003<names+0x1007 freed=names+0x1004<names+0x1008)\n");
}

static void expect_finding(enum bug_kind kind, const char *finding)
{
    new_bug(kind);
    set_block(40, "new[]");
    bug.is_write = true;
    bug.access_offset = kind == BUG_OVERFLOW_FAULT ? 48 : 8;
    if (kind == BUG_UNDERFLOW || kind == BUG_UNDERFLOW_FAULT)
        bug.access_offset = -8;
    bug.stated = 64;
    bug.place = BUG_PLACE_STACK;
    bug.leak_bytes = 7;
    bug.leak_blocks = 2;
    bug.leak_places = 1;
    say_core();
    if (strstr(said, finding) == NULL)
        printf("# %s", said);
    EXPECT(strstr(said, finding) != NULL);
    EXPECT(strstr(said, " (profile=debug id=7f3a91c2)\n") != NULL);
}

TEST(the_finding_of_each_kind)
{
    expect_finding(BUG_OVERFLOW_FAULT, "WRITE at +48, 8 bytes past the end of a block of 40 bytes");
    expect_finding(BUG_UNDERFLOW, "8 bytes before a block of 40 bytes were written");
    expect_finding(BUG_UNDERFLOW_FAULT, "WRITE 8 bytes before a block of 40 bytes");
    expect_finding(BUG_FREED_WRITE, "a freed block of 40 bytes was written to, first at +8");
    expect_finding(BUG_DOUBLE_FREE, "a block of 40 bytes that is already free");
    expect_finding(BUG_STALE, "a block that was freed, and whose memory was used again");
    expect_finding(BUG_FREED_POINTER, "a pointer was used that was read from freed memory");
    expect_finding(BUG_INTERIOR, "8 bytes inside a live block of 40 bytes");
    expect_finding(BUG_FOREIGN, "free: a stack address (");
    expect_finding(BUG_INTERFACE, "a block of 40 bytes made by new[]");
    expect_finding(BUG_SIZE, "size 64 stated for a block of 40 bytes");
    expect_finding(BUG_ALIGNMENT, "alignment 64 stated for a block of 40 bytes that lacks it");
    expect_finding(BUG_LEAK, "7 bytes in 2 blocks from 1 places");
    expect_finding(BUG_REALLOC_FAULT, "WRITE at +8 of a block of 40 bytes that realloc moved");
    expect_finding(BUG_REALLOC_WRITE, "that realloc moved was written to, first at +8");
    expect_finding(BUG_MAP_LIMIT, "64 bytes refused");
}

static uint32_t id_of(void)
{
    bug.id = 0;
    sg_bug_identify(&bug);
    return bug.id;
}

TEST(the_id_is_the_same_wherever_the_program_was_loaded)
{
    uint32_t id;

    session_bug();
    id = id_of();
    EXPECT(id != 0);
    for (uint32_t i = 0; i < bug.at.count; i++)
        bug.at.frames[i].pc += 0x1000000;
    bug.block.start += 0x1000000;
    bug.process++;
    strcpy(bug.modules[0].path, "/elsewhere/names");
    EXPECT_EQUAL(id_of(), id);
}

TEST(the_id_is_the_same_before_and_after_names_are_found)
{
    uint32_t id;

    session_bug();
    id = id_of();
    memmove(&bug.at.frames[1], &bug.at.frames[0], 2 * sizeof(bug.at.frames[0]));
    bug.at.frames[0].is_inlined = true;
    bug.at.frames[0].function = "inlined";
    bug.at.count++;
    EXPECT_EQUAL(id_of(), id);
}

TEST(another_place_another_module_or_another_kind_has_another_id)
{
    uint32_t id;

    session_bug();
    id = id_of();
    bug.at.frames[0].offset++;
    EXPECT(id_of() != id);
    session_bug();
    bug.at.frames[0].module = 1;
    EXPECT(id_of() != id);
    session_bug();
    bug.kind = BUG_FREED_WRITE;
    EXPECT(id_of() != id);
    session_bug();
    add(&bug.at, "third", "s.c", 1);
    EXPECT(id_of() != id);
    id = id_of();
    add(&bug.at, "fourth", "s.c", 1);
    EXPECT_EQUAL(id_of(), id);
}

TEST(of_a_late_report_the_id_is_that_of_who_allocated)
{
    uint32_t id;

    dup_name_bug();
    id = id_of();
    bug.at.frames[0].offset++;
    EXPECT_EQUAL(id_of(), id);
    bug.block.made.stack.frames[0].offset++;
    EXPECT(id_of() != id);
    bug.block.made.stack.count = 0;
    id = id_of();
    bug.at.frames[0].offset++;
    EXPECT(id_of() != id);
}

static const char *const codes[] = {
#define BUG(name, code, asan, title) code,
    BUGS(BUG)
#undef BUG
#define MISUSE(name, code, title) code,
        MISUSES(MISUSE)
#undef MISUSE
};

TEST(every_code_of_both_builds_is_explained)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const char *words = sg_bug_explain(codes[i]);

        if (words == NULL)
            printf("# %s is not explained\n", codes[i]);
        EXPECT(words != NULL && strncmp(words, codes[i], 4) == 0);
        EXPECT(words != NULL && strstr(words, "\nWhy: ") != NULL);
        EXPECT(words != NULL && strstr(words, "\nDo: ") != NULL);
    }
}

TEST(what_is_no_code_is_not_explained)
{
    EXPECT(sg_bug_explain("P999") == NULL);
    EXPECT(sg_bug_explain("") == NULL);
    EXPECT(sg_bug_explain("P10") == NULL);
    EXPECT(sg_bug_explain("P1011") == NULL);
}

TEST(words_of_kinds)
{
    EXPECT(strcmp(sg_bug_code(BUG_OVERFLOW), "P101") == 0);
    EXPECT(strcmp(sg_bug_title(BUG_STALE), "free of a stale pointer") == 0);
    EXPECT(strcmp(sg_bug_asan_word(BUG_INTERFACE), "alloc-dealloc-mismatch") == 0);
    EXPECT(strcmp(sg_bug_code(BUG_KINDS), "P000") == 0);
}

TEST(strings_are_kept_until_there_is_no_room)
{
    const char *first;
    unsigned count = 0;

    new_bug(BUG_OVERFLOW);
    first = sg_bug_keep(&bug, "first and more", 5);
    EXPECT(strcmp(first, "first") == 0 && first == bug.strings);
    while (sg_bug_keep(&bug, "0123456789", 10)[0] != '\0')
        count++;
    EXPECT_EQUAL(count, (BUG_STRING_BYTES - 6) / 11);
    EXPECT(strcmp(sg_bug_keep(&bug, "x", 1), "x") == 0 || bug.string_bytes == BUG_STRING_BYTES);
    EXPECT(strcmp(first, "first") == 0 && bug.string_bytes <= BUG_STRING_BYTES);
}
