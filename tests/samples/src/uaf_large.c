/* A frame of a video is looked at after its buffer went back. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NOINLINE unsigned char *make_frame(void)
{
    unsigned char *frame = (unsigned char *)opaque(malloc(1 << 20)); /* ALLOC */

    memset(frame, 16, 1 << 20);
    return frame;
}

static NOINLINE void drop_frame(unsigned char *frame)
{
    free(opaque(frame)); /* FREE */
    forget();
}

static NOINLINE int brightness(const unsigned char *frame)
{
    return frame[70000]; /* BUG */
}

int main(void)
{
    unsigned char *frame = make_frame();
    int bright = 0;

    if (IS_FIXED)
        bright = brightness(frame);
    drop_frame(frame);
    if (!IS_FIXED)
        bright = brightness((unsigned char *)opaque(frame));
    printf("%d\n", bright < 999);
    return 0;
}
