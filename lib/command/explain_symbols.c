/* Names for the frames of a bug that was written down without them. */
#include "explain.h"

#include "bug.h"

#include <stdlib.h>
#include <string.h>

#define STACKS_MOST (9 + BUG_LEAKS)
#define QUERIES_MOST (STACKS_MOST * BUG_FRAMES)

struct questions {
    struct symbol_query *queries;
    size_t count;
    uint32_t path_count;
    char paths[BUG_MODULES][PATH_MAX]; /* "": no file is known */
};

static size_t stacks_of(struct bug *bug, struct bug_stack *stacks[STACKS_MOST])
{
    struct bug_stack *const fixed[] = {
        &bug->at,
        &bug->block.made.stack,
        &bug->block.ended.stack,
        &bug->owner.made.stack,
        &bug->owner.ended.stack,
        &bug->moved.stack,
    };
    size_t count = 0;

    for (; count < sizeof(fixed) / sizeof(fixed[0]); count++)
        stacks[count] = fixed[count];
    for (uint32_t i = 0; i < bug->leak_count && i < BUG_LEAKS; i++)
        stacks[count++] = &bug->leaks[i].stack;
    return count;
}

static bool is_open(const struct bug_frame *frame, const struct questions *questions)
{
    return frame->function == NULL && frame->module < questions->path_count &&
           questions->paths[frame->module][0] != '\0';
}

static void find_files(const struct bug *bug, const struct module_files *files,
                       struct questions *questions)
{
    for (uint32_t i = 0; i < bug->module_count; i++)
        if (!sg_module_find(files, bug->modules[i].path, questions->paths[i]))
            questions->paths[i][0] = '\0';
    questions->path_count = bug->module_count;
}

static void ask_of_stack(const struct bug *bug, const struct bug_stack *stack,
                         struct questions *questions)
{
    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES; i++) {
        const struct bug_frame *frame = &stack->frames[i];

        if (!is_open(frame, questions))
            continue;
        struct symbol_query *query = &questions->queries[questions->count++];
        query->path = questions->paths[frame->module];
        query->build_id = bug->modules[frame->module].build_id;
        query->offset = frame->offset;
    }
}

static const char *keep(struct bug *bug, const char *string)
{
    return *string == '\0' ? NULL : sg_bug_keep(bug, string, strlen(string));
}

static void add_frames(struct bug *bug, struct bug_stack *stack, struct bug_frame frame,
                       const struct symbol_query *query)
{
    for (uint32_t i = 0; i < query->count && stack->count < BUG_FRAMES; i++) {
        const struct symbol *symbol = &query->symbols[i];

        frame.function = keep(bug, symbol->function);
        frame.file = keep(bug, symbol->file);
        frame.source = keep(bug, symbol->source);
        frame.line = symbol->line;
        frame.column = symbol->column;
        frame.is_inlined = i + 1 < query->count;
        stack->frames[stack->count++] = frame;
    }
}

/* The queries come in the order in which they were made. */
static const struct symbol_query *answer_stack(struct bug *bug, struct bug_stack *stack,
                                               const struct symbol_query *next,
                                               const struct questions *questions)
{
    struct bug_stack before = *stack;

    stack->count = 0;
    for (uint32_t i = 0; i < before.count && i < BUG_FRAMES; i++) {
        bool was_asked = is_open(&before.frames[i], questions);

        if (was_asked && next->count > 0)
            add_frames(bug, stack, before.frames[i], next);
        else if (stack->count < BUG_FRAMES)
            stack->frames[stack->count++] = before.frames[i];
        next += was_asked;
    }
    return next;
}

void sg_explain_find_symbols(struct bug *bug, const struct module_files *files)
{
    struct bug_stack *stacks[STACKS_MOST];
    struct questions *questions = sg_allocate(sizeof(*questions));
    size_t count = stacks_of(bug, stacks);

    questions->queries = sg_allocate((size_t)QUERIES_MOST * sizeof(struct symbol_query));
    questions->count = 0;
    find_files(bug, files, questions);
    for (size_t i = 0; i < count; i++)
        ask_of_stack(bug, stacks[i], questions);
    if (sg_symbols_ask(questions->queries, questions->count)) {
        const struct symbol_query *next = questions->queries;

        for (size_t i = 0; i < count; i++)
            next = answer_stack(bug, stacks[i], next, questions);
    }
    free(questions->queries);
    free(questions);
}
