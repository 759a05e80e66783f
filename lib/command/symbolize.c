/* The conversation of symbolize.h. */
#include "symbolize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 64

static struct symbolize_module modules[MODULES_MAX];
static size_t module_count;

/* In place: the result is never longer. */
static void unescape(char *text)
{
    char *to = text;
    unsigned byte;

    for (; *text != '\0'; text++)
        if (*text == '%' && sscanf(text + 1, "%2x", &byte) == 1 && byte != 0) {
            *to++ = (char)byte;
            text += text[1] != '\0' && text[2] != '\0' ? 2 : 1;
        } else {
            *to++ = *text;
        }
    *to = '\0';
}

static void put_field(const char *text, size_t limit)
{
    size_t length = text == NULL ? 0 : strlen(text);

    putchar('\t');
    if (length > limit)
        for (length = limit; length > 0 && (text[length] & 0xc0) == 0x80;)
            length--;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte < ' ' || byte == 0x7f || byte == '%')
            printf("%%%02x", byte);
        else
            putchar(byte);
    }
}

static void put_frame(const struct symbolize_frame *frame)
{
    const char *file = frame->at.file;
    char source[SYMBOLIZE_SOURCE_BYTES] = "";

    if (file != NULL) {
        (void)symbolize_source_line(file, frame->at.line, source); /* "" if there is none */
        file = symbolize_short_path(file);
    }
    printf("frame\t%d\t%d", frame->at.line, frame->at.column);
    put_field(frame->function, SYMBOLIZE_NAME_BYTES);
    put_field(file, SYMBOLIZE_NAME_BYTES);
    put_field(source, SYMBOLIZE_SOURCE_BYTES);
    putchar('\n');
}

static void answer_code(struct symbolize_module *module, uint64_t offset)
{
    struct symbolize_frame frames[SYMBOLIZE_FRAMES];
    size_t count = symbolize_frames(module, offset, frames);

    for (size_t i = 0; i < count; i++)
        put_frame(&frames[i]);
}

static void answer_data(struct symbolize_module *module, uint64_t offset)
{
    char *name = NULL;

    symbolize_open(module);
    if (module->module != NULL)
        name = symbolize_name_of_data(module, module->base + offset);
    if (name == NULL)
        return;
    printf("name");
    put_field(name, SYMBOLIZE_NAME_BYTES);
    putchar('\n');
}

static bool read_module(char *line)
{
    char *path = strchr(line, ' ');

    if (path == NULL || module_count == MODULES_MAX)
        return false;
    *path++ = '\0';
    unescape(path);
    modules[module_count].path = strdup(path);
    modules[module_count].build_id = strdup(strcmp(line, "-") == 0 ? "" : line);
    return modules[module_count].path != NULL && modules[module_count++].build_id != NULL;
}

/* Each answer leaves at once: whoever asks may not wait for the last. */
static bool read_query(const char *line, void (*answer)(struct symbolize_module *, uint64_t))
{
    unsigned long module;
    char *offset, *end;
    uint64_t value;

    errno = 0;
    module = strtoul(line, &offset, 10);
    value = strtoull(offset, &end, 16);
    if (errno != 0 || end == offset || *end != '\0' || module >= module_count)
        return false;
    answer(&modules[module], value);
    puts(".");
    return fflush(stdout) == 0;
}

/* False ends the conversation: nothing but what the library writes is ever read here. */
static bool read_line(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "module ", 7) == 0)
        return read_module(line + 7);
    if (strncmp(line, "code ", 5) == 0)
        return read_query(line + 5, answer_code);
    if (strncmp(line, "data ", 5) == 0)
        return read_query(line + 5, answer_data);
    return false;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;

    unsetenv("DEBUGINFOD_URLS"); /* a report is no reason to tell anybody what runs here */
    while (getline(&line, &capacity, stdin) > 0) {
        if (strcmp(line, "end\n") == 0) {
            puts("end");
            return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
        if (!read_line(line))
            break;
    }
    return EXIT_FAILURE;
}
