/* errno is set in this layer and in no other. */
#ifndef SG_API_API_ERRORS_H
#define SG_API_API_ERRORS_H

#include "compiler.h"

#include <errno.h>

static inline void *or_no_memory(void *object)
{
    if (UNLIKELY(object == NULL))
        errno = ENOMEM;
    return object;
}

#endif
