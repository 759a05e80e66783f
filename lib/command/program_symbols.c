/* Which names a program gives to others: one that has a malloc of its own is found by the loader
 * before any library, preloaded or not. */
#include "target.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file, mapped. Its sizes are somebody's: nothing is read without a look at `bytes`. */
struct image {
    const unsigned char *start;
    uint64_t bytes;
};

static const void *part(const struct image *image, uint64_t offset, uint64_t bytes)
{
    if (offset > image->bytes || bytes > image->bytes - offset || offset % 8 != 0)
        return NULL;
    return image->start + offset;
}

static const Elf64_Shdr *section(const struct image *image, uint32_t index)
{
    const Elf64_Ehdr *header = part(image, 0, sizeof(*header));

    if (header == NULL || header->e_shentsize != sizeof(Elf64_Shdr) || index >= header->e_shnum)
        return NULL;
    return part(image, header->e_shoff + (uint64_t)index * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr));
}

static bool is_name(const struct image *image, const Elf64_Shdr *strings, uint32_t at,
                    const char *name)
{
    uint64_t bytes = strlen(name) + 1;

    if (strings->sh_offset > image->bytes || at > image->bytes - strings->sh_offset)
        return false;
    uint64_t offset = strings->sh_offset + at;
    return bytes <= image->bytes - offset && memcmp(image->start + offset, name, bytes) == 0;
}

static bool is_in_table(const struct image *image, const Elf64_Shdr *table, const char *name)
{
    const Elf64_Shdr *strings = section(image, table->sh_link);
    const Elf64_Sym *symbols = part(image, table->sh_offset, table->sh_size);

    if (strings == NULL || symbols == NULL)
        return false;
    for (uint64_t i = 0; i < table->sh_size / sizeof(*symbols); i++)
        if (symbols[i].st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC &&
            is_name(image, strings, symbols[i].st_name, name))
            return true;
    return false;
}

static bool is_in_image(const struct image *image, const char *name)
{
    const Elf64_Shdr *table;

    if (image->bytes < EI_NIDENT || memcmp(image->start, ELFMAG, SELFMAG) != 0 ||
        image->start[EI_CLASS] != ELFCLASS64)
        return false;
    for (uint32_t i = 0; (table = section(image, i)) != NULL; i++)
        if (table->sh_type == SHT_DYNSYM)
            return is_in_table(image, table, name);
    return false;
}

bool sg_program_defines(const char *path, const char *name)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    bool is_defined = false;

    if (descriptor < 0)
        return false;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        uint64_t bytes = (uint64_t)status.st_size;
        void *start = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);

        if (start != MAP_FAILED) {
            is_defined = is_in_image(&(struct image){start, bytes}, name);
            munmap(start, bytes);
        }
    }
    close(descriptor);
    return is_defined;
}
