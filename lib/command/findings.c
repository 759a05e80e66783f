#include "findings.h"

#include "bug.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sg_finding_free(struct finding *finding)
{
    free(finding->title);
    free(finding->message);
    free(finding->text);
    free(finding->program);
    free(finding->function);
    free(finding->file);
    free(finding->place);
}

void sg_findings_add(struct findings *findings, struct finding finding)
{
    findings->total++;
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].id, finding.id) == 0) {
            findings->items[i].count++;
            sg_finding_free(&finding);
            return;
        }
    findings->items =
        sg_reallocate(findings->items, (findings->count + 1) * sizeof(*findings->items));
    findings->items[findings->count++] = finding;
}

static char *copy_of(const char *string)
{
    return sg_printed("%s", string == NULL ? "" : string);
}

/* Below the current folder: relative to it. */
static char *short_path(const char *path)
{
    char folder[PATH_MAX];
    size_t length = getcwd(folder, sizeof(folder)) == NULL ? 0 : strlen(folder);

    if (path != NULL && length > 1 && strncmp(path, folder, length) == 0 && path[length] == '/')
        return copy_of(path + length + 1);
    return copy_of(path);
}

static void set_code(struct finding *finding, const char *code, const char *id)
{
    (void)snprintf(finding->code, sizeof(finding->code), "%s", code);
    (void)snprintf(finding->id, sizeof(finding->id), "%s", id);
}

struct finding sg_finding_of_line(const struct line_report *report, const char *line)
{
    const struct line_place *at = &report->at.frames[0];
    struct finding finding = {
        .process = report->process,
        .count = 1,
        .title = copy_of(report->title),
        .message = sg_printed("%s: %s: %s", report->title, report->function, report->observation),
        .text = copy_of(line),
        .program = copy_of(""),
        .function = copy_of(""),
        .file = copy_of(""),
        .place = report->at.count == 0
                     ? copy_of("")
                     : sg_printed("%s+0x%llx", at->module, (unsigned long long)at->offset),
    };

    set_code(&finding, report->code, report->id);
    return finding;
}

/* The first line of the text: without our name in front and without the code behind. */
static char *headline(const char *text)
{
    static const char name[] = "spanguard: ";

    if (strncmp(text, name, sizeof(name) - 1) == 0)
        text += sizeof(name) - 1;

    size_t length = strcspn(text, "\n");
    const char *bracket = memrchr(text, '[', length);
    if (bracket != NULL)
        length = (size_t)(bracket - text);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return sg_printed("%.*s", (int)length, text);
}

static const struct bug_frame *best_frame(const struct bug_stack *stack)
{
    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES; i++)
        if (stack->frames[i].file != NULL)
            return &stack->frames[i];
    return stack->count == 0 ? NULL : &stack->frames[0];
}

static char *place_of(const struct bug *bug, const struct bug_frame *frame)
{
    if (frame->module >= bug->module_count || frame->module >= BUG_MODULES)
        return copy_of("");

    const char *path = bug->modules[frame->module].path;
    const char *slash = strrchr(path, '/');
    return sg_printed("%s+0x%llx", slash == NULL ? path : slash + 1,
                      (unsigned long long)frame->offset);
}

/* Where to show it: the access itself. What was found late has none on the stack (at exit, not even
 * the program's code): then who freed the block, else who made it. */
static const struct bug_stack *stack_of(const struct bug *bug)
{
    if (bug->kind == BUG_LEAK && bug->leak_count > 0)
        return &bug->leaks[0].stack;
    if (bug->at.count > 0 && !bug->is_late)
        return &bug->at;
    if (bug->block.ended.stack.count > 0)
        return &bug->block.ended.stack;
    return bug->block.made.stack.count > 0 ? &bug->block.made.stack : &bug->at;
}

static void set_location(struct finding *finding, const struct bug *bug)
{
    const struct bug_frame *frame = best_frame(stack_of(bug));

    finding->function = copy_of(frame == NULL ? NULL : frame->function);
    finding->file = short_path(frame == NULL ? NULL : frame->file);
    finding->place = frame == NULL ? copy_of("") : place_of(bug, frame);
    finding->line = frame == NULL ? 0 : frame->line;
    finding->column = frame == NULL ? 0 : frame->column;
}

struct finding sg_finding_of_bug(const struct bug *bug)
{
    char *buffer = sg_allocate((size_t)BUG_REPORT_BYTES);
    struct text text = sg_text_begin(buffer, (size_t)BUG_REPORT_BYTES);
    struct finding finding = {.process = bug->process, .count = 1};
    char id[9];

    sg_bug_say_text(&text, bug, false);
    (void)snprintf(id, sizeof(id), "%08x", bug->id);
    set_code(&finding, sg_bug_code(bug->kind), id);
    finding.title = copy_of(sg_bug_title(bug->kind));
    finding.message = headline(buffer);
    finding.text = buffer;
    finding.program = copy_of(bug->program);
    set_location(&finding, bug);
    return finding;
}
