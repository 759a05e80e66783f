#include "os_file.h"

#include "os_syscall.h"

#include <sys/auxv.h>
#include <unistd.h>

void sg_os_write(int descriptor, const char *text, size_t length)
{
    while (length > 0) {
        long written = os_syscall3(SYS_write, descriptor, (long)text, (long)length);

        if (written == -EINTR)
            continue;
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

const char *sg_os_environment(const char *name)
{
    size_t length = __builtin_strlen(name);

    if (getauxval(AT_SECURE) != 0 || environ == NULL)
        return NULL;
    for (char **entry = environ; *entry != NULL; entry++)
        if (__builtin_strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}
