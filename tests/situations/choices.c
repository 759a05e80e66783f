/* What an option of the debug library changes. */
#include "bug.h"

#include <stdio.h>

static void overflow_freed(void)
{
    overflow_and_free();
    say("on\n");
}

static char *volatile kept;

static void overflow_kept(void)
{
    kept = damaged_block();
    for (size_t i = 0; i < 20; i++)
        free(malloc(opaque(i)));
    say("on\n");
    _exit(0);
}

static void overflow_left(void)
{
    kept = damaged_block();
    say("on\n");
}

static void overflow_signalled(void)
{
    kept = damaged_block();
    raise(SIGUSR1);
    say("on\n");
    _exit(0);
}

/* Deep enough that no word on the stack in use points to the block any more. */
static __attribute__((noinline)) void lose(size_t depth)
{
    volatile char frame[256];

    frame[0] = 1;
    if (depth > 0)
        lose(depth - 1);
    else
        memset(malloc(opaque(777)), 1, 777);
    (void)frame[0];
}

static void leak_signalled(void)
{
    lose(20);
    raise(SIGUSR2);
    say("on\n");
    _exit(0);
}

static void ask_for_two_mebibytes(void)
{
    void *block = malloc(opaque(2 << 20));

    say(block != NULL ? "memory\n" : errno == ENOMEM ? "ENOMEM\n" : "no errno\n");
    free(block);
}

static void write_40_past_the_end(void)
{
    volatile char *block = malloc(opaque(16));

    block[opaque(16 + 40)] = 'x';
    free((void *)block);
}

static void say_byte(volatile unsigned char byte)
{
    char line[16];

    snprintf(line, sizeof line, "%d\n", byte);
    say(line);
}

static void look_at_fresh_bytes(void)
{
    unsigned char *block = malloc(opaque(100));

    say_byte(block[opaque(50)]);
    free(block);
}

static void look_at_freed_bytes(void)
{
    unsigned char *volatile block = malloc(opaque(100));

    free(block);
    say_byte(block[opaque(50)]);
}

static long resident_mebibytes(void)
{
    long total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    require(file != NULL && fscanf(file, "%ld %ld", &total, &pages) == 2, "no statm\n");
    fclose(file);
    return pages >> 8;
}

/* The quarantine is full of small blocks when the long ones come, 190 MiB of them. */
static void free_small_and_long_blocks(void)
{
    for (int i = 0; i < 200000; i++)
        free(malloc(opaque(16)));
    long before = resident_mebibytes();
    for (int i = 0; i < 1000; i++)
        free(malloc(opaque(200000)));
    say(resident_mebibytes() - before < 64 ? "bounded\n" : "not bounded\n");
}

/* The byte that the option fills with cannot be told from nothing. */
static void write_17_after_free(void)
{
    unsigned char *volatile block = malloc(opaque(100));

    free(block);
    block[opaque(50)] = 17;
}

static void write_before(void)
{
    volatile char *block = malloc(opaque(100));

    block[-opaque(1)] = 'x';
    say("on\n");
    _exit(0);
}

static void write_behind(void)
{
    volatile char *block = malloc(opaque(13));

    block[opaque(13)] = 'x';
    say("on\n");
    _exit(0);
}

/* With what freed memory looks like in a register. */
static void write_to_null(void)
{
    volatile uint64_t *volatile null = NULL;

    *null = opaque(0xd7d7d7d7d7d7d7d7);
}

const struct body choices[] = {
    {"write_to_null", write_to_null},
    {"overflow_freed", overflow_freed},
    {"overflow_kept", overflow_kept},
    {"overflow_left", overflow_left},
    {"overflow_signalled", overflow_signalled},
    {"leak_signalled", leak_signalled},
    {"ask_for_two_mebibytes", ask_for_two_mebibytes},
    {"write_40_past_the_end", write_40_past_the_end},
    {"look_at_fresh_bytes", look_at_fresh_bytes},
    {"look_at_freed_bytes", look_at_freed_bytes},
    {"free_small_and_long_blocks", free_small_and_long_blocks},
    {"write_17_after_free", write_17_after_free},
    {"write_before", write_before},
    {"write_behind", write_behind},
    {NULL, NULL},
};
