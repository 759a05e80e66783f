#include "unwind_cache.h"

#include "unwind_machine.h"

COLD_ZEROES struct rule_entry sg_cache_small[1u << CACHE_SMALL_BITS];
struct rule_cache *_Atomic sg_cache_large;

void sg_cache_use(void *memory, unsigned bits)
{
    struct rule_cache *cache = memory;

    cache->bits = bits;
    atomic_store_explicit(&sg_cache_large, cache, memory_order_release);
}

#if defined(__x86_64__)

static bool shorten_cfa(const struct location *cfa, struct short_rule *rule)
{
    rule->cfa_words = (int16_t)(cfa->number / WORD_BYTES);
    if (rule->cfa_words * WORD_BYTES != cfa->number)
        return false;
    if (cfa->how == HOW_REGISTER_MEMORY && cfa->base == REGISTER_FRAME)
        rule->cfa_base = SHORT_FRAME_MEMORY;
    else if (cfa->how == HOW_REGISTER && cfa->base == REGISTER_STACK)
        rule->cfa_base = SHORT_STACK;
    else if (cfa->how == HOW_REGISTER && cfa->base == REGISTER_FRAME)
        rule->cfa_base = SHORT_FRAME;
    else if (cfa->how == HOW_REGISTER && cfa->base == REGISTER_RBX)
        rule->cfa_base = SHORT_RBX;
    else
        return false;
    return true;
}

static bool shorten_saved(const struct location *saved, int16_t *ret_number, bool *ret_in_memory)
{
    *ret_number = (int16_t)saved->number;
    *ret_in_memory = saved->how == HOW_REGISTER_MEMORY;
    if (*ret_number != saved->number)
        return false;
    return saved->how == HOW_SAME || (saved->how == HOW_CFA && saved->number != 0) ||
           (saved->how == HOW_REGISTER_MEMORY && saved->base == REGISTER_FRAME);
}

static bool shorten(const struct rule *rule, struct short_rule *ret_short)
{
    const struct location *pc = &rule->followed[FOLLOW_PC];
    int16_t frame, rbx;
    bool frame_in_memory, rbx_in_memory;

    ret_short->is_valid = 1;
    ret_short->is_outermost = pc->how == HOW_UNKNOWN;
    if (ret_short->is_outermost)
        return true;
    if (rule->is_signal || pc->how != HOW_CFA || pc->number != -8 ||
        !shorten_cfa(&rule->cfa, ret_short) ||
        !shorten_saved(&rule->followed[FOLLOW_FRAME], &frame, &frame_in_memory) ||
        !shorten_saved(&rule->followed[FOLLOW_RBX], &rbx, &rbx_in_memory))
        return false;
    ret_short->frame = frame;
    ret_short->frame_in_memory = frame_in_memory;
    ret_short->rbx = rbx;
    ret_short->rbx_in_memory = rbx_in_memory;
    return true;
}

#else

static bool shorten(const struct rule *rule, struct short_rule *ret_short)
{
    (void)rule, (void)ret_short;
    return false;
}

#endif

void sg_cache_keep(uint64_t key, const struct rule *rule)
{
    struct short_rule short_rule = {0};
    struct rule_entry *entry = cache_entry_of(key);
    uint64_t word;

    if (!shorten(rule, &short_rule))
        return;
    __builtin_memcpy(&word, &short_rule, sizeof(word));
    store_relaxed(&entry->rule, word);
    store_relaxed(&entry->check, key ^ word);
}
