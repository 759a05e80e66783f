#include "os_signal.h"

#include <errno.h>
#include <signal.h>

#define SIGNALS 65

static void (*handlers[SIGNALS])(void); /* written before the signal can come */

static void on_signal(int number)
{
    int saved = errno;

    handlers[number]();
    errno = saved;
}

void sg_os_on_signal(int number, void (*handler)(void))
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    if (number <= 0 || number >= SIGNALS)
        return;
    handlers[number] = handler;
    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}
