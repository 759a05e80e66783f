#include "options.h"

#define OPTION(name, default_, min, max, help)                                                     \
    static_assert((default_) >= (min) && (default_) <= (max), #name ": default out of range");
#include "options.def"
#undef OPTION

struct options sg_options = {
#define OPTION(name, default_, min, max, help) .name = (default_),
#include "options.def"
#undef OPTION
};
