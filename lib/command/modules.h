/* The files of modules that reports name, and what a place in them is called. */
#ifndef SG_COMMAND_MODULES_H
#define SG_COMMAND_MODULES_H

#include "findings.h"

#include <limits.h>

#define MODULES_MOST 32
#define SYMBOLS_MOST 8

/* What the user says of modules. */
struct module_files {
    const char *program;             /* the program's file, or NULL */
    const char *given[MODULES_MOST]; /* NAME=PATH */
    size_t count;
};

/* The file of a module: by what was given, the program's name, the path itself or a file of that
 * name in the current folder, the folders of libraries, and PATH. False: none is found. */
MUST_USE bool sg_module_find(const struct module_files *files, const char *name,
                             char path[PATH_MAX]);

struct symbol {
    char function[256];
    char file[512]; /* "": not known, and so for the others */
    char source[192];
    unsigned line;
    unsigned column;
};

/* One place to be asked for, and the answer: inlined functions first. */
struct symbol_query {
    const char *path;
    const char *build_id; /* or "" */
    uint64_t offset;
    uint32_t count;
    struct symbol symbols[SYMBOLS_MOST];
};

/* Asks the program spanguard-symbolize. False: there is none, or it failed. */
MUST_USE bool sg_symbols_ask(struct symbol_query *queries, size_t count);

/* The same for the innermost frame of a stack: fills the finding's function, file and line. */
void sg_finding_locate(struct finding *finding, const struct line_stack *at, const char *program);

#endif
