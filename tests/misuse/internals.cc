// Writes to what is the allocator's own. They stand for an attacker who can write one word wherever
// he likes, has found the place, and does not know the keys.
#include "misuse.h"
#include "process_memory.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTHING_TO_ATTACK = 13, TRIES = 64 };

alignas(64) static unsigned char victim[4096]; // what the attacker wants malloc to hand out
static struct changes changes;

// An entry is where the address of a block appears when that is freed. If it does not appear, it is
// where two words side by side change, or else any word too large for a count.
static bool is_entry(const struct change *at, int kind, const scene &scene)
{
    if (kind == 0)
        return at->now == reinterpret_cast<uintptr_t>(scene.block);
    if (kind == 1)
        return at->address % 16 == 0 && at + 1 < changes.found + changes.count &&
               at[1].address == at->address + 8;
    return at->now >> 32 != 0;
}

static size_t overwrite_entries(const scene &scene)
{
    size_t count = 0;

    for (int kind = 0; kind < 3 && count == 0; kind++) {
        for (size_t i = 0; i < changes.count; i++) {
            if (!is_entry(&changes.found[i], kind, scene))
                continue;
            count++;
            if (!scene.clean)
                *reinterpret_cast<volatile uintptr_t *>(changes.found[i].address) =
                    reinterpret_cast<uintptr_t>(victim);
        }
    }
    return count;
}

// Two blocks, so that the one freed lands where the other's entry was: a new value in that place.
static void set_entry(scene &scene)
{
    void *pair[2] = {scene.by->make(scene.bytes), scene.by->make(scene.bytes)};

    scene.by->end(pair[0]);
    scene.by->end(pair[1]);
    make_block(scene);
    add_pin(scene.by->make(scene.bytes));
    memset(scene.block, 0, scene.bytes);
}

static void act_entry(scene &scene)
{
    memory_remember();
    scene.by->end(opaque(scene.block));
    memory_compare(&changes);
    if (overwrite_entries(scene) == 0)
        _exit(NOTHING_TO_ATTACK);
    for (int i = 0; i < TRIES; i++) {
        void *block = opaque(scene.by->make(scene.bytes));
        if (block == victim)
            scene.is_owned = true;
        else
            add_pin(block);
    }
    scene.is_over = true;
}

static uintptr_t find_in_table(const char *image, const ElfW(Shdr) & table, const char *name)
{
    auto *header = reinterpret_cast<const ElfW(Ehdr) *>(image);
    auto *sections = reinterpret_cast<const ElfW(Shdr) *>(image + header->e_shoff);
    auto *symbols = reinterpret_cast<const ElfW(Sym) *>(image + table.sh_offset);
    const char *names = image + sections[table.sh_link].sh_offset;

    for (size_t i = 0; i < table.sh_size / sizeof *symbols; i++)
        if (strcmp(names + symbols[i].st_name, name) == 0)
            return symbols[i].st_value;
    return 0;
}

// Where the module that serves malloc has that object, hidden or not; 0: not known.
static uintptr_t find_symbol(const char *name)
{
    Dl_info info;
    struct stat status;

    if (dladdr(reinterpret_cast<void *>(&malloc), &info) == 0)
        return 0;
    int file = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        return 0;
    auto *image = static_cast<const char *>(
        mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0));
    auto *header = reinterpret_cast<const ElfW(Ehdr) *>(image);
    auto *sections = reinterpret_cast<const ElfW(Shdr) *>(image + header->e_shoff);
    for (size_t i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        uintptr_t offset = find_in_table(image, sections[i], name);
        return offset == 0 ? 0 : reinterpret_cast<uintptr_t>(info.dli_fbase) + offset;
    }
    return 0;
}

static void set_sealed(scene &scene)
{
    make_block(scene); // sealed is what was written before the first block
    scene.from = static_cast<ptrdiff_t>(find_symbol("sg_options"));
}

static void act_sealed(scene &scene)
{
    auto *byte = reinterpret_cast<volatile unsigned char *>(scene.from);

    if (byte == nullptr || peek(const_cast<unsigned char *>(byte)) < 0)
        _exit(NOTHING_TO_ATTACK);
    if (!scene.clean)
        *byte = *byte;
}

const attack internal_attacks[] = {
    {"damaged_cache_entry", set_entry, act_entry},
    {"write_to_sealed_options", set_sealed, act_sealed},
    {nullptr, nullptr, nullptr},
};
