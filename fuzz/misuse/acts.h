/* What an input may do: ordinary calls, and acts of an attacker or a careless program. */
#ifndef SG_FUZZ_MISUSE_ACTS_H
#define SG_FUZZ_MISUSE_ACTS_H

#include "compiler.h"

#define ACTS(X)                                                                                    \
    X(OVERFLOW, "overflow")                                                                        \
    X(UNDERFLOW, "underflow")                                                                      \
    X(FREED_WRITE, "write after free")                                                             \
    X(DOUBLE_FREE, "double free")                                                                  \
    X(INTERIOR, "free of an interior")                                                             \
    X(MISALIGNED, "free of a misaligned")                                                          \
    X(FOREIGN, "free of a foreign")                                                                \
    X(INTERFACE, "wrong interface")                                                                \
    X(SIZE, "wrong size")                                                                          \
    X(ALIGNMENT, "wrong alignment")                                                                \
    X(REALLOC_FREED, "realloc of a freed")                                                         \
    X(USABLE_FREED, "usable size of a freed")                                                      \
    X(ENTRY, "write into a cache")

enum act_kind {
#define ACT(name, title) ACT_##name,
    ACTS(ACT)
#undef ACT
        ACT_COUNT
};

extern const char *const act_titles[ACT_COUNT];

#endif
