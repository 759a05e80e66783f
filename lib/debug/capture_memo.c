#include "capture_memo.h"

static size_t set_of(uintptr_t stack)
{
    return (stack / 16 * 0x9e3779b97f4a7c15u >> 32) % MEMO_SETS;
}

static ALWAYS_INLINE bool reads_hold(const struct memo_entry *entry)
{
    const uintptr_t *stack = (const uintptr_t *)entry->stack;
    const uintptr_t *values = entry->values, *end = values + entry->read_count;
    const uint16_t *words = entry->words;

    for (; values < end; values += MEMO_STRIDE, words += MEMO_STRIDE)
        if (((stack[words[0]] ^ values[0]) | (stack[words[1]] ^ values[1]) |
             (stack[words[2]] ^ values[2]) | (stack[words[3]] ^ values[3])) != 0)
            return false;
    return true;
}

static ALWAYS_INLINE bool registers_hold(const struct memo_entry *entry,
                                         const struct registers *start)
{
    return entry->stack == start->value[REGISTER_STACK] && entry->pc == start->value[REGISTER_PC] &&
           (!entry->needs_frame || entry->frame == start->value[REGISTER_FRAME]) &&
           (!entry->needs_rbx || entry->rbx == start->value[REGISTER_RBX]);
}

stack_id sg_memo_find(struct memo *memo, const struct registers *start, uint32_t depth)
{
    struct memo_entry *entries = memo->entries[set_of(start->value[REGISTER_STACK])];
    uint64_t generation = load_relaxed(&sg_module_generation);

    if (UNLIKELY(generation != memo->generation)) {
        sg_memo_forget(memo);
        memo->generation = generation;
    }
    for (uint32_t i = 0; i < MEMO_WAYS; i++) {
        const struct memo_entry *entry = &entries[i];

        if (registers_hold(entry, start) && entry->depth == depth && reads_hold(entry))
            return entry->id;
    }
    return 0;
}

static bool keep_reads(struct memo_entry *entry, uintptr_t stack, const struct trace *trace)
{
    uint32_t count = (trace->read_count + MEMO_STRIDE - 1) / MEMO_STRIDE * MEMO_STRIDE;

    if (count > MEMO_READS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t read = i < trace->read_count ? i : 0;
        uintptr_t word = (trace->addresses[read] - stack) / sizeof(uintptr_t);

        if (word > UINT16_MAX)
            return false;
        entry->words[i] = (uint16_t)word;
        entry->values[i] = trace->values[read];
    }
    entry->read_count = count;
    return true;
}

void sg_memo_keep(struct memo *memo, const struct memo_fact *fact)
{
    uintptr_t stack = fact->start->value[REGISTER_STACK];
    size_t set = set_of(stack);
    struct memo_entry *entry = &memo->entries[set][memo->next_way[set]];

    entry->stack = 0;
    if (!keep_reads(entry, stack, fact->trace))
        return;
    memo->next_way[set] = (uint8_t)((memo->next_way[set] + 1) % MEMO_WAYS);
    entry->pc = fact->start->value[REGISTER_PC];
    /* What does not count may be a pointer to a block: a search for leaks must not find it here. */
    entry->frame = fact->trace->needs_frame ? fact->start->value[REGISTER_FRAME] : 0;
    entry->rbx = fact->trace->needs_rbx ? fact->start->value[REGISTER_RBX] : 0;
    entry->needs_frame = fact->trace->needs_frame;
    entry->needs_rbx = fact->trace->needs_rbx;
    entry->depth = fact->depth;
    entry->id = fact->id;
    entry->stack = stack;
}

void sg_memo_forget(struct memo *memo)
{
    for (uint32_t i = 0; i < MEMO_SETS * MEMO_WAYS; i++)
        memo->entries[i / MEMO_WAYS][i % MEMO_WAYS].stack = 0;
}
