/* Messages, memory, and words that look alike. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sg_complain(const char *format, ...)
{
    va_list arguments;

    fputs("spanguard: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static _Noreturn void end_without_memory(void)
{
    sg_complain("no memory");
    exit(STATUS_REFUSED);
}

void *sg_allocate(size_t bytes)
{
    return sg_reallocate(NULL, bytes);
}

void *sg_reallocate(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes == 0 ? 1 : bytes);

    if (memory == NULL)
        end_without_memory();
    return memory;
}

char *sg_printed(const char *format, ...)
{
    va_list arguments;
    char *string;

    va_start(arguments, format);
    int length = vasprintf(&string, format, arguments);
    va_end(arguments);
    if (length < 0)
        end_without_memory();
    return string;
}

bool sg_refuse(struct verdict *verdict, int status, const char *format, ...)
{
    va_list arguments;

    verdict->status = status;
    va_start(arguments, format);
    (void)vsnprintf(verdict->reason, sizeof(verdict->reason), format, arguments);
    va_end(arguments);
    return false;
}

#define WORD_BYTES 64

struct edits {
    uint8_t each[WORD_BYTES + 1][WORD_BYTES + 1]; /* between the first i and the first j bytes */
};

static uint8_t least(unsigned a, unsigned b)
{
    return (uint8_t)(a < b ? a : b);
}

static uint8_t step(const struct edits *edits, const char *word, const char *name,
                    const size_t at[2])
{
    size_t i = at[0], j = at[1];
    uint8_t count = least(edits->each[i - 1][j], edits->each[i][j - 1]) + 1;

    count = least(count, edits->each[i - 1][j - 1] + (word[i - 1] != name[j - 1]));
    if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1])
        count = least(count, edits->each[i - 2][j - 2] + 1u);
    return count;
}

/* Edits between two words: insert, remove or replace a letter, swap two neighbours. */
static size_t distance(const char *word, const char *name)
{
    struct edits edits;
    size_t word_length = strlen(word), name_length = strlen(name);

    if (word_length > WORD_BYTES || name_length > WORD_BYTES)
        return WORD_BYTES;
    for (size_t i = 0; i <= word_length; i++)
        for (size_t j = 0; j <= name_length; j++) {
            const size_t at[] = {i, j};

            edits.each[i][j] = i == 0 || j == 0 ? (uint8_t)(i + j) : step(&edits, word, name, at);
        }
    return edits.each[word_length][name_length];
}

const char *sg_nearest(const char *word, const char *const *list)
{
    const char *nearest = NULL;
    size_t fewest = WORD_BYTES;

    for (; *list != NULL; list++) {
        size_t edits = distance(word, *list);

        if (edits < fewest) {
            fewest = edits;
            nearest = *list;
        }
    }
    return nearest != NULL && fewest * 5 <= 2 * strlen(nearest) ? nearest : NULL;
}

const char *sg_did_you_mean(const char *word, const char *const *list)
{
    static char text[WORD_BYTES + 24];
    const char *nearest = sg_nearest(word, list);

    text[0] = '\0';
    if (nearest != NULL)
        (void)snprintf(text, sizeof(text), ", did you mean '%s'?", nearest);
    return text;
}
