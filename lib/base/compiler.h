/* Attributes and compiler facts. Needs nothing but the compiler. */
#ifndef SG_BASE_COMPILER_H
#define SG_BASE_COMPILER_H

#include <assert.h> /* static_assert */
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define EXPORT __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden")))
#define MUST_USE __attribute__((warn_unused_result))
#define NOINLINE __attribute__((noinline))
#define COLD __attribute__((cold, noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* For an alias of a function that a libc header has declared with attributes of its own. */
#if defined(__has_attribute) && __has_attribute(copy)
#define SAME_ATTRIBUTES(original) __attribute__((copy(original)))
#else
#define SAME_ATTRIBUTES(original)
#endif

/* One pointer in the static TLS block: `dlopen` of the library into a running program works
 * because so little fits into the surplus that glibc keeps. */
#define THREAD_POINTER __thread __attribute__((tls_model("initial-exec")))

/* Large tables of zeroes of which few pages are ever touched lie behind all other data (the linker
 * sorts sections by name): between small variables they would spread those over more pages, and
 * each page costs a start of every program. */
#define COLD_ZEROES __attribute__((section(".bss.zz_cold")))

/* Written before the first block is handed out and read-only from then on; see lib/pool/seal.h. */
#define SEALED __attribute__((section(".data.sg_seal_b")))

#define CACHE_LINE_BYTES 64

/* What the compiler makes of large copies and fills goes to functions of our own: those of libc may
 * be interposed, by our own checked copies for one, and then look at memory in the middle of a
 * change. As glibc does for itself. Not in the library of those copies, which is neither. */
#ifndef SG_IS_COPY_LIBRARY
__asm__("memset = sg_memset\n\tmemcpy = sg_memcpy\n\tmemmove = sg_memmove");
#endif

/* Relaxed access, for values that other threads may read at any time and that order nothing else.
 * They compile to plain moves. */
#define load_relaxed(object) atomic_load_explicit((object), memory_order_relaxed)
#define store_relaxed(object, value) atomic_store_explicit((object), (value), memory_order_relaxed)

#endif
