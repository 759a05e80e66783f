/* Other ways to start a program while threads allocate: the child may share our memory. */
#include "check.h"
#include "child.h"
#include "threads.h"

#include <spawn.h>

extern char **environ;
enum { THREADS = 2, TIMES = 100 };
static char *const command[] = {"/bin/true", NULL};

static int spawn_by_vfork(void)
{
    int status = -1;
    pid_t child = vfork();

    if (child == 0) {
        execv(command[0], command);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return status;
}

static int spawn_by_posix_spawn(void)
{
    int status = -1;
    pid_t child;

    if (posix_spawn(&child, command[0], NULL, NULL, command, environ) != 0)
        return -1;
    waitpid(child, &status, 0);
    return status;
}

static int spawn_by_system(void)
{
    return system("exit 0");
}

static int spawn_by_popen(void)
{
    char line[16] = "";
    FILE *pipe = popen("echo text", "r");

    if (pipe == NULL || fgets(line, sizeof line, pipe) == NULL || strcmp(line, "text\n") != 0)
        return -1;
    return pclose(pipe);
}

static void expect_spawned(int (*spawn)(void))
{
    pthread_t threads[THREADS];

    threads_start(threads, THREADS, allocate_until_told);
    for (int i = 0; i < TIMES; i++) {
        if (!EXPECT_EQUAL(spawn(), 0))
            break;
        EXPECT(allocate_a_round((unsigned)i));
    }
    threads_end(threads, THREADS);
}

TEST(vfork_and_exec_work_beside_busy_threads)
{
    expect_spawned(spawn_by_vfork);
}

TEST(posix_spawn_works_beside_busy_threads)
{
    expect_spawned(spawn_by_posix_spawn);
}

TEST(system_works_beside_busy_threads)
{
    expect_spawned(spawn_by_system);
}

TEST(popen_works_beside_busy_threads)
{
    expect_spawned(spawn_by_popen);
}
