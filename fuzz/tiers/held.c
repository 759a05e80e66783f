#include "held.h"

#include "content.h"
#include "page_map.h"
#include "paper_kernel.h"
#include "tier_heap.h"

ORACLES_BEGIN

/* The program's: at both ends, since neighbours meet there. */
static uint64_t stamp_of(const char *place)
{
    return (uintptr_t)place * 0x9e3779b97f4a7c15u | 1;
}

static void stamp(char *slot, uint32_t class)
{
    char *last = slot + sg_size_classes[class].slot_bytes - 8;

    if (class == CLASS_ZERO)
        return;
    tier_expect(paper_write((uintptr_t)slot, 8) && paper_write((uintptr_t)last, 8),
                "a slot has no access");
    *(uint64_t *)slot = stamp_of(slot);
    *(uint64_t *)last = stamp_of(last);
}

static void end_stamp(char *slot, uint32_t class)
{
    char *last = slot + sg_size_classes[class].slot_bytes - 8;

    if (class == CLASS_ZERO)
        return;
    tier_expect(*(uint64_t *)slot == stamp_of(slot) && *(uint64_t *)last == stamp_of(last),
                "what the program wrote is gone");
    *(uint64_t *)slot = 0;
    *(uint64_t *)last = 0;
    tier_leave_garbage(slot, class);
}

void held_receive(uint32_t class, struct free_slot got, uint8_t state)
{
    const struct span *span = page_map_lookup((uintptr_t)got.slot);
    size_t bytes = sg_size_classes[class].slot_bytes;

    tier_expect(span != NULL && span->slots.owner == SPAN_CENTRAL && span->slots.class == class,
                "a slot is in no span of its class");
    tier_expect(slot_state_of(&span->slots, got.slot) == got.state,
                "a slot comes with the state of another");
    tier_expect(slot_state_is_cached(state), "a slot that is handed out is not CACHED");
    tier_expect((bytes & (bytes - 1)) != 0 || (uintptr_t)got.slot % bytes == 0,
                "a slot of a power of two is not aligned");
    tier_expect(paper_is_open((uintptr_t)got.slot & ~(PAPER_OS_PAGE_BYTES - 1), 1) ==
                    (class != CLASS_ZERO),
                "a slot has no access, or one of no bytes has");
    tier_expect_clear(got.slot, class);
    if (state == SLOT_CACHED_ZERO && bytes <= 16 * KIB)
        tier_expect(content_first_changed(got.slot, bytes) == bytes,
                    "a slot that is said to be fresh is not zero");
    store_relaxed(got.state, SLOT_LIVE_MALLOC);
    stamp(got.slot, class);
}

void held_finish(uint32_t class, struct free_slot given)
{
    tier_expect(load_relaxed(given.state) == SLOT_LIVE_MALLOC, "a live slot changed its state");
    end_stamp(given.slot, class);
}

ORACLES_END
