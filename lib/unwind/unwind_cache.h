/* What the tables said, for the addresses asked last: nearly all frames of nearly all walks. */
#ifndef SG_UNWIND_UNWIND_CACHE_H
#define SG_UNWIND_UNWIND_CACHE_H

#include "bits.h"
#include "unwind_rule.h"

#define WORD_BYTES 8

/* A rule in one word, for the cases that compilers make; 0: none. */
struct short_rule {
    int16_t cfa_words; /* the frame's address, from the base */
    int16_t frame;     /* where the register is saved, from the CFA; 0: still has its value */
    int16_t rbx;
    uint8_t cfa_base; /* enum short_base */
    uint8_t is_valid : 1;
    uint8_t is_outermost : 1;    /* no frame around this one */
    uint8_t frame_in_memory : 1; /* `frame` counts from the frame pointer, not from the CFA */
    uint8_t rbx_in_memory : 1;
};

enum short_base { SHORT_STACK, SHORT_FRAME, SHORT_RBX, SHORT_FRAME_MEMORY };

static_assert(sizeof(struct short_rule) == sizeof(uint64_t), "one word");

/* Two words that other threads change at any time. `check` is the key and the rule, xored: a pair
 * that was written by two threads, or read in between, does not give the key and counts as absent.
 * So relaxed accesses are enough. */
struct rule_entry {
    _Atomic uint64_t check;
    _Atomic uint64_t rule;
};

struct rule_cache {
    uint64_t bits; /* of the index of an entry */
    struct rule_entry entries[];
};

#define CACHE_SMALL_BITS 10u

/* The one in use; NULL: the small one. */
extern HIDDEN struct rule_cache *_Atomic sg_cache_large;
extern HIDDEN struct rule_entry sg_cache_small[1u << CACHE_SMALL_BITS];

/* Makes zeroed memory, which stays for ever, the cache: cache_bytes() of it. */
HIDDEN void sg_cache_use(void *memory, unsigned bits);

static inline size_t cache_bytes(unsigned bits)
{
    return sizeof(struct rule_cache) + (sizeof(struct rule_entry) << bits);
}

/* A module that comes to lie where another was may have its tables at the same place, and even the
 * loader's record; but the other was unloaded then. */
static inline uint64_t cache_key_of_module(const struct module *module)
{
    return rotate_right((uintptr_t)module->eh_index, 20) ^
           rotate_right((uintptr_t)module->identity, 40) ^
           load_relaxed(&sg_module_generation) * 0xd6e8feb86659fd93u;
}

static inline struct rule_entry *cache_entry_of(uint64_t key)
{
    /* Acquire: who finds a cache finds it made. */
    struct rule_cache *cache = atomic_load_explicit(&sg_cache_large, memory_order_acquire);
    uint64_t hash = key * 0x9e3779b97f4a7c15u;

    if (cache == NULL)
        return &sg_cache_small[hash >> (64 - CACHE_SMALL_BITS)];
    return &cache->entries[hash >> (64 - cache->bits)];
}

/* `key` is that of the module, xored with the pc. */
static inline struct short_rule cache_find(uint64_t key)
{
    struct rule_entry *entry = cache_entry_of(key);
    struct short_rule found = {0};
    uint64_t word = load_relaxed(&entry->rule);

    if ((load_relaxed(&entry->check) ^ word) == key)
        __builtin_memcpy(&found, &word, sizeof(found));
    return found;
}

/* Keeps the rule if it can be said shortly. */
HIDDEN void sg_cache_keep(uint64_t key, const struct rule *rule);

#endif
