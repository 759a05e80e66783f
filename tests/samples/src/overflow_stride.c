/* A wrong stride writes far behind the block, over whatever lies there. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE int *make_image(int width, int height)
{
    int *image = (int *)opaque(malloc((size_t)(width * height) * sizeof(int))); /* ALLOC */

    memset(image, 0, (size_t)(width * height) * sizeof(int));
    return image;
}

static NOINLINE void set_pixel(int *image, int x, int y)
{
    image[y * PICK(8, 11) + x] = 0xff00; /* BUG */
}

int main(void)
{
    int *image = make_image(8, 8);
    int *palette = make_image(8, 8);

    set_pixel(image, 7, 7);
    printf("%d\n", palette[0]);
    free(image);
    free(palette);
    return 0;
}
