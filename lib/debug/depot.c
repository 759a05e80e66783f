/* Entries of different lengths lie in chunks one behind the other; the number of one is the number
 * of its chunk and its place in there. A fork or a signal may find any step of this half done: what
 * others see is then one entry less, never half an entry. */
#include "depot.h"

#include "bits.h"
#include "os_memory.h"
#include "os_thread.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define STEP_BYTES ((size_t)16) /* of the places of entries in a chunk */
#define PLACE_BITS 16u
#define CHUNKS_MAX 4096u
#define BUCKET_BITS 17u

static_assert(CHUNK_BYTES / STEP_BYTES == 1u << PLACE_BITS, "a place is half of a number");

/* Constant once it can be found, but for `calls`. */
struct entry {
    uint32_t hash;
    uint32_t count;
    stack_id next; /* of the same bucket; older */
    uint32_t unused;
    _Atomic uint64_t calls;
    uintptr_t frames[];
};

typedef _Atomic stack_id bucket;

/* Chunk 0 begins with a step that no entry has: there is no number 0. */
static _Atomic uintptr_t chunks[CHUNKS_MAX];
static _Atomic uintptr_t bucket_memory;
static _Atomic uint64_t next_step = 1; /* chunk << PLACE_BITS | place: first free */
static _Atomic size_t mapped_bytes;
static _Atomic size_t limit_bytes = DEPOT_BYTES_DEFAULT;

/* Maps what `place` is to point to, once. Acquire and release: who finds it, finds it mapped. */
static uintptr_t map_once(_Atomic uintptr_t *place, size_t bytes)
{
    uintptr_t found = atomic_load_explicit(place, memory_order_acquire);
    void *fresh;

    if (LIKELY(found != 0))
        return found;
    /* Relaxed: a sum that orders nothing. */
    if (atomic_fetch_add_explicit(&mapped_bytes, bytes, memory_order_relaxed) + bytes >
            load_relaxed(&limit_bytes) ||
        (fresh = sg_os_map(NULL, bytes)) == NULL) {
        atomic_fetch_sub_explicit(&mapped_bytes, bytes, memory_order_relaxed);
        return atomic_load_explicit(place, memory_order_acquire);
    }
    if (atomic_compare_exchange_strong_explicit(place, &found, (uintptr_t)fresh,
                                                memory_order_acq_rel, memory_order_acquire))
        return (uintptr_t)fresh;
    sg_os_unmap(fresh, bytes);
    atomic_fetch_sub_explicit(&mapped_bytes, bytes, memory_order_relaxed);
    return found;
}

static struct entry *entry_of(stack_id id)
{
    uint32_t chunk = id >> PLACE_BITS;
    uintptr_t start;

    if (id == 0 || chunk >= CHUNKS_MAX)
        return NULL;
    start = atomic_load_explicit(&chunks[chunk], memory_order_acquire);
    return start == 0 ? NULL
                      : (struct entry *)(start + (id & ((1u << PLACE_BITS) - 1)) * STEP_BYTES);
}

/* Products of pairs, added up: none waits for another. */
static uint64_t hash_of(const uintptr_t *frames, uint32_t count)
{
    uint64_t hash = count, key = 0x9e3779b97f4a7c15u;
    uint32_t i;

    for (i = 0; i + 1 < count; i += 2, key += 0x7f4a7c159e3779b8u)
        hash += (frames[i] + key) * (rotate_right(frames[i + 1], 29) ^ key);
    if (i < count)
        hash += frames[i] * key;
    hash ^= hash >> 32;
    return hash * 0xd6e8feb86659fd93u;
}

static bucket *bucket_of(uint64_t hash)
{
    bucket *buckets = (bucket *)map_once(&bucket_memory, sizeof(bucket) << BUCKET_BITS);

    return buckets == NULL ? NULL : &buckets[hash >> (64 - BUCKET_BITS)];
}

struct stack_key {
    const uintptr_t *frames;
    uint32_t count;
    uint32_t hash;
};

static bool is_same(const struct entry *entry, const struct stack_key *key)
{
    uintptr_t difference = 0;

    if (entry->hash != key->hash || entry->count != key->count)
        return false;
    for (uint32_t i = 0; i < key->count; i++)
        difference |= entry->frames[i] ^ key->frames[i];
    return difference == 0;
}

/* Among the entries from `id` on, up to `end`. */
static stack_id find(stack_id id, stack_id end, const struct stack_key *key)
{
    while (id != end) {
        const struct entry *entry = entry_of(id);

        if (is_same(entry, key))
            return id;
        id = entry->next;
    }
    return 0;
}

/* Steps in a row, in one chunk; 0: no memory. */
static stack_id take(uint32_t steps)
{
    uint64_t seen = load_relaxed(&next_step), first, end;

    do {
        first = seen;
        end = first + steps;
        if ((end - 1) >> PLACE_BITS != first >> PLACE_BITS) {
            first = end >> PLACE_BITS << PLACE_BITS;
            end = first + steps;
        }
        if (first >> PLACE_BITS >= CHUNKS_MAX ||
            map_once(&chunks[first >> PLACE_BITS], CHUNK_BYTES) == 0)
            return 0;
        /* Relaxed: a place says nothing of what lies there. */
    } while (!atomic_compare_exchange_weak_explicit(&next_step, &seen, end, memory_order_relaxed,
                                                    memory_order_relaxed));
    return (stack_id)first;
}

static uint32_t steps_of(uint32_t count)
{
    size_t bytes = sizeof(struct entry) + count * sizeof(uintptr_t);

    return (uint32_t)((bytes + STEP_BYTES - 1) / STEP_BYTES);
}

/* Nobody found it, so it can go back, if nothing was taken behind it since. */
static void give_back(stack_id id, uint32_t steps)
{
    uint64_t end = (uint64_t)id + steps;

    (void)atomic_compare_exchange_strong_explicit(&next_step, &end, id, memory_order_relaxed,
                                                  memory_order_relaxed);
}

static struct entry *make(stack_id id, const struct stack_key *key)
{
    struct entry *entry = entry_of(id);

    entry->hash = key->hash;
    entry->count = key->count;
    store_relaxed(&entry->calls, 0);
    for (uint32_t i = 0; i < key->count; i++)
        entry->frames[i] = key->frames[i];
    return entry;
}

/* Those that others put before meanwhile are looked at too: so each stack has one number. */
static stack_id insert(bucket *head, stack_id first, const struct stack_key *key)
{
    uint32_t steps = steps_of(key->count);
    stack_id id = take(steps), seen = first, found;
    struct entry *entry;

    if (id == 0)
        return 0;
    entry = make(id, key);
    do {
        found = find(seen, first, key);
        if (found != 0) {
            give_back(id, steps);
            return found;
        }
        entry->next = first = seen;
        /* Release: who finds the number finds the entry whole. Acquire: so do we with others'. */
    } while (!atomic_compare_exchange_weak_explicit(head, &seen, id, memory_order_release,
                                                    memory_order_acquire));
    return id;
}

static struct stack_key key_of(const uintptr_t *frames, uint32_t count, bucket **ret_head)
{
    uint64_t hash = hash_of(frames, count);

    *ret_head = bucket_of(hash);
    return (struct stack_key){.frames = frames, .count = count, .hash = (uint32_t)hash};
}

stack_id sg_depot_put(const uintptr_t *frames, uint32_t count)
{
    struct stack_key key;
    stack_id first, id;
    bucket *head;

    if (count == 0 || count > DEPOT_FRAMES_MAX)
        return 0;
    key = key_of(frames, count, &head);
    if (head == NULL)
        return 0;
    first = atomic_load_explicit(head, memory_order_acquire);
    id = find(first, 0, &key);
    if (id == 0)
        id = insert(head, first, &key);
    if (id != 0)
        sg_depot_put_again(id);
    return id;
}

void sg_depot_put_again(stack_id id)
{
    _Atomic uint64_t *calls = &entry_of(id)->calls;

    /* Relaxed: each call counts once, and says nothing of when. With one thread not as one step,
     * which would wait for all that was written before; what a signal handler counts in between
     * is lost. */
    if (LIKELY(sg_os_is_single_threaded()))
        store_relaxed(calls, load_relaxed(calls) + 1);
    else
        atomic_fetch_add_explicit(calls, 1, memory_order_relaxed);
}

/* What the number leads to may be the middle of an entry: nothing of it counts unless the number is
 * in the bucket that its frames belong to. */
static const struct entry *checked(stack_id id)
{
    const struct entry *entry = entry_of(id);
    struct stack_key key;
    bucket *head;

    if (entry == NULL || entry->count == 0 || entry->count > DEPOT_FRAMES_MAX ||
        (id & ((1u << PLACE_BITS) - 1)) + steps_of(entry->count) > 1u << PLACE_BITS)
        return NULL;
    key = key_of(entry->frames, entry->count, &head);
    return head != NULL && find(atomic_load_explicit(head, memory_order_acquire), 0, &key) == id
               ? entry
               : NULL;
}

struct depot_stack sg_depot_get(stack_id id)
{
    const struct entry *entry = checked(id);

    if (entry == NULL)
        return (struct depot_stack){.count = 0, .frames = NULL};
    return (struct depot_stack){.count = entry->count, .frames = entry->frames};
}

uint64_t sg_depot_count(stack_id id)
{
    const struct entry *entry = checked(id);

    return entry == NULL ? 0 : load_relaxed(&entry->calls);
}

size_t sg_depot_bytes(void)
{
    return load_relaxed(&mapped_bytes);
}

void sg_depot_limit(size_t bytes)
{
    store_relaxed(&limit_bytes, bytes);
}
