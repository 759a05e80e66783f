/* spanguard: a secure malloc. Programs use the standard names; this header adds what is ours. */
#ifndef SPANGUARD_SPANGUARD_H
#define SPANGUARD_SPANGUARD_H

#ifdef __cplusplus
extern "C" {
#endif

/* "MAJOR.MINOR.PATCH" of the library in use. Static storage, thread-safe, never NULL. A program
 * that finds this symbol (dlsym) runs under spanguard. */
const char *spanguard_version(void);

#ifdef __cplusplus
}
#endif

#endif
