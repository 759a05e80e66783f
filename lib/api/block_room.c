/* How much of a block lies behind an address, for code that is about to write there. Reads the page
 * map and the state of one slot: no lock, no allocation, any 64-bit value. */
#include "compiler.h"
#include "debug_build.h"
#include "page_map.h"
#include "policy.h"
#include "report.h"
#include "span.h"
#include "spanguard/spanguard.h"
#include "verdict.h"

#include <stdlib.h>

struct copied_place {
    const struct span *span; /* NULL: no memory of ours */
    size_t offset;           /* of the address in its block */
    size_t block_bytes;
    uint8_t state;  /* of the block */
    bool has_block; /* false: recycled, or behind the last slot */
};

/* A large block that another call is resizing has not ended: realloc itself copies out of it. */
static ALWAYS_INLINE bool is_in_use(uint8_t state)
{
    return slot_state_is_live(state) || state == SLOT_RESIZING;
}

static ALWAYS_INLINE struct copied_place place_of(const void *address)
{
    const struct span *span = page_map_lookup((uintptr_t)address);
    struct copied_place place = {.span = span};

    if (span == NULL || span->slots.slot_count == 0 || (uintptr_t)address < span->slots.base)
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
    place.state = load_relaxed(&span->slots.states[index]);
    place.block_bytes = sg_block_bytes_at(span, (const char *)address - offset);
    return place;
}

EXPORT size_t spanguard_block_room(const void *address)
{
#if SG_DEBUG_HEAP
    return sg_debug_block_room(address);
#endif
    struct copied_place place = place_of(address);

    if (place.span == NULL)
        return SIZE_MAX;
    if (!place.has_block || !is_in_use(place.state) || place.offset >= place.block_bytes)
        return 0;
    return place.block_bytes - place.offset;
}

EXPORT void spanguard_report_copy(const char *function, const void *address, size_t bytes,
                                  bool is_write)
{
#if SG_DEBUG_HEAP
    if (sg_debug_report_copy(function, (uintptr_t)address, bytes, is_write))
        abort(); /* nobody can go on from here */
#endif
    struct copied_place place = place_of(address);
    struct misuse misuse = {
        .kind = is_write ? MISUSE_COPY_WRITE : MISUSE_COPY_READ,
        .function = function,
        .address = address,
        .block = (uintptr_t)address - place.offset,
        .block_bytes = place.block_bytes,
        .stated = bytes,
        .state = place.state,
    };

    if (!place.has_block)
        misuse.kind = MISUSE_STALE;
    else
        misuse.class = place.span->slots.class == CLASS_LARGE ? REPORT_CLASS_LARGE
                                                              : place.span->slots.class;
    sg_report_misuse(&misuse);
}
