/* spanguard-symbolize: functions and source lines for offsets in modules. A program of its own, so
 * that it may allocate and fail: the debug library starts it for a report with a pipe at either
 * end. It reads no configuration, writes nothing but its reply, and never asks the network.
 *
 * Request, one line each. Numbers of modules count from 0 in their order; offsets are hexadecimal,
 * from the lowest mapped address of the module. BUILD-ID is hexadecimal, or - for none:
 *
 *     module BUILD-ID PATH
 *     code MODULE OFFSET
 *     data MODULE OFFSET
 *     end
 *
 * Reply: for each code and data line, in their order, what is known of it, and then a dot. Fields
 * stand between tabs and may be empty; line and column 0 are not known. Where functions were
 * inlined there are several frames, the innermost first:
 *
 *     frame LINE COLUMN FUNCTION FILE SOURCE
 *     name SYMBOL
 *     .
 *     end
 *
 * In PATH and in the fields of a reply %XX stands for the byte XX: control characters and % itself.
 * FILE is relative where it lies below the current folder. */
#ifndef SG_COMMAND_SYMBOLIZE_H
#define SG_COMMAND_SYMBOLIZE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is said of one name or line at most; the rest is cut off. */
#define SYMBOLIZE_NAME_BYTES 240
#define SYMBOLIZE_SOURCE_BYTES 160
#define SYMBOLIZE_FRAMES 16

struct symbolize_module {
    char *path;
    char *build_id;      /* "" for none */
    bool is_opened;      /* or that was tried */
    Dwfl_Module *module; /* NULL: has no file, or not the one that is loaded */
    Dwarf_Addr base;     /* what offset 0 is in `module` */
};

struct symbolize_location {
    char *file; /* NULL: not known */
    int line;
    int column;
};

struct symbolize_frame {
    char *function; /* NULL: not known */
    struct symbolize_location at;
};

/* symbolize_module.c */
void symbolize_open(struct symbolize_module *module);

/* symbolize_frames.c: how many there are, at most SYMBOLIZE_FRAMES. */
size_t symbolize_frames(struct symbolize_module *module, uint64_t offset,
                        struct symbolize_frame frames[SYMBOLIZE_FRAMES]);

/* symbolize_name.c: names as they are to be read, from the allocator, or NULL. */
char *symbolize_name_of_die(struct symbolize_module *module, Dwarf_Die *die, Dwarf_Addr address);
char *symbolize_name_of_code(struct symbolize_module *module, Dwarf_Addr address);
char *symbolize_name_of_data(struct symbolize_module *module, Dwarf_Addr address);

/* symbolize_source.c: the path of a source file, from the allocator; `folder` may be NULL. */
char *symbolize_path(const char *folder, const char *file);
/* The same as it is to be shown. */
const char *symbolize_short_path(const char *path);
/* A line of it without blanks around it, or false. */
bool symbolize_source_line(const char *path, int line, char ret_text[SYMBOLIZE_SOURCE_BYTES]);

#endif
