/* The hit counter of an entry that was just dropped from the cache. */
#include "sample.h"
#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct entry *next;
    long hits;
    char key[48];
};

static NOINLINE struct entry *cache_add(void)
{
    struct entry *entry = (struct entry *)opaque(calloc(1, sizeof(*entry))); /* ALLOC */

    entry->hits = 1;
    return entry;
}

static NOINLINE void cache_drop(struct entry *entry)
{
    free(opaque(entry)); /* FREE */
    forget();
}

static NOINLINE void cache_hit(struct entry *entry)
{
    entry->hits = 0x4142; /* BUG */
}

int main(void)
{
    struct entry *entry = cache_add();

    if (IS_FIXED)
        cache_hit(entry);
    cache_drop(entry);
    if (!IS_FIXED)
        cache_hit((struct entry *)opaque(entry));
    printf("done\n");
    return 0;
}
