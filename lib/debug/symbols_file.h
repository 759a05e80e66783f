/* What is known of the file of a module, from memory and /proc alone: no lock of the loader. */
#ifndef SG_DEBUG_SYMBOLS_FILE_H
#define SG_DEBUG_SYMBOLS_FILE_H

#include "os_process.h"
#include "unwind_module.h"

#define SYMBOLS_PATH_BYTES OS_PROGRAM_PATH_BYTES

/* Its absolute path, or false. */
HIDDEN MUST_USE bool sg_symbols_file_of(const struct module *module,
                                        char ret_path[SYMBOLS_PATH_BYTES]);

/* Its GNU build-id in hexadecimal, from the note that is mapped; "" if it has none. */
#define SYMBOLS_BUILD_ID_BYTES 41
HIDDEN void sg_symbols_build_id(const struct module *module,
                                char ret_build_id[SYMBOLS_BUILD_ID_BYTES]);

#endif
