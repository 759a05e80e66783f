/* The build-id of a module, read from its mapped headers as if they were hostile: a program may
 * have written there, or unmapped them. */
#include "symbols_file.h"

#include "bits.h"
#include "format.h"
#include "os_memory.h"

#include <elf.h>

#define PAGE_BYTES ((uintptr_t)4096) /* the smallest */
#define HEADERS_MAX 64
#define NOTE_BYTES_MAX 4096
#define ID_BYTES_MAX ((SYMBOLS_BUILD_ID_BYTES - 1) / 2)

static bool read_module(const struct module *module, uintptr_t address, void *to, size_t bytes)
{
    if (address < module->start || address > module->end || bytes > module->end - address)
        return false;
    for (uintptr_t page = address & ~(PAGE_BYTES - 1); page < address + bytes; page += PAGE_BYTES)
        if (!sg_os_is_readable(page))
            return false;
    __builtin_memcpy(to, (const void *)address, bytes);
    return true;
}

/* `at` is the offset of the note from the module's start. */
static bool find_in_notes(const struct module *module, uint64_t at, uint64_t bytes,
                          char ret_build_id[SYMBOLS_BUILD_ID_BYTES])
{
    struct {
        Elf64_Nhdr header;
        char name[4];
        uint8_t id[ID_BYTES_MAX];
    } note;
    uint64_t end = at + (bytes < NOTE_BYTES_MAX ? bytes : NOTE_BYTES_MAX);

    while (at + sizeof(note.header) + sizeof(note.name) < end) {
        struct text text = sg_text_begin(ret_build_id, SYMBOLS_BUILD_ID_BYTES);
        uintptr_t address = module->start + at;

        if (!read_module(module, address, &note, sizeof(note.header) + sizeof(note.name)))
            return false;
        if (note.header.n_type == NT_GNU_BUILD_ID && note.header.n_namesz == sizeof(note.name) &&
            __builtin_memcmp(note.name, "GNU", 4) == 0 && note.header.n_descsz <= ID_BYTES_MAX &&
            read_module(module, address + offsetof(__typeof__(note), id), note.id,
                        note.header.n_descsz)) {
            for (uint32_t i = 0; i < note.header.n_descsz; i++)
                sg_text_hex_digits(&text, note.id[i], 2);
            return true;
        }
        at += sizeof(note.header) + (((uint64_t)note.header.n_namesz + 3) & ~UINT64_C(3)) +
              (((uint64_t)note.header.n_descsz + 3) & ~UINT64_C(3));
    }
    return false;
}

static bool read_header(const struct module *module, const Elf64_Ehdr *file, unsigned index,
                        Elf64_Phdr *ret_header)
{
    return index < file->e_phnum && index < HEADERS_MAX &&
           read_module(module, module->start + file->e_phoff + index * sizeof(*ret_header),
                       ret_header, sizeof(*ret_header));
}

static bool read_file_header(const struct module *module, Elf64_Ehdr *ret_file)
{
    return read_module(module, module->start, ret_file, sizeof(*ret_file)) &&
           __builtin_memcmp(ret_file->e_ident, ELFMAG, SELFMAG) == 0 &&
           ret_file->e_ident[EI_CLASS] == ELFCLASS64 &&
           ret_file->e_phoff < module->end - module->start;
}

void sg_symbols_build_id(const struct module *module, char ret_build_id[SYMBOLS_BUILD_ID_BYTES])
{
    uint64_t lowest = UINT64_MAX; /* address in the file of the module's start */
    Elf64_Ehdr file;
    Elf64_Phdr header;

    ret_build_id[0] = '\0';
    if (!read_file_header(module, &file))
        return;
    for (unsigned i = 0; lowest == UINT64_MAX && read_header(module, &file, i, &header); i++)
        if (header.p_type == PT_LOAD)
            lowest = align_down(header.p_vaddr, sg_os_page_bytes);
    for (unsigned i = 0; read_header(module, &file, i, &header); i++)
        if (header.p_type == PT_NOTE && header.p_vaddr >= lowest &&
            find_in_notes(module, header.p_vaddr - lowest, header.p_memsz, ret_build_id))
            return;
}
