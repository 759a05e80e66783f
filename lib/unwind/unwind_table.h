/* The entry of a module's .eh_frame that covers an address. */
#ifndef SG_UNWIND_UNWIND_TABLE_H
#define SG_UNWIND_UNWIND_TABLE_H

#include "unwind_module.h"
#include "unwind_read.h"

struct table_entry {
    uintptr_t begin;            /* of the code that it covers */
    uintptr_t end;              /* past it */
    struct reader common;       /* instructions of the CIE: shared by many functions */
    struct reader instructions; /* of the FDE: this one's */
    uint64_t code_factor;
    int64_t data_factor;
    uint64_t return_register;
    uint8_t encoding; /* of addresses */
    bool is_signal;   /* the frame that the kernel makes for a handler */
};

HIDDEN MUST_USE bool sg_table_find(const struct module *module, uintptr_t pc,
                                   struct table_entry *ret_entry);

/* An address, in the encoding that the table says. */
HIDDEN uintptr_t sg_table_address(struct reader *reader, uint8_t encoding);

#endif
