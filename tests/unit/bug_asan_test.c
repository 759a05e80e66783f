/* The text that tools for AddressSanitizer read, whole, and the first line of every other kind. */
#include "bug_fixture.h"

TEST(a_use_after_free_as_asan_says_it)
{
    session_bug();
    bug.at.frames[0].column = 15;
    add_bare(&bug.at, 0, 0x1129);
    add_bare(&bug.at, 1, 0x23d09)->function = "__libc_start_main";
    add_bare(&bug.at, BUG_NO_MODULE, 0x99);
    EXPECT_TEXT(
        say_asan(),
        "=================================================================\n"
        "==4711==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000014 at pc 0x555555555005 bp 0x000000000000 sp 0x000000000000\n"
        "READ of size 4 at 0x602000000014 thread T0\n"
        "    #0 0x555555555005 in is_root session.c:5:15\n"
        "    #1 0x555555555009 in main session.c:9\n"
        "    #2 0x7f0000001129  (/usr/bin/names+0x1129) (BuildId: 00aa11bb)\n"
        "    #3 0x7f0000023d09 in __libc_start_main (/usr/lib/libthing.so.2+0x23d09)\n"
        "    #4 0x7f0000000099  (<unknown module>)\n"
        "\n"
        "0x602000000014 is located 4 bytes inside of 40-byte region [0x602000000010,0x602000000038)\n"
        "freed by thread T0 here:\n"
        "    #0 0x555555555004 in close_session session.c:4\n"
        "    #1 0x555555555008 in main session.c:8\n"
        "\n"
        "previously allocated by thread T0 here:\n"
        "    #0 0x555555555003 in open_session session.c:3\n"
        "    #1 0x555555555007 in main session.c:7\n"
        "\n"
        "==4711==spanguard: P201 id=7f3a91c2\n"
        "SUMMARY: AddressSanitizer: heap-use-after-free session.c:5:15 in is_root\n");
}

TEST(an_overflow_that_was_found_late_says_so)
{
    dup_name_bug();
    EXPECT_TEXT(
        say_asan(),
        "=================================================================\n"
        "==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000028 at pc 0x55555555500b bp 0x000000000000 sp 0x000000000000\n"
        "WRITE of size 1 at 0x602000000028 thread T0\n"
        "    #0 0x55555555500b in main names.c:11\n"
        "\n"
        "0x602000000028 is located 0 bytes after 24-byte region [0x602000000010,0x602000000028)\n"
        "allocated by thread T0 here:\n"
        "    #0 0x555555555003 in dup_name names.c:3\n"
        "    #1 0x555555555007 in main names.c:7\n"
        "\n"
        "==4711==spanguard: P101 id=7f3a91c2, found late when the block was freed: the first stack is where it was found, not who did it\n"
        "SUMMARY: AddressSanitizer: heap-buffer-overflow names.c:11 in main\n");
}

TEST(leaks_as_leak_sanitizer_says_them)
{
    new_bug(BUG_LEAK);
    bug.leak_bytes = 7080;
    bug.leak_blocks = 11;
    bug.leak_count = 2;
    bug.leaks[0].bytes = 5000;
    bug.leaks[0].blocks = 1;
    add(&bug.leaks[0].stack, "main", "leak.c", 8);
    bug.leaks[1].bytes = 2080;
    bug.leaks[1].blocks = 10;
    bug.leaks[1].is_indirect = true;
    add(&bug.leaks[1].stack, "push", "leak.c", 3);
    EXPECT_TEXT(say_asan(),
                "=================================================================\n"
                "==4711==ERROR: LeakSanitizer: detected memory leaks\n"
                "\n"
                "Direct leak of 5000 byte(s) in 1 object(s) allocated from:\n"
                "    #0 0x555555555008 in main leak.c:8\n"
                "\n"
                "Indirect leak of 2080 byte(s) in 10 object(s) allocated from:\n"
                "    #0 0x555555555003 in push leak.c:3\n"
                "\n"
                "SUMMARY: AddressSanitizer: 7080 byte(s) leaked in 11 allocation(s).\n");
}

TEST(a_delete_of_another_type)
{
    new_bug(BUG_SIZE);
    bug.function = "operator delete";
    bug.stated = 4;
    set_block(204, "new");
    add(&bug.at, "drop(Base*)", "del.cc", 7);
    add(&bug.block.made.stack, "make()", "del.cc", 6);
    EXPECT_TEXT(
        say_asan(),
        "=================================================================\n"
        "==4711==ERROR: AddressSanitizer: new-delete-type-mismatch on 0x602000000010 in thread T0:\n"
        "  object passed to delete has wrong type:\n"
        "  size of the allocated type:   204 bytes;\n"
        "  size of the deallocated type: 4 bytes.\n"
        "    #0 0x555555555007 in drop(Base*) del.cc:7\n"
        "\n"
        "0x602000000010 is located 0 bytes inside of 204-byte region [0x602000000010,0x6020000000dc)\n"
        "allocated by thread T0 here:\n"
        "    #0 0x555555555006 in make() del.cc:6\n"
        "\n"
        "==4711==spanguard: P402 id=7f3a91c2\n"
        "SUMMARY: AddressSanitizer: new-delete-type-mismatch del.cc:7 in drop(Base*)\n");
}

static void expect_lines(enum bug_kind kind, const char *head, const char *summary)
{
    char line[256];

    new_bug(kind);
    set_block(40, "new[]");
    bug.is_write = true;
    bug.access_bytes = 4;
    bug.access_offset = 8;
    bug.is_late = kind == BUG_OVERFLOW || kind == BUG_UNDERFLOW || kind == BUG_FREED_WRITE ||
                  kind == BUG_REALLOC_WRITE;
    bug.stated = 64;
    add(&bug.at, "f", "f.c", 1);
    say_asan();
    snprintf(line, sizeof(line), "==\n==4711==ERROR: AddressSanitizer: %s", head);
    if (strstr(said, line) == NULL)
        printf("# %s instead of %s\n", said, line);
    EXPECT(strstr(said, line) != NULL);
    snprintf(line, sizeof(line), "\nSUMMARY: AddressSanitizer: %s f.c:1 in f\n", summary);
    EXPECT(strstr(said, line) != NULL);
    EXPECT(strlen(strstr(said, line)) == strlen(line));
}

#define AT_PC " at pc 0x555555555001 bp 0x000000000000 sp 0x000000000000\nWRITE of size "

TEST(the_first_line_and_the_summary_of_each_kind)
{
    expect_lines(BUG_OVERFLOW, "heap-buffer-overflow on address 0x602000000018" AT_PC "1 at",
                 "heap-buffer-overflow");
    expect_lines(BUG_OVERFLOW_FAULT, "heap-buffer-overflow on address 0x602000000010" AT_PC "4 at",
                 "heap-buffer-overflow");
    expect_lines(BUG_UNDERFLOW, "heap-buffer-overflow on address", "heap-buffer-overflow");
    expect_lines(BUG_UNDERFLOW_FAULT, "heap-buffer-overflow on address", "heap-buffer-overflow");
    expect_lines(BUG_FREED_WRITE, "heap-use-after-free on address", "heap-use-after-free");
    expect_lines(BUG_DOUBLE_FREE, "attempting double-free on 0x602000000010 in thread T0:\n",
                 "double-free");
    expect_lines(BUG_STALE,
                 "attempting free on address which was not malloc()-ed: 0x602000000010 in thread"
                 " T0\n",
                 "bad-free");
    expect_lines(BUG_INTERIOR, "attempting free on address which was not malloc()-ed: 0x",
                 "bad-free");
    expect_lines(BUG_FOREIGN, "attempting free on address which was not malloc()-ed: 0x",
                 "bad-free");
    expect_lines(BUG_INTERFACE,
                 "alloc-dealloc-mismatch (operator new [] vs free) on 0x60200000001"
                 "0\n",
                 "alloc-dealloc-mismatch");
    expect_lines(BUG_ALIGNMENT, "new-delete-type-mismatch on 0x602000000010 in thread T0:\n",
                 "new-delete-type-mismatch");
    expect_lines(BUG_REALLOC_FAULT, "heap-use-after-free on address", "heap-use-after-free");
    expect_lines(BUG_REALLOC_WRITE, "heap-use-after-free on address", "heap-use-after-free");
    expect_lines(BUG_MAP_LIMIT, "out of memory: allocator is trying to allocate 0x40 bytes\n",
                 "out-of-memory");
}
