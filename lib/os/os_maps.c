#include "os_maps.h"

#include "os_syscall.h"

#include <fcntl.h>

/* A reader of lines of any length: the text is used up byte by byte. */
struct reader {
    long file;
    long length;
    long position;
    char text[1024];
};

/* The next byte, or -1 at the end. */
static int next(struct reader *reader)
{
    if (reader->position == reader->length) {
        reader->position = 0;
        reader->length =
            os_syscall3(SYS_read, reader->file, (long)reader->text, sizeof(reader->text));
        if (reader->length <= 0) {
            reader->length = 0;
            return -1;
        }
    }
    return (unsigned char)reader->text[reader->position++];
}

/* A hexadecimal number and the byte behind it. */
static uintptr_t read_hex(struct reader *reader)
{
    uintptr_t value = 0;

    for (;;) {
        int byte = next(reader);

        if (byte >= '0' && byte <= '9')
            value = value << 4 | (uintptr_t)(byte - '0');
        else if (byte >= 'a' && byte <= 'f')
            value = value << 4 | (uintptr_t)(byte - 'a' + 10);
        else
            return value;
    }
}

static bool skip_word(struct reader *reader)
{
    int byte;

    do
        byte = next(reader);
    while (byte >= 0 && byte != ' ' && byte != '\n');
    return byte == ' ';
}

/* The rest of the line, without the blanks in front. */
static void read_name(struct reader *reader, char *name)
{
    size_t length = 0;
    int byte;

    while ((byte = next(reader)) >= 0 && byte != '\n') {
        if (length == 0 && byte == ' ')
            continue;
        if (length < OS_MAPPING_NAME_BYTES - 1)
            name[length++] = byte >= ' ' && byte <= '~' ? (char)byte : '?';
    }
    name[length] = '\0';
}

#define WORDS_BEFORE_NAME 4

/* START-END PERM OFFSET DEVICE INODE NAME; false at the end. */
static bool read_line(struct reader *reader, struct os_mapping *mapping)
{
    mapping->start = read_hex(reader);
    mapping->end = read_hex(reader);
    mapping->is_readable = next(reader) == 'r';
    mapping->is_writable = next(reader) == 'w';
    for (int i = 0; i < WORDS_BEFORE_NAME; i++)
        if (!skip_word(reader))
            return false;
    read_name(reader, mapping->name);
    return true;
}

static bool find_in(const char *path, uintptr_t address, struct os_mapping *ret_mapping)
{
    struct reader reader = {
        .file = os_syscall6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0)};
    bool is_found = false;

    if (os_failed(reader.file))
        return false;
    while (!is_found && read_line(&reader, ret_mapping))
        is_found = address >= ret_mapping->start && address < ret_mapping->end;
    (void)os_syscall3(SYS_close, reader.file, 0, 0);
    return is_found;
}

/* The first is empty once the first thread has ended. */
bool sg_os_mapping_at(uintptr_t address, struct os_mapping *ret_mapping)
{
    return find_in("/proc/self/maps", address, ret_mapping) ||
           find_in("/proc/thread-self/maps", address, ret_mapping);
}
