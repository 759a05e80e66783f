/* Fields are joined with a separator each, and nobody counted the separators. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fields[] = {"0123456789abcdef", "0123456789abcdef", "0123456789abcdef",
                                     "0123456789abcdef"};

static NOINLINE char *join(size_t count)
{
    char *line = (char *)opaque(malloc(count * 16 + PICK(count, 0))); /* ALLOC */
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        for (const char *from = fields[i]; *from; from++)
            line[used++] = *from; /* BUG */
        line[used++] = ';';       /* BUG */
    }
    printf("%zu\n", used);
    return line;
}

int main(void)
{
    char *line = join(4);

    free(line);
    return 0;
}
