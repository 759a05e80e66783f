/* Lines that are no records of ours, and facts that prove no cause. */
#include "bug_fixture.h"

static struct bug copy;

static bool is_read(const char *members)
{
    static char line[4096];

    snprintf(line, sizeof(line), "{\"spanguard_report\":1,\"code\":\"P203\"%s}", members);
    return sg_bug_read_json(&copy, line, strlen(line));
}

TEST(characters_by_their_numbers)
{
    EXPECT(is_read(",\t\"program\"\r\n:\t\"\\u0151\\u07ff\\u0800\"")); /* of two and three bytes */
    EXPECT_TEXT(copy.program, "\xc5\x91\xdf\xbf\xe0\xa0\x80");
    EXPECT(is_read(",\"program\":\"\\ud83dx\"") && is_read(",\"program\":\"\\ud83d\\n      \""));
    EXPECT(is_read(",\"program\":\"\\udc1b\\u0041\""));
    EXPECT(!is_read(",\"program\":\"\\ud83d\\u12g4\""));
    EXPECT(!is_read(",\"program\":\"\\ud83d\\u1\""));
    EXPECT(!is_read(",\"program\":\"\\u12\""));
    EXPECT(!is_read(",\"program\":\"\\u12G4\""));
    EXPECT(!is_read(",\"program\":\"\\x\""));
    EXPECT(!is_read(",\"program\":\"\x01\""));
}

TEST(numbers_that_are_no_whole_ones_are_passed_over)
{
    EXPECT(is_read(",\"process\":1e3,\"thread\":1E+3,\"stated\":1.5e-3,\"limit\":7"));
    EXPECT(copy.process == 0 && copy.thread == 0 && copy.stated == 0 && copy.limit == 7);
    EXPECT(is_read(",\"process\":-5") && copy.process == -5);
    EXPECT(is_read(",\"process\":-2147483649") && copy.process == 0);
    EXPECT(!is_read(",\"process\":-") && !is_read(",\"process\":-x") && !is_read(",\"other\":+1"));
}

TEST(a_line_that_ends_inside_of_a_word_is_refused)
{
    static const char *const ends[] = {
        "{\"spanguard_report\":1,\"a\":\"\\",          "{\"spanguard_report\":1,\"a\":\"\\u12",
        "{\"spanguard_report\":1,\"a\":\"\\ud83d\\u1", "{\"spanguard_report\":1,\"late\":tru",
        "{\"spanguard_report\":-1,\"code\":\"P203\"}", "{\"spanguard_report\":x}",
        "{\"spanguard_report\":1,\"a\":nul",           "{\"spanguard_report\":1,\"a\":[1,:}",
    };

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        EXPECT(!sg_bug_read_json(&copy, ends[i], strlen(ends[i])));
    /* The terminator is no part of it. */
    EXPECT(!sg_bug_read_json(&copy, "{\"spanguard_report\":1,\"code\":\"P203\"}", 37));
    EXPECT(sg_bug_read_json(&copy, "{\"spanguard_report\":1,\"code\":\"P203\"}", 36));
}

static const char *likely(void)
{
    struct text text = sg_text_begin(said, sizeof(said));

    return sg_bug_say_likely(&text, &bug) ? said : "";
}

static bool is_base_class(const char *maker, const char *function)
{
    new_bug(BUG_SIZE);
    set_block(204, maker);
    bug.function = function;
    bug.stated = 4;
    return strncmp(likely(), "delete through a base class", 27) == 0;
}

static bool is_array(const char *maker, const char *function)
{
    new_bug(BUG_INTERIOR);
    set_block(204, maker);
    bug.function = function;
    bug.access_offset = 8;
    return strncmp(likely(), "an array of objects", 19) == 0;
}

TEST(operators_have_two_names)
{
    EXPECT(is_base_class("new", "delete") && is_base_class("operator new", "operator delete"));
    EXPECT(!is_base_class("new[]", "delete") && !is_base_class("new", "delete[]"));
    EXPECT(is_array("new[]", "delete") && is_array("operator new[]", "operator delete"));
    EXPECT(is_array("new[]", "free") && !is_array("new[]", "realloc") && !is_array("new", "free"));
}

static const char *twice(uint32_t first, uint32_t second)
{
    connection_bug();
    bug.block.ended.stack.frames[0].function = "conn_close";
    bug.block.ended.stack.frames[0].line = first;
    bug.at.frames[0].line = second;
    return likely();
}

TEST(lines_that_are_not_known_are_no_cause)
{
    EXPECT_TEXT(twice(4, 3), "conn_close frees it twice: in line 4 and in line 3");
    EXPECT(*twice(0, 3) == '\0' && *twice(4, 0) == '\0' && *twice(3, 3) == '\0');
    session_bug();
    bug.at.frames[1].line = 0;
    EXPECT_TEXT(likely(), "");
    session_bug();
    bug.block.ended.stack.frames[1].line = 0;
    EXPECT_TEXT(likely(), "");
    session_bug();
    bug.at.frames[1].function = NULL;
    EXPECT_TEXT(likely(), "");
    session_bug();
    bug.block.ended.stack.frames[0].function = "";
    EXPECT_TEXT(likely(), "");
    session_bug();
    bug.block.ended.stack.count = BUG_FRAMES; /* perhaps cut off */
    EXPECT_TEXT(likely(), "");
    connection_bug(); /* the same call, of a function without a name */
    bug.block.ended.stack = bug.at;
    bug.block.ended.stack.frames[0].function = bug.at.frames[0].function = "";
    EXPECT_TEXT(likely(), "");
}

TEST(one_stack_that_is_the_end_of_another_names_no_user)
{
    session_bug();
    bug.at.count = 0;
    add(&bug.at, "main", "session.c", 8);
    EXPECT_TEXT(likely(), "");
    session_bug(); /* all of what freed is in the other */
    bug.at.count = 0;
    add(&bug.at, "is_root", "session.c", 2);
    add(&bug.at, "close_session", "session.c", 4);
    add(&bug.at, "main", "session.c", 8);
    EXPECT_TEXT(likely(), "");
}

/* `count` bytes behind a block of these. */
static const char *overflow(const char *block, uint64_t bytes, const char *written, uint32_t count)
{
    char memory[64];

    new_bug(BUG_OVERFLOW);
    set_block(bytes, "malloc");
    set_late("when the block was freed");
    memset(memory, 0x5c, sizeof(memory));
    memcpy(memory, block, bytes);
    memcpy(memory + bytes, written, count);
    set_memory(0, memory, 64);
    set_change((int64_t)bytes, count);
    return likely();
}

TEST(tabs_and_ends_of_lines_are_text)
{
    EXPECT_TEXT(overflow("a\tline\nmore text", 16, "", 1),
                "room for the text but not for its NUL: malloc(strlen(s)), s = 16 characters");
    EXPECT_TEXT(overflow("sixteen letters!", 16, "\t\n", 3),
                "a text of 18 characters copied without regard to the block's size");
}

TEST(elements_have_a_few_sizes)
{
    char three[3] = {1, 2, 3};

    new_bug(BUG_UNDERFLOW_FAULT);
    set_block(24, "malloc");
    bug.access_bytes = 2;
    bug.access_offset = -2;
    EXPECT_TEXT(likely(), "a loop that runs down through index 0: element -1, of 2 bytes");
    bug.access_bytes = 3;
    bug.access_offset = -3;
    EXPECT_TEXT(likely(), "");
    EXPECT_TEXT(overflow("\1\2\3\4\1\2\3\4\1\2\3\4", 12, three, 3), "");
    EXPECT_TEXT(overflow("\1\2\3\4\1\2\3\4", 8, "\1\2\3\4", 4),
                "one element too many: index 2 in an array of 2 (<= instead of <?)");
    EXPECT_TEXT(overflow("\1\2\3\4", 4, "\1\2\3\4", 4), ""); /* an array of one is none */
}

TEST(a_run_that_fills_the_block_as_well_began_in_it)
{
    EXPECT_TEXT(overflow("\7\7\7\7\7\7\7\7", 8, "\7\7\7\7\7\7\7\7\7\7\7\7", 12),
                "12 bytes of 07 in a row: a memset or a loop that began in the block went on past"
                " its end");
}
