#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct test *first;
static struct test **last = &first;
static bool current_failed;

void test_register(struct test *test)
{
    *last = test;
    last = &test->next;
}

void test_failed(const char *file, int line, const char *expectation)
{
    printf("# %s:%d: expected %s\n", file, line, expectation);
    current_failed = true;
}

bool test_dies_saying(void (*body)(void), const char *line)
{
    char output[4096] = "";
    int ends[2], status = 0;
    size_t length = 0;
    ssize_t got;

    fflush(stdout);
    if (pipe(ends) != 0)
        return false;

    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        alarm(20);
        body();
        _exit(0);
    }
    close(ends[1]);
    while (length < sizeof(output) - 1 &&
           (got = read(ends[0], output + length, sizeof(output) - 1 - length)) > 0)
        length += (size_t)got;
    close(ends[0]);
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || strstr(output, line) == NULL)
        printf("# status %#x, said: %s\n", (unsigned)status, output);
    return WIFSIGNALED(status) && strstr(output, line) != NULL;
}

int test_status_of(void (*body)(void))
{
    int status = 0;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        body();
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

int main(void)
{
    int count = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct test *test = first; test != NULL; test = test->next) {
        current_failed = false;
        test->run();
        failed += current_failed;
        printf("%s %d - %s\n", current_failed ? "not ok" : "ok", ++count, test->name);
    }
    printf("1..%d\n", count);
    return count == 0 || failed != 0;
}
