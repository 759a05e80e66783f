/* A target for AFL++: persistent mode, inputs by shared memory. */
#include "target.h"

#include <unistd.h>

#define INPUTS_PER_PROCESS 100000

__AFL_FUZZ_INIT();

int main(void)
{
    __AFL_INIT();

    const unsigned char *bytes = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(INPUTS_PER_PROCESS)) {
        size_t size = (size_t)__AFL_FUZZ_TESTCASE_LEN;

        LLVMFuzzerTestOneInput(bytes,
                               size < TARGET_INPUT_BYTES_MAX ? size : TARGET_INPUT_BYTES_MAX);
    }
    return 0;
}
