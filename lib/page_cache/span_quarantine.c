#include "span_quarantine.h"

#include "metadata.h"

#include "options.h"
#include "secrets.h"
#include "sync_point.h"

COLD_ZEROES struct span_quarantine sg_quarantine_central;
COLD_ZEROES struct span_quarantine sg_quarantine_large;
COLD_ZEROES struct span_quarantine sg_quarantine_kept;

static uint64_t purpose_of(const struct span_quarantine *quarantine)
{
    if (quarantine == &sg_quarantine_kept)
        return SECRETS_QUARANTINE + 2;
    return SECRETS_QUARANTINE + (quarantine == &sg_quarantine_large);
}

static void lock(struct span_quarantine *quarantine)
{
    lock_acquire(&quarantine->lock, RANK_SPAN_QUARANTINE);
    if (UNLIKELY(quarantine->random.state[0] == 0))
        quarantine->random = sg_secrets_random(purpose_of(quarantine));
}

static void unlock(struct span_quarantine *quarantine)
{
    lock_release(&quarantine->lock, RANK_SPAN_QUARANTINE);
}

void sg_span_quarantine_widen(struct span_quarantine *quarantine, uint32_t spans)
{
    quarantine->many = sg_metadata_map(spans * sizeof(struct span *));
    quarantine->room = quarantine->many == NULL ? 0 : spans;
}

static struct span **held_of(struct span_quarantine *quarantine)
{
    return quarantine->many != NULL ? quarantine->many : quarantine->few;
}

static uint32_t room_of(const struct span_quarantine *quarantine)
{
    return quarantine->many != NULL ? quarantine->room : SPAN_QUARANTINE_MAX;
}

bool sg_span_quarantine_put(struct span_quarantine *quarantine, struct span *span, bool always)
{
    bool put = false;

    if (sg_options.span_quarantine == 0 && !always)
        return false;
    lock(quarantine);
    if (quarantine->count < room_of(quarantine)) {
        held_of(quarantine)[quarantine->count] = span;
        SYNC_POINT(SYNC_HANDOVER, span);
        quarantine->count++;
        quarantine->pages += span->pages;
        put = true;
    }
    unlock(quarantine);
    return put;
}

struct span *sg_span_quarantine_evict(struct span_quarantine *quarantine, uint32_t spans,
                                      size_t bytes)
{
    struct span *span = NULL;

    if (spans >= room_of(quarantine))
        spans = room_of(quarantine) - 1; /* there is always room for the next */
    lock(quarantine);
    if (quarantine->count > spans || quarantine->pages > bytes / PAGE_BYTES) {
        uint32_t older = quarantine->count > 1 ? quarantine->count - 1 : 1;
        uint32_t chosen = random_below(&quarantine->random, older); /* never the one put last */

        struct span **held = held_of(quarantine);
        span = held[chosen];
        SYNC_POINT(SYNC_HANDOVER, span);
        quarantine->count--;
        held[chosen] = held[older - 1];
        held[older - 1] = held[quarantine->count]; /* the one put last stays the last */
        quarantine->pages -= span->pages;
    }
    unlock(quarantine);
    return span;
}

void sg_span_quarantine_abandon(struct span_quarantine *quarantine)
{
    quarantine->count = 0;
    quarantine->pages = 0;
}
