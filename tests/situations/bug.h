/* The mistakes that the situations make, and how they speak without the allocator. */
#ifndef SG_SITUATIONS_BUG_H
#define SG_SITUATIONS_BUG_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A value whose origin the compiler may not use. */
static inline size_t opaque(size_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

static inline void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(97);
}

static inline void require(bool held, const char *what)
{
    if (held)
        return;
    say(what);
    _exit(96);
}

/* A block of 24 bytes, written one byte past its end. */
static inline char *damaged_block(void)
{
    char *block = malloc(opaque(24));

    require(block != NULL, "no memory\n");
    ((volatile char *)block)[opaque(24)] = 'x';
    return block;
}

static inline void overflow_and_free(void)
{
    free(damaged_block());
}

/* As a shell says it. */
static inline int ending_of(pid_t child)
{
    int status = -1;

    if (waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct body {
    const char *name;
    void (*run)(void);
};

extern const struct body surroundings[], choices[], meanwhile[], rare[];

#endif
