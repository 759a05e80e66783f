/* All modules that are loaded, for the debug library. */
#ifndef SG_UNWIND_UNWIND_MODULES_H
#define SG_UNWIND_UNWIND_MODULES_H

#include "unwind_module.h"

/* One call at a time in the whole process: under the loader's lock, so never in a report. */
HIDDEN void sg_module_each(void (*visit)(const struct module *module, void *context),
                           void *context);

#endif
