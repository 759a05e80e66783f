/* Text that belongs to C++: new[] and delete[]. */
#ifndef ORACLE_OWNER_H
#define ORACLE_OWNER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

char *owner_make(size_t bytes);
void owner_end(char *text);

#ifdef __cplusplus
}
#endif

#endif
