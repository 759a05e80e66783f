/* The request; lib/command/symbolize.h says how it is written. */
#include "symbols.h"

#include "symbols_query.h"

void sg_symbols_each_stack(struct bug *bug, struct symbols_work *work,
                           void (*visit)(struct bug *bug, struct symbols_work *work,
                                         struct bug_stack *stack))
{
    visit(bug, work, &bug->at);
    visit(bug, work, &bug->block.made.stack);
    visit(bug, work, &bug->block.ended.stack);
    visit(bug, work, &bug->owner.made.stack);
    visit(bug, work, &bug->owner.ended.stack);
    visit(bug, work, &bug->moved.stack);
    for (uint32_t i = 0; i < bug->leak_count && i < BUG_LEAKS; i++)
        visit(bug, work, &bug->leaks[i].stack);
}

struct symbols_query *sg_symbols_query_of(struct symbols_work *work, const struct bug_frame *frame)
{
    for (uint32_t i = 0; i < work->query_count; i++)
        if (!work->queries[i].is_data && work->queries[i].module == frame->module &&
            work->queries[i].offset == frame->offset)
            return &work->queries[i];
    return NULL;
}

static void add_query(struct symbols_work *work, uint16_t module, uint64_t offset, bool is_data)
{
    if (work->query_count < SYMBOLS_QUERIES)
        work->queries[work->query_count++] =
            (struct symbols_query){.offset = offset, .module = module, .is_data = is_data};
}

static void ask_stack(struct bug *bug, struct symbols_work *work, struct bug_stack *stack)
{
    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES; i++) {
        const struct bug_frame *frame = &stack->frames[i];

        if (frame->module < bug->module_count && frame->function == NULL &&
            !sg_bug_module_is_unloaded(&bug->modules[frame->module]) &&
            sg_symbols_query_of(work, frame) == NULL)
            add_query(work, frame->module, frame->offset, false);
    }
}

static void ask_place(struct bug *bug, struct symbols_work *work)
{
    uint64_t offset = 0;
    uint16_t module;

    if (bug->place != BUG_PLACE_GLOBAL)
        return;
    module = sg_bug_add_module(bug, bug->address, &offset);
    if (module != BUG_NO_MODULE)
        add_query(work, module, offset, true);
}

static void put_module(struct text *text, const struct bug_module *module)
{
    sg_text_string(text, "module ");
    sg_text_string(text, module->build_id[0] == '\0' ? "-" : module->build_id);
    sg_text_string(text, " ");
    for (const char *at = module->path; *at != '\0'; at++)
        if ((uint8_t)*at >= ' ' && *at != '%' && *at != 0x7f) {
            sg_text_bytes(text, at, 1);
        } else {
            sg_text_string(text, "%");
            sg_text_hex_digits(text, (uint8_t)*at, 2);
        }
    sg_text_string(text, "\n");
}

static void put_query(struct text *text, const struct symbols_query *query)
{
    sg_text_string(text, query->is_data ? "data " : "code ");
    sg_text_decimal(text, query->module);
    sg_text_string(text, " ");
    sg_text_hex_digits(text, query->offset, 16);
    sg_text_string(text, "\n");
}

size_t sg_symbols_ask(struct bug *bug, struct symbols_work *work)
{
    struct text text = sg_text_begin(work->request, sizeof(work->request));

    sg_symbols_each_stack(bug, work, ask_stack);
    ask_place(bug, work);
    if (work->query_count == 0)
        return 0;
    for (uint32_t i = 0; i < bug->module_count; i++)
        put_module(&text, &bug->modules[i]);
    for (uint32_t i = 0; i < work->query_count; i++)
        put_query(&text, &work->queries[i]);
    sg_text_string(&text, "end\n");
    return text.length;
}
