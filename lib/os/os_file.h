/* The outside world in text: the error stream, the environment, files that are only read. */
#ifndef SG_OS_FILE_H
#define SG_OS_FILE_H

#include "compiler.h"

/* Writes all of `text` to the descriptor, as far as it takes it; async-signal-safe. */
HIDDEN void sg_os_write(int descriptor, const char *text, size_t length);

#define OS_STDERR 2

/* Whether the kernel says that the program runs with more rights than its caller: then the
 * environment is the attacker's. */
HIDDEN MUST_USE bool sg_os_is_secure(void);

/* The value of a variable in the environment that the program was started with, or NULL. Right from
 * the first instruction on: libc may not have set `environ` yet. */
HIDDEN MUST_USE const char *sg_os_environment(const char *name);

/* What the program says by `const char *const spanguard_options = "...";`, or NULL. Its address
 * comes from the loader, as that of any name outside of us. */
HIDDEN MUST_USE const char *sg_os_program_options(void);

#define OS_PATH_BYTES 4096
struct os_path {
    char bytes[OS_PATH_BYTES];
};

/* The file that the process executes; false if there is no /proc to tell. */
HIDDEN MUST_USE bool sg_os_program_path(struct os_path *ret_path);

/* Opens for reading, never waits; a path that begins with / needs no folder. The result is a
 * descriptor, OS_ABSENT, or OS_REFUSED. */
#define OS_NO_FOLDER (-1)
enum { OS_CURRENT_FOLDER = -100 }; /* AT_FDCWD */
enum { OS_ABSENT = -1, OS_REFUSED = -2 };
HIDDEN MUST_USE int sg_os_open(int folder, const char *path);
HIDDEN void sg_os_close(int descriptor);

struct os_file_facts {
    uint64_t bytes;
    uint32_t owner;
    bool is_regular;
    bool is_folder;
    bool is_writable_by_others; /* than its owner: group or anybody */
};
HIDDEN MUST_USE bool sg_os_file_facts(int descriptor, struct os_file_facts *ret_facts);

/* Reads until `bytes` are there or the file ends; false if it cannot be read. */
HIDDEN MUST_USE bool sg_os_read(int descriptor, char *buffer, size_t bytes, size_t *ret_bytes);

#define OS_NAME_BYTES 256
struct os_name {
    char bytes[OS_NAME_BYTES];
};

/* The first name in byte order behind `name` (all are behind "") that ends in `ending` and does
 * not begin with a dot; false if there is none. `name` is replaced. */
HIDDEN MUST_USE bool sg_os_next_name(int folder, const char *ending, struct os_name *name);

#endif
