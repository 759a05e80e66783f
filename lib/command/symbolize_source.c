/* Source files: their paths, and lines of those that can be read. */
#include "symbolize.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE_BYTES_MAX (16 << 20)

/* Drops what a component says twice or takes back; works in place, as the result is never longer.
 * Only the text is looked at. */
static void normalise(char *path)
{
    bool is_absolute = path[0] == '/';
    char *end = path + is_absolute; /* of what is done */
    char *floor = end;              /* ".." cannot go further back */
    char *next = path;

    while (*(next += strspn(next, "/")) != '\0') {
        size_t length = strcspn(next, "/");
        bool is_up = length == 2 && strncmp(next, "..", 2) == 0;

        if (is_up && end > floor) {
            while (end > floor && *--end != '/')
                ;
        } else if (!(length == 1 && *next == '.') && !(is_up && is_absolute)) {
            if (end > path + is_absolute)
                *end++ = '/';
            memmove(end, next, length);
            end += length;
            if (is_up)
                floor = end;
        }
        next += length;
    }
    *end = '\0';
}

char *symbolize_path(const char *folder, const char *file)
{
    char *path = NULL;

    if (file[0] == '/' || folder == NULL)
        path = strdup(file);
    else if (asprintf(&path, "%s/%s", folder, file) < 0)
        path = NULL;
    if (path != NULL)
        normalise(path);
    return path;
}

const char *symbolize_short_path(const char *path)
{
    static char *folder;
    size_t length;

    if (folder == NULL)
        folder = getcwd(NULL, 0);
    if (folder == NULL)
        return path;
    length = strlen(folder);
    return length > 1 && strncmp(path, folder, length) == 0 && path[length] == '/'
               ? path + length + 1
               : path;
}

/* Of a relative path nobody knows to what; another file of that name would be a lie. */
static FILE *open_source(const char *path)
{
    struct stat status;
    FILE *file;
    int descriptor = path[0] != '/' ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (descriptor < 0)
        return NULL;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size <= SOURCE_BYTES_MAX && (file = fdopen(descriptor, "r")) != NULL)
        return file;
    close(descriptor);
    return NULL;
}

/* A cut never leaves a part of a UTF-8 character. */
static void copy_trimmed(char to[SYMBOLIZE_SOURCE_BYTES], const char *line)
{
    size_t length;

    while (isspace((unsigned char)*line))
        line++;
    length = strlen(line);
    if (length >= SYMBOLIZE_SOURCE_BYTES)
        for (length = SYMBOLIZE_SOURCE_BYTES - 1; length > 0 && (line[length] & 0xc0) == 0x80;)
            length--;
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        length--;
    memcpy(to, line, length);
    to[length] = '\0';
}

bool symbolize_source_line(const char *path, int line, char ret_text[SYMBOLIZE_SOURCE_BYTES])
{
    FILE *file = line <= 0 ? NULL : open_source(path);
    char *text = NULL;
    size_t capacity = 0;
    int number = 0;

    if (file == NULL)
        return false;
    while (number < line && getline(&text, &capacity, file) >= 0)
        number++;
    if (number == line)
        copy_trimmed(ret_text, text);
    free(text);
    fclose(file);
    return number == line;
}
