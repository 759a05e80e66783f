/* usage: forks MEBIBYTES COUNT
 *
 * Allocates and frees so many bytes, touched, in blocks of 4 KiB; then prints the microseconds that a
 * fork, a child that allocates once and its end take: the mean of COUNT. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 4096u

static double microseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void use_heap(size_t blocks)
{
    for (size_t i = 0; i < blocks; i++) {
        volatile char *block = malloc(BLOCK_BYTES);

        for (size_t byte = 0; block != NULL && byte < BLOCK_BYTES; byte += 1024)
            block[byte] = 1;
        free((void *)block);
    }
}

static int fork_once(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        use_heap(1);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

int main(int argc, char **argv)
{
    size_t blocks = argc == 3 ? ((size_t)atoi(argv[1]) << 20) / BLOCK_BYTES : 0;
    int count = argc == 3 ? atoi(argv[2]) : 0;
    double start;

    if (count <= 0)
        return 2;
    use_heap(blocks);
    start = microseconds();
    for (int i = 0; i < count; i++)
        if (fork_once() != 0)
            return 1;
    printf("%.1f\n", (microseconds() - start) / count);
    return 0;
}
