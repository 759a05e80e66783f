#include "options.h"

SEALED struct options sg_options = {
#define OPTION(name_, kind, stronger, fast, hardened, strict, min, max, choices, help)             \
    .name_ = (hardened),
#include "options.def"
#undef OPTION
};
