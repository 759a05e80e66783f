#include "modules.h"

#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool take(const char *from, char path[PATH_MAX])
{
    if (strlen(from) >= PATH_MAX || access(from, R_OK) != 0)
        return false;
    (void)snprintf(path, PATH_MAX, "%s", from);
    return true;
}

static bool find_given(const struct module_files *files, const char *name, char path[PATH_MAX])
{
    size_t length = strlen(name);

    for (size_t i = 0; i < files->count; i++)
        if (strncmp(files->given[i], name, length) == 0 && files->given[i][length] == '=')
            return take(files->given[i] + length + 1, path);
    return false;
}

static bool find_program(const char *program, char path[PATH_MAX])
{
    struct target target;
    struct verdict ignored;

    return sg_target_find(program, &target, &ignored) &&
           sg_target_takes_preload(&target, &ignored) && take(target.loaded, path);
}

static bool find_library(const char *name, char path[PATH_MAX])
{
    static const char *const folders[] = {
        "/lib/" SG_MULTIARCH, "/usr/lib/" SG_MULTIARCH, "/lib64", "/usr/lib64", "/lib",
        "/usr/lib",           "/usr/local/lib",
    };
    char candidate[PATH_MAX];

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        (void)snprintf(candidate, sizeof(candidate), "%s/%s", folders[i], name);
        if (take(candidate, path))
            return true;
    }
    return false;
}

bool sg_module_find(const struct module_files *files, const char *name, char path[PATH_MAX])
{
    const char *base = base_name(name);

    if (find_given(files, base, path) || find_given(files, name, path))
        return true;
    if (files->program != NULL && strcmp(base_name(files->program), base) == 0 &&
        (find_program(files->program, path) || take(files->program, path)))
        return true;
    if (take(name, path))
        return true; /* as the report has it, or a file in the current folder */
    return find_library(base, path) || find_program(base, path);
}

static void replace(char **string, const char *by)
{
    free(*string);
    *string = sg_printed("%s", by);
}

void sg_finding_locate(struct finding *finding, const struct line_stack *at, const char *program)
{
    const struct module_files files = {.program = program};
    char path[PATH_MAX];

    if (at->count == 0 || !sg_module_find(&files, at->frames[0].module, path))
        return;

    struct symbol_query query = {.path = path, .build_id = "", .offset = at->frames[0].offset};
    if (!sg_symbols_ask(&query, 1) || query.count == 0)
        return;
    replace(&finding->function, query.symbols[0].function);
    replace(&finding->file, query.symbols[0].file);
    finding->line = query.symbols[0].line;
    finding->column = query.symbols[0].column;
}
