/* A target is a parser without mistakes unless it is compiled with -DBUG=N: bugs.py lists them. */
#ifndef ORACLE_BUG_H
#define ORACLE_BUG_H

#include <stddef.h>
#include <stdint.h>

#ifndef BUG
#define BUG 0
#endif
#define HAS_BUG(number) (BUG == (number))

/* What the parsers compute ends here: the compiler can leave nothing out. */
extern volatile unsigned result;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
