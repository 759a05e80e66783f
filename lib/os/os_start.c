/* What the kernel and the loader tell the program at its start. */
#include "os_file.h"

#include <sys/auxv.h>
#include <unistd.h>

/* Set by the loader: where argc, the arguments, NULL and the environment lie. Other libraries than
 * glibc have no such name. */
extern void *__libc_stack_end __attribute__((weak));

extern const char *const spanguard_options __attribute__((weak));

bool sg_os_is_secure(void)
{
    return getauxval(AT_SECURE) != 0;
}

/* The environment as the kernel laid it down, or NULL. */
static char **environment_at_start(void)
{
    enum { ARGUMENTS_MOST = 1 << 24 };

    if (&__libc_stack_end == NULL || __libc_stack_end == NULL)
        return NULL;

    const long *argument_count = __libc_stack_end;
    char **arguments = (char **)(argument_count + 1);
    if (*argument_count < 0 || *argument_count > ARGUMENTS_MOST)
        return NULL;
    return arguments[*argument_count] == NULL ? arguments + *argument_count + 1 : NULL;
}

const char *sg_os_environment(const char *name)
{
    size_t length = __builtin_strlen(name);
    char **entry = environment_at_start();

    if (entry == NULL)
        entry = environ;
    for (; entry != NULL && *entry != NULL; entry++)
        if (__builtin_strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

const char *sg_os_program_options(void)
{
    return &spanguard_options == NULL ? NULL : spanguard_options;
}
