/* The few facts of an ELF file that matter here. Whoever made the file may have made it on purpose:
 * every size is checked. */
#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SEGMENTS_MOST 512

struct segment {
    uint32_t type;
    uint64_t offset;
    uint64_t bytes;
};

struct segments {
    uint64_t offset;
    uint32_t count;
    uint32_t bytes; /* of one */
};

static bool read_at(int descriptor, void *buffer, size_t bytes, uint64_t offset)
{
    return offset <= INT64_MAX && pread(descriptor, buffer, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool read_segment(int descriptor, bool is_64, uint64_t offset, struct segment *ret_segment)
{
    Elf64_Phdr wide;
    Elf32_Phdr narrow;

    if (is_64) {
        if (!read_at(descriptor, &wide, sizeof(wide), offset))
            return false;
        *ret_segment = (struct segment){wide.p_type, wide.p_offset, wide.p_filesz};
        return true;
    }
    if (!read_at(descriptor, &narrow, sizeof(narrow), offset))
        return false;
    *ret_segment = (struct segment){narrow.p_type, narrow.p_offset, narrow.p_filesz};
    return true;
}

static bool read_header(int descriptor, bool is_64, struct program_file *file,
                        struct segments *ret_segments)
{
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (is_64) {
        if (!read_at(descriptor, &wide, sizeof(wide), 0))
            return false;
        file->machine = wide.e_machine;
        *ret_segments = (struct segments){wide.e_phoff, wide.e_phnum, wide.e_phentsize};
    } else {
        if (!read_at(descriptor, &narrow, sizeof(narrow), 0))
            return false;
        file->machine = narrow.e_machine;
        *ret_segments = (struct segments){narrow.e_phoff, narrow.e_phnum, narrow.e_phentsize};
    }
    return ret_segments->count <= SEGMENTS_MOST;
}

static bool read_interpreter(int descriptor, const struct segment *segment,
                             struct program_file *file)
{
    if (segment->bytes == 0 || segment->bytes > sizeof(file->interpreter) ||
        !read_at(descriptor, file->interpreter, segment->bytes, segment->offset))
        return false;
    file->interpreter[segment->bytes - 1] = '\0';
    file->has_interpreter = true;
    return true;
}

static bool read_elf(int descriptor, struct program_file *file)
{
    bool is_64 = file->class == ELFCLASS64;
    struct segments segments;
    struct segment segment;

    if (!read_header(descriptor, is_64, file, &segments))
        return false;
    for (uint32_t i = 0; i < segments.count; i++) {
        if (!read_segment(descriptor, is_64, segments.offset + (uint64_t)i * segments.bytes,
                          &segment))
            return false;
        if (segment.type == PT_INTERP)
            return read_interpreter(descriptor, &segment, file);
    }
    return true;
}

static bool read_file(int descriptor, struct program_file *file)
{
    ssize_t got = pread(descriptor, file->first, sizeof(file->first) - 1, 0);

    if (got < 0)
        return false;
    file->first[got] = '\0';
    file->is_elf = got >= EI_NIDENT && memcmp(file->first, ELFMAG, SELFMAG) == 0;
    if (!file->is_elf)
        return true;
    file->class = (uint8_t)file->first[EI_CLASS];
    file->data = (uint8_t)file->first[EI_DATA];
    return read_elf(descriptor, file);
}

bool sg_program_read(const char *path, struct program_file *ret_file, struct verdict *ret_verdict)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *ret_file = (struct program_file){.is_elf = false};
    if (descriptor < 0)
        return sg_refuse(ret_verdict, STATUS_REFUSED,
                         "'%s' cannot be read (%s): whether preload takes effect cannot be told",
                         path, strerror(errno));

    bool is_read = read_file(descriptor, ret_file);
    close(descriptor);
    if (!is_read)
        return sg_refuse(ret_verdict, STATUS_REFUSED, "'%s' is no complete program file", path);
    return true;
}
