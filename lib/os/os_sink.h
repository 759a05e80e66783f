/* Where a line of ours goes. Raw system calls: errno stays as it is. */
#ifndef SG_OS_SINK_H
#define SG_OS_SINK_H

#include "compiler.h"

/* One write() of the whole line, more only if the descriptor took a part; false if it took none. */
HIDDEN bool sg_os_write_line(int descriptor, const char *line, size_t length);

/* The same at the end of a file, which is made if there is none; false if it cannot be opened. */
HIDDEN MUST_USE bool sg_os_append_line(const char *path, const char *line, size_t length);

HIDDEN MUST_USE bool sg_os_is_terminal(int descriptor);

struct os_piece {
    const char *bytes;
    size_t length;
};

#define OS_PIECES_MAX 16

/* The pieces as one datagram to the local socket at `path`. Never waits; false if it did not go
 * out. */
HIDDEN MUST_USE bool sg_os_send(const char *path, const struct os_piece *pieces, size_t count);

#endif
