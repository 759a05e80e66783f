/* The address space as the kernel tells it: the loader's own list has a lock that a stopped thread
 * may hold. */
#include "leak_state.h"

#include "os_file.h"
#include "os_memory.h"

#define SPARE_ROWS 64u /* for what is mapped between two looks */
#define BUFFER_BYTES 8192u
#define LINE_BYTES 1024u /* more of a line is not looked at */

struct reader {
    int file;
    size_t length, at;
    char buffer[BUFFER_BYTES];
    char line[LINE_BYTES];
};

static int next_byte(struct reader *reader)
{
    if (reader->at == reader->length) {
        reader->at = 0;
        if (!sg_os_read(reader->file, reader->buffer, BUFFER_BYTES, &reader->length) ||
            reader->length == 0)
            return -1;
    }
    return (unsigned char)reader->buffer[reader->at++];
}

static bool next_line(struct reader *reader)
{
    size_t length = 0;
    int byte;

    while ((byte = next_byte(reader)) >= 0 && byte != '\n')
        if (length < LINE_BYTES - 1)
            reader->line[length++] = (char)byte;
    reader->line[length] = '\0';
    return byte >= 0 || length > 0;
}

static uint64_t read_number(const char **at, unsigned base)
{
    uint64_t number = 0;

    for (;; (*at)++) {
        char byte = **at;

        if (byte >= '0' && byte <= '9')
            number = number * base + (uint64_t)(byte - '0');
        else if (base == 16 && byte >= 'a' && byte <= 'f')
            number = number * base + (uint64_t)(byte - 'a' + 10);
        else
            return number;
    }
}

static bool begins(const char *text, const char *with)
{
    return __builtin_strncmp(text, with, __builtin_strlen(with)) == 0;
}

static bool is_loader(const char *path)
{
    const char *name = path;

    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/')
            name = at + 1;
    if (path[0] != '/' || !begins(name, "ld-"))
        return false;
    for (; *name != '\0'; name++)
        if (begins(name, ".so"))
            return true;
    return false;
}

static uint32_t flags_of(const char *rights, uint64_t file, const char *path)
{
    uint32_t flags = 0;
    /* Shared and anonymous: files of the kernel itself. */
    bool is_shared = begins(path, "/dev/zero (deleted)") || begins(path, "[anon_shmem:");
    bool is_plain = is_shared || (file == 0 && (path[0] == '\0' || begins(path, "[heap]") ||
                                                begins(path, "[anon")));

    flags |= rights[0] == 'r' ? LEAK_ROW_READABLE : 0;
    flags |= rights[1] == 'w' ? LEAK_ROW_WRITABLE : 0;
    flags |= rights[2] == 'x' ? LEAK_ROW_EXECUTABLE : 0;
    flags |= begins(path, "[stack]") ? LEAK_ROW_STACK : 0;
    flags |= is_loader(path) ? LEAK_ROW_LOADER : 0;
    if (rights[0] == 'r' && rights[1] == 'w' && is_plain)
        flags |= LEAK_ROW_REGION;
    return flags;
}

/* START-END rwxp OFFSET MAJOR:MINOR INODE   PATH */
static struct leak_row parse_line(const char *line)
{
    struct leak_row row = {0};
    const char *at = line, *rights;

    row.start = read_number(&at, 16);
    at += *at == '-';
    row.end = read_number(&at, 16);
    at += *at == ' ';
    rights = at;
    while (*at != '\0' && *at != ' ')
        at++;
    if (at - rights != 4)
        return (struct leak_row){0};
    at += *at == ' ';
    row.offset = read_number(&at, 16);
    at += *at == ' ';
    row.file = read_number(&at, 16) << 52;
    at += *at == ':';
    row.file ^= read_number(&at, 16) << 44;
    at += *at == ' ';
    row.file ^= read_number(&at, 10);
    while (*at == ' ')
        at++;
    row.flags = flags_of(rights, row.file, at);
    return row;
}

static bool read_rows(struct leak_scan *scan, struct reader *reader)
{
    reader->file = sg_os_open(OS_NO_FOLDER, "/proc/self/maps");
    reader->length = reader->at = 0;
    scan->row_count = 0;
    if (reader->file < 0)
        return false;
    while (next_line(reader)) {
        if (scan->row_count < scan->row_limit)
            scan->rows[scan->row_count] = parse_line(reader->line);
        scan->row_count++;
    }
    sg_os_close(reader->file);
    return scan->row_count != 0;
}

/* Twice: the first look only counts. */
bool sg_leak_read_maps(struct leak_scan *scan, uint32_t spare_rows)
{
    struct reader *reader = sg_leak_map(scan, sizeof(*reader));

    if (reader == NULL)
        return false;
    scan->why = "/proc/self/maps cannot be read";
    if (!read_rows(scan, reader))
        return false;
    scan->row_limit = scan->row_count + SPARE_ROWS + spare_rows;
    scan->rows = sg_leak_map(scan, scan->row_limit * sizeof(*scan->rows));
    if (scan->rows == NULL || !read_rows(scan, reader))
        return false;
    if (scan->row_count > scan->row_limit)
        scan->row_count = scan->row_limit;
    scan->why = NULL;
    return true;
}

struct leak_row *sg_leak_row_at(const struct leak_scan *scan, uintptr_t address)
{
    uint32_t low = 0, high = scan->row_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (scan->rows[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < scan->row_count && scan->rows[low].start <= address ? &scan->rows[low] : NULL;
}
