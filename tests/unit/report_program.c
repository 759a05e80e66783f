/* Frees a block twice, from a function whose place report_places.py knows by its name. With an
 * argument, from another one; with "closed", without a stderr. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void first_place(void *block);
void second_place(void *block);

__attribute__((noinline)) void first_place(void *block)
{
    free(block);
    __asm__ volatile("" ::: "memory"); /* no tail call: the frame is still there */
}

__attribute__((noinline)) void second_place(void *block)
{
    free(block);
    __asm__ volatile("" ::: "memory");
}

int main(int count, char **arguments)
{
    void *block = malloc(100);

    if (count > 1 && strcmp(arguments[1], "closed") == 0)
        close(STDERR_FILENO);
    free(block);
    if (count > 1)
        second_place(block);
    else
        first_place(block);
    return 0;
}
