/* A library whose resolver copies: the loader runs it before it has relocated what is preloaded. */
#include <string.h>

static char text[] = "copied before anything was ready, in more than sixty-four bytes of text";
static char copy[sizeof(text)];

static int answer(void)
{
    return strcmp(copy, text);
}

static int (*resolve(void))(void)
{
    for (volatile size_t bytes = 1; bytes <= sizeof(text); bytes++)
        memcpy(copy, text, bytes);
    return answer;
}

int early(void) __attribute__((ifunc("resolve")));
