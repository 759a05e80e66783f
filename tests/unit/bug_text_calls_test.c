/* The whole text of a report of each kind that is about a call: free, delete, realloc; and of
 * leaks and limits. */
#include "bug_fixture.h"

TEST(a_double_free)
{
    connection_bug();
    EXPECT_TEXT(
        say_text(),
        "spanguard: double free of a 120-byte block                                 [P203]\n"
        "  2nd free conn_close  conn.c:3    free(c->buf);\n"
        "           main        conn.c:8\n"
        "  1st free conn_error conn.c:4 < main conn.c:7   8 us before, same thread\n"
        "  block    120 bytes, allocated by  main conn.c:6\n"
        "  likely   two owners: set the pointer to NULL after the free in conn_error\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_double_free_by_realloc_without_stacks_says_how_to_get_them)
{
    new_bug(BUG_DOUBLE_FREE);
    bug.function = "realloc";
    set_block(1048576, "malloc");
    set_freed(NULL, UINT64_MAX);
    EXPECT_TEXT(
        say_text(),
        "spanguard: double free by realloc() of a 1,048,576-byte block              [P203]\n"
        "  2nd free (stack not recorded)\n"
        "  1st free (stack not recorded)   same thread\n"
        "  block    1,048,576 bytes, allocated by  (stack not recorded)\n"
        "  next     spanguard run --profile debug -o stack_depth=16 -- names ...\n"
        "           records who allocated\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_stale_pointer_names_the_new_owner)
{
    new_bug(BUG_STALE);
    set_block(40, "malloc");
    set_freed("free", 7);
    bug.owner.is_known = true;
    bug.owner.bytes = 48;
    bug.owner.made.function = "strdup";
    add(&bug.at, "main", "reuse.c", 8);
    add(&bug.block.ended.stack, "main", "reuse.c", 5);
    add(&bug.block.made.stack, "main", "reuse.c", 4);
    add(&bug.owner.made.stack, "mk", "reuse.c", 2);
    add(&bug.owner.made.stack, "main", "reuse.c", 6);
    EXPECT_TEXT(
        say_text(),
        "spanguard: free of a stale pointer: block was freed, then its memory reused [P204]\n"
        "  at       main  reuse.c:8\n"
        "  freed    main reuse.c:5   7 us before, same thread\n"
        "  block    40 bytes, allocated by  main reuse.c:4\n"
        "  owner    48 bytes, strdup by  mk reuse.c:2 < main reuse.c:6   still in use\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_pointer_into_a_block)
{
    new_bug(BUG_INTERIOR);
    set_block(64, "malloc");
    bug.address = bug.block.start + 16;
    bug.access_offset = 16;
    set_memory(0, "                hello\0\0\0\0\0\0\0\0\0\0\0", 32);
    add(&bug.at, "done", "strip.c", 3)->source = "free(s);";
    add(&bug.at, "main", "strip.c", 7);
    add(&bug.block.made.stack, "main", "strip.c", 5);
    EXPECT_TEXT(
        say_text(),
        "spanguard: free of a pointer 16 bytes inside a live 64-byte block          [P301]\n"
        "  at       done  strip.c:3    free(s);\n"
        "           main  strip.c:7\n"
        "  block    64 bytes, allocated by  main strip.c:5\n"
        "  memory   +0x00   20 20 20 20 20 20 20 20  20 20 20 20 20 20 20 20\n"
        "           +0x10   68 65 6c 6c 6f 00 00 00  00 00 00 00 00 00 00 00  hello...........\n"
        "                   ^ passed to free()\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_stack_address)
{
    new_bug(BUG_FOREIGN);
    bug.address = 0x7ffd12345678;
    bug.place = BUG_PLACE_STACK;
    bug.place_thread = bug.thread;
    add(&bug.at, "done", "a.c", 3);
    add(&bug.at, "main", "a.c", 8);
    EXPECT_TEXT(
        say_text(),
        "spanguard: free of a stack address                                         [P302]\n"
        "  at       done  a.c:3\n"
        "           main  a.c:8\n"
        "  address  0x7ffd12345678, in the stack of this thread\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_global_variable_by_its_name)
{
    new_bug(BUG_FOREIGN);
    bug.function = "operator delete";
    bug.address = 0x555555558040;
    bug.place = BUG_PLACE_GLOBAL;
    bug.place_name = "default_name";
    add(&bug.at, "done", "a.c", 3);
    EXPECT_TEXT(
        say_text(),
        "spanguard: delete of the address of a global variable: default_name        [P302]\n"
        "  at       done  a.c:3\n"
        "  address  0x555555558040\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(what_another_interface_made)
{
    new_bug(BUG_INTERFACE);
    set_block(120, "new[]");
    add(&bug.at, "drop(Blob*)", "blob.cc", 6)->source = "free(p);";
    add(&bug.at, "main", "blob.cc", 7);
    add(&bug.block.made.stack, "make(int)", "blob.cc", 5);
    EXPECT_TEXT(
        say_text(),
        "spanguard: new[] released with free()                                      [P401]\n"
        "  at       drop(Blob*)  blob.cc:6    free(p);\n"
        "           main         blob.cc:7\n"
        "  block    120 bytes, new[] by  make(int) blob.cc:5\n"
        "  fix      delete[] p\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_delete_of_another_size)
{
    new_bug(BUG_SIZE);
    bug.function = "operator delete";
    bug.stated = 4;
    set_block(204, "new");
    add(&bug.at, "drop(Base*)", "del.cc", 7);
    add(&bug.block.made.stack, "make()", "del.cc", 6);
    EXPECT_TEXT(
        say_text(),
        "spanguard: delete with size 4, but the block has 204 bytes                 [P402]\n"
        "  at       drop(Base*)  del.cc:7\n"
        "  block    204 bytes, new by  make() del.cc:6\n"
        "  likely   delete through a base class without a virtual destructor\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_delete_of_another_alignment)
{
    new_bug(BUG_ALIGNMENT);
    bug.function = "operator delete[]";
    bug.stated = 64;
    set_block(204, "aligned new[]");
    add(&bug.at, "drop(Base*)", "del.cc", 7);
    add(&bug.block.made.stack, "make()", "del.cc", 6);
    EXPECT_TEXT(
        say_text(),
        "spanguard: delete[] with alignment 64, but the block of 204 bytes lacks it [P403]\n"
        "  at       drop(Base*)  del.cc:7\n"
        "  block    204 bytes, aligned new[] by  make() del.cc:6\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(leaks_the_largest_first)
{
    new_bug(BUG_LEAK);
    bug.leak_bytes = 7080;
    bug.leak_blocks = 11;
    bug.leak_places = 12;
    bug.leak_count = 3;
    bug.leaks[0].bytes = 5000;
    bug.leaks[0].blocks = 1;
    add(&bug.leaks[0].stack, "main", "leak.c", 8);
    bug.leaks[1].bytes = 2080;
    bug.leaks[1].blocks = 10;
    bug.leaks[1].is_indirect = true;
    add(&bug.leaks[1].stack, "push", "leak.c", 3);
    add(&bug.leaks[1].stack, "main", "leak.c", 6);
    bug.leaks[2].bytes = 1;
    bug.leaks[2].blocks = 1;
    bug.reachable_bytes = 1024;
    bug.reachable_blocks = 1;
    EXPECT_TEXT(
        say_text(),
        "spanguard: 7,080 bytes leaked in 11 blocks, from 12 places                 [P501]\n"
        "  1             5,000 B     1 block    main leak.c:8\n"
        "  2             2,080 B    10 blocks   push leak.c:3 < main leak.c:6  (held by another)\n"
        "  3                 1 B     1 block    (stack not recorded)\n"
        "           and from 9 more places\n"
        "  not counted: 1,024 bytes in 1 block still reachable\n"
        "  silence  leak:main   a line of the file SPANGUARD_SUPPRESSIONS\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_use_after_realloc)
{
    new_bug(BUG_REALLOC_FAULT);
    bug.is_write = true;
    bug.access_bytes = 4;
    set_block(16, "malloc");
    bug.block.is_freed = true;
    bug.moved_bytes = 4000;
    bug.moved.function = "realloc";
    bug.moved.microseconds = 3;
    bug.moved.thread = 1;
    add(&bug.at, "main", "grow.c", 8)->source = "*old = 1;";
    add(&bug.moved.stack, "grow", "grow.c", 3);
    add(&bug.moved.stack, "main", "grow.c", 7);
    add(&bug.block.made.stack, "main", "grow.c", 5);
    EXPECT_TEXT(
        say_text(),
        "spanguard: use after realloc: WRITE of 4 bytes at +0 of the OLD block      [P701]\n"
        "  at       main  grow.c:8    *old = 1;\n"
        "  moved    realloc 16 -> 4,000 bytes by  grow grow.c:3 < main grow.c:7\n"
        "           3 us before, same thread\n"
        "  block    16 bytes, allocated by  main grow.c:5\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(a_write_after_realloc_that_was_found_late)
{
    new_bug(BUG_REALLOC_WRITE);
    set_late("at exit");
    set_block(16, "malloc");
    bug.moved_bytes = 4000;
    set_memory(0, "\1\0\0\0\xd7\xd7\xd7\xd7\xd7\xd7\xd7\xd7\xd7\xd7\xd7\xd7", 16);
    bug.memory.expected = 0xd7;
    set_change(0, 4);
    add(&bug.moved.stack, "grow", "grow.c", 3);
    add(&bug.block.made.stack, "main", "grow.c", 5);
    EXPECT_TEXT(
        say_text(),
        "spanguard: use after realloc: 4 bytes written at +0 of the OLD block       [P702]\n"
        "  found    late: at exit\n"
        "  moved    realloc 16 -> 4,000 bytes by  grow grow.c:3\n"
        "  block    16 bytes, allocated by  main grow.c:5\n"
        "  memory   +0x00  >01 00 00 00<d7 d7 d7 d7  d7 d7 d7 d7 d7 d7 d7 d7  ................\n"
        "                   ^ was d7, as all that is freed\n"
        "  next     spanguard run --profile guard -- names ...   stops at the write itself\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(pointer_read_from_freed_memory)
{
    new_bug(BUG_FREED_POINTER);
    bug.function = "fault";
    add(&bug.at, "main", "list.c", 5);
    EXPECT_TEXT(
        say_text(),
        "spanguard: use after free: a pointer was used that was read from freed memory [P205]\n"
        "  at       main  list.c:5\n"
        "  next     spanguard run --profile guard -- names ...   stops at the read itself\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}

TEST(out_of_mappings)
{
    new_bug(BUG_MAP_LIMIT);
    bug.function = "malloc";
    bug.stated = 48;
    bug.limit = 65530;
    bug.limit_used = 65529;
    add(&bug.at, "main", "big.c", 5);
    EXPECT_TEXT(
        say_text(),
        "spanguard: out of mappings, not out of memory (malloc(48) returns NULL)    [P901]\n"
        "  at       main  big.c:5\n"
        "  limit    vm.max_map_count = 65530, in use 65529\n"
        "  fix      sysctl vm.max_map_count=131060   or run with -o guard_pages=0\n"
        "  id       7f3a91c2   names[4711], profile debug\n");
}
