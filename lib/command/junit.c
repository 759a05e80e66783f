/* JUnit's XML: a failed test case for each finding, or one that passed. */
#include "ci.h"

#include "escape.h"

static void put_attribute(FILE *file, const char *name, const char *value)
{
    fprintf(file, " %s=\"", name);
    sg_put_xml(file, value);
    fputs("\"", file);
}

static void put_case(FILE *file, const char *program, const struct finding *finding)
{
    char name[96];

    (void)snprintf(name, sizeof(name), "%s %s %s", finding->code, finding->title, finding->id);
    fputs("    <testcase", file);
    put_attribute(file, "classname", *finding->program != '\0' ? finding->program : program);
    put_attribute(file, "name", name);
    if (*finding->file != '\0')
        put_attribute(file, "file", finding->file);
    if (finding->line > 0)
        fprintf(file, " line=\"%u\"", finding->line);
    fputs(">\n      <failure", file);
    put_attribute(file, "type", finding->code);
    put_attribute(file, "message", finding->message);
    fputs(">", file);
    sg_put_xml(file, finding->text);
    fputs("</failure>\n    </testcase>\n", file);
}

bool sg_write_junit(const char *path, const struct findings *findings)
{
    size_t tests = findings->count == 0 ? 1 : findings->count;
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return false;
    fprintf(file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" "
            "failures=\"%zu\">\n  <testsuite name=\"spanguard\" tests=\"%zu\" "
            "failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
            tests, findings->count, tests, findings->count);
    for (size_t i = 0; i < findings->count; i++)
        put_case(file, findings->program, &findings->items[i]);
    if (findings->count == 0) {
        fputs("    <testcase", file);
        put_attribute(file, "classname", findings->program);
        put_attribute(file, "name", "no misuse of the heap");
        fputs("/>\n", file);
    }
    fputs("  </testsuite>\n</testsuites>\n", file);
    bool is_written = fflush(file) == 0 && !ferror(file);
    return fclose(file) == 0 && is_written;
}

/* On stderr: what the program wrote to stdout stays as it was. */
void sg_write_annotations(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        fputs("::error ", stderr);
        if (*finding->file != '\0') {
            fputs("file=", stderr);
            sg_put_workflow(stderr, finding->file, true);
            if (finding->line > 0)
                fprintf(stderr, ",line=%u", finding->line);
            if (finding->line > 0 && finding->column > 0)
                fprintf(stderr, ",col=%u", finding->column);
            fputs(",", stderr);
        }
        fprintf(stderr, "title=%s ", finding->code);
        sg_put_workflow(stderr, finding->title, true);
        fputs("::", stderr);
        sg_put_workflow(stderr, finding->message, false);
        if (*finding->file == '\0' && *finding->place != '\0') {
            fputs(" at ", stderr);
            sg_put_workflow(stderr, finding->place, false);
        }
        fputs("\n", stderr);
    }
}
