/* Names of functions that the program called, as numbers that fit into a record: constant texts of
 * this library, told apart by their addresses. */
#ifndef SG_DEBUG_RECORD_NAME_H
#define SG_DEBUG_RECORD_NAME_H

#include "compiler.h"

/* From 1; 0: there are too many. `name` stays where it is for ever. */
HIDDEN MUST_USE uint8_t sg_record_name_number(const char *name);

/* NULL for 0, or a number that was never given. */
HIDDEN MUST_USE const char *sg_record_name(uint8_t number);

#endif
