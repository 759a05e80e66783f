/* What no report may do, whatever a program's names and bytes are: take more than a screen, reach
 * the terminal with what it would obey, or run out of its buffer. */
#include "bug_fixture.h"

static char long_name[2001];
static char wide_name[2001]; /* of two bytes for each column */

static void make_names(void)
{
    memset(long_name, 'n', sizeof(long_name) - 1);
    for (size_t i = 0; i + 1 < sizeof(wide_name); i += 2)
        memcpy(wide_name + i, "\xc3\xa9", 2);
}

static void fill_stack(struct bug_stack *stack, const char *function, const char *file)
{
    stack->count = 0;
    while (stack->count < BUG_FRAMES) {
        struct bug_frame *frame = add(stack, function, file, 1000000000 + stack->count);

        frame->source = function;
        frame->column = 4000000000u;
    }
}

/* Every fact there is, each with the longest words. */
static void fill_bug(enum bug_kind kind, const char *name)
{
    new_bug(kind);
    set_block(UINT64_MAX / 2, name);
    set_freed(name, 7199ull * 1000000);
    bug.block.ended.thread = 4000000000u;
    bug.block.made.thread = 4000000000u;
    bug.block.made.microseconds = UINT64_MAX - 1;
    bug.block.made.sequence = bug.block.site_ordinal = UINT64_MAX;
    bug.owner = bug.block;
    bug.moved = bug.block.made;
    bug.program = bug.profile = bug.function = bug.found = bug.place_name = name;
    bug.same_as = 0xffffffff;
    bug.changed_bytes = bug.stated = bug.frees_since = bug.pointers_left = UINT64_MAX;
    bug.limit = bug.limit_used = bug.moved_bytes = UINT64_MAX;
    bug.access_bytes = UINT32_MAX;
    bug.place = BUG_PLACE_GLOBAL;
    bug.leak_bytes = bug.leak_blocks = bug.leak_places = UINT64_MAX;
    bug.reachable_bytes = bug.reachable_blocks = UINT64_MAX;
    bug.leak_count = BUG_LEAKS;
    for (unsigned i = 0; i < BUG_LEAKS; i++) {
        bug.leaks[i].bytes = bug.leaks[i].blocks = UINT64_MAX;
        bug.leaks[i].is_indirect = true;
        fill_stack(&bug.leaks[i].stack, name, name);
    }
    fill_stack(&bug.at, name, name);
    fill_stack(&bug.block.made.stack, name, name);
    fill_stack(&bug.block.ended.stack, name, name);
    fill_stack(&bug.owner.made.stack, name, name);
    fill_stack(&bug.moved.stack, name, name);
    bug.memory.offset = INT64_MAX - 63 - 15;
    bug.memory.count = 64;
    bug.memory.readable = UINT64_MAX;
    bug.memory.changed = 0x0ff0;
    bug.access_offset = bug.memory.offset + 4;
}

static size_t columns_of(const char *line, size_t length)
{
    size_t columns = 0;

    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)line[i] & 0xc0) != 0x80;
    return columns;
}

static void expect_screen(const char *text, const char *what)
{
    size_t lines = 0;

    for (const char *line = text; *line != '\0'; lines++) {
        const char *end = strchr(line, '\n');

        EXPECT(end != NULL);
        if (end == NULL)
            return;
        if (columns_of(line, (size_t)(end - line)) > 90)
            printf("# %s, %zu columns: %.*s\n", what, columns_of(line, (size_t)(end - line)),
                   (int)(end - line), line);
        EXPECT(columns_of(line, (size_t)(end - line)) <= 90);
        line = end + 1;
    }
    if (lines > 24 || lines < 3)
        printf("# %s has %zu lines:\n%s", what, lines, text);
    EXPECT(lines <= 24 && lines >= 3);
}

TEST(every_kind_with_the_longest_names_is_one_screen_and_ends_with_its_id)
{
    make_names();
    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++)
        for (unsigned late = 0; late < 4; late++) {
            fill_bug(kind, late < 2 ? long_name : wide_name);
            bug.is_late = late % 2 != 0;
            expect_screen(say_text(), sg_bug_code(kind));
            EXPECT(strstr(said, "\n  id       7f3a91c2   ") != NULL);
            EXPECT(strstr(said, sg_bug_code(kind)) != NULL);
            EXPECT(strchr(said, '\n') > strstr(said, sg_bug_code(kind)));
        }
}

TEST(facts_that_are_all_missing_are_a_report_too)
{
    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++) {
        memset(&bug, 0, sizeof(bug));
        bug.kind = kind;
        EXPECT(strlen(say_text()) > 40 && strstr(said, sg_bug_code(kind)) != NULL);
        EXPECT(strlen(say_asan()) > 40);
        EXPECT(strlen(say_core()) > 40);
    }
}

/* A bug whose record was damaged: counts and kinds that cannot be. */
TEST(damaged_counts_are_no_reason_to_read_beyond_the_record)
{
    fill_bug(BUG_OVERFLOW, "name");
    bug.at.count = bug.block.made.stack.count = bug.memory.count = UINT32_MAX;
    bug.leak_count = bug.module_count = UINT32_MAX;
    bug.at.frames[0].module = 31999;
    bug.place = (enum bug_place)77;
    for (unsigned kind = 0; kind <= BUG_KINDS; kind++) {
        bug.kind = (enum bug_kind)kind;
        expect_screen(say_text(), "damaged");
        EXPECT(strlen(say_json()) > 40 && strlen(say_asan()) > 40 && strlen(say_core()) > 40);
    }
}

static bool is_obeyed(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;

        if ((byte < 0x20 && byte != '\n') || byte == 0x7f)
            return true;
        if (byte == 0xc2 && (unsigned char)c[1] >= 0x80 && (unsigned char)c[1] < 0xa0)
            return true;
        if (strncmp(c, "\xe2\x80\xae", 3) == 0) /* right to left from here on */
            return true;
    }
    return false;
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;

    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    return lines;
}

TEST(names_that_a_terminal_would_obey_do_not_reach_it)
{
    static const char hostile[] = "\033]0;title\007\033[2J\r\n\b\x7f\xc2\x9b"
                                  "31m\xe2\x80\xae\xff\xc3(\xed\xa0\x80\xf5\x80\x80\x80\xc0\xafok";

    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++) {
        fill_bug(kind, hostile);
        strcpy(bug.modules[0].path, hostile);
        bug.at.frames[1].function = bug.at.frames[1].file = NULL;
        EXPECT(!is_obeyed(say_text()));
        EXPECT(!is_obeyed(say_asan()));
        EXPECT(!is_obeyed(say_core()));
        EXPECT_EQUAL(lines_of(said), 1);
        EXPECT(!is_obeyed(say_json()));
        EXPECT_EQUAL(lines_of(said), 1);
    }
}

TEST(readable_characters_of_other_scripts_stay)
{
    connection_bug();
    bug.at.frames[0].source = "free(gr\xc3\xb6\xc3\x9f"
                              "e); /* \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\x9b */";
    EXPECT(strstr(say_text(), "free(gr\xc3\xb6\xc3\x9f"
                              "e); /* \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\x9b */\n") != NULL);
}

TEST(what_does_not_fit_ends_with_dots)
{
    make_names();
    connection_bug();
    bug.at.frames[0].source = long_name;
    EXPECT(strstr(say_text(), "nnn...\n           main") != NULL);
    bug.at.frames[0].function = long_name;
    EXPECT(strstr(say_text(), "nnn...  conn.c:3    nnn") != NULL);
    bug.at.frames[0].file = long_name;
    EXPECT(strstr(say_text(), "  ...nnn") != NULL);
    EXPECT(strstr(said, "nnn:3\n") != NULL);
}

TEST(a_line_of_exactly_ninety_columns_is_whole)
{
    char source[57];

    memset(source, 's', sizeof(source) - 1);
    source[55] = '\0';
    connection_bug();
    bug.at.frames[0].source = source;
    EXPECT(strstr(say_text(), "    sssss") != NULL && strstr(said, "sssss\n") != NULL);
    expect_screen(said, "ninety columns");
    source[55] = 's';
    source[56] = '\0';
    EXPECT(strstr(say_text(), "sssss...\n") != NULL);
    expect_screen(said, "one more");
}

TEST(many_frames_are_counted_and_not_shown)
{
    connection_bug();
    bug.at.count = bug.block.made.stack.count = 0;
    for (uint32_t i = 0; i < 9; i++)
        add(&bug.at, "recurse", "r.c", i + 1);
    for (uint32_t i = 0; i < 16; i++)
        add(&bug.block.made.stack, "recurse", "r.c", i + 1);
    EXPECT(strstr(say_text(), "           recurse  r.c:4 < 5 more\n") != NULL);
    EXPECT(strstr(said, "recurse r.c:7 < ...\n") != NULL || strstr(said, " < ...\n") != NULL);
}

TEST(frames_below_main_and_below_a_thread_are_left_out)
{
    connection_bug();
    add(&bug.at, "__libc_start_call_main", "libc_start_call_main.h", 58);
    add(&bug.at, "_start", NULL, 0);
    EXPECT(strstr(say_text(), "_start") == NULL);
    connection_bug();
    bug.at.count = 1;
    add(&bug.at, "start_thread", "pthread_create.c", 442);
    add(&bug.at, "clone3", "clone3.S", 81);
    EXPECT(strstr(say_text(), "start_thread") == NULL && strstr(said, "clone3") == NULL);
}

/* The text without what stands between ESC [ and m. */
static void strip_colour(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '\033') {
            *to++ = *from;
            continue;
        }
        while (*from != 'm')
            from++;
    }
    *to = '\0';
}

static char plain[BUG_REPORT_BYTES];

TEST(colour_is_only_there_when_asked_for_and_changes_no_word)
{
    make_names();
    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++) {
        struct text text = sg_text_begin(said, sizeof(said));

        fill_bug(kind, long_name);
        EXPECT(strchr(say_text(), '\033') == NULL);
        strcpy(plain, said);
        text = sg_text_begin(said, sizeof(said));
        sg_bug_say_text(&text, &bug, true);
        EXPECT(strstr(said, "\033[1m") == said);
        for (const char *line = said; (line = strchr(line, '\n')) != NULL; line++)
            EXPECT(line[-1] != ' ');
        strip_colour(said);
        EXPECT(strcmp(said, plain) == 0);
    }
}

TEST(changed_bytes_are_red)
{
    struct text text = sg_text_begin(said, sizeof(said));

    dup_name_bug();
    sg_bug_say_text(&text, &bug, true);
    EXPECT(strstr(said, "|\033[31m00\033[0m<") != NULL);
}

TEST(every_line_that_has_colour_ends_without_it)
{
    struct text text = sg_text_begin(said, sizeof(said));

    make_names();
    connection_bug();
    bug.at.frames[0].source = long_name;
    sg_bug_say_text(&text, &bug, true);
    EXPECT(strstr(said, "n...\033[0m\n") != NULL);
}

TEST(a_buffer_that_is_too_small_is_filled_and_not_passed)
{
    static const unsigned sizes[] = {1, 2, 40, 200, 999};
    struct text text;

    make_names();
    fill_bug(BUG_FREED_FAULT, long_name);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(said, '#', sizeof(said));
        text = sg_text_begin(said, sizes[i]);
        sg_bug_say_text(&text, &bug, true);
        text = sg_text_begin(said, sizes[i]);
        sg_bug_say_asan(&text, &bug);
        text = sg_text_begin(said, sizes[i]);
        sg_bug_say_json(&text, &bug);
        text = sg_text_begin(said, sizes[i]);
        sg_bug_say_core(&text, &bug);
        EXPECT(said[sizes[i]] == '#' && strlen(said) < sizes[i]);
    }
}

TEST(reports_in_other_forms_fit_and_end_with_a_newline)
{
    make_names();
    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++) {
        size_t length;

        fill_bug(kind, long_name);
        length = strlen(say_core());
        EXPECT(said[length - 1] == '\n' && length < 2048);
        length = strlen(say_asan());
        EXPECT(said[length - 1] == '\n');
        length = strlen(say_json());
        EXPECT(said[length - 1] == '\n' && said[length - 2] == '}');
    }
}
