/* Memory of a home-made allocator on the break is given to free(). */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static NOINLINE void *region_take(size_t bytes)
{
    char *region = (char *)sbrk(65536);

    if (region == (char *)-1)
        exit(1);
    region[0] = (char)bytes;
    return region + 4096;
}

static NOINLINE void drop(void *object)
{
    free(opaque(object)); /* BUG */
}

int main(void)
{
    void *object = region_take(48);

    if (!IS_FIXED)
        drop(object);
    printf("%d\n", object != NULL);
    return 0;
}
