/* What valgrind's thread checkers cannot see by themselves: our locks, and memory whose accesses
 * are C11 atomics (they look like plain moves). Nothing at all unless built with SG_VALGRIND. */
#ifndef SG_BASE_ANNOTATE_H
#define SG_BASE_ANNOTATE_H

#ifdef SG_VALGRIND
/* DRD's requests, if it is asked for, and else helgrind's: they have the same names. */
#ifdef SG_VALGRIND_DRD
#include <valgrind/drd.h>
#define ANNOTATE_ATOMIC(address, bytes)                                                            \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_START_SUPPRESSION, (address), (bytes), 0, 0, 0)
#define ANNOTATE_PLAIN(address, bytes)                                                             \
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_FINISH_SUPPRESSION, (address), (bytes), 0, 0, 0)
#else
#include <valgrind/helgrind.h>
#define ANNOTATE_ATOMIC(address, bytes) VALGRIND_HG_DISABLE_CHECKING((address), (bytes))
#define ANNOTATE_PLAIN(address, bytes) VALGRIND_HG_ENABLE_CHECKING((address), (bytes))
#endif
#define ANNOTATE_LOCKED(lock) ANNOTATE_RWLOCK_ACQUIRED((lock), 1)
#define ANNOTATE_UNLOCKED(lock) ANNOTATE_RWLOCK_RELEASED((lock), 1)
#else
#define ANNOTATE_LOCKED(lock) ((void)(lock))
#define ANNOTATE_UNLOCKED(lock) ((void)(lock))
#define ANNOTATE_ATOMIC(address, bytes) ((void)(address), (void)(bytes))
#define ANNOTATE_PLAIN(address, bytes) ((void)(address), (void)(bytes))
#endif

#endif
