/* How much of a block lies behind an address, for code that is about to write there. Reads the page
 * map and the state of one slot: no lock, no allocation, any 64-bit value. */
#include "compiler.h"
#include "format.h"
#include "page_map.h"
#include "report.h"
#include "size_class.h"
#include "span.h"
#include "spanguard/spanguard.h"

#include <stdlib.h>

#define LINE_BYTES 256

struct place {
    const struct span *span; /* NULL: no memory of ours */
    size_t offset;           /* of the address in its block */
    size_t block_bytes;
    bool has_block; /* false: recycled, or behind the last slot */
    bool is_live;
};

/* What the program may use of a block: the one place that knows. */
static ALWAYS_INLINE size_t bytes_of_block(const struct span *span, uint32_t class)
{
    return class == CLASS_LARGE ? span_bytes(span) : size_class_usable_bytes(class);
}

/* A large block that another call is resizing has not ended: realloc itself copies out of it. */
static ALWAYS_INLINE bool is_in_use(uint8_t state)
{
    return slot_state_is_live(state) || state == SLOT_RESIZING;
}

static ALWAYS_INLINE struct place place_of(const void *address)
{
    const struct span *span = page_map_lookup((uintptr_t)address);
    struct place place = {.span = span};

    if (span == NULL || span->slots.slot_count == 0)
        return place;

    size_t offset = (uintptr_t)address - span->slots.base;
    uint32_t class = span->slots.class;
    uint32_t index = 0;
    if (class != CLASS_LARGE) {
        /* A span with slots has less than 4 GiB, and dividing 32 bits is the faster division. */
        uint32_t slot_bytes = sg_size_classes[class].slot_bytes;

        index = (uint32_t)offset / slot_bytes;
        offset -= (size_t)index * slot_bytes;
    }
    if (index >= span->slots.slot_count) /* the tail behind the last slot */
        return place;
    place.has_block = true;
    place.offset = offset;
    place.block_bytes = bytes_of_block(span, class);
    place.is_live = is_in_use(load_relaxed(&span->slots.states[index]));
    return place;
}

EXPORT size_t spanguard_block_room(const void *address)
{
    struct place place = place_of(address);

    if (place.span == NULL)
        return SIZE_MAX;
    if (!place.is_live || place.offset >= place.block_bytes)
        return 0;
    return place.block_bytes - place.offset;
}

static void say_place(struct text *text, const struct place *place)
{
    if (!place->has_block) {
        sg_text_string(text, "memory where no block is");
        return;
    }
    sg_text_string(text, "+");
    sg_text_decimal(text, place->offset);
    sg_text_string(text, place->is_live ? " of a block of " : " of a free block of ");
    sg_text_decimal(text, place->block_bytes);
    sg_text_string(text, " bytes (class=");
    if (place->span->slots.class == CLASS_LARGE)
        sg_text_string(text, "large");
    else
        sg_text_decimal(text, place->span->slots.class);
    sg_text_string(text, ")");
}

EXPORT void spanguard_report_copy(const char *function, const void *address, size_t bytes,
                                  bool is_write)
{
    char buffer[LINE_BYTES];
    struct text text = sg_text_begin(buffer, sizeof(buffer));
    struct place place = place_of(address);

    sg_text_string(&text, is_write ? "P105 copy overflow: " : "P106 copy over-read: ");
    sg_text_string(&text, function);
    sg_text_string(&text, ": ");
    sg_text_decimal(&text, bytes);
    sg_text_string(&text, is_write ? " bytes to " : " bytes from ");
    say_place(&text, &place);
    sg_report_notice(text.bytes, "", "");
    abort();
}
