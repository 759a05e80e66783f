/* Leaks by who made them, the largest first. */
#include "leak_state.h"

#include "bug.h"
#include "os_thread.h"
#include "symbols.h"

#define NAMES_MILLISECONDS 3000u      /* for one question */
#define ALL_NAMES_MILLISECONDS 15000u /* for all of them; later groups go by their modules */

struct group {
    uint64_t bytes;
    uint64_t time; /* of its oldest block: another one's stack may be of a later module there */
    uint32_t blocks;
    stack_id stack;
    bool is_indirect; /* all of it */
    bool is_suppressed;
};

static_assert(sizeof(struct group) <= sizeof(struct leak_block), "they take the place of blocks");

struct groups {
    struct group *list;
    uint32_t count;
};

/* Keeps what leaked, and counts the rest. */
static void keep_leaked(struct leak_scan *scan, struct bug *bug)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < scan->block_count; i++) {
        const struct leak_block *block = &scan->blocks[i];

        if (block->is_counted && block->mark != LEAK_REACHABLE) {
            scan->blocks[kept++] = *block;
        } else if (block->is_counted) {
            bug->reachable_bytes += block->bytes;
            bug->reachable_blocks++;
        }
    }
    scan->block_count = kept;
}

static struct groups make_groups(struct leak_scan *scan)
{
    struct groups groups = {NULL, 0};

    sg_leak_sort(scan, LEAK_BY_STACK);
    groups.list = (struct group *)(void *)scan->spare;
    for (uint32_t i = 0; i < scan->block_count; i++) {
        const struct leak_block *block = &scan->blocks[i];
        struct group *group = &groups.list[groups.count - (groups.count > 0)];

        if (groups.count == 0 || group->stack != block->stack) {
            group = &groups.list[groups.count++];
            *group =
                (struct group){.stack = block->stack, .time = block->time, .is_indirect = true};
        }
        group->bytes += block->bytes;
        group->blocks++;
        group->time = block->time < group->time ? block->time : group->time;
        group->is_indirect &= block->mark == LEAK_INDIRECT;
    }
    return groups;
}

static bool is_before(const struct group *group, const struct group *other)
{
    if (group->bytes != other->bytes)
        return group->bytes > other->bytes;
    return group->stack < other->stack;
}

/* Shell's sort: nothing to allocate, and no more than some ten thousands of groups. */
static void sort_groups(struct groups *groups)
{
    for (uint32_t gap = groups->count / 2; gap > 0; gap = gap == 2 ? 1 : gap * 5 / 11)
        for (uint32_t i = gap; i < groups->count; i++) {
            struct group group = groups->list[i];
            uint32_t at = i;

            for (; at >= gap && is_before(&group, &groups->list[at - gap]); at -= gap)
                groups->list[at] = groups->list[at - gap];
            groups->list[at] = group;
        }
}

/* `bug` with the groups from `first` on, as many as there is room for. */
static void fill(struct bug *bug, const struct groups *groups, uint32_t first)
{
    uint32_t count = groups->count - first;

    bug->leak_count = count < BUG_LEAKS ? count : BUG_LEAKS;
    for (uint32_t i = 0; i < bug->leak_count; i++) {
        const struct group *group = &groups->list[first + i];

        bug->leaks[i] = (struct bug_leak){
            .bytes = group->bytes, .blocks = group->blocks, .is_indirect = group->is_indirect};
        sg_bug_add_past_stack(bug, &bug->leaks[i].stack, sg_depot_get(group->stack), group->time);
    }
}

static void judge(struct bug *bug, struct group *list, const char *suppressions)
{
    for (uint32_t i = 0; i < bug->leak_count; i++)
        list[i].is_suppressed |= sg_leak_is_suppressed(bug, &bug->leaks[i].stack, suppressions);
}

static bool are_all_suppressed(const struct group *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!list[i].is_suppressed)
            return false;
    return true;
}

/* Modules first: they cost no question. What strings and modules were kept for that is dropped. */
static void suppress(struct bug *bug, struct groups *groups, const char *suppressions)
{
    uint64_t deadline = sg_os_milliseconds() + ALL_NAMES_MILLISECONDS;
    uint32_t strings = bug->string_bytes, modules = bug->module_count, kept = 0;
    bool needs_names = sg_leak_needs_names(suppressions);

    for (uint32_t first = 0; first < groups->count; first += bug->leak_count) {
        struct group *list = &groups->list[first];

        fill(bug, groups, first);
        judge(bug, list, suppressions);
        if (needs_names && !are_all_suppressed(list, bug->leak_count) &&
            sg_os_milliseconds() < deadline && sg_symbols_find(bug, NAMES_MILLISECONDS))
            judge(bug, list, suppressions);
        bug->string_bytes = strings;
        bug->module_count = modules;
    }
    for (uint32_t i = 0; i < groups->count; i++)
        if (!groups->list[i].is_suppressed)
            groups->list[kept++] = groups->list[i];
    groups->count = kept;
}

void sg_leak_report(struct leak_scan *scan, struct bug *bug, const char *suppressions)
{
    struct groups groups;

    bug->leak_bytes = bug->leak_blocks = bug->leak_places = 0;
    bug->reachable_bytes = bug->reachable_blocks = 0;
    bug->leak_count = 0;
    keep_leaked(scan, bug);
    groups = make_groups(scan);
    sort_groups(&groups);
    if (suppressions != NULL && *suppressions != '\0')
        suppress(bug, &groups, suppressions);
    for (uint32_t i = 0; i < groups.count; i++) {
        bug->leak_bytes += groups.list[i].bytes;
        bug->leak_blocks += groups.list[i].blocks;
    }
    bug->leak_places = groups.count;
    fill(bug, &groups, 0);
}
