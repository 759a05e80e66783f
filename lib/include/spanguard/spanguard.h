/* spanguard: a secure malloc. Programs use the standard names; this header adds what is ours. */
#ifndef SPANGUARD_SPANGUARD_H
#define SPANGUARD_SPANGUARD_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "MAJOR.MINOR.PATCH" of the library in use. Static storage, thread-safe, never NULL. A program
 * that finds this symbol (dlsym) runs under spanguard. */
const char *spanguard_version(void);

/* Bytes from `address` to the end of the live block that holds it; `address` may lie anywhere in
 * the block. SIZE_MAX if the memory is not this allocator's (stack, globals, mmap, NULL: nothing
 * is known of it); 0 if it is, and lies in no live block or behind the last byte of one. Accepts
 * any value. Takes no lock and allocates nothing: safe in signal handlers and in every thread. The
 * answer holds for as long as nobody frees or reallocates the block. */
size_t spanguard_block_room(const void *address);

/* Reports that `function` was about to write (or read) `bytes` bytes at `address`, and ends the
 * process by SIGABRT: P105 copy overflow, or P106 copy over-read. For code that found with
 * spanguard_block_room() that they do not fit; libspanguard-copy.so is such code. `function` is a
 * short name in static storage. */
__attribute__((noreturn)) void spanguard_report_copy(const char *function, const void *address,
                                                     size_t bytes, bool is_write);

/* Of libspanguard-debug.so only: declare them weak in a program that may run without it.
 *
 * Looks at every block now, live and freed, and reports what was written that should not have been.
 * For any thread and for signal handlers; the time grows with the number of blocks. */
void spanguard_check(void);

/* Called with the text of each report when it is written and before anything follows from it: for
 * a breakpoint. A program that calls it does nothing. */
void spanguard_on_report(const char *report);

/* malloc(bytes) and calloc(count, bytes_each), of a partition: 1 to 63, for kinds of objects that
 * the program tells apart; 0 is malloc's own. Addresses of a partition never hold a block of
 * another one or of malloc: no stale pointer meets an object of another kind. Ended by free();
 * realloc() stays in the partition. No bytes: a block without access, as malloc(0). NULL and
 * ENOMEM: no memory, or the product overflows; NULL and EINVAL: there is no such partition.
 * Thread-safe, usable in forked children; each call takes a lock of the partition, so not for
 * signal handlers. With pool=system they are malloc and calloc. */
void *spanguard_malloc_typed(size_t bytes, unsigned partition);
void *spanguard_calloc_typed(size_t count, size_t bytes_each, unsigned partition);

#ifdef __cplusplus
}
#endif

#endif
