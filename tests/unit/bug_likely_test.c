/* Each rule for a likely cause, where its facts are there, and where one of them is not. */
#include "bug_fixture.h"

#define SILENT ""

static const char *likely(void)
{
    struct text text = sg_text_begin(said, sizeof(said));
    bool fired = sg_bug_say_likely(&text, &bug);

    EXPECT(fired == (text.length > 0));
    return said;
}

#define EXPECT_LIKELY(expected) EXPECT_TEXT(likely(), expected)

/* A block of which all bytes are seen, and 16 behind it; `written` is what came over its end. */
static void overflow_bug(const char *block, uint64_t bytes, const char *written, uint32_t count)
{
    char memory[64];

    new_bug(BUG_OVERFLOW);
    set_block(bytes, "malloc");
    set_late("when the block was freed");
    memset(memory, 0x5c, sizeof(memory));
    memcpy(memory, block, bytes);
    memcpy(memory + bytes, written, count);
    set_memory(0, memory, 64);
    bug.memory.expected = 0x5c;
    set_change((int64_t)bytes, count);
}

TEST(a_nul_behind_a_text_that_fills_its_block)
{
    overflow_bug("sixteen letters!", 16, "", 1);
    EXPECT_LIKELY("room for the text but not for its NUL: malloc(strlen(s)), s = 16 characters");
}

TEST(a_nul_behind_a_text_of_which_only_the_end_is_seen)
{
    dup_name_bug();
    bug.block.bytes = 124;
    bug.memory.offset += 100;
    bug.access_offset += 100;
    EXPECT_LIKELY("room for the text but not for its NUL: strlen(s) + 1 bytes are needed");
}

TEST(a_nul_elsewhere_or_behind_no_text_is_no_missing_nul)
{
    overflow_bug("sixteen l\3tters!", 16, "", 1);
    EXPECT_LIKELY(SILENT);
    overflow_bug("sixteen letters!", 16, "x", 1);
    EXPECT_LIKELY(SILENT);
    overflow_bug("sixteen letters!", 16, "", 1);
    bug.memory.changed <<= 1;
    EXPECT_LIKELY(SILENT);
    overflow_bug("sixteen letters!", 16, "", 1);
    bug.changed_bytes = 2;
    EXPECT_LIKELY(SILENT);
    overflow_bug("sixteen letters!", 16, "", 1);
    bug.kind = BUG_FREED_WRITE;
    EXPECT_LIKELY(SILENT);
}

TEST(a_text_that_is_longer_than_its_block)
{
    overflow_bug("sixteen letters!", 16, " and", 5);
    EXPECT_LIKELY("a text of 20 characters copied without regard to the block's size");
}

TEST(a_long_text_whose_beginning_is_not_seen)
{
    overflow_bug("sixteen letters!", 16, " and", 5);
    bug.block.bytes += 160;
    bug.memory.offset += 160;
    bug.access_offset += 160;
    EXPECT_LIKELY("a text that is too long by 5 bytes copied without regard to the block's size");
}

TEST(what_is_no_text_up_to_a_nul_is_no_long_text)
{
    overflow_bug("sixteen letters!", 16, " an", 3);
    EXPECT_LIKELY(SILENT);
    overflow_bug("sixteen letters!", 16, " a\1b", 5);
    EXPECT_LIKELY(SILENT);
    overflow_bug("sixteen\1\2\3tters!", 16, " and", 5);
    bug.memory.bytes[15] = 1;
    EXPECT_LIKELY(SILENT);
}

static void underflow_bug(int64_t offset, uint32_t count)
{
    new_bug(BUG_UNDERFLOW);
    set_block(40, "malloc");
    set_late("when the block was freed");
    set_memory(-16, "[[[[[[[[[[[[[[[[trimmed         ", 32);
    memcpy(bug.memory.bytes + 16 + offset, "\1\2\3\4\5\6\7", count);
    set_change(offset, count);
}

TEST(element_minus_one_in_front_of_a_block)
{
    underflow_bug(-1, 1);
    EXPECT_LIKELY("a loop that runs down through index 0: element -1, of 1 byte");
    underflow_bug(-8, 8);
    EXPECT_LIKELY("a loop that runs down through index 0: element -1, of 8 bytes");
}

TEST(other_bytes_in_front_of_a_block_are_no_element)
{
    underflow_bug(-2, 1);
    EXPECT_LIKELY(SILENT);
    underflow_bug(-3, 3);
    EXPECT_LIKELY(SILENT);
    underflow_bug(-8, 8);
    bug.block.bytes = 41;
    EXPECT_LIKELY(SILENT);
}

TEST(element_minus_one_at_the_instruction)
{
    new_bug(BUG_UNDERFLOW_FAULT);
    set_block(40, "malloc");
    bug.access_bytes = 4;
    bug.access_offset = -4;
    EXPECT_LIKELY("a loop that runs down through index 0: element -1, of 4 bytes");
    bug.access_offset = -8;
    EXPECT_LIKELY(SILENT);
    bug.access_offset = 0;
    bug.access_bytes = 0;
    EXPECT_LIKELY(SILENT);
}

TEST(one_element_too_many)
{
    overflow_bug("\1\0\0\0\2\0\0\0\3\0\0\0", 12, "\4\1\1", 4);
    EXPECT_LIKELY("one element too many: index 3 in an array of 3 (<= instead of <?)");
}

TEST(what_does_not_fit_the_array_is_no_element_of_it)
{
    overflow_bug("\1\0\0\0\2\0\0\0\3\0\0\0\1", 13, "\4\1\1", 4);
    EXPECT_LIKELY(SILENT);
    overflow_bug("\1\0\0\0", 4, "\4\1\1", 4);
    EXPECT_LIKELY(SILENT);
    overflow_bug("\1\0\0\0\2\0\0\0\3\0\0\0", 12, "\4\1\1\0\1", 5);
    EXPECT_LIKELY(SILENT);
}

static void freed_bug(int64_t offset, const char *bytes, uint32_t count)
{
    char memory[64];

    new_bug(BUG_FREED_WRITE);
    set_block(64, "malloc");
    set_freed("free", 7);
    set_late("when the block left quarantine");
    memset(memory, 0xd7, sizeof(memory));
    memcpy(memory + offset, bytes, count);
    set_memory(0, memory, 64);
    bug.memory.expected = 0xd7;
    set_change(offset, count);
}

TEST(a_pointer_that_was_stored)
{
    freed_bug(16, "\x10\x20\x30\x40\x55\x55\0\0", 8);
    EXPECT_LIKELY("a pointer was stored there: a field or link at +16 of a structure");
}

TEST(eight_bytes_that_are_no_address_or_not_aligned_are_no_pointer)
{
    freed_bug(16, "\x10\x20\x30\x40\0\0\0\0", 8);
    EXPECT_LIKELY(SILENT);
    freed_bug(16, "\x10\x20\x30\x40\x55\x55\x80\0", 8);
    EXPECT_LIKELY(SILENT);
    freed_bug(12, "\x10\x20\x30\x40\x55\x55\0\0", 8);
    EXPECT_LIKELY(SILENT);
}

TEST(a_run_of_one_byte)
{
    freed_bug(3, "AAAAA", 5);
    EXPECT_LIKELY("5 bytes of 41 in a row: a memset or a loop that fills");
    overflow_bug("\1AAAAAAAAAAAA", 13, "AAAAAA", 6);
    EXPECT_LIKELY("6 bytes of 41 in a row: a memset or a loop that began in the block went on past"
                  " its end");
}

TEST(a_number_is_no_run)
{
    freed_bug(4, "\0\0\0\0", 4);
    EXPECT_LIKELY(SILENT);
    freed_bug(4, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    EXPECT_LIKELY(SILENT);
    freed_bug(4, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    EXPECT_LIKELY("16 bytes of 00 in a row: a memset or a loop that fills");
    freed_bug(3, "AAABA", 5);
    EXPECT_LIKELY(SILENT);
    freed_bug(3, "AAA", 3);
    EXPECT_LIKELY(SILENT);
}

TEST(two_owners)
{
    connection_bug();
    EXPECT_LIKELY("two owners: set the pointer to NULL after the free in conn_error");
}

TEST(two_owners_who_free_by_the_same_wrapper)
{
    connection_bug();
    bug.at.count = bug.block.ended.stack.count = 0;
    add(&bug.at, "xfree", "x.c", 1);
    add(&bug.at, "conn_close", "conn.c", 3);
    add(&bug.block.ended.stack, "xfree", "x.c", 1);
    add(&bug.block.ended.stack, "conn_error", "conn.c", 4);
    EXPECT_LIKELY("two owners: set the pointer to NULL after the free in conn_error");
}

TEST(one_function_that_frees_twice)
{
    connection_bug();
    bug.block.ended.stack.frames[0].function = "conn_close";
    EXPECT_LIKELY("conn_close frees it twice: in line 4 and in line 3");
}

TEST(owners_without_names_are_not_told_apart)
{
    connection_bug();
    bug.at.frames[0].function = NULL;
    EXPECT_LIKELY(SILENT);
    connection_bug();
    bug.block.ended.stack.count = 0;
    EXPECT_LIKELY(SILENT);
    connection_bug();
    bug.block.ended.stack = bug.at;
    EXPECT_LIKELY(SILENT);
    connection_bug();
    bug.kind = BUG_STALE;
    EXPECT_LIKELY(SILENT);
}

TEST(a_use_behind_the_call_that_freed)
{
    session_bug();
    EXPECT_LIKELY("main calls close_session, which frees it, in line 8, and uses it in line 9");
}

TEST(a_use_that_is_not_behind_that_call)
{
    session_bug();
    bug.at.frames[1].line = 6; /* before it: a loop, or another call of main */
    EXPECT_LIKELY(SILENT);
    session_bug();
    bug.block.ended.stack.frames[1].function = "close_all";
    EXPECT_LIKELY(SILENT);
    session_bug();
    bug.block.ended.thread = 2;
    EXPECT_LIKELY(SILENT);
    session_bug();
    bug.at.count = BUG_FRAMES; /* perhaps cut off: nothing says what is outermost */
    EXPECT_LIKELY(SILENT);
    session_bug();
    bug.block.ended.stack.count = 1;
    EXPECT_LIKELY(SILENT);
}

static void size_bug(void)
{
    new_bug(BUG_SIZE);
    set_block(204, "new");
    bug.function = "operator delete";
    bug.stated = 4;
}

TEST(a_base_class_without_virtual_destructor)
{
    size_bug();
    EXPECT_LIKELY("delete through a base class without a virtual destructor");
}

TEST(other_wrong_sizes)
{
    size_bug();
    bug.stated = 300;
    EXPECT_LIKELY(SILENT);
    size_bug();
    bug.function = "free_sized";
    EXPECT_LIKELY(SILENT);
    size_bug();
    bug.block.made.function = "new[]";
    EXPECT_LIKELY(SILENT);
}

TEST(the_number_of_elements_in_front_of_an_array)
{
    new_bug(BUG_INTERIOR);
    set_block(88, "new[]");
    bug.function = "operator delete";
    bug.access_offset = 8;
    EXPECT_LIKELY("an array of objects with destructors: new[] keeps their number in its first 8"
                  " bytes, so only delete[] can end it");
    bug.access_offset = 16;
    EXPECT_LIKELY(SILENT);
    bug.access_offset = 8;
    bug.block.made.function = "malloc";
    EXPECT_LIKELY(SILENT);
}

TEST(what_cannot_be_read_proves_nothing)
{
    dup_name_bug();
    bug.memory.readable = 0;
    EXPECT_LIKELY(SILENT);
    dup_name_bug();
    bug.memory.count = 0;
    EXPECT_LIKELY(SILENT);
}
