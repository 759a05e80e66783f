#include "process_memory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum : size_t { PAGE = 4096, MOST_PAGES = 8192, MOST_MAPS = 4096, WORDS = PAGE / 8 };

struct page {
    uintptr_t address;
    uintptr_t words[WORDS];
};

struct range {
    uintptr_t from, to;
};

static page *remembered;
static size_t remembered_count;
static range ranges[MOST_MAPS];
static size_t range_count;
extern "C" char __executable_start, end;

static bool is_ours(uintptr_t address)
{
    return (address >= reinterpret_cast<uintptr_t>(&__executable_start) &&
            address < reinterpret_cast<uintptr_t>(&end)) ||
           (address >= reinterpret_cast<uintptr_t>(remembered) &&
            address < reinterpret_cast<uintptr_t>(remembered + MOST_PAGES));
}

// "from-to rw-p offset device inode name": writable, private, without a file.
static void read_map(const char *line)
{
    unsigned long from, to, inode;
    char access[5], name[32] = "";

    if (sscanf(line, "%lx-%lx %4s %*s %*s %lu %31s", &from, &to, access, &inode, name) < 4)
        return;
    if (strcmp(access, "rw-p") == 0 && inode == 0 && strcmp(name, "[stack]") != 0 &&
        !is_ours(from) && range_count < MOST_MAPS)
        ranges[range_count++] = {from, to};
}

static void read_maps()
{
    static char text[1 << 20];
    size_t length = 0;
    ssize_t got;
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    while ((got = read(file, text + length, sizeof text - 1 - length)) > 0)
        length += static_cast<size_t>(got);
    close(file);
    text[length] = 0;
    range_count = 0;
    for (char *line = text; *line != 0;) {
        char *next = strchr(line, '\n');
        if (next == nullptr)
            break;
        *next = 0;
        read_map(line);
        line = next + 1;
    }
}

// False for a page that has no memory, or that nobody may read.
static bool copy_page(uintptr_t address, uintptr_t *ret_words)
{
    unsigned char resident = 0;
    iovec to = {ret_words, PAGE}, from = {reinterpret_cast<void *>(address), PAGE};

    if (mincore(reinterpret_cast<void *>(address), PAGE, &resident) != 0 || (resident & 1) == 0)
        return false;
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == static_cast<ssize_t>(PAGE);
}

void memory_remember()
{
    remembered =
        static_cast<page *>(mmap(nullptr, MOST_PAGES * sizeof(page), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (remembered == MAP_FAILED)
        abort();
    read_maps();
    for (size_t i = 0; i < range_count; i++) {
        for (uintptr_t at = ranges[i].from; at < ranges[i].to; at += PAGE) {
            if (is_ours(at) || remembered_count == MOST_PAGES)
                continue;
            remembered[remembered_count].address = at;
            remembered_count += copy_page(at, remembered[remembered_count].words);
        }
    }
}

static void compare_page(changes *changes, const page *before, const page *now)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (now->words[i] == (before == nullptr ? 0 : before->words[i]))
            continue;
        if (changes->count == sizeof changes->found / sizeof *changes->found)
            abort();
        changes->found[changes->count++] = {now->address + i * sizeof(uintptr_t), now->words[i]};
    }
}

void memory_compare(changes *changes)
{
    static page now;
    size_t next = 0;

    changes->count = 0;
    for (size_t i = 0; i < range_count; i++) {
        for (now.address = ranges[i].from; now.address < ranges[i].to; now.address += PAGE) {
            if (is_ours(now.address) || !copy_page(now.address, now.words))
                continue;
            while (next < remembered_count && remembered[next].address < now.address)
                next++;
            bool is_known = next < remembered_count && remembered[next].address == now.address;
            compare_page(changes, is_known ? &remembered[next] : nullptr, &now);
        }
    }
}
