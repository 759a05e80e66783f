/* What a debug heap is slowed down by: programs that do little but allocate. Says how many seconds
 * of the process's own time the work took.
 *     debug_cost churn|tree|strings|threads|pages COUNT */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define CHURN_LIVE 2000
#define TREE_LIVE 20000
#define STRINGS_LIVE 5000
#define THREADS 2

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

static void *need(void *block)
{
    if (block == NULL)
        exit(3);
    return block;
}

/* Blocks of 16 to 216 bytes; a random one is replaced. */
static __attribute__((noinline)) void churn_from(uint64_t seed, long count)
{
    static __thread char *live[CHURN_LIVE];

    for (long i = 0; i < count; i++) {
        uint64_t random = next_random(&seed);
        char **place = &live[random % CHURN_LIVE];

        free(*place);
        *place = need(malloc(16 + random / CHURN_LIVE % 201));
        (*place)[0] = (char)random;
    }
    for (long i = 0; i < CHURN_LIVE; i++)
        free(live[i]);
}

static void churn(long count)
{
    churn_from(88172645463325252u, count);
}

static void *churn_thread(void *count)
{
    churn_from((uintptr_t)&count, *(long *)count / THREADS);
    return NULL;
}

static void churn_threads(long count)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, churn_thread, &count) != 0)
            exit(3);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

/* A treap, as std::map is used: a node for each key, inserted and erased. */
struct node {
    uint64_t key, weight;
    struct node *left, *right;
    char payload[16];
};

static void split(struct node *tree, uint64_t key, struct node **ret_low, struct node **ret_high)
{
    while (tree != NULL)
        if (tree->key < key) {
            *ret_low = tree;
            ret_low = &tree->right;
            tree = tree->right;
        } else {
            *ret_high = tree;
            ret_high = &tree->left;
            tree = tree->left;
        }
    *ret_low = *ret_high = NULL;
}

static struct node **find(struct node **place, uint64_t key, uint64_t weight)
{
    while (*place != NULL && (*place)->key != key && (*place)->weight >= weight)
        place = key < (*place)->key ? &(*place)->left : &(*place)->right;
    return place;
}

static void insert(struct node **root, uint64_t key, uint64_t weight)
{
    struct node *fresh, **place = find(root, key, 0);

    if (*place != NULL)
        return;
    place = find(root, key, weight);
    fresh = need(malloc(sizeof(*fresh)));
    *fresh = (struct node){.key = key, .weight = weight};
    split(*place, key, &fresh->left, &fresh->right);
    *place = fresh;
}

static void erase(struct node **root, uint64_t key)
{
    struct node *gone, *left, *right, **place = find(root, key, 0);

    gone = *place;
    if (gone == NULL)
        return;
    left = gone->left;
    right = gone->right;
    free(gone);
    while (left != NULL && right != NULL)
        if (left->weight > right->weight) {
            *place = left;
            place = &left->right;
            left = left->right;
        } else {
            *place = right;
            place = &right->left;
            right = right->left;
        }
    *place = left != NULL ? left : right;
}

static void tree(long count)
{
    uint64_t inserts = 88172645463325252u, erases = inserts;
    struct node *root = NULL;

    for (long i = 0; i < count; i++) {
        uint64_t key = next_random(&inserts);

        insert(&root, key, key * 0x9e3779b97f4a7c15u >> 1);
        if (i >= TREE_LIVE)
            erase(&root, next_random(&erases));
    }
}

/* Each is made, appended to with realloc until it has its length, kept for a while. */
static void strings(long count)
{
    static char *live[STRINGS_LIVE];
    uint64_t seed = 88172645463325252u;

    for (long i = 0; i < count; i++) {
        uint64_t random = next_random(&seed);
        size_t length = 8 + random / STRINGS_LIVE % 120, room = 16;
        char *text = need(malloc(16));

        for (; room < length; room *= 2)
            text = need(realloc(text, room * 2));
        memset(text, 'a', length - 1);
        text[length - 1] = '\0';
        free(live[random % STRINGS_LIVE]);
        live[random % STRINGS_LIVE] = text;
    }
    for (long i = 0; i < STRINGS_LIVE; i++)
        free(live[i]);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif
#define PAGE_BYTES 4096

/* What the kernel alone takes for a churn of blocks of which each has a page to itself that is
 * closed when the block is freed. */
static void pages(long count)
{
    size_t places = 2 * CHURN_LIVE, bytes = places * 2 * PAGE_BYTES;
    char *arena = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (arena == MAP_FAILED || madvise(arena, bytes, MADV_GUARD_INSTALL) != 0)
        exit(4);
    for (long i = 0; i < count; i++) {
        char *fresh = arena + (size_t)i % places * 2 * PAGE_BYTES;
        char *old = arena + ((size_t)i + CHURN_LIVE) % places * 2 * PAGE_BYTES;

        if (madvise(old, PAGE_BYTES, MADV_GUARD_INSTALL) != 0 ||
            madvise(fresh, PAGE_BYTES, MADV_GUARD_REMOVE) != 0)
            exit(4);
        *fresh = 1;
    }
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(long count);
    } shapes[] = {{"churn", churn},
                  {"tree", tree},
                  {"strings", strings},
                  {"threads", churn_threads},
                  {"pages", pages}};
    double begin = seconds();

    for (size_t i = 0; argc == 3 && i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (strcmp(argv[1], shapes[i].name) == 0) {
            shapes[i].run(atol(argv[2]));
            printf("%.4f\n", seconds() - begin);
            return 0;
        }
    fputs("usage: debug_cost churn|tree|strings|threads|pages COUNT\n", stderr);
    return 2;
}
