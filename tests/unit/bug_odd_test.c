/* Facts that are missing, or that no report of ours has, in each form: what is said stays true. */
#include "bug_fixture.h"
#include "bug_screen.h"
#include "bug_words.h"

static bool says(const char *words)
{
    if (strstr(said, words) == NULL)
        printf("# no '%s' in: %s\n", words, said);
    return strstr(said, words) != NULL;
}

TEST(asan_frames_without_lines_files_or_modules)
{
    session_bug();
    bug.at.frames[0].line = 0;
    say_asan();
    EXPECT(says("in is_root session.c\n") &&
           says("SUMMARY: AddressSanitizer: heap-use-after-free session.c in is_root\n"));
    bug.at.frames[0].file = "";
    say_asan();
    EXPECT(says("in is_root (/usr/bin/names+0x1005) (BuildId: 00aa11bb)\n"));
    EXPECT(says(
        "SUMMARY: AddressSanitizer: heap-use-after-free (/usr/bin/names+0x1005) (BuildId: 00aa11bb) in is_root\n"));
    bug.at.frames[0].function = "";
    bug.at.frames[0].module = 40;
    bug.module_count = 1000; /* damaged: there are not as many */
    say_asan();
    EXPECT(says("#0 0x555555555005  (<unknown module>)\n"));
    EXPECT(says("SUMMARY: AddressSanitizer: heap-use-after-free (<unknown module>)\n"));
    bug.at.frames[0].function = NULL;
    say_asan();
    EXPECT(says("SUMMARY: AddressSanitizer: heap-use-after-free (<unknown module>)\n"));
}

TEST(asan_positions_around_a_block)
{
    dup_name_bug();
    bug.kind = BUG_UNDERFLOW;
    bug.access_offset = -4;
    say_asan();
    EXPECT(says("0x60200000000c is located 4 bytes before 24-byte region ["));
    bug.access_offset = 30;
    say_asan();
    EXPECT(says("0x60200000002e is located 6 bytes after 24-byte region ["));
    bug.block.bytes = 0;
    bug.access_offset = 0;
    say_asan();
    EXPECT(says("is located 0 bytes inside of 0-byte region ["));
    bug.block.is_known = false;
    bug.address = 0x1234;
    say_asan();
    EXPECT(says("on address 0x000000001234 at pc"));
}

TEST(asan_spells_interfaces_its_own_way)
{
    new_bug(BUG_INTERFACE);
    set_block(8, "malloc");
    bug.function = "delete[]";
    say_asan();
    EXPECT(says("(malloc vs operator delete [])"));
    bug.block.made.function = NULL;
    bug.function = "f";
    say_asan();
    EXPECT(says("(malloc vs f)"));
}

TEST(the_first_line_tells_on_which_side_of_a_block_a_pointer_is)
{
    new_bug(BUG_INTERIOR);
    set_block(40, "malloc");
    bug.access_offset = -8;
    say_core();
    EXPECT(says("8 bytes in front of a live block of 40 bytes"));
    bug.access_offset = 48;
    say_core();
    EXPECT(says("8 bytes past the end of a live block of 40 bytes"));
    EXPECT_TEXT(say_json() + strlen(said) - 2, "}\n");
    EXPECT(says("8 bytes past the end of"));
    bug.block.bytes = 0;
    bug.access_offset = 0;
    say_core();
    EXPECT(says("0 bytes inside a live block of 0 bytes"));
}

TEST(inlined_frames_alone_are_no_place)
{
    new_bug(BUG_DOUBLE_FREE);
    for (uint32_t i = 0; i < BUG_FRAMES; i++)
        add(&bug.at, "f", "f.c", i)->is_inlined = true;
    bug.at.count = BUG_FRAMES + 4; /* damaged */
    say_core();
    EXPECT(says("(profile=debug id=7f3a91c2)"));
    sg_bug_identify(&bug);
    uint32_t id = bug.id;
    bug.at.count = 0;
    sg_bug_identify(&bug);
    EXPECT_EQUAL(bug.id, id);
    add_bare(&bug.at, 40, 0x10);
    bug.module_count = 1000; /* damaged */
    sg_bug_identify(&bug);
    EXPECT_EQUAL(bug.id, id);
}

TEST(a_place_without_a_name_is_said_without_one)
{
    new_bug(BUG_FOREIGN);
    bug.place = BUG_PLACE_GLOBAL;
    bug.place_name = "";
    say_core();
    EXPECT(says("free: the address of a global variable (profile"));
}

TEST(a_stack_is_that_of_this_thread_only_if_it_is_known_to_be)
{
    new_bug(BUG_FOREIGN);
    bug.place = BUG_PLACE_STACK;
    bug.address = 0x7ffc00001234;
    bug.place_thread = bug.thread;
    say_text();
    EXPECT(says("0x7ffc00001234, in the stack of this thread\n"));
    bug.place_thread = 0;
    say_text();
    EXPECT(says("0x7ffc00001234, in the stack of another thread\n"));
    bug.thread = 0; /* the record of this thread is missing: it could be its own */
    say_text();
    EXPECT(says("0x7ffc00001234, in a stack\n"));
}

TEST(one_is_not_many)
{
    new_bug(BUG_FREED_WRITE);
    set_block(40, "malloc");
    set_late("at exit");
    bug.frees_since = 1;
    say_text();
    EXPECT(says("late: at exit, 1 free after its own"));
    bug.frees_since = 2;
    say_text();
    EXPECT(says("late: at exit, 2 frees after its own"));
}

TEST(a_site_without_a_name_is_a_place)
{
    dup_name_bug();
    bug.block.made.stack.frames[0].function = "";
    bug.block.made.stack.frames[0].file = "";
    say_text();
    EXPECT(says("@names+0x1003#1"));
}

static const char *silence(const char *function, uint32_t leaks)
{
    new_bug(BUG_LEAK);
    bug.leak_bytes = 7;
    bug.leak_blocks = 1;
    bug.leak_places = 1;
    bug.leak_count = leaks;
    bug.leaks[0].bytes = 7;
    add(&bug.leaks[0].stack, function, "f.c", 3);
    return strstr(say_text(), "leak:");
}

TEST(a_leak_without_a_name_has_no_suppression)
{
    EXPECT(silence("grow", 1) != NULL && strncmp(silence("grow", 1), "leak:grow", 9) == 0);
    EXPECT(silence("", 1) == NULL && silence(NULL, 1) == NULL && silence("grow", 0) == NULL);
}

static bool runs(const char *program, const char *shown)
{
    static char words[128];

    dup_name_bug();
    bug.program = program;
    say_text();
    snprintf(words, sizeof(words), " -- %s ...", shown);
    return says(words);
}

TEST(a_command_to_copy_names_a_program_that_a_shell_takes_as_it_stands)
{
    EXPECT(runs("a-z.A_Z+09", "a-z.A_Z+09") && runs("Zz", "Zz"));
    EXPECT(runs("-x", "PROGRAM") && runs("a b", "PROGRAM") && runs("", "PROGRAM"));
    EXPECT(runs("a;b", "PROGRAM") && runs("a$(b)", "PROGRAM") && runs("[x]", "PROGRAM"));
    EXPECT(runs("a{b", "PROGRAM") && runs("caf\xc3\xa9", "PROGRAM") && runs(NULL, "PROGRAM"));
    EXPECT(runs("a-name-of-more-than-24-columns", "PROGRAM"));
}

static const char *head_of(const char *string)
{
    static char words[64];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_bug_say_head(&text, string, 40);
    return words;
}

TEST(characters_that_are_none_are_question_marks)
{
    EXPECT_TEXT(head_of("\xe0\x80\x80"), "???"); /* longer than it need be */
    EXPECT_TEXT(head_of("\xf0\x80\x80\x80"), "????");
    EXPECT_TEXT(head_of("\xf4\x90\x80\x80"), "????"); /* beyond the last */
    EXPECT_TEXT(head_of("a\xf0\x9f\x90"), "a???");    /* cut short */
    EXPECT_TEXT(head_of("\xf0\x9f\x90\x9b"), "\xf0\x9f\x90\x9b");
    EXPECT(sg_bug_glyph("", 0) == 0);
}

static const char *time_of(uint64_t microseconds)
{
    static char words[64];
    struct text text = sg_text_begin(words, sizeof(words));

    sg_bug_say_time(&text, microseconds);
    return words;
}

TEST(times_have_the_unit_that_reads_best)
{
    EXPECT_TEXT(time_of(999), "999 us");
    EXPECT_TEXT(time_of(1000), "1 ms");
    EXPECT_TEXT(time_of(119999999), "119 s");
    EXPECT_TEXT(time_of(120000000), "2 min");
    EXPECT_TEXT(time_of(7200000000), "2 h");
    EXPECT_TEXT(time_of(UINT64_MAX), "5124095576 h");
}

TEST(paths_are_shown_short)
{
    EXPECT_TEXT(sg_bug_short_path("./src/a.c"), "src/a.c");
    EXPECT_TEXT(sg_bug_short_path("././a.c"), "a.c");
    EXPECT_TEXT(sg_bug_short_path("./"), "./");
    EXPECT_TEXT(sg_bug_short_path("/a.c"), "a.c");
    EXPECT_TEXT(sg_bug_short_path("/home/x/src/a.c"), "src/a.c");
    EXPECT_TEXT(sg_bug_short_path(".hidden/a.c"), ".hidden/a.c");
    EXPECT_TEXT(sg_bug_base_name("/usr/lib/"), "lib/");
    EXPECT(!sg_bug_is(NULL, "a") && !sg_bug_is("a", NULL) && sg_bug_is("a", "a"));
}

static void begin(struct screen *screen, struct text *text)
{
    *text = sg_text_begin(said, sizeof(said));
    *screen = sg_screen_begin(text, false);
}

TEST(a_line_that_was_not_begun_does_not_end)
{
    struct screen screen;
    struct text text;

    begin(&screen, &text);
    sg_screen_end_line(&screen);
    EXPECT_TEXT(said, "");
    sg_screen_put(&screen, "a  ");
    sg_screen_end_line(&screen);
    sg_screen_end_line(&screen);
    EXPECT_TEXT(said, "a\n");
}

TEST(words_are_broken_at_blanks_while_there_are_lines)
{
    struct screen screen;
    struct text text;
    char word[SCREEN_COLUMNS + 1] = "";

    memset(word, '\x01', SCREEN_COLUMNS - 20);
    begin(&screen, &text);
    sg_screen_put(&screen, "begin with some words ");
    sg_screen_wrap(&screen, word, 1);
    sg_screen_end_line(&screen);
    EXPECT(screen.lines == 2 && strstr(said, "words\n") != NULL && strchr(said, '?') != NULL);
    begin(&screen, &text);
    sg_screen_put(&screen, "begin with some words ");
    sg_screen_wrap(&screen, word, 0);
    sg_screen_end_line(&screen);
    EXPECT(screen.lines == 1 && strstr(said, "...\n") != NULL);
    begin(&screen, &text);
    sg_screen_wrap(&screen, "one two ", 1);
    sg_screen_end_line(&screen);
    EXPECT_TEXT(said, "one two\n");
}

TEST(nothing_is_put_behind_the_last_line)
{
    struct screen screen;
    struct text text;

    begin(&screen, &text);
    for (unsigned i = 0; i < SCREEN_LINES; i++)
        sg_screen_row(&screen, "row");
    sg_screen_end_line(&screen);
    size_t length = text.length;
    EXPECT(length > 0 && sg_screen_room(&screen) == 0);
    sg_screen_pad(&screen, 40);
    sg_screen_put(&screen, "more");
    EXPECT_EQUAL(text.length, length);
}

TEST(strings_are_refused_by_a_bug_whose_count_is_damaged)
{
    new_bug(BUG_LEAK);
    bug.string_bytes = BUG_STRING_BYTES + 1;
    EXPECT_TEXT(sg_bug_keep(&bug, "a", 1), "");
    bug.string_bytes = BUG_STRING_BYTES - 1;
    EXPECT_TEXT(sg_bug_keep(&bug, "a", 1), "");
    bug.string_bytes = BUG_STRING_BYTES - 2;
    EXPECT_TEXT(sg_bug_keep(&bug, "a", 1), "a");
}

TEST(a_path_that_fills_its_room_is_said_whole)
{
    new_bug(BUG_LEAK);
    memset(bug.modules[1].path, 'p', sizeof(bug.modules[1].path));
    bug.modules[1].build_id[0] = '\0';
    bug.module_count = 2;
    say_json();
    EXPECT(strstr(said, "\"path\":\"ppp") != NULL);
    EXPECT_EQUAL(strspn(strstr(said, "ppp"), "p"), sizeof(bug.modules[1].path));
}

static bool is_event_said(const char *function, uint32_t frames, uint64_t sequence)
{
    dup_name_bug();
    bug.block.ended.function = function;
    bug.block.ended.sequence = sequence;
    while (bug.block.ended.stack.count < frames)
        add_bare(&bug.block.ended.stack, 0, 0x10);
    return strstr(say_json(), "\"freed_by\":") != NULL;
}

TEST(an_event_is_there_if_anything_is_known_of_it)
{
    EXPECT(!is_event_said(NULL, 0, 0));
    EXPECT(is_event_said("free", 0, 0) && is_event_said(NULL, 1, 0) && is_event_said(NULL, 0, 9));
}
