/* The file of suppressions, whole or not at all: with a part of it a check would tell leaks that
 * its writer knows. Nothing says beforehand how long a pipe or a growing file is. */
#include "leak.h"

#include "os_file.h"
#include "os_memory.h"
#include "report.h"

#define FIRST_BYTES ((size_t)64 * 1024)
#define MOST_BYTES ((size_t)16 * 1024 * 1024)

static const char no_memory[] = "is not used, there is no memory for it: ";

struct content {
    char *bytes;
    size_t capacity, length;
};

static bool grow(struct content *content)
{
    size_t capacity = content->capacity == 0 ? FIRST_BYTES : 2 * content->capacity;
    char *bytes = sg_os_map(NULL, capacity);

    if (bytes == NULL)
        return false;
    if (content->bytes != NULL) {
        __builtin_memcpy(bytes, content->bytes, content->length);
        sg_os_unmap(content->bytes, content->capacity);
    }
    content->bytes = bytes;
    content->capacity = capacity;
    return true;
}

/* NULL, or why not. One byte stays free for the terminator. */
static const char *read_whole(int file, struct content *content)
{
    size_t got;

    if (file < 0)
        return "cannot be read: ";
    while (content->capacity < MOST_BYTES) {
        if (!grow(content))
            return no_memory;
        if (!sg_os_read(file, content->bytes + content->length,
                        content->capacity - content->length - 1, &got))
            return "cannot be read: ";
        content->length += got;
        if (content->length + 1 < content->capacity)
            return NULL;
    }
    return "is not used, it has 16 MiB or more: ";
}

/* A zero ends the text for who reads it, so one inside ends a line only. */
static void end_lines(struct content *content)
{
    for (size_t i = 0; i < content->length; i++)
        if (content->bytes[i] == '\0')
            content->bytes[i] = '\n';
}

const char *sg_leak_read_suppressions(const char *path)
{
    struct content content = {NULL, 0, 0};
    int file = sg_os_open(OS_CURRENT_FOLDER, path);
    const char *why = read_whole(file, &content);

    if (file >= 0)
        sg_os_close(file);
    end_lines(&content);
    /* Where nobody can write a check looks for no pointers. */
    if (why == NULL && sg_os_make_read_only(content.bytes, content.capacity))
        return content.bytes;
    why = why == NULL ? no_memory : why;
    sg_report_notice("SPANGUARD_SUPPRESSIONS ", why, path);
    if (content.bytes != NULL)
        sg_os_unmap(content.bytes, content.capacity);
    return NULL;
}
