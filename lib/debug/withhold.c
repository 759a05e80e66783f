/* A set-uid program's caller sees its standard error, and an address there tells where everything
 * else lies. */
#include "debug_report.h"
#include "symbols_query.h"

static void clear_stack(struct bug *bug, struct symbols_work *none, struct bug_stack *stack)
{
    (void)bug, (void)none;
    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES; i++)
        stack->frames[i].pc = 0;
}

void sg_debug_withhold_addresses(struct bug *bug)
{
    bug->address = bug->block.start = bug->owner.start = 0;
    sg_symbols_each_stack(bug, NULL, clear_stack);
}
