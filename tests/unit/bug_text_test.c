/* The whole text of a report of each kind that is about bytes, as the first screen that somebody
 * sees of a bug. */
#include "bug_fixture.h"

TEST(an_overflow_that_was_found_late)
{
    dup_name_bug();
    EXPECT_TEXT(
        say_text(),
        "spanguard: heap overflow: 1 byte written past the end of a 24-byte block   [P101]\n"
        "  found    late: when the block was freed, in  main names.c:11\n"
        "  block    24 bytes, allocated by  dup_name names.c:3 < main names.c:7\n"
        "           allocation 57, @dup_name#1, 3 ms old, same thread\n"
        "  memory   +0x00   61 62 63 64 65 66 67 68  69 6a 6b 6c 6d 6e 6f 70  abcdefghijklmnop\n"
        "           +0x10   71 72 73 74 75 76 77 78 |00<5c 5c 5c 5c 5c 5c 5c  qrstuvwx|.\n"
        "                                            ^ was 5c, block ends at |\n"
        "  likely   room for the text but not for its NUL: malloc(strlen(s)), s = 24 characters\n"
        "  next     spanguard run --profile guard -o guard_exact=1 -- names ...\n"
        "           stops at the write itself\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(an_overflow_that_begins_behind_the_end_and_goes_on_over_rows)
{
    char memory[64];

    new_bug(BUG_OVERFLOW);
    set_block(5, "calloc");
    set_late("by a check of all blocks");
    memset(memory, 0x5c, sizeof(memory));
    memcpy(memory, "hello", 5);
    memset(memory + 12, 'A', 24);
    set_memory(0, memory, 48);
    bug.memory.expected = 0x5c;
    set_change(12, 24);
    add(&bug.at, "spin", "loop.c", 4);
    add_bare(&bug.block.made.stack, 1, 0x4711);
    add(&bug.block.made.stack, "main", "loop.c", 2);
    EXPECT_TEXT(
        say_text(),
        "spanguard: heap overflow: 24 bytes written 7 bytes past the end of a 5-byte block [P101]\n"
        "  found    late: by a check of all blocks, in  spin loop.c:4\n"
        "  block    5 bytes, calloc by  libthing.so.2+0x4711 < main loop.c:2\n"
        "  memory   +0x00   68 65 6c 6c 6f|5c 5c 5c  5c 5c 5c 5c>41 41 41 41< hello|       AAAA\n"
        "                                                        ^ was 5c, block ends at |\n"
        "           +0x10  >41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41< AAAAAAAAAAAAAAAA\n"
        "           +0x20  >41 41 41 41<5c 5c 5c 5c  5c 5c 5c 5c 5c 5c 5c 5c  AAAA\n"
        "  likely   24 bytes of 41 in a row: a memset or a loop that fills\n"
        "  next     spanguard run --profile guard -- names ...   stops at the write itself\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(memory_that_is_withheld_is_said_to_be)
{
    new_bug(BUG_OVERFLOW);
    set_block(5, "calloc");
    bug.is_memory_withheld = true;
    EXPECT(strstr(say_text(), "\n  memory   not shown: set-uid program\n") != NULL);
}

TEST(an_overflow_in_profile_guard_asks_for_exact_ends)
{
    dup_name_bug();
    bug.profile = "guard";
    bug.program = "names; rm x";
    EXPECT(strstr(say_text(), "  next     spanguard run --profile guard -o guard_exact=1 -- "
                              "PROGRAM ...\n           stops at the write itself\n") != NULL);
}

TEST(an_overflow_at_the_instruction)
{
    new_bug(BUG_OVERFLOW_FAULT);
    bug.function = NULL;
    bug.profile = "guard";
    bug.is_write = true;
    bug.access_bytes = 1;
    set_block(24, "malloc");
    bug.access_offset = 24;
    bug.same_as = 0x91d0c7aa;
    add(&bug.at, "fill", "names.c", 4)->source = "for (i = 0; s[i]; i++) d[i] = s[i]; d[i] = 0;";
    add(&bug.at, "main", "names.c", 8);
    add(&bug.block.made.stack, "dup_name", "names.c", 3);
    add(&bug.block.made.stack, "main", "names.c", 7);
    EXPECT_TEXT(
        say_text(),
        "spanguard: heap overflow: WRITE of 1 byte, 0 bytes past a 24-byte block    [P102]\n"
        "  at       fill  names.c:4    for (i = 0; s[i]; i++) d[i] = s[i]; d[i] = 0;\n"
        "           main  names.c:8\n"
        "  block    24 bytes, allocated by  dup_name names.c:3 < main names.c:7\n"
        "  id       7f3a91c2   names[4711], profile guard, same block as 91d0c7aa\n");
}

TEST(an_access_across_the_end_is_not_called_past_it)
{
    new_bug(BUG_OVERFLOW_FAULT);
    set_block(4097, "malloc");
    bug.access_offset = 4094;
    bug.access_bytes = 8;
    add(&bug.at, "sum", "sum.c", 4);
    EXPECT_TEXT(
        say_text(),
        "spanguard: heap overflow: READ of 8 bytes at +4094 of a 4,097-byte block   [P102]\n"
        "  at       sum  sum.c:4\n"
        "  block    4,097 bytes, allocated by  (stack not recorded)\n"
        "  next     spanguard run --profile debug -o stack_depth=16 -- names ...\n"
        "           records who allocated\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(an_underflow_that_was_found_late)
{
    new_bug(BUG_UNDERFLOW);
    set_block(40, "malloc");
    set_late("when the block was freed");
    set_memory(-16, "[[[[[[[[[[[[[[[\0trimmed         ", 32);
    bug.memory.expected = 0x5b;
    set_change(-1, 1);
    add(&bug.at, "main", "trim.c", 8);
    add(&bug.block.made.stack, "mk", "trim.c", 4);
    add(&bug.block.made.stack, "main", "trim.c", 6);
    EXPECT_TEXT(
        say_text(),
        "spanguard: heap underflow: 1 byte written BEFORE a 40-byte block           [P103]\n"
        "  found    late: when the block was freed; first bad byte is -1, in  main trim.c:8\n"
        "  block    40 bytes, allocated by  mk trim.c:4 < main trim.c:6\n"
        "  memory   -0x10   5b 5b 5b 5b 5b 5b 5b 5b  5b 5b 5b 5b 5b 5b 5b>00<                .\n"
        "                                       was 5b, block starts at | ^\n"
        "           +0x00  |74 72 69 6d 6d 65 64 20  20 20 20 20 20 20 20 20  |trimmed\n"
        "  likely   a loop that runs down through index 0: element -1, of 1 byte\n"
        "  next     spanguard run --profile guard -o guard_side=below -- names ...\n"
        "           stops at the write itself\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(an_underflow_at_the_instruction)
{
    new_bug(BUG_UNDERFLOW_FAULT);
    bug.is_write = true;
    bug.access_bytes = 4;
    set_block(4096, "new[]");
    bug.access_offset = -4;
    add(&bug.at, "shift", "/home/user/src/project/shift.c", 40)->source = "a[i - 1] = a[i];";
    add(&bug.block.made.stack, "main", "./main.c", 6);
    EXPECT_TEXT(
        say_text(),
        "spanguard: heap underflow: WRITE of 4 bytes, 4 bytes before a 4,096-byte block [P104]\n"
        "  at       shift  project/shift.c:40    a[i - 1] = a[i];\n"
        "  block    4,096 bytes, new[] by  main main.c:6\n"
        "  likely   a loop that runs down through index 0: element -1, of 4 bytes\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_use_after_free_at_the_instruction)
{
    session_bug();
    EXPECT_TEXT(
        say_text(),
        "spanguard: use after free: READ of 4 bytes at +4 in a freed 40-byte block  [P201]\n"
        "  at       is_root  session.c:5    return s->uid == 0;\n"
        "           main     session.c:9\n"
        "  freed    close_session session.c:4 < main session.c:8   12 us before, same thread\n"
        "  block    40 bytes, allocated by  open_session session.c:3 < main session.c:7\n"
        "  still    1 word on this thread's stack points into it\n"
        "  memory   +0x00   01 00 00 00[e8 03 00 00] 61 6c 69 63 65 00 00 00  ........alice...\n"
        "  likely   main calls close_session, which frees it, in line 8, and uses it in line 9\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_write_after_free_that_was_found_late)
{
    static const char memory[] = "\xd7\xd7\xd7\xd7\0\0\0\0\xd7\xd7\xd7\xd7\xd7\xd7\xd7\xd7";

    new_bug(BUG_FREED_WRITE);
    bug.function = "malloc";
    set_block(40, "malloc");
    set_freed("free", 2500000);
    bug.block.made.microseconds = 9 * 60 * 1000000ull;
    bug.block.ended.thread = 2;
    set_late("when the block left quarantine");
    bug.frees_since = 1057;
    set_memory(0, memory, 16);
    bug.memory.expected = 0xd7;
    set_change(4, 4);
    add(&bug.at, "main", "session.c", 20);
    add(&bug.block.ended.stack, "close_session", "session.c", 4);
    add(&bug.block.made.stack, "open_session", "session.c", 3);
    EXPECT_TEXT(
        say_text(),
        "spanguard: use after free: 4 bytes written at +4 into a freed 40-byte block [P202]\n"
        "  found    late: when the block left quarantine, 1,057 frees after its own, in\n"
        "           main session.c:20\n"
        "  freed    close_session session.c:4   2 s before, by thread 2 (now: thread 1)\n"
        "  block    40 bytes, allocated by  open_session session.c:3   lived 8 min\n"
        "  memory   +0x00   d7 d7 d7 d7>00 00 00 00< d7 d7 d7 d7 d7 d7 d7 d7  ................\n"
        "                               ^ was d7, as all that is freed\n"
        "  next     spanguard run --profile guard -- names ...   stops at the write itself\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}
