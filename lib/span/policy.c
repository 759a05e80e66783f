#include "policy.h"

#include "bits.h"
#include "canary.h"
#include "content.h"
#include "options.h"

#define ZERO_BYTES_MAX ((uint64_t)1 << 30)

SEALED struct policy sg_policy;
SEALED struct class_policy sg_class_policy[CLASS_COUNT + 1];

/* As many as both bounds allow, but one if any: no slot is handed out right after its free. */
static uint8_t quarantine_slots(size_t slot_bytes)
{
    uint64_t slots = sg_options.quarantine_slots;
    uint64_t in_bytes = sg_options.quarantine_bytes / slot_bytes;

    if (slots == 0)
        return 0;
    if (in_bytes < slots)
        slots = in_bytes == 0 ? 1 : in_bytes;
    return (uint8_t)((uint64_t)1 << log2_floor(slots));
}

static uint32_t wipe_chance(uint64_t slot_bytes, uint64_t zero_bytes)
{
    uint64_t chance = (zero_bytes << WIPE_CHANCE_BITS) / (4 * slot_bytes + zero_bytes);
    const uint64_t most = ((uint64_t)1 << WIPE_CHANCE_BITS) / 64;

    return (uint32_t)(chance < most ? chance : most);
}

static struct class_policy class_policy(uint32_t class)
{
    uint32_t slot_bytes = sg_size_classes[class].slot_bytes;
    uint64_t zero_bytes = sg_options.zero_bytes < ZERO_BYTES_MAX ? sg_options.zero_bytes
                                                                 : ZERO_BYTES_MAX;
    bool has_content = class != CLASS_ZERO && sg_options.zero_bytes > 0;
    bool is_cleared = has_content && slot_bytes <= sg_options.zero_bytes;

    bool has_canary = class != CLASS_ZERO && class != CLASS_LAST && sg_options.canary != 0;
    uint8_t canary_bytes = has_canary ? CANARY_BYTES : 0;

    bool is_whole = canary_bytes > 0 && has_content && sg_options.zero_check != 0;

    is_cleared |= has_content && slot_bytes <= CONTENT_EDGE_BYTES * 2;
    return (struct class_policy){
        .slot_bytes = slot_bytes,
        .usable_bytes = class == CLASS_ZERO ? 0 : slot_bytes - canary_bytes,
        /* A quarter of `zero_bytes` each time on average, and one time in 64 at most. */
        .wipe_chance = wipe_chance(slot_bytes, zero_bytes) & 0xfffffff,
        .canary_bytes = canary_bytes,
        .quarantine_slots = quarantine_slots(slot_bytes),
        .is_cleared = is_cleared,
        .way = !is_whole    ? WAY_SINGLE
               : is_cleared ? WAY_CLEARED
                            : WAY_EDGES,
        .has_edges = has_content,
    };
}

static uint32_t direct_bytes(void)
{
    uint32_t class = CLASS_FIRST;

    while (class <= CLASS_DIRECT_MAX_BYTES / 16 && sg_class_policy[class].way == WAY_CLEARED)
        class ++;
    return class == CLASS_FIRST ? 0 : sg_class_policy[class - 1].usable_bytes;
}

void sg_policy_start(void)
{
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_class_policy[class] = class_policy(class);
    sg_policy.canary_bytes = sg_options.canary != 0 ? CANARY_BYTES : 0;
    sg_policy.checks_content = sg_options.zero_bytes > 0 && sg_options.zero_check != 0;
    sg_policy.direct_bytes = direct_bytes();
    sg_policy.sample_bytes = sg_options.sample_bytes;
    sg_policy.is_guarded = sg_options.pool == POOL_GUARDED;
    sg_policy.is_system = sg_options.pool == POOL_SYSTEM;
    sg_policy.is_checked = sg_policy.canary_bytes > 0 || sg_options.zero_bytes > 0 ||
                           sg_options.quarantine_slots > 0;
}
