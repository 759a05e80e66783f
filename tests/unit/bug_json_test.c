/* One line of JSON for a bug, and the bug back from it. */
#include "bug_fixture.h"

static struct bug copy;
static char again[BUG_REPORT_BYTES];

/* What a line says, read and said again. */
static const char *repeat(const char *line)
{
    struct text text = sg_text_begin(again, sizeof(again));

    if (!sg_bug_read_json(&copy, line, strlen(line)))
        return "(not read)";
    sg_bug_say_json(&text, &copy);
    return again;
}

TEST(the_line_of_a_bug)
{
    dup_name_bug();
    EXPECT_TEXT(
        say_json(),
        "{\"spanguard_report\":1,\"title\":\"heap overflow\",\"headline\":\"heap overflow: "
        "1 byte written past the end of a 24-byte block\",\"likely\":\"room for the text "
        "but not for its NUL: malloc(strlen(s)), s = 24 characters\",\"code\":\"P101\","
        "\"process\":4711,\"id\":\"7f3a91c2\",\"program\":\"names\",\"profile\":\"debug\","
        "\"function\":\"free\",\"found\":\"when the block was freed\",\"late\":true,"
        "\"access_offset\":24,\"changed_bytes\":1,\"address\":\"0x602000000010\","
        "\"thread\":1,\"at\":[{\"pc\":\"0x55555555500b\",\"offset\":\"0x100b\",\"module\":0,"
        "\"function\":\"main\",\"file\":\"names.c\",\"line\":11}],\"block\":{\"known\":true,"
        "\"start\":\"0x602000000010\",\"bytes\":24,\"site_ordinal\":1,\"allocated_by\":{"
        "\"function\":\"malloc\",\"sequence\":57,\"microseconds\":3100,\"thread\":1,"
        "\"stack\":[{\"pc\":\"0x555555555003\",\"offset\":\"0x1003\",\"module\":0,"
        "\"function\":\"dup_name\",\"file\":\"names.c\",\"line\":3},{"
        "\"pc\":\"0x555555555007\",\"offset\":\"0x1007\",\"module\":0,"
        "\"function\":\"main\",\"file\":\"names.c\",\"line\":7}]}},\"memory\":{"
        "\"expected\":92,\"bytes\":\"6162636465666768696a6b6c6d6e6f707172737475767778005c5c"
        "5c5c5c5c5c\",\"changed\":\"0x1000000\",\"readable\":\"0xffffffff\"},\"modules\":[{"
        "\"path\":\"/usr/bin/names\",\"build_id\":\"00aa11bb\"},{"
        "\"path\":\"/usr/lib/libthing.so.2\"}]}\n");
}

/* A value for every field: none is 0, so that each is written. */
static void fill_event(struct bug_event *event, const char *name)
{
    event->function = "calloc";
    event->sequence = 1234567890123456789;
    event->microseconds = 0;
    event->thread = 7;
    add(&event->stack, name, "file.c", 12)->column = 3;
    add(&event->stack, "outer", NULL, 0)->is_inlined = true;
    add_bare(&event->stack, BUG_NO_MODULE, 0xfedc);
    add_bare(&event->stack, 1, 0xfedc)->source = "";
}

static void fill_block(struct bug_block *block, const char *name)
{
    block->is_known = block->is_freed = true;
    block->start = UINT64_MAX;
    block->bytes = 77;
    block->site_ordinal = 3;
    fill_event(&block->made, name);
    fill_event(&block->ended, name);
}

static void fill_numbers(void)
{
    bug.process = -1;
    bug.same_as = 0x12;
    bug.is_late = bug.is_write = true;
    bug.access_bytes = UINT32_MAX;
    bug.access_offset = INT64_MIN;
    bug.changed_bytes = 1;
    bug.address = 1;
    bug.stated = UINT64_MAX;
    bug.frees_since = 2;
    bug.limit = 3;
    bug.limit_used = 4;
    bug.place_thread = 11;
    bug.moved_bytes = 5;
    bug.is_memory_withheld = true;
    bug.pointers_left = 6;
    bug.leak_bytes = 7;
    bug.leak_blocks = 8;
    bug.leak_places = 9;
    bug.reachable_bytes = 10;
    bug.reachable_blocks = 11;
}

static void fill_all(enum bug_kind kind, const char *name)
{
    new_bug(kind);
    fill_numbers();
    bug.found = bug.place_name = bug.function = name;
    fill_block(&bug.block, name);
    fill_block(&bug.owner, name);
    fill_event(&bug.moved, name);
    add(&bug.at, name, name, 3)->source = name;
    set_memory(-32, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64);
    bug.memory.changed = 0x8000000000000001;
    bug.memory.readable = 0xf00000000000000f;
    bug.memory.expected = 0xd7;
    bug.leak_count = 2;
    bug.leaks[0].bytes = bug.leaks[0].blocks = 5;
    bug.leaks[1].is_indirect = true;
    add(&bug.leaks[1].stack, name, "leak.c", 3);
    bug.module_count = BUG_MODULES;
    memset(bug.modules, 0, sizeof(bug.modules));
    for (int i = 0; i < BUG_MODULES; i++)
        snprintf(bug.modules[i].path, sizeof(bug.modules[i].path), "/lib/%d \"%.200s", i, name);
}

#define SAME(member) EXPECT_EQUAL(one->member, other->member)

static void expect_same_numbers(const struct bug *one, const struct bug *other)
{
    SAME(same_as);
    SAME(is_late);
    SAME(is_write);
    SAME(is_memory_withheld);
    SAME(access_bytes);
    SAME(changed_bytes);
    SAME(address);
    SAME(frees_since);
    SAME(limit);
    SAME(limit_used);
    SAME(place_thread);
    SAME(thread);
    SAME(moved_bytes);
    SAME(pointers_left);
    SAME(leak_bytes);
    SAME(leak_blocks);
    SAME(leak_places);
    SAME(reachable_bytes);
    SAME(block.is_freed);
    SAME(block.start);
    SAME(block.bytes);
    SAME(block.site_ordinal);
    SAME(block.made.sequence);
    SAME(block.made.thread);
    SAME(block.made.stack.frames[0].offset);
    SAME(block.made.stack.frames[0].column);
    SAME(leaks[0].bytes);
    SAME(leaks[0].blocks);
    SAME(leaks[1].is_indirect);
}

/* What a bug is, but for where its strings lie. */
static void expect_same_facts(const struct bug *one, const struct bug *other)
{
    EXPECT(one->kind == other->kind && one->process == other->process && one->id == other->id);
    EXPECT(one->access_offset == other->access_offset && one->stated == other->stated);
    EXPECT(memcmp(&one->memory, &other->memory, sizeof(one->memory)) == 0);
    EXPECT_EQUAL(one->at.count, other->at.count);
    EXPECT_EQUAL(one->at.frames[0].pc, other->at.frames[0].pc);
    EXPECT(strcmp(one->at.frames[0].source, other->at.frames[0].source) == 0);
    EXPECT_EQUAL(one->owner.ended.stack.count, other->owner.ended.stack.count);
    EXPECT_EQUAL(one->owner.ended.stack.frames[2].module, BUG_NO_MODULE);
    EXPECT_EQUAL(other->owner.ended.stack.frames[2].module, BUG_NO_MODULE);
    EXPECT(one->owner.ended.stack.frames[1].is_inlined);
    EXPECT(other->owner.ended.stack.frames[1].is_inlined);
    EXPECT(memcmp(one->modules, other->modules, sizeof(one->modules)) == 0);
    EXPECT_EQUAL(one->leaks[1].stack.frames[0].line, other->leaks[1].stack.frames[0].line);
    EXPECT_EQUAL(one->reachable_blocks, other->reachable_blocks);
    EXPECT(one->moved.microseconds == 0 && other->moved.microseconds == 0);
}

TEST(each_kind_with_all_its_facts_comes_back)
{
    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++)
        for (int place = 0; place <= BUG_PLACE_OVERFLOW; place++) {
            fill_all(kind, "name");
            bug.place = (enum bug_place)place;
            EXPECT_TEXT(repeat(say_json()), said);
            EXPECT(copy.place == bug.place && !copy.is_cut);
            expect_same_facts(&bug, &copy);
            expect_same_numbers(&bug, &copy);
        }
}

TEST(the_text_of_a_bug_that_came_back_is_the_same)
{
    static char first[BUG_REPORT_BYTES];
    struct text text = sg_text_begin(again, sizeof(again));

    session_bug();
    strcpy(first, say_text());
    repeat(say_json());
    sg_bug_say_text(&text, &copy, false);
    EXPECT_TEXT(again, first);
}

TEST(every_byte_of_a_string_comes_back)
{
    char bytes[512];

    for (int i = 0; i < 255; i++)
        bytes[i] = (char)(i + 1);
    for (int i = 0; i < 256; i++)
        bytes[255 + i] = (char)(255 - i);
    fill_all(BUG_FOREIGN, "name");
    bug.module_count = 0;
    bug.function = bug.at.frames[0].source = bytes;
    EXPECT_TEXT(repeat(say_json()), said);
    EXPECT(!copy.is_cut);
    EXPECT(strcmp(copy.function, bytes) == 0);
    EXPECT(strcmp(copy.at.frames[0].source, bytes) == 0);
    EXPECT(strchr(said, '\n') == said + strlen(said) - 1);
}

TEST(an_event_that_was_not_recorded_is_not_there)
{
    dup_name_bug();
    bug.block.ended.microseconds = 0; /* as in a record that nobody filled in */
    EXPECT(strstr(say_json(), "freed_by") == NULL && strstr(said, "moved") == NULL);
    EXPECT_TEXT(repeat(said), said);
    EXPECT(copy.block.ended.microseconds == UINT64_MAX && copy.moved.microseconds == UINT64_MAX);
    EXPECT(copy.block.made.microseconds == 3100);
}

static char name_store[BUG_STRING_BYTES];

/* `count` different names of `length` bytes. */
static void fill_names(struct bug_stack *stack, size_t length, unsigned char byte)
{
    static size_t used;

    for (stack->count = 0; stack->count < BUG_FRAMES;) {
        used = used + length + 1 < sizeof(name_store) ? used : 0;
        memset(name_store + used, byte, length);
        name_store[used + length] = '\0';
        add(stack, name_store + used, name_store + used, 7)->source = name_store + used;
        used += length + 1;
    }
}

static void fill_all_names(size_t length, unsigned char byte)
{
    fill_all(BUG_STALE, "name");
    fill_names(&bug.at, length, byte);
    fill_names(&bug.block.made.stack, length, byte);
    fill_names(&bug.block.ended.stack, length, byte);
    fill_names(&bug.owner.made.stack, length, byte);
    fill_names(&bug.owner.ended.stack, length, byte);
    fill_names(&bug.moved.stack, length, byte);
    bug.leak_count = BUG_LEAKS;
    for (int i = 0; i < BUG_LEAKS; i++)
        fill_names(&bug.leaks[i].stack, length, byte);
}

/* Sources go first, then names, then frames; whatever is left is a line that is read again. */
TEST(what_does_not_fit_is_left_out_and_said)
{
    static const struct {
        size_t length;
        unsigned char byte;
        bool has_sources, has_names;
    } cases[] = {{4, 'a', true, true},
                 {20, 'a', false, true},
                 {90, 'a', false, false},
                 {2000, 'a', false, false},
                 {2000, 0xff, false, false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill_all_names(cases[i].length, cases[i].byte);
        EXPECT((strstr(say_json(), "\"source\"") != NULL) == cases[i].has_sources);
        EXPECT((strstr(said, "\"file\"") != NULL) == cases[i].has_names);
        EXPECT((strstr(said, ",\"cut\":true}\n") != NULL) == !cases[i].has_sources);
        EXPECT_TEXT(repeat(said), said);
        EXPECT(copy.is_cut == !cases[i].has_sources);
        EXPECT(copy.at.frames[3].pc == bug.at.frames[3].pc);
    }
}

TEST(the_worst_that_can_be_said_fits)
{
    static char worst[3000];

    memset(worst, 1, sizeof(worst) - 1);
    for (enum bug_kind kind = 0; kind < BUG_KINDS; kind++) {
        fill_all_names(2000, 1);
        bug.kind = kind;
        bug.program = bug.profile = bug.function = bug.found = bug.place_name = worst;
        bug.block.made.function = bug.block.ended.function = bug.owner.made.function = worst;
        bug.owner.ended.function = bug.moved.function = worst;
        for (int i = 0; i < BUG_MODULES; i++) {
            memset(bug.modules[i].path, 1, sizeof(bug.modules[i].path) - 1);
            memset(bug.modules[i].build_id, 1, sizeof(bug.modules[i].build_id) - 1);
        }
        EXPECT(strcmp(say_json() + strlen(said) - 2, "}\n") == 0);
        EXPECT_TEXT(repeat(said), said);
    }
}

static bool is_read(const char *line)
{
    return sg_bug_read_json(&copy, line, strlen(line));
}

TEST(what_is_no_report_is_refused)
{
    EXPECT(is_read("{\"spanguard_report\":1,\"code\":\"P203\"}"));
    EXPECT(!is_read(""));
    EXPECT(!is_read("{}"));
    EXPECT(!is_read("[]"));
    EXPECT(!is_read("null"));
    EXPECT(!is_read("{\"spanguard_report\":1}"));
    EXPECT(!is_read("{\"code\":\"P203\"}"));
    EXPECT(!is_read("{\"spanguard_report\":2,\"code\":\"P203\"}"));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P999\"}"));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P203\"} x"));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P203\""));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P203\",}"));
    EXPECT(!is_read("{\"spanguard_report\":1 \"code\":\"P203\"}"));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P203\",\"at\":[{]}"));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P203\",\"x\":[1,2}"));
    EXPECT(!is_read("{\"spanguard_report\":1,\"code\":\"P203\",\"x\":\"\\u12\"}"));
}

TEST(what_is_not_known_is_passed_over)
{
    EXPECT(is_read(" { \"future\" : [ { \"a\" : [ ] , \"b\" : null }, -1.5e3, false ] ,\n"
                   " \"code\" : \"P203\" , \"spanguard_report\" : 1 , \"process\" : 12 } \n"));
    EXPECT(copy.kind == BUG_DOUBLE_FREE && copy.process == 12);
}

TEST(values_of_another_type_or_out_of_range_are_left_out)
{
    EXPECT(is_read("{\"spanguard_report\":1,\"code\":\"P203\",\"process\":\"a\",\"id\":\"xyz\","
                   "\"address\":\"12\",\"thread\":4294967296,\"access_bytes\":-1,\"stated\":1.5,"
                   "\"frees_since\":18446744073709551616,\"late\":\"true\",\"at\":{},\"block\":[],"
                   "\"place\":\"moon\",\"program\":7,\"memory\":{\"bytes\":\"12zz\"}}"));
    EXPECT(copy.process == 0 && copy.id == 0 && copy.address == 0 && copy.thread == 0);
    EXPECT(copy.access_bytes == 0 && copy.stated == 0 && copy.frees_since == 0 && !copy.is_late);
    EXPECT(copy.at.count == 0 && !copy.block.is_known && copy.place == BUG_PLACE_UNKNOWN);
    EXPECT(copy.program == NULL && copy.memory.count == 1 && copy.memory.bytes[0] == 0x12);
}

TEST(more_elements_than_there_is_room_for_are_passed_over)
{
    static char line[8192];
    size_t length = (size_t)sprintf(line, "{\"spanguard_report\":1,\"code\":\"P203\",\"at\":[{}");

    for (int i = 0; i < 40; i++)
        length += (size_t)sprintf(line + length, ",{\"line\":%d}", i + 1);
    sprintf(line + length, "]}");
    EXPECT(is_read(line));
    EXPECT_EQUAL(copy.at.count, BUG_FRAMES);
    EXPECT_EQUAL(copy.at.frames[BUG_FRAMES - 1].line, BUG_FRAMES - 1);
}

TEST(escapes_of_other_writers_are_understood)
{
    EXPECT(is_read("{\"spanguard_report\":1,\"code\":\"P203\",\"program\":"
                   "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u20ac\\uD83D\\uDC1B\"}"));
    EXPECT(strcmp(copy.program, "\"\\/\b\f\n\r\tA\xe2\x82\xac\xf0\x9f\x90\x9b") == 0);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Whatever was made of a line: it is refused, or it is one whose facts are stable. */
TEST(damaged_lines_are_refused_or_are_stable)
{
    static char line[BUG_REPORT_BYTES], first[BUG_REPORT_BYTES];
    static const char letters[] = "{}[]\",:\\u0129aefx-.tn \1\xff";
    uint32_t state = 1, read = 0;

    for (int round = 0; round < 4000; round++) {
        fill_all(BUG_FREED_FAULT, "name");
        strcpy(line, say_json());
        for (uint32_t i = next_random(&state) % 3 + 1; i > 0; i--)
            line[next_random(&state) % strlen(line)] =
                letters[next_random(&state) % (sizeof(letters) - 1)];
        if (!is_read(line))
            continue;
        read++;
        struct text text = sg_text_begin(first, sizeof(first));
        sg_bug_say_json(&text, &copy);
        EXPECT_TEXT(repeat(first), first);
        text = sg_text_begin(first, sizeof(first));
        sg_bug_say_text(&text, &copy, false);
    }
    EXPECT(read > 100 && read < 3900);
}

TEST(a_line_that_ends_anywhere_is_refused)
{
    size_t length;

    dup_name_bug();
    length = strlen(say_json());
    for (size_t i = 0; i + 1 < length; i++)
        EXPECT(!sg_bug_read_json(&copy, said, i));
    EXPECT(sg_bug_read_json(&copy, said, length - 1));
}
