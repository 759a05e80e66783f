/* What is asked of spanguard-symbolize, and what its reply says, byte by byte. */
#include "bug_fixture.h"
#include "symbols.h"
#include "symbols_printable.h"
#include "symbols_query.h"

static struct symbols_work work; /* too large for the stack */

static const char *printable(const char *bytes, size_t capacity)
{
    static char place[64];
    struct text text = sg_text_begin(place, capacity);

    sg_symbols_put_printable(&text, bytes, strlen(bytes));
    return place;
}

TEST(names_from_files_become_harmless)
{
    static const char *const cases[][2] = {
        {"plain ~", "plain ~"},
        {"a\tb", "a b"},
        {"\x1b[2J\x7f", "?[2J?"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9b", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9b"},
        {"\xc2\x85", "?"},       /* a control character */
        {"\xff\x80", "??"},      /* begins no character */
        {"\xf8\x88\x80", "???"}, /* of five bytes, once */
        {"\xc3", "?"},           /* cut short */
        {"\xc3(", "?("},         /* followed by none of its own */
        {"\xc0\xaf", "??"},      /* longer than it need be */
        {"\xed\xa0\x80", "???"}, /* half of a pair */
        {"\xee\x80\x80", "\xee\x80\x80"},
        {"\xf4\x90\x80\x80", "????"}, /* beyond the last one */
        {"\xe2\x80\x8b\xe2\x80\x8f", "??"},
        {"\xe2\x80\xa8\xe2\x80\xae", "??"}, /* direction */
        {"\xe2\x81\xa6\xef\xbb\xbf", "??"},
        {"\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xb0", "\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xb0"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        EXPECT_TEXT(printable(cases[i][0], 64), cases[i][1]);
}

TEST(no_character_is_cut_in_two)
{
    EXPECT_TEXT(printable("ab\xe2\x82\xac", 5), "ab");
    EXPECT_TEXT(printable("ab\xe2\x82\xac", 6), "ab\xe2\x82\xac");
    EXPECT_TEXT(printable("ab\xff", 3), "ab");
}

static void ask(void)
{
    memset(&work, 0, sizeof(work));
    EXPECT(sg_symbols_ask(&bug, &work) == strlen(work.request));
}

TEST(each_place_is_asked_for_once)
{
    new_bug(BUG_DOUBLE_FREE);
    strcpy(bug.modules[1].path, "/a b%\x7f\n");
    add_bare(&bug.at, 0, 0x1100);
    add_bare(&bug.block.made.stack, 1, 0xabcdef0123);
    add_bare(&bug.block.made.stack, 0, 0x1100);
    add_bare(&bug.block.made.stack, BUG_NO_MODULE, 0x7);
    add(&bug.block.ended.stack, "known", NULL, 0);
    bug.leak_count = 1;
    add_bare(&bug.leaks[0].stack, 1, 0x1100);
    ask();
    EXPECT_TEXT(work.request, "module 00aa11bb /usr/bin/names\n"
                              "module - /a b%25%7f%0a\n"
                              "code 0 0000000000001100\n"
                              "code 1 000000abcdef0123\n"
                              "code 1 0000000000001100\n"
                              "end\n");
}

TEST(without_a_place_nothing_is_asked)
{
    new_bug(BUG_DOUBLE_FREE);
    add(&bug.at, "known", NULL, 0);
    add_bare(&bug.at, BUG_NO_MODULE, 0x7);
    memset(&work, 0, sizeof(work));
    EXPECT_EQUAL(sg_symbols_ask(&bug, &work), 0);
}

static bool answer(const char *reply)
{
    new_bug(BUG_DOUBLE_FREE);
    add_bare(&bug.at, 0, 0x1100);
    add_bare(&bug.at, 0, 0x1200);
    ask();
    strcpy(work.reply, reply);
    work.reply_bytes = (uint32_t)strlen(reply);
    return sg_symbols_answer(&bug, &work);
}

TEST(a_reply_gives_frames_their_names)
{
    EXPECT(answer("frame\t7\t3\tinner\tsrc/a.c\tfree(p); /* 100%25%4x%2\n"
                  "frame\t20\t0\touter\tsrc/a.c\t\n.\n"
                  "frame\t12a\t1234567890\t\tsrc/\x01.c\n.\nend\n"));
    EXPECT_EQUAL(bug.at.count, 3);
    EXPECT(bug.at.frames[0].is_inlined && !bug.at.frames[1].is_inlined);
    EXPECT_TEXT(bug.at.frames[0].function, "inner");
    EXPECT_TEXT(bug.at.frames[0].source, "free(p); /* 100%%4x%2");
    EXPECT(bug.at.frames[0].line == 7 && bug.at.frames[0].column == 3);
    EXPECT_TEXT(bug.at.frames[1].function, "outer");
    EXPECT(bug.at.frames[1].file == bug.at.frames[0].file);
    EXPECT(bug.at.frames[1].source == NULL);
    EXPECT(bug.at.frames[2].function == NULL && bug.at.frames[2].offset == 0x1200);
    EXPECT(bug.at.frames[2].line == 0 && bug.at.frames[2].column == 0);
    EXPECT_TEXT(bug.at.frames[2].file, "src/?.c");
}

TEST(a_reply_counts_up_to_where_it_is_wrong)
{
    EXPECT(answer("frame\t7\t3\tf\ta.c\t\n.\nframe\t1\t1\tg"));
    EXPECT(bug.at.count == 2 && bug.at.frames[1].function == NULL);
    EXPECT_TEXT(bug.at.frames[0].function, "f");
    EXPECT(answer("frame\t7\t3\tf\ta.c\t\n.\nname\tg\n.\n"));
    EXPECT(bug.at.count == 2 && bug.at.frames[1].function == NULL);
    EXPECT(!answer(""));
    EXPECT(!answer(".\n.\nend\n"));
    EXPECT(!answer("framework\t1\t1\tf\ta.c\t\n.\n"));
    EXPECT(!answer("frame\t1\t1\tf\ta.c\tsource\tmore\n.\n"));
    EXPECT(bug.at.count == 2 && bug.at.frames[0].function == NULL);
}

TEST(inlined_functions_push_the_outermost_frames_out)
{
    static char reply[4096];
    size_t length = 0;

    new_bug(BUG_DOUBLE_FREE);
    for (uint64_t i = 0; i < BUG_FRAMES; i++) {
        add_bare(&bug.at, 0, i + 1);
        length += (size_t)sprintf(
            reply + length, "frame\t1\t1\tin%d\t\t\nframe\t2\t1\tout%d\t\t\n.\n", (int)i, (int)i);
    }
    ask();
    strcpy(work.reply, reply);
    work.reply_bytes = (uint32_t)length;
    EXPECT(sg_symbols_answer(&bug, &work));
    EXPECT_EQUAL(bug.at.count, BUG_FRAMES);
    EXPECT_TEXT(bug.at.frames[BUG_FRAMES - 1].function, "out7");
}

/* A frame whose place was not asked for stays. */
TEST(what_was_not_asked_for_stays_as_it_is)
{
    new_bug(BUG_DOUBLE_FREE);
    add_bare(&bug.at, 0, 0x1100);
    ask();
    add_bare(&bug.at, 0, 0x9999);
    add(&bug.at, "known", "k.c", 4);
    strcpy(work.reply, "frame\t7\t3\tf\ta.c\t\n.\n");
    work.reply_bytes = (uint32_t)strlen(work.reply);
    EXPECT(sg_symbols_answer(&bug, &work));
    EXPECT(bug.at.count == 3 && bug.at.frames[1].function == NULL);
    EXPECT_TEXT(bug.at.frames[2].function, "known");
}

static int global;

static const char *name_of_data(const char *reply)
{
    new_bug(BUG_FOREIGN);
    bug.module_count = 0;
    bug.place = BUG_PLACE_GLOBAL;
    bug.place_name = "before";
    bug.address = (uintptr_t)&global;
    ask();
    EXPECT(strstr(work.request, "\ndata 0 0") != NULL);
    strcpy(work.reply, reply);
    work.reply_bytes = (uint32_t)strlen(reply);
    (void)sg_symbols_answer(&bug, &work);
    return bug.place_name;
}

TEST(the_name_of_data_is_asked_for)
{
    EXPECT_TEXT(name_of_data("name\tglobal\n.\nend\n"), "global");
    EXPECT_TEXT(name_of_data("name\t\n.\nend\n"), "before");
    EXPECT_TEXT(name_of_data(".\nend\n"), "before");
    EXPECT_TEXT(name_of_data("frame\tglobal\n.\nend\n"), "before");
}

TEST(data_of_no_module_is_not_asked_for)
{
    new_bug(BUG_FOREIGN);
    bug.place = BUG_PLACE_GLOBAL;
    bug.address = 8;
    memset(&work, 0, sizeof(work));
    EXPECT_EQUAL(sg_symbols_ask(&bug, &work), 0);
}
