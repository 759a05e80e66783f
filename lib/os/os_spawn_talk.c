/* The conversation with a program that was started. */
#include "os_spawn.h"
#include "os_syscall.h"
#include "os_thread.h"

#include <poll.h>
#include <time.h>

struct state {
    size_t written;
    size_t got;
};

/* As the kernel lays them out. */
static bool wait_for_either(struct pollfd ends[2], uint64_t milliseconds)
{
    struct timespec limit = {.tv_sec = (time_t)(milliseconds / 1000),
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    long result = os_syscall6(SYS_ppoll, (long)ends, 2, (long)&limit, 0, sizeof(uint64_t), 0);

    if (result == -EINTR)
        ends[0].revents = ends[1].revents = 0;
    return !os_failed(result) || result == -EINTR;
}

static bool write_some(struct os_child *child, const struct os_talk *talk, struct state *state)
{
    long result = os_syscall3(SYS_write, child->request, (long)(talk->request + state->written),
                              (long)(talk->request_bytes - state->written));

    if (result > 0)
        state->written += (size_t)result;
    return result > 0 || result == -EAGAIN || result == -EINTR;
}

static bool read_some(struct os_child *child, const struct os_talk *talk, struct state *state)
{
    long result = os_syscall3(SYS_read, child->reply, (long)(talk->reply + state->got),
                              (long)(talk->capacity - state->got));

    if (result > 0)
        state->got += (size_t)result;
    return result > 0 || result == -EINTR;
}

static bool is_complete(const struct os_talk *talk, const struct state *state)
{
    size_t length = __builtin_strlen(talk->ending);

    return state->got >= length &&
           __builtin_memcmp(talk->reply + state->got - length, talk->ending, length) == 0;
}

size_t sg_os_spawn_talk(struct os_child *child, const struct os_talk *talk, unsigned milliseconds)
{
    uint64_t now = sg_os_milliseconds();
    uint64_t end = now + milliseconds;
    struct state state = {0};

    while (now < end && state.got < talk->capacity && !is_complete(talk, &state)) {
        bool is_asking = state.written < talk->request_bytes;
        struct pollfd ends[2] = {{.fd = child->reply, .events = POLLIN},
                                 {.fd = is_asking ? child->request : -1, .events = POLLOUT}};

        if (!wait_for_either(ends, end - now))
            break;
        if (ends[1].revents != 0 && !write_some(child, talk, &state))
            break;
        if (ends[0].revents != 0 && !read_some(child, talk, &state))
            break;
        now = sg_os_milliseconds();
    }
    return state.got;
}
