#include "escape.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* The bytes of the character at `at` if it is proper UTF-8, else 0. */
static size_t length_of_character(const unsigned char *at)
{
    static const struct {
        unsigned char mask, mark;
    } leads[] = {{0x80, 0x00}, {0xe0, 0xc0}, {0xf0, 0xe0}, {0xf8, 0xf0}};

    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        size_t more = 0;

        if ((at[0] & leads[i].mask) != leads[i].mark)
            continue;
        while (more < i && (at[1 + more] & 0xc0) == 0x80)
            more++;
        bool is_overlong = (i == 1 && at[0] < 0xc2) || (i == 2 && at[0] == 0xe0 && at[1] < 0xa0) ||
                           (i == 3 && at[0] == 0xf0 && at[1] < 0x90);
        bool is_beyond = (i == 2 && at[0] == 0xed && at[1] >= 0xa0) ||
                         (i == 3 && (at[0] > 0xf4 || (at[0] == 0xf4 && at[1] >= 0x90)));
        return more < i || is_overlong || is_beyond ? 0 : i + 1;
    }
    return 0;
}

/* Puts a character that needs no escape, and steps behind it. */
static const char *put_character(FILE *file, const char *at)
{
    size_t length = length_of_character((const unsigned char *)at);

    if (length == 0)
        fputs(REPLACEMENT, file);
    else
        fwrite(at, 1, length, file);
    return at + (length == 0 ? 1 : length);
}

void sg_put_json(FILE *file, const char *string)
{
    fputc('"', file);
    while (*string != '\0') {
        unsigned char byte = (unsigned char)*string;

        if (byte >= ' ' && byte != '"' && byte != '\\' && byte != 0x7f) {
            string = put_character(file, string);
            continue;
        }
        if (byte == '\n')
            fputs("\\n", file);
        else if (byte == '"' || byte == '\\')
            fprintf(file, "\\%c", byte);
        else
            fprintf(file, "\\u%04x", byte);
        string++;
    }
    fputc('"', file);
}

/* XML 1.0 has no place at all for most control characters, nor for U+FFFE and U+FFFF. */
void sg_put_xml(FILE *file, const char *string)
{
    while (*string != '\0') {
        unsigned char byte = (unsigned char)*string;

        if (strchr("&<>\"'", byte) != NULL || byte == '\n' || byte == '\t') {
            fprintf(file, "&#%u;", byte);
            string++;
        } else if (byte < ' ') {
            fputs(REPLACEMENT, file);
            string++;
        } else if (strncmp(string, "\xef\xbf\xbe", 3) == 0 ||
                   strncmp(string, "\xef\xbf\xbf", 3) == 0) {
            fputs(REPLACEMENT, file);
            string += 3;
        } else {
            string = put_character(file, string);
        }
    }
}

void sg_put_uri(FILE *file, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~/+@";

    fputs(path[0] == '/' ? "\"file://" : "\"", file);
    for (; *path != '\0'; path++)
        if (strchr(plain, *path) != NULL)
            fputc(*path, file);
        else
            fprintf(file, "%%%02X", (unsigned char)*path);
    fputc('"', file);
}

void sg_put_workflow(FILE *file, const char *string, bool is_property)
{
    while (*string != '\0') {
        unsigned char byte = (unsigned char)*string;

        if (byte < ' ' || byte == '%' || (is_property && (byte == ':' || byte == ','))) {
            fprintf(file, "%%%02X", byte);
            string++;
        } else {
            string = put_character(file, string);
        }
    }
}
