#include "laboratory.h"

#include "os_syscall.h"

struct laboratory laboratory;

long laboratory_machine_call(long number, const long *arguments)
{
    return os_kernel_call(number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
}

void sg_laboratory_sync(enum sync_site site, const volatile void *object)
{
    if (laboratory.sync != NULL)
        laboratory.sync(site, object);
}

long sg_laboratory_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    const long arguments[6] = {a, b, c, d, e, f};
    long result;

    sg_laboratory_sync(SYNC_SYSCALL, NULL);
    if (laboratory.fault == NULL || !laboratory.fault(number, arguments, &result))
        result = laboratory.kernel != NULL ? laboratory.kernel(number, arguments)
                                           : laboratory_machine_call(number, arguments);
    sg_laboratory_sync(SYNC_SYSCALL, NULL);
    return result;
}
