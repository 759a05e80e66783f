/* The answer is as long as the request says, not as long as the request is. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE unsigned char *receive(void)
{
    unsigned char *record = (unsigned char *)opaque(malloc(32)); /* ALLOC */

    memset(record, 'r', 32);
    record[0] = PICK(30, 200);
    return record;
}

static NOINLINE void answer(const unsigned char *record, unsigned char *to)
{
    memcpy(to, record + 1, record[0]); /* BUG */
}

int main(void)
{
    static unsigned char reply[256];
    unsigned char *record = receive();

    answer(record, (unsigned char *)opaque(reply));
    printf("%c\n", reply[0]);
    free(record);
    return 0;
}
