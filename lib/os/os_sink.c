#include "os_sink.h"

#include "os_syscall.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

bool sg_os_write_line(int descriptor, const char *line, size_t length)
{
    size_t done = 0;

    while (done < length) {
        long written =
            os_syscall3(SYS_write, descriptor, (long)(line + done), (long)(length - done));

        if (written == -EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    return done > 0;
}

bool sg_os_send(const char *path, const struct os_piece *pieces, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct iovec vector[OS_PIECES_MAX];
    struct msghdr message = {.msg_name = &address,
                             .msg_namelen = sizeof(address),
                             .msg_iov = vector,
                             .msg_iovlen = count};
    size_t length = __builtin_strlen(path);
    long descriptor, sent;

    if (count > OS_PIECES_MAX || length >= sizeof(address.sun_path))
        return false;
    __builtin_memcpy(address.sun_path, path, length);
    for (size_t i = 0; i < count; i++)
        vector[i] = (struct iovec){(void *)pieces[i].bytes, pieces[i].length};
    descriptor = os_syscall3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (os_failed(descriptor))
        return false;
    do
        sent = os_syscall3(SYS_sendmsg, descriptor, (long)&message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent == -EINTR);
    (void)os_syscall3(SYS_close, descriptor, 0, 0);
    return !os_failed(sent);
}

bool sg_os_append_line(const char *path, const char *line, size_t length)
{
    const long flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    long file = os_syscall6(SYS_openat, AT_FDCWD, (long)path, flags, 0666, 0, 0);

    if (os_failed(file))
        return false;
    /* Only to open a FIFO that nobody reads would wait for ever. */
    (void)os_syscall3(SYS_fcntl, file, F_SETFL, O_APPEND);
    bool is_written = sg_os_write_line((int)file, line, length);
    (void)os_syscall3(SYS_close, file, 0, 0);
    return is_written;
}

bool sg_os_is_terminal(int descriptor)
{
    unsigned char settings[128]; /* more than any kernel's struct termios */

    return !os_failed(os_syscall3(SYS_ioctl, descriptor, TCGETS, (long)settings));
}
