/* The program that is to be run: which file it is, and whether a preloaded library can take
 * effect in it. What cannot be told is refused: protection never fails open. */
#ifndef SG_COMMAND_TARGET_H
#define SG_COMMAND_TARGET_H

#include "command.h"

#include <limits.h>
#include <sys/types.h>

struct target {
    char path[PATH_MAX];   /* what is executed */
    char loaded[PATH_MAX]; /* the program that the kernel loads: of a script, its interpreter */
};

/* As a shell finds it: by PATH if `name` has no slash. STATUS_NOT_FOUND or
 * STATUS_NOT_EXECUTABLE otherwise. */
MUST_USE bool sg_target_find(const char *name, struct target *ret_target,
                             struct verdict *ret_verdict);

/* Whether our library can be preloaded into it when this user runs it. Fills `loaded`. */
MUST_USE bool sg_target_takes_preload(struct target *target, struct verdict *ret_verdict);

/* Whether the kernel would give it other rights than its caller has, and so drop LD_PRELOAD. */
MUST_USE bool sg_target_gains_rights(const char *path, struct verdict *ret_verdict);

/* What an ELF file says of itself. */
struct program_file {
    bool is_elf;
    uint8_t class; /* ELFCLASS32 or ELFCLASS64 */
    uint8_t data;
    uint16_t machine;
    bool has_interpreter;
    char interpreter[PATH_MAX];
    char first[256]; /* of a file that is no ELF: its first line */
};

MUST_USE bool sg_program_read(const char *path, struct program_file *ret_file,
                              struct verdict *ret_verdict);

/* Whether a program exports a function of that name. False as well if that cannot be told. */
MUST_USE bool sg_program_defines(const char *path, const char *name);

#endif
