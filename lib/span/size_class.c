#include "size_class.h"

const struct size_class sg_size_classes[CLASS_COUNT] = {
#define SIZE_CLASS(index, bytes, pages, slots, batch_, rotation_, inverse_)                        \
    [index] = {.slot_bytes = (bytes),                                                              \
               .slot_count = (slots),                                                              \
               .span_pages = (pages),                                                              \
               .batch = (batch_),                                                                  \
               .inverse = (inverse_),                                                              \
               .rotation = (rotation_)},
#include "size_class_table.inc"
#undef SIZE_CLASS
};

const uint8_t sg_size_class_by_64[] = {SIZE_CLASS_BY_64};
const uint8_t sg_size_class_by_1024[] = {SIZE_CLASS_BY_1024};

/* A row cannot be wrong: alignment; the inverse inverts; the slots fit and one more would not; the
 * unused tail is at most 1/16 of the span; a batch is 1 to 64 slots and, beyond one, 256 KiB. */
#define SIZE_CLASS(index, bytes, pages, slots, batch, rotation, inverse)                           \
    static_assert((index) < CLASS_COUNT && (bytes) % MIN_ALIGNMENT == 0, "alignment");             \
    static_assert((((uint64_t)(bytes) >> (rotation)) * (inverse)) == 1, "inverse");                \
    static_assert((pages) <= 32 && (slots) >= 1, "span length");                                   \
    static_assert((pages)*PAGE_BYTES / (bytes) == (slots), "slot count");                          \
    static_assert((pages)*PAGE_BYTES % (bytes)*16 <= (pages)*PAGE_BYTES, "waste of a tail");       \
    static_assert((batch) >= 1 && (batch) <= 64, "batch");                                         \
    static_assert((batch) == 1 || (batch) * (bytes) <= 256 * 1024, "batch bytes");
#include "size_class_table.inc"
#undef SIZE_CLASS

static_assert(sizeof(sg_size_class_by_64) == 8 * 1024 / 64 + 1, "table ends at 8 KiB");
static_assert(sizeof(sg_size_class_by_1024) == SMALL_MAX_BYTES / 1024 + 1, "table ends at 256 KiB");

uint32_t sg_size_class_aligned(size_t bytes, size_t alignment)
{
    if (bytes > SMALL_MAX_BYTES || alignment > SMALL_MAX_BYTES)
        return CLASS_LARGE;
    if (alignment > PAGE_BYTES) /* only slots of that very size lie on such boundaries */
        return bytes <= alignment ? size_class_of(alignment) : CLASS_LARGE;
    for (uint32_t class = size_class_of(bytes == 0 ? 1 : bytes); class < CLASS_COUNT; class ++)
        if ((sg_size_classes[class].slot_bytes & (alignment - 1)) == 0)
            return class;
    return CLASS_LARGE;
}
