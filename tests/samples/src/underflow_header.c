/* Somebody thinks that this block has the header that his own allocator puts before each. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct header {
    unsigned tag;
    unsigned references;
};

static NOINLINE struct header *make_object(size_t bytes)
{
    return (struct header *)opaque(calloc(1, bytes)); /* ALLOC */
}

static NOINLINE void add_reference(struct header *object)
{
    object[PICK(0, -1)].references = 3; /* BUG */
}

int main(void)
{
    struct header *object = make_object(4096);

    add_reference(object);
    printf("%u\n", object->tag);
    free(object);
    return 0;
}
