/* Runs a target once on what is read from standard input; or with -DPERSISTENT, again and again on
 * what AFL++ puts into shared memory. The input is never in the heap: the bugs are the target's. */
#include "bug.h"

#include <unistd.h>

#ifdef PERSISTENT
__AFL_FUZZ_INIT();

int main(void)
{
    __AFL_INIT();
    const uint8_t *data = __AFL_FUZZ_TESTCASE_BUF;

    while (__AFL_LOOP(100000))
        (void)LLVMFuzzerTestOneInput(data, __AFL_FUZZ_TESTCASE_LEN);
    return 0;
}
#else
static uint8_t input[1 << 16];

int main(void)
{
    size_t size = 0;
    ssize_t count;

    while (size < sizeof(input) && (count = read(0, input + size, sizeof(input) - size)) > 0)
        size += (size_t)count;
    return LLVMFuzzerTestOneInput(input, size);
}
#endif
