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

#define PAGE_LEAST ((uintptr_t)4096)

/* Up to a whole number of strides: the last word is repeated. */
static uint32_t fill_up(struct memo_entry *entry, uint32_t count)
{
    for (; count % MEMO_STRIDE != 0; count++) {
        entry->words[count] = entry->words[count - 1];
        entry->values[count] = entry->values[count - 1];
    }
    return count;
}

/* A word on another page is there only if all words before are as they were, since the walk came to
 * it by them: a coroutine's stack may have been closed. So no stride lies on two pages. */
static bool keep_reads(struct memo_entry *entry, uintptr_t stack, const struct trace *trace)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < trace->read_count; i++) {
        uintptr_t word = (trace->addresses[i] - stack) / sizeof(uintptr_t);

        if (i > 0 && trace->addresses[i] / PAGE_LEAST != trace->addresses[i - 1] / PAGE_LEAST)
            count = fill_up(entry, count);
        if (word > UINT16_MAX || count == MEMO_READS_MAX)
            return false;
        entry->words[count] = (uint16_t)word;
        entry->values[count++] = trace->values[i];
    }
    entry->read_count = fill_up(entry, count);
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
