/* Defences that a build leaves out (meson configure -Dwithout=NAME): only to show what each of them
 * stops, see tests/misuse/prove.py. Never in a library that anyone uses. */
#ifndef SG_HARDENING_WITHOUT_H
#define SG_HARDENING_WITHOUT_H

#ifndef SG_WITHOUT_CANARY
#define SG_WITHOUT_CANARY 0
#endif
#ifndef SG_WITHOUT_ZERO
#define SG_WITHOUT_ZERO 0
#endif
#ifndef SG_WITHOUT_ZERO_CHECK
#define SG_WITHOUT_ZERO_CHECK 0
#endif
#ifndef SG_WITHOUT_QUARANTINE
#define SG_WITHOUT_QUARANTINE 0
#endif
#ifndef SG_WITHOUT_SPAN_QUARANTINE
#define SG_WITHOUT_SPAN_QUARANTINE 0
#endif
#ifndef SG_WITHOUT_GUARD_SPANS
#define SG_WITHOUT_GUARD_SPANS 0
#endif
#ifndef SG_WITHOUT_GUARD_LARGE
#define SG_WITHOUT_GUARD_LARGE 0
#endif
#ifndef SG_WITHOUT_GUARD_FREE
#define SG_WITHOUT_GUARD_FREE 0
#endif
#ifndef SG_WITHOUT_ENCODE
#define SG_WITHOUT_ENCODE 0
#endif
#ifndef SG_WITHOUT_SAMPLE
#define SG_WITHOUT_SAMPLE 0
#endif
#ifndef SG_WITHOUT_MALLOC_ZERO
#define SG_WITHOUT_MALLOC_ZERO 0
#endif
#ifndef SG_WITHOUT_ISOLATE
#define SG_WITHOUT_ISOLATE 0
#endif
#ifndef SG_WITHOUT_PROOF
#define SG_WITHOUT_PROOF 0
#endif
#ifndef SG_WITHOUT_SEAL
#define SG_WITHOUT_SEAL 0
#endif
#ifndef SG_WITHOUT_COPY
#define SG_WITHOUT_COPY 0
#endif

#endif
