/* Another program at either end of a pipe, that the program around us never notices: no handler of
 * fork runs, it gets no SIGCHLD (also if it has a handler for that or ignores it), its wait() finds
 * no child of ours, no descriptor of its own goes along, and no process is left behind.
 *
 * Allocates from the kernel only, keeps errno, works in a signal handler. Where the kernel refuses
 * any of it the answer is false. */
#ifndef SG_OS_SPAWN_H
#define SG_OS_SPAWN_H

#include "compiler.h"

struct os_keeper;

struct os_child {
    struct os_keeper *keeper;
    int request;      /* its standard input is read from there... */
    int request_read; /* ...which stays open here too: writing never raises SIGPIPE */
    int reply;        /* its standard output */
};

/* Starts the first of `programs` (paths, NULL behind the last) that can be, without arguments and
 * with an empty environment. It is killed after about `milliseconds`, at most 60,000, also if
 * this process is gone. Whether any could be started shows in what sg_os_spawn_talk() gets. */
HIDDEN MUST_USE bool sg_os_spawn(const char *const *programs, unsigned milliseconds,
                                 struct os_child *ret_child);

struct os_talk {
    const char *request;
    size_t request_bytes;
    char *reply; /* memory for it */
    size_t capacity;
    const char *ending; /* the reply is complete when these are its last bytes */
};

/* Writes the request and reads the reply until it is complete, full, ends, or the time is over.
 * The result is how many bytes came. Once for each child. */
HIDDEN size_t sg_os_spawn_talk(struct os_child *child, const struct os_talk *talk,
                               unsigned milliseconds);

/* Kills it, if it still runs. */
HIDDEN void sg_os_spawn_end(struct os_child *child);

#endif
