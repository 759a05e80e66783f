#include "unwind.h"

#include "os_process.h"

/* Follows the chain of frame pointers. */
NOINLINE size_t sg_unwind(uintptr_t *frames, size_t limit, const void *context)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    size_t count = 0;

    (void)context;
    while (count < limit && frame % sizeof(uintptr_t) == 0 && sg_os_is_readable(frame + 8)) {
        uintptr_t next = ((const uintptr_t *)frame)[0];

        frames[count++] = ((const uintptr_t *)frame)[1];
        if (next <= frame)
            break;
        frame = next;
    }
    return count;
}
