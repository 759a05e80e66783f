/* SARIF 2.1.0: one result for each finding, one rule for each code among them. */
#include "ci.h"

#include "bug.h"
#include "escape.h"

#include <errno.h>
#include <string.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

struct rules {
    const struct findings *findings;
    const char *codes[128];
    size_t count;
};

static size_t rule_index(struct rules *rules, const char *code)
{
    for (size_t i = 0; i < rules->count; i++)
        if (strcmp(rules->codes[i], code) == 0)
            return i;
    if (rules->count == sizeof(rules->codes) / sizeof(rules->codes[0]))
        return 0;
    rules->codes[rules->count] = code;
    return rules->count++;
}

static void put_text(FILE *file, const char *name, const char *text)
{
    fprintf(file, "\"%s\": {\"text\": ", name);
    sg_put_json(file, text);
    fputs("}", file);
}

static void put_rule(FILE *file, const struct findings *findings, const char *code)
{
    const char *help = sg_bug_explain(code);
    const char *title = code;

    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].code, code) == 0)
            title = findings->items[i].title;
    fprintf(file, "        {\"id\": \"%s\", ", code);
    put_text(file, "shortDescription", title);
    fputs(", ", file);
    put_text(file, "help", help == NULL ? "See spanguard-reports(7)." : help);
    fputs(", \"defaultConfiguration\": {\"level\": \"error\"}}", file);
}

static void put_location(FILE *file, const struct finding *finding)
{
    const char *name = *finding->function != '\0' ? finding->function : finding->place;

    fputs("        \"locations\": [{", file);
    if (*finding->file != '\0') {
        fputs("\"physicalLocation\": {\"artifactLocation\": {\"uri\": ", file);
        sg_put_uri(file, finding->file);
        fputs("}", file);
        if (finding->line > 0)
            fprintf(file, ", \"region\": {\"startLine\": %u%s", finding->line,
                    finding->column > 0 ? "" : "}");
        if (finding->line > 0 && finding->column > 0)
            fprintf(file, ", \"startColumn\": %u}", finding->column);
        fputs(*name != '\0' ? "}, " : "}", file);
    }
    if (*name != '\0') {
        fputs("\"logicalLocations\": [{\"fullyQualifiedName\": ", file);
        sg_put_json(file, name);
        fputs("}]", file);
    }
    fputs("}],\n", file);
}

static void put_result(FILE *file, struct rules *rules, const struct finding *finding)
{
    fprintf(file, "      {\"ruleId\": \"%s\", \"ruleIndex\": %zu, \"level\": \"error\",\n        ",
            finding->code, rule_index(rules, finding->code));
    put_text(file, "message", finding->message);
    fputs(",\n", file);
    if (*finding->file != '\0' || *finding->function != '\0' || *finding->place != '\0')
        put_location(file, finding);
    fprintf(file, "        \"partialFingerprints\": {\"spanguardId/v1\": \"%s\"},\n", finding->id);
    fprintf(file, "        \"occurrenceCount\": %u,\n", finding->count);
    fprintf(file, "        \"properties\": {\"process\": %d, \"place\": ", finding->process);
    sg_put_json(file, finding->place);
    fputs(", \"report\": ", file);
    sg_put_json(file, finding->text);
    fputs("}}", file);
}

static void put_run(FILE *file, struct rules *rules)
{
    const struct findings *findings = rules->findings;

    fprintf(file, "    \"tool\": {\"driver\": {\"name\": \"spanguard\", \"version\": \"%s\",\n",
            SG_VERSION);
    fputs("      \"rules\": [\n", file);
    for (size_t i = 0; i < rules->count; i++) {
        put_rule(file, findings, rules->codes[i]);
        fputs(i + 1 < rules->count ? ",\n" : "\n", file);
    }
    fprintf(file,
            "      ]}},\n    \"invocations\": [{\"executionSuccessful\": %s, "
            "\"exitCode\": %d, \"executableLocation\": {\"uri\": ",
            findings->status == 0 ? "true" : "false", findings->status);
    sg_put_uri(file, findings->program);
    fputs("}}],\n    \"results\": [\n", file);
    for (size_t i = 0; i < findings->count; i++) {
        put_result(file, rules, &findings->items[i]);
        fputs(i + 1 < findings->count ? ",\n" : "\n", file);
    }
    fputs("    ]\n", file);
}

bool sg_write_sarif(const char *path, const struct findings *findings)
{
    struct rules rules = {.findings = findings};
    FILE *file = fopen(path, "we");

    if (file == NULL)
        return false;
    for (size_t i = 0; i < findings->count; i++)
        (void)rule_index(&rules, findings->items[i].code);
    fputs("{\n  \"$schema\": \"" SCHEMA "\",\n  \"version\": \"2.1.0\",\n  \"runs\": [{\n", file);
    put_run(file, &rules);
    fputs("  }]\n}\n", file);
    bool is_written = fflush(file) == 0 && !ferror(file);
    return fclose(file) == 0 && is_written;
}
