/* What the kernel says of the process's own mappings. Slow; for reports. */
#ifndef SG_OS_MAPS_H
#define SG_OS_MAPS_H

#include "compiler.h"

#define OS_MAPPING_NAME_BYTES 256

struct os_mapping {
    uintptr_t start;
    uintptr_t end;
    bool is_readable;
    bool is_writable;
    char name[OS_MAPPING_NAME_BYTES]; /* path, "[stack]", "[heap]" ... or ""; cut off if longer */
};

/* False: nothing is mapped there, or /proc cannot be read. */
HIDDEN MUST_USE bool sg_os_mapping_at(uintptr_t address, struct os_mapping *ret_mapping);

#endif
