#include "size_class.h"
#include "slot.h"
#include "test.h"

TEST(every_size_gets_the_smallest_class_that_holds_it)
{
    for (size_t bytes = 1; bytes <= SMALL_MAX_BYTES; bytes++) {
        uint32_t class = size_class_of(bytes);

        if (class < CLASS_FIRST || class >= CLASS_COUNT ||
            sg_size_classes[class].slot_bytes < bytes ||
            (class > CLASS_FIRST && sg_size_classes[class - 1].slot_bytes >= bytes)) {
            EXPECT_EQUAL(bytes, 0);
            return;
        }
    }
}

TEST(the_classes_are_those_of_the_design)
{
    EXPECT_EQUAL(CLASS_COUNT - CLASS_FIRST, 208);
    EXPECT_EQUAL(sg_size_classes[CLASS_FIRST].slot_bytes, 16);
    EXPECT_EQUAL(sg_size_classes[CLASS_COUNT - 1].slot_bytes, 256 * 1024);
    EXPECT_EQUAL(size_class_of(0), CLASS_ZERO);
}

TEST(internal_waste_is_at_most_an_eighth_above_128_bytes)
{
    for (size_t bytes = 129; bytes <= SMALL_MAX_BYTES; bytes++) {
        size_t slot_bytes = sg_size_classes[size_class_of(bytes)].slot_bytes;

        if ((slot_bytes - bytes) * 8 > slot_bytes) {
            EXPECT_EQUAL(bytes, 0);
            return;
        }
    }
}

TEST(an_aligned_request_gets_slots_that_are_all_aligned)
{
    for (size_t alignment = 16; alignment <= PAGE_BYTES; alignment *= 2)
        for (size_t bytes = 1; bytes <= SMALL_MAX_BYTES; bytes += 61) {
            uint32_t class = sg_size_class_aligned(bytes, alignment);

            if (class == CLASS_LARGE)
                continue;
            EXPECT(sg_size_classes[class].slot_bytes >= bytes);
            EXPECT(sg_size_classes[class].slot_bytes % alignment == 0);
        }
    EXPECT_EQUAL(sg_size_class_aligned(100, 64 * 1024), size_class_of(64 * 1024));
    EXPECT_EQUAL(sg_size_class_aligned(100000, 64 * 1024), CLASS_LARGE);
    EXPECT_EQUAL(sg_size_class_aligned(1, (size_t)1 << 40), CLASS_LARGE);
}

static struct slot_geometry geometry_of(uint32_t class, uintptr_t base)
{
    const struct size_class *info = &sg_size_classes[class];

    return (struct slot_geometry){.base = base,
                                  .inverse = info->inverse,
                                  .rotation = info->rotation,
                                  .slot_count = info->slot_count};
}

/* All offsets of each class, inside and around its span. */
TEST(only_the_start_of_a_slot_has_an_index)
{
    const uintptr_t base = 0x7f0000000000;

    for (uint32_t class = CLASS_FIRST; class < CLASS_COUNT; class ++) {
        struct slot_geometry geometry = geometry_of(class, base);
        size_t slot_bytes = sg_size_classes[class].slot_bytes;
        size_t end = sg_size_classes[class].span_pages * PAGE_BYTES;

        for (size_t offset = 0; offset < end; offset++) {
            uint64_t index = slot_index(&geometry, (void *)(base + offset));
            bool is_start = offset % slot_bytes == 0 && offset / slot_bytes < geometry.slot_count;

            if ((index < geometry.slot_count) != is_start ||
                (is_start && index != offset / slot_bytes)) {
                EXPECT_EQUAL(offset, 0);
                return;
            }
        }
        EXPECT(slot_index(&geometry, (void *)(base - slot_bytes)) >= geometry.slot_count);
        EXPECT(slot_index(&geometry, NULL) >= geometry.slot_count);
        EXPECT(slot_index(&geometry, (void *)UINTPTR_MAX) >= geometry.slot_count);
    }
}
