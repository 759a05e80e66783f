/* What the system calls say when there is nothing to say it of. */
#include "os_fault.h"
#include "os_sink.h"
#include "os_thread.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(without_a_context_a_fault_has_no_registers)
{
    uint64_t registers[OS_REGISTERS_MOST] = {7};

    EXPECT_EQUAL(sg_os_fault_pc(NULL), 0);
    EXPECT_EQUAL(sg_os_fault_registers(NULL, registers), 0);
    EXPECT_EQUAL(registers[0], 7);
}

TEST(a_wait_ends_at_another_value_and_at_its_limit)
{
    _Atomic uint32_t word = 5;

    EXPECT(sg_os_wait(&word, 4, 0)); /* without a limit: the value is another already */
    EXPECT(sg_os_wait(&word, 4, 1000));
    EXPECT(!sg_os_wait(&word, 5, 2));
}

TEST(a_line_is_appended_to_a_file_that_can_be_made_and_to_no_other)
{
    char folder[] = P_tmpdir "/os_test.XXXXXX", path[64], missing[64], text[64] = "";
    FILE *file;

    EXPECT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/lines", folder);
    snprintf(missing, sizeof(missing), "%s/no/lines", folder);
    EXPECT(sg_os_append_line(path, "one\n", 4));
    EXPECT(sg_os_append_line(path, "two\n", 4));
    EXPECT(!sg_os_append_line(missing, "one\n", 4));
    EXPECT(!sg_os_append_line("/dev/full", "one\n", 4));
    file = fopen(path, "r");
    EXPECT(file != NULL && fread(text, 1, sizeof(text) - 1, file) == 8);
    EXPECT(strcmp(text, "one\ntwo\n") == 0);
    if (file != NULL)
        fclose(file);
    unlink(path);
    EXPECT_EQUAL(rmdir(folder), 0);
}
