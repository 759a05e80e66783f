#include "heap.h"

#include "child.h"
#include "machine.h"
#include "promise.h"
#include "worker.h"

#include "checked_path.h"
#include "fast_path.h"
#include "page_map.h"
#include "pool.h"

#include <string.h>

#define EDGE 32u
#define USES_MAX 300u

int act_current = NO_ACT;

static struct {
    int act; /* NO_ACT: all entries are whole */
    const struct thread_cache *cache;
} damaged_entry = {NO_ACT, NULL};

static uint8_t band_of(size_t bytes)
{
    static const size_t limits[BANDS - 1] = {32, 256, 8192, 262144};
    uint8_t band = 0;

    while (band < BANDS - 1 && bytes > limits[band])
        band++;
    return band;
}

int act_begin(enum act_kind kind, size_t block_bytes)
{
    uint32_t number = child_page->act_count;

    if (number == ACTS_PER_INPUT_MAX)
        child_finish(); /* enough */
    child_page->acts[number] =
        (struct act){.kind = kind, .band = band_of(block_bytes), .outcome = OUTCOME_OPEN};
    child_page->act_count++;
    return (int)number;
}

void act_settle(int act, enum outcome outcome)
{
    if (act >= 0 && child_page->acts[act].outcome == OUTCOME_OPEN)
        child_page->acts[act].outcome = (uint8_t)outcome;
}

/* A slot that is a slot no more: what was written there lies anywhere. */
static bool stain_is_there(struct stain *stain)
{
    if (stain->slot == NULL)
        return false;

    const struct span *span = page_map_lookup((uintptr_t)stain->slot);
    if (span != NULL && span->slots.slot_count > 0 && span->slots.class == stain->class &&
        slot_state_of(&span->slots, stain->slot) != NULL &&
        machine_is_open_range((uintptr_t)stain->slot, sg_size_classes[stain->class].slot_bytes))
        return true;
    wild_add((uintptr_t)stain->slot,
             (uintptr_t)stain->slot + sg_size_classes[stain->class].slot_bytes, stain->act);
    stain->slot = NULL;
    return false;
}

static size_t first_in_edges(const char *slot, size_t bytes)
{
    size_t first = content_first_changed(slot, bytes < EDGE ? bytes : EDGE);

    if (first < EDGE || bytes <= EDGE)
        return first;
    return bytes - EDGE + content_first_changed(slot + bytes - EDGE, EDGE);
}

static void promise_stain(const struct stain *stain)
{
    size_t slot_bytes = sg_size_classes[stain->class].slot_bytes;
    size_t firsts[2] = {stain->first, profile_clears_all(stain->class)
                                          ? content_first_changed(stain->slot, slot_bytes)
                                          : first_in_edges(stain->slot, slot_bytes)};

    for (int i = 0; i < 2; i++)
        promise_line((struct reason){stain->act, stain->class},
                     "P202 write after free: malloc: a free block of %zu bytes was written to, "
                     "first at +%zu",
                     profile_usable_bytes(stain->class), firsts[i]);
}

/* What a request that gets a slot of the class may find. */
static void promise_found(uint32_t class)
{
    if (victim_profile == PROFILE_FAST || class == CLASS_LARGE)
        return;
    for (unsigned i = 0; i < STAINS; i++)
        if (stains[i].class == class && stain_is_there(&stains[i]))
            promise_stain(&stains[i]);
    for (unsigned i = 0; i < wild_count; i++)
        promise_line((struct reason){wilds[i].act, class},
                     "P202 write after free: malloc: a free block of %zu bytes was written to, "
                     "first at +*",
                     profile_usable_bytes(class));
}

static void promise_entry(void)
{
    static const char *const names[] = {"malloc", "free"};

    for (int i = 0; i < 2 && damaged_entry.act != NO_ACT; i++)
        promise_line((struct reason){damaged_entry.act, PROMISE_NO_CLASS},
                     "P803 damaged cache entry: %s: an entry of a cache of free blocks does not "
                     "decode",
                     names[i]);
}

static char *call(const struct making *making)
{
    void *block = NULL;

    if (making->kind == MAKE_ALIGNED)
        return sg_pool_allocate_aligned(making->alignment, making->bytes, making->maker);
    block = sg_policy.is_checked ? checked_allocate(making->bytes, making->maker)
                                 : fast_allocate(making->bytes, making->maker);
    if (making->kind == MAKE_CALLOC && block == NULL)
        return sg_pool_allocate_zeroed(making->bytes);
    if (making->kind == MAKE_CALLOC && !sg_policy.is_checked)
        memset(block, 0, making->bytes);
    if (making->kind == MAKE_CALLOC)
        return block; /* as lib/api has it: on the checked path it was found to be zero */
    return block != NULL ? block : sg_pool_allocate(making->bytes, making->maker);
}

#define DENSE_BYTES 65536u

/* All of a short block; of a long one its ends, and a word now and then. Blocks are aligned. */
static void require_zero(const struct victim *victim, size_t bytes, const char *what)
{
    size_t i = 0;

    while (i + sizeof(uint64_t) <= bytes && *(const uint64_t *)(victim->address + i) == 0)
        i += i >= DENSE_BYTES && i + DENSE_BYTES < bytes ? 512 : sizeof(uint64_t);
    while (i < bytes && victim->address[i] == 0)
        i++;
    if (i < bytes)
        child_fail("%s of %zu bytes has contents at +%zu", what, victim->bytes, i);
}

/* Its last word is the canary by now, and in front of that is slack. */
static void require_clear(const struct victim *victim, const struct stain *stain)
{
    bool is_stained = stain != NULL && stain->is_fresh;
    size_t usable_bytes;

    if (!profile_clears_edges(victim->class))
        return;
    usable_bytes = profile_usable_bytes(victim->class);
    if (profile_clears_all(victim->class)) {
        require_zero(victim, usable_bytes, "a block that was free");
        return;
    }
    if (!is_stained && !wild_touches((uintptr_t)victim->address, victim->slot_bytes) &&
        first_in_edges(victim->address, victim->slot_bytes) < usable_bytes)
        child_fail("a block of %zu bytes that was free has contents in its edges", victim->bytes);
}

static struct stain *stain_of(const char *slot)
{
    for (unsigned i = 0; i < STAINS; i++)
        if (stains[i].slot == slot)
            return &stains[i];
    return NULL;
}

/* A stained slot was handed out, and nothing was said. */
static void settle_stain(const struct victim *victim, struct stain *stain)
{
    bool is_clear = profile_clears_all(victim->class);

    act_settle(stain->act, is_clear ? OUTCOME_HARMLESS : OUTCOME_MISSED);
    stain->slot = NULL;
}

void heap_make(struct victim *victim, const struct making *making)
{
    *victim = (struct victim){.bytes = making->bytes,
                              .alignment = making->kind == MAKE_ALIGNED ? making->alignment
                                                                        : MIN_ALIGNMENT,
                              .maker = making->maker,
                              .seed = making->seed,
                              .is_zero = making->is_zero || making->kind == MAKE_CALLOC};
    promise_start(true);
    promise_found(making->kind == MAKE_ALIGNED
                      ? policy_class_aligned(making->bytes, making->alignment)
                      : policy_class_of(making->bytes));
    promise_entry();
    victim->address = call(making);
    if (victim->address == NULL)
        child_fail("no memory for %zu bytes", making->bytes);

    victim_begin(victim);
    struct stain *stain = stain_of(victim->address);
    require_clear(victim, stain);
    if (making->kind == MAKE_CALLOC && (stain == NULL || !stain->is_fresh) &&
        !wild_touches((uintptr_t)victim->address, victim->bytes))
        require_zero(victim, victim->bytes, "a block of calloc");
    if (stain != NULL)
        settle_stain(victim, stain);
    victim_fill(victim);
}

static void resized(struct victim *victim, const struct ending *ending, char *moved)
{
    size_t old_bytes = victim->bytes;

    if (moved == NULL)
        child_fail("no memory for %zu bytes", ending->bytes);
    victim->is_live = false; /* not in the way of itself */
    victim->address = moved;
    bool was_written = victim->is_written;
    struct stain *stain = stain_of(moved);

    /* Compared by the old length: the pattern depends on it. */
    victim->is_written = was_written;
    victim_verify(victim, old_bytes < ending->bytes ? old_bytes : ending->bytes);
    victim->bytes = ending->bytes;
    victim->maker = SLOT_LIVE_MALLOC;
    victim->alignment = MIN_ALIGNMENT;
    victim_begin(victim);
    if (stain != NULL)
        settle_stain(victim, stain);
    victim_fill(victim);
}

void heap_end(const struct ending *ending)
{
    struct victim *victim = ending_promise(ending);

    if (victim != NULL) {
        victim_verify(victim, victim->bytes);
        if (ending->ender == ENDER_REALLOC)
            promise_found(policy_class_of(ending->bytes));
    }
    promise_entry();
    struct ended ended = ending_call(ending);

    if (!promise_may_return())
        child_fail("a pointer was taken that the model expects %s", promise_text());
    act_settle(ending->act, ending->act == NO_ACT ? OUTCOME_OPEN : OUTCOME_MISSED);
    if (victim == NULL)
        return;
    if (ending->ender == ENDER_REALLOC)
        resized(victim, ending, ended.moved);
    else if (ending->ender != ENDER_USABLE)
        victim->is_live = false;
    else if (ended.usable_bytes != victim->usable_bytes)
        child_fail("a block of %zu bytes is said to have %zu", victim->bytes, ended.usable_bytes);
}

static void require_no_entry(void)
{
    if (damaged_entry.act != NO_ACT && damaged_entry.cache == sg_thread_cache_self)
        child_fail("a damaged entry of a cache went unnoticed");
}

void heap_trim(void)
{
    promise_start(true);
    promise_entry();
    (void)sg_pool_trim(0);
    require_no_entry();
}

void heap_drain(void)
{
    if (sg_thread_cache_self == NULL)
        return;
    promise_start(true);
    promise_entry();
    sg_thread_cache_drain(sg_thread_cache_self);
    require_no_entry();
}

void heap_end_thread(void)
{
    promise_start(true);
    promise_entry();
    worker_end();
    if (damaged_entry.act != NO_ACT && damaged_entry.cache != sg_thread_cache_self)
        child_fail("a damaged entry of a thread's cache went unnoticed when it ended");
}

/* Whether its tag is right: by the words, not by the function that is put to the test. */
static bool passes(const struct cache_entry *entry)
{
    uint64_t place = (uintptr_t)entry;
    uint64_t tagged = entry->state_word ^ sg_keys.state ^ place;

    return entry_tag(entry->slot_word ^ sg_keys.slot ^ place, tagged & ENTRY_ADDRESS_MASK) ==
           tagged >> ENTRY_ADDRESS_BITS;
}

/* An address that the attacker wants, a number, or the words of another entry. */
bool heap_damage_entry(uint32_t class, uint8_t value, int act)
{
    struct thread_cache *cache = sg_thread_cache_self;
    struct cache_bin *bin = cache == NULL || class >= CLASS_COUNT ? NULL : &cache->bins[class];
    size_t count = bin == NULL ? 0 : load_relaxed(&bin->count);

    if (count == 0 || damaged_entry.act != NO_ACT)
        return false;
    struct cache_entry *entry = &bin->entries[(value >> 2) % count];
    struct cache_entry whole = *entry;
    if (value % 4 == 0)
        entry->slot_word = (uintptr_t)victims[value % VICTIM_SLOTS].address;
    else if (value % 4 == 1)
        entry->slot_word ^= (uint64_t)16 << value / 8;
    else if (value % 4 == 2)
        entry->state_word ^= (uint64_t)1 << value / 8;
    else
        *entry = bin->entries[(value >> 2) % count == 0 ? count - 1 : 0];
    if (passes(entry)) { /* one in 65,536, or nothing changed */
        *entry = whole;
        return false;
    }
    damaged_entry.act = act;
    damaged_entry.cache = cache;
    return true;
}

void heap_use_stains(void)
{
    for (unsigned i = 0; i < STAINS; i++) {
        struct making making = {.kind = MAKE_MALLOC, .maker = SLOT_LIVE_MALLOC};

        for (unsigned use = 0; use < USES_MAX && stain_is_there(&stains[i]); use++) {
            struct victim *victim = &victims[VICTIM_SLOTS + use % (VICTIM_COUNT - VICTIM_SLOTS)];
            struct ending ending = {.pointer = victim->address, .act = NO_ACT};

            if (victim->is_live)
                heap_end(&ending);
            making.bytes = profile_usable_bytes(stains[i].class);
            heap_make(victim, &making);
        }
    }
}
