/* Size <-> class. 208 classes from 1 byte to 256 KiB, and class 0 for objects of no size.
 * All of it is constant; the table is generated, and checked by the compiler in size_class.c. */
#ifndef SG_SPAN_SIZE_CLASS_H
#define SG_SPAN_SIZE_CLASS_H

#include "compiler.h"
#include "units.h"

#define CLASS_ZERO 0u /* malloc(0): distinct addresses without access */
#define CLASS_FIRST 1u
#define CLASS_COUNT 209u /* classes with slots: 0 to 208 */
#define CLASS_LAST 208u
#define CLASS_LARGE CLASS_COUNT /* an object that is a span of its own */
#define SMALL_MAX_BYTES ((size_t)256 * 1024)
#define CLASS_DIRECT_MAX_BYTES ((size_t)1024) /* below, the class is the count of 16-byte steps */

struct size_class {
    uint32_t slot_bytes;
    uint16_t slot_count; /* per span */
    uint8_t span_pages;
    uint8_t batch;    /* most slots that move between tiers at once */
    uint64_t inverse; /* see slot_index() */
    uint8_t rotation;
};

extern HIDDEN const struct size_class sg_size_classes[CLASS_COUNT];
extern HIDDEN const uint8_t sg_size_class_by_64[];
extern HIDDEN const uint8_t sg_size_class_by_1024[];

/* `bytes` is at most CLASS_DIRECT_MAX_BYTES. */
static inline size_t size_class_direct(size_t bytes)
{
    return (bytes + 15) / 16;
}

/* `bytes` is at most SMALL_MAX_BYTES. */
static inline uint32_t size_class_of(size_t bytes)
{
    if (bytes <= CLASS_DIRECT_MAX_BYTES)
        return (uint32_t)size_class_direct(bytes);
    if (bytes <= 8 * KIB)
        return sg_size_class_by_64[(bytes + 63) / 64];
    return sg_size_class_by_1024[(bytes + 1023) / 1024];
}

/* The alignment, in pages, that a span of the class needs so that a slot whose size is a power of
 * two is aligned to its size. */
static inline size_t size_class_span_alignment_pages(uint32_t class)
{
    size_t bytes = sg_size_classes[class].slot_bytes;

    return (bytes & (bytes - 1)) == 0 && bytes > PAGE_BYTES ? bytes / PAGE_BYTES : 1;
}

/* The smallest class whose slots hold `bytes` and are all aligned to `alignment` (a power of two),
 * or CLASS_LARGE if there is none. */
HIDDEN uint32_t sg_size_class_aligned(size_t bytes, size_t alignment);

#endif
