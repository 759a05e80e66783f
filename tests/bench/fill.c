/* What is resident while a process holds and after it freed blocks of 16 to 4,096 bytes, all
 * written to. One line: KiB when filled, the most during a churn that replaces as many blocks as
 * there are, and after all are freed. The table of blocks never comes from the heap under test.
 *
 *     fill BYTES */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "which_malloc.h"

enum {
    SMALLEST_LOG2 = 4,
    DOUBLINGS = 8,
    MOST_BLOCKS = 1 << 22,
    CHURN_SAMPLES = 8,
    STRIDE = 7919, /* prime: a walk with it meets every block, and neighbours far apart */
};

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* As many blocks between 16 and 32 bytes as between 2,048 and 4,096. */
static size_t next_size(void)
{
    size_t low = (size_t)1 << (SMALLEST_LOG2 + next_random() % DOUBLINGS);

    return low + next_random() % low;
}

static long resident_kib(void)
{
    char text[4096];
    int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    const char *found;

    if (length <= 0)
        exit(2);
    close(file);
    text[length] = '\0';
    found = strstr(text, "\nRss:");
    return found == NULL ? -1 : atol(found + strlen("\nRss:"));
}

static char *new_block(size_t bytes)
{
    char *block = malloc(bytes);

    if (block == NULL)
        exit(3);
    memset(block, 1, bytes);
    __asm__ volatile("" : : "r"(block) : "memory");
    return block;
}

static size_t fill(char **blocks, size_t bytes)
{
    size_t held = 0, count = 0;

    while (held < bytes && count < MOST_BLOCKS) {
        size_t size = next_size();

        blocks[count++] = new_block(size);
        held += size;
    }
    return count;
}

static long churn(char **blocks, size_t count)
{
    long most = 0;

    for (int sample = 0; sample < CHURN_SAMPLES; sample++) {
        for (size_t i = 0; i < count / CHURN_SAMPLES; i++) {
            size_t victim = next_random() % count;

            free(blocks[victim]);
            blocks[victim] = new_block(next_size());
        }
        long now = resident_kib();

        most = now > most ? now : most;
    }
    return most;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;

    char **blocks = mmap(NULL, MOST_BLOCKS * sizeof *blocks, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (blocks == MAP_FAILED)
        return 2;

    size_t count = fill(blocks, strtoul(argv[1], NULL, 10));
    long filled = resident_kib();
    long most = churn(blocks, count);
    size_t place = 0;

    for (size_t i = 0; i < count; i++) {
        free(blocks[place]);
        blocks[place] = NULL;
        place = (place + STRIDE) % count;
    }
    printf("# malloc from %s\n%ld\t%ld\t%ld\n", which_malloc(), filled,
           most > filled ? most : filled, resident_kib());
    return 0;
}
