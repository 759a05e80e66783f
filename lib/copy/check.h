/* The questions that each copy asks before it starts. */
#ifndef SG_COPY_CHECK_H
#define SG_COPY_CHECK_H

#include "copy.h"
#include "spanguard/spanguard.h"

/* Weak: without the allocator nothing is known and nothing is checked. Read from the GOT, which is
 * zero before the loader has been here. */
#pragma weak spanguard_block_room
#pragma weak spanguard_report_copy

/* Return only if `caller` is the allocator itself, which may write to what is free. */
HIDDEN COLD void sg_copy_refuse_write(const char *function, const void *to, size_t bytes,
                                      const void *caller);
HIDDEN COLD void sg_copy_refuse_read(const char *function, const void *from, size_t bytes,
                                     const void *caller);

/* glibc's: ends the process as its own fortified functions do. */
_Noreturn void __chk_fail(void);

/* Inlined into the exported function, whose caller this is. */
#define CALLER __builtin_return_address(0)

static ALWAYS_INLINE bool fits(const void *address, size_t bytes)
{
    return bytes == 0 || spanguard_block_room == NULL || spanguard_block_room(address) >= bytes;
}

static ALWAYS_INLINE void check_write(const char *function, const void *to, size_t bytes)
{
    if (UNLIKELY(!fits(to, bytes)))
        sg_copy_refuse_write(function, to, bytes, CALLER);
}

static ALWAYS_INLINE void check_read(const char *function, const void *from, size_t bytes)
{
    if (sg_copy_machine.checks_reads && UNLIKELY(!fits(from, bytes)))
        sg_copy_refuse_read(function, from, bytes, CALLER);
}

/* What the compiler knew about the target, in fortified code; SIZE_MAX: nothing. Asked last: the
 * report about a block of the heap says more. */
static ALWAYS_INLINE void check_object(size_t bytes, size_t object_bytes)
{
    if (UNLIKELY(bytes > object_bytes))
        __chk_fail();
}

#define UNKNOWN_BYTES SIZE_MAX

#endif
