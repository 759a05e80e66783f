/* Memory to the last byte under RLIMIT_AS, which the runner has set: until NULL and ENOMEM, then
 * everything back, then again.
 *
 *     rlimit_as SIZE...      sizes in bytes, tried in turn in one process */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "resident.h"
#include "tap.h"

enum { SHARE_PERCENT = 80, LEAST_PERCENT_OF_LIMIT = 25 };

static const size_t most_blocks = 200 * 1000 * 1000; /* no limit of ours holds that many */

/* The blocks themselves are the list, so that keeping them needs no memory. */
struct block {
    struct block *next;
};

static struct block *take_until_null(size_t bytes, size_t *ret_count, int *ret_error)
{
    struct block *list = NULL;
    size_t count = 0;

    errno = 0;
    while (count < most_blocks) {
        struct block *block = malloc(bytes);

        if (block == NULL)
            break;
        block->next = list;
        list = block;
        count++;
    }
    *ret_error = errno;
    *ret_count = count;
    return list;
}

static void give_all(struct block *list)
{
    while (list != NULL) {
        struct block *next = list->next;

        free(list);
        list = next;
    }
}

static void check_size(size_t bytes, size_t limit)
{
    size_t first, second;
    int first_error, second_error;

    give_all(take_until_null(bytes, &first, &first_error));
    give_all(take_until_null(bytes, &second, &second_error));

    tap_ok(first_error == ENOMEM && second_error == ENOMEM,
           "blocks of %zu bytes end in NULL and ENOMEM", bytes);
    tap_ok(first * bytes >= limit / 100 * LEAST_PERCENT_OF_LIMIT,
           "blocks of %zu bytes get at least a quarter of the limit", bytes);
    tap_ok(second * 100 >= first * SHARE_PERCENT,
           "after freeing all, blocks of %zu bytes get at least four fifths of it again", bytes);
    tap_note("%zu bytes: %zu MiB, then %zu MiB, of %zu MiB", bytes, first * bytes / MIB,
             second * bytes / MIB, limit / MIB);
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    tap_begin();
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 2;
    for (int i = 1; i < argc; i++)
        check_size(strtoull(argv[i], NULL, 10), limit.rlim_cur);
    return tap_finish();
}
