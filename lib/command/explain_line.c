/* A line of the release library, made readable: names for its places, words for its code. */
#include "explain.h"

#include "bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES_MOST (3 * LINE_FRAMES)

struct answers {
    struct symbol_query queries[QUERIES_MOST];
    char paths[QUERIES_MOST][PATH_MAX];
    size_t count;
};

static void collect(struct answers *answers, const struct line_stack *stack,
                    const struct module_files *files)
{
    for (uint32_t i = 0; i < stack->count; i++) {
        char *path = answers->paths[answers->count];
        struct symbol_query *query = &answers->queries[answers->count];

        if (!sg_module_find(files, stack->frames[i].module, path))
            continue;
        query->path = path;
        query->build_id = "";
        query->offset = stack->frames[i].offset;
        answers->count++;
    }
}

static const struct symbol_query *answer_to(const struct answers *answers,
                                            const struct line_place *place)
{
    for (size_t i = 0; i < answers->count; i++) {
        const char *slash = strrchr(answers->paths[i], '/');
        const char *base = slash == NULL ? answers->paths[i] : slash + 1;

        if (answers->queries[i].offset == place->offset && answers->queries[i].count > 0 &&
            (strcmp(base, place->module) == 0 || answers->count == 1))
            return &answers->queries[i];
    }
    return NULL;
}

void sg_explain_put(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void put_symbol(const struct symbol *symbol, bool has_source)
{
    sg_explain_put(symbol->function[0] == '\0' ? "(unknown)" : symbol->function);
    if (symbol->file[0] == '\0')
        return;
    printf("  ");
    sg_explain_put(symbol->file);
    if (symbol->line > 0)
        printf(":%u", symbol->line);
    if (has_source && symbol->source[0] != '\0') {
        printf("    ");
        sg_explain_put(symbol->source);
    }
}

static void put_frame(const struct answers *answers, const struct line_place *place, bool is_first)
{
    const struct symbol_query *answer = answer_to(answers, place);

    if (answer == NULL) {
        sg_explain_put(place->module);
        printf("+0x%llx", (unsigned long long)place->offset);
        return;
    }
    for (uint32_t i = 0; i < answer->count; i++) {
        printf("%s", i == 0 ? "" : "\n           ");
        put_symbol(&answer->symbols[i], is_first && i == 0);
    }
}

static void put_stack(const char *name, const struct line_stack *stack,
                      const struct answers *answers)
{
    for (uint32_t i = 0; i < stack->count; i++) {
        printf("  %-8s ", i == 0 ? name : "");
        put_frame(answers, &stack->frames[i], i == 0);
        printf("\n");
    }
}

static void put_help(const char *code)
{
    const char *text = sg_bug_explain(code);

    if (text == NULL)
        return;
    printf("\n");
    for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        printf("  %.*s\n", (int)length, text);
    }
}

void sg_explain_line(const struct line_report *report, const struct module_files *files)
{
    struct answers *answers = sg_allocate(sizeof(*answers));

    *answers = (struct answers){.count = 0};
    collect(answers, &report->at, files);
    collect(answers, &report->allocated, files);
    collect(answers, &report->freed, files);
    if (!sg_symbols_ask(answers->queries, answers->count))
        answers->count = 0;
    printf("spanguard: ");
    sg_explain_put(report->title);
    printf(": ");
    sg_explain_put(report->function);
    printf(": ");
    sg_explain_put(report->observation);
    printf("   [%s]\n", report->code);
    put_stack("at", &report->at, answers);
    put_stack("block by", &report->allocated, answers);
    put_stack("freed by", &report->freed, answers);
    printf("  report   ");
    sg_explain_put(report->id);
    printf(" of process %d, profile ", report->process);
    sg_explain_put(report->profile);
    if (report->allocated.count == 0)
        printf("\n  next     spanguard run --profile debug -- PROGRAM    records all stacks");
    printf("\n");
    put_help(report->code);
    free(answers);
}
