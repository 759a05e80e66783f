/* Whether the module at an address is the one that was there when a stack was captured. */
#ifndef SG_DEBUG_UNLOADED_H
#define SG_DEBUG_UNLOADED_H

#include "unwind_module.h"

/* After each dlclose; forgets what was learnt of modules, too. */
HIDDEN void sg_unloaded_look(void);

/* True: it may have come later than that moment (debug_time(); 0: not known), in the place of one
 * that is gone. Takes no lock. */
HIDDEN MUST_USE bool sg_unloaded_since(const struct module *module, uint64_t time);

#endif
