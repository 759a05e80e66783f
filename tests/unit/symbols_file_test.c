/* What is known of the file of a module: its path, and the build-id in headers that may be hostile. */
#include "bug_fixture.h"
#include "os_memory.h"
#include "symbols.h"
#include "symbols_file.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define HEADERS 70
#define NOTES_AT 4000 /* behind all headers */

/* A module as it lies in memory: three pages, the last without access. */
static struct {
    uint8_t *bytes;
    Elf64_Ehdr *file;
    Elf64_Phdr *headers;
    struct module module;
} fake;

static void put_note(size_t at, uint32_t type, const char *name, uint32_t id_bytes)
{
    Elf64_Nhdr note = {.n_namesz = 4, .n_descsz = id_bytes, .n_type = type};

    memcpy(fake.bytes + at, &note, sizeof(note));
    memcpy(fake.bytes + at + sizeof(note), name, 4);
    for (uint32_t i = 0; i < id_bytes; i++)
        fake.bytes[at + sizeof(note) + 4 + i] = (uint8_t)(0xa0 + i);
}

/* One that has a build-id: a0a1a2a3. */
static void make_module(void)
{
    if (fake.bytes == NULL) {
        fake.bytes =
            mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT(fake.bytes != MAP_FAILED && mprotect(fake.bytes + 2 * PAGE, PAGE, PROT_NONE) == 0);
    }
    memset(fake.bytes, 0, 2 * PAGE);
    fake.file = (Elf64_Ehdr *)(void *)fake.bytes;
    fake.headers = (Elf64_Phdr *)(void *)(fake.bytes + sizeof(Elf64_Ehdr));
    fake.module = (struct module){.start = (uintptr_t)fake.bytes,
                                  .end = (uintptr_t)fake.bytes + 3 * PAGE,
                                  .name = "/fake.so"};
    memcpy(fake.file->e_ident, ELFMAG, SELFMAG);
    fake.file->e_ident[EI_CLASS] = ELFCLASS64;
    fake.file->e_phoff = sizeof(Elf64_Ehdr);
    fake.file->e_phnum = 3;
    fake.headers[1] = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x10000};
    fake.headers[2] = (Elf64_Phdr){.p_type = PT_NOTE, .p_vaddr = 0x10000 + NOTES_AT, .p_memsz = 60};
    put_note(NOTES_AT, NT_GNU_ABI_TAG, "GNU", 8);
    put_note(NOTES_AT + 24, NT_GNU_BUILD_ID, "GNU", 4);
}

static void expect_build_id(const char *expected)
{
    char build_id[SYMBOLS_BUILD_ID_BYTES] = "unset";

    sg_os_memory_start();
    sg_symbols_build_id(&fake.module, build_id);
    if (strcmp(build_id, expected) != 0)
        printf("# '%s' instead of '%s'\n", build_id, expected);
    EXPECT(strcmp(build_id, expected) == 0);
}

TEST(a_build_id_stands_in_a_note)
{
    make_module();
    expect_build_id("a0a1a2a3");
    put_note(NOTES_AT + 24, NT_GNU_BUILD_ID, "GNU", 20);
    expect_build_id("a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3");
    fake.headers[0] = fake.headers[2];
    fake.headers[0].p_vaddr = 0x8000; /* below all that is loaded */
    expect_build_id("a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3");
}

TEST(other_notes_are_no_build_id)
{
    make_module();
    put_note(NOTES_AT + 24, NT_GNU_BUILD_ID, "gnu", 4);
    expect_build_id("");
    put_note(NOTES_AT + 24, NT_GNU_BUILD_ID, "GNU", 21);
    expect_build_id("");
    put_note(NOTES_AT + 24, NT_GNU_BUILD_ID, "GNU", 4);
    ((Elf64_Nhdr *)(void *)(fake.bytes + NOTES_AT + 24))->n_namesz = 5;
    expect_build_id("");
}

TEST(headers_that_are_none_have_no_build_id)
{
    make_module();
    fake.file->e_ident[0] = 0;
    expect_build_id("");
    make_module();
    fake.file->e_ident[EI_CLASS] = ELFCLASS32;
    expect_build_id("");
    make_module();
    fake.file->e_phoff = 3 * PAGE;
    expect_build_id("");
    make_module();
    fake.file->e_phnum = 1;
    expect_build_id("");
    make_module();
    fake.headers[1].p_type = PT_NULL; /* nothing says where the file's addresses begin */
    expect_build_id("");
    make_module();
    fake.module.end = fake.module.start + 10;
    expect_build_id("");
}

TEST(no_more_than_64_headers_are_read)
{
    make_module();
    fake.file->e_phnum = HEADERS;
    fake.headers[63] = fake.headers[2];
    fake.headers[2].p_type = PT_NULL;
    expect_build_id("a0a1a2a3");
    fake.headers[64] = fake.headers[63];
    fake.headers[63].p_type = PT_NULL;
    expect_build_id("");
}

TEST(what_cannot_be_read_is_left_alone)
{
    make_module();
    fake.headers[2].p_vaddr = 0x10000 + 2 * PAGE; /* without access */
    expect_build_id("");
    fake.headers[2].p_vaddr = 0x10000 + 3 * PAGE - 4; /* across the end */
    expect_build_id("");
    fake.headers[2].p_vaddr = 0x10000 + 9 * PAGE; /* behind it */
    expect_build_id("");
    fake.headers[2].p_vaddr = -(uint64_t)fake.module.start; /* around the end of all addresses */
    expect_build_id("");
    make_module();
    put_note(NOTES_AT, NT_GNU_ABI_TAG, "GNU", 0);
    ((Elf64_Nhdr *)(void *)(fake.bytes + NOTES_AT))->n_descsz = UINT32_MAX;
    expect_build_id("");
    make_module();
    fake.headers[2] =
        (Elf64_Phdr){.p_type = PT_NOTE, .p_vaddr = 0x10000 + 2 * PAGE - 16, .p_memsz = UINT64_MAX};
    put_note(2 * PAGE - 16, NT_GNU_BUILD_ID, "GNU", 0);
    ((Elf64_Nhdr *)(void *)(fake.bytes + 2 * PAGE - 16))->n_descsz = 8;
    expect_build_id(""); /* the number itself lies behind what can be read */
}

static bool has_path(const char *name, const char *expected)
{
    struct module module;
    char path[SYMBOLS_PATH_BYTES];

    EXPECT(sg_module_of((uintptr_t)&has_path, &module));
    module.name = name;
    return sg_symbols_file_of(&module, path) && strcmp(path, expected) == 0;
}

TEST(the_path_of_a_module_is_absolute)
{
    static char name[2000] = "/";
    char own[SYMBOLS_PATH_BYTES] = "";

    EXPECT(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
    memset(name + 1, 'a', sizeof(name) - 2);
    EXPECT(has_path("/lib/x.so", "/lib/x.so"));
    EXPECT(has_path("x.so", own)); /* relative: from the list of mappings */
    EXPECT(has_path(name, own));
}

TEST(nothing_has_a_path_where_nothing_is)
{
    struct module module = {.start = 8, .end = 16, .name = "x.so"};
    char path[SYMBOLS_PATH_BYTES];

    EXPECT(!sg_symbols_file_of(&module, path));
}

static int global;

TEST(a_module_is_added_once_and_while_there_is_room)
{
    uint64_t offset = 0;
    uint16_t first;

    new_bug(BUG_FOREIGN);
    first = sg_bug_add_module(&bug, (uintptr_t)&global, &offset);
    EXPECT(first == 2 && bug.module_count == 3 && offset != 0);
    EXPECT_EQUAL(sg_bug_add_module(&bug, (uintptr_t)&new_bug, &offset), 2);
    EXPECT_EQUAL(sg_bug_add_module(&bug, (uintptr_t)&abort, &offset), 3);
    EXPECT_EQUAL(sg_bug_add_module(&bug, 8, &offset), BUG_NO_MODULE);
    bug.module_count = BUG_MODULES;
    strcpy(bug.modules[2].path, "other");
    EXPECT_EQUAL(sg_bug_add_module(&bug, (uintptr_t)&global, &offset), BUG_NO_MODULE);
    EXPECT_EQUAL(bug.module_count, BUG_MODULES);
}

/* Of a place, not of a call. */
static void add_place(struct bug_stack *stack, uintptr_t pc)
{
    sg_bug_add_stack(&bug, stack, (struct depot_stack){.count = 1, .frames = &pc}, true);
}

TEST(a_stack_takes_frames_while_there_is_room)
{
    static struct bug_stack stack;

    new_bug(BUG_FOREIGN);
    add_place(&stack, (uintptr_t)&abort + 1);
    EXPECT(stack.count == 1 && stack.frames[0].module == 2);
    EXPECT(stack.frames[0].pc == (uintptr_t)&abort + 1);
    add_place(&stack, (uintptr_t)&new_bug); /* where the allocator is: our own */
    EXPECT_EQUAL(stack.count, 1);
    add_place(&stack, 8); /* no module, and a frame */
    EXPECT(stack.count == 2 && stack.frames[1].module == BUG_NO_MODULE);
    stack.count = BUG_FRAMES;
    add_place(&stack, (uintptr_t)&abort + 1);
    EXPECT_EQUAL(stack.count, BUG_FRAMES);
}
