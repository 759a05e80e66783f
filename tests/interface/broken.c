/* A malloc with one defect at a time, for selftest.py: BROKEN names it. Without one it is glibc's,
 * with 16 bytes in front of each block, so that it is a heap of its own. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* mallinfo() */

extern void *__libc_malloc(size_t), *__libc_memalign(size_t, size_t), __libc_free(void *);

struct front {
    size_t bytes, offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_over;
static size_t live_bytes;

#ifdef BIG_TLS
__attribute__((tls_model("initial-exec"))) __thread char big_tls[100000];
#endif

static bool broken(const char *defect)
{
    const char *chosen = getenv("BROKEN");

    return chosen != NULL && strcmp(chosen, defect) == 0;
}

static bool is_locking(void)
{
    return broken("fork handlers hold the lock") || broken("children inherit the lock");
}

static void take_lock(void)
{
    if (is_locking())
        pthread_mutex_lock(&lock);
}

static void drop_lock(void)
{
    if (is_locking())
        pthread_mutex_unlock(&lock);
}

static struct front *front_of(void *block)
{
    return (struct front *)block - 1;
}

static void *no_memory(void)
{
    if (!broken("failure keeps errno"))
        errno = ENOMEM;
    return NULL;
}

static void *make(size_t alignment, size_t bytes)
{
    size_t offset = alignment < 16 ? 16 : alignment;
    char *place;

#ifdef BIG_TLS
    big_tls[bytes % sizeof big_tls] = 1;
#endif
    if (bytes > PTRDIFF_MAX / 2 || offset > PTRDIFF_MAX / 2)
        return no_memory();
    take_lock();
    place = __libc_memalign(offset, offset + bytes);
    drop_lock();
    if (place == NULL)
        return no_memory();
    if (broken("blocks are aligned to 8") && offset == 16)
        offset -= 8;
    *front_of(place + offset) = (struct front){bytes, offset};
    __atomic_add_fetch(&live_bytes, bytes, __ATOMIC_RELAXED);
    return place + offset;
}

static void end(void *block)
{
    struct front front = *front_of(block);

    __atomic_sub_fetch(&live_bytes, front.bytes, __ATOMIC_RELAXED);
    take_lock();
    __libc_free((char *)block - front.offset);
    drop_lock();
}

static void *make_some_twice(size_t bytes)
{
    static __thread char *last;
    static __thread unsigned count;

    if (++count % 1000 != 0 || last == NULL || front_of(last)->bytes < bytes)
        last = make(16, bytes);
    return last;
}

void *malloc(size_t bytes)
{
    static struct front shared[2]; /* the first says that free() has nothing to do */

    if (bytes == 0 && broken("empty blocks are one"))
        return &shared[1];
    return broken("blocks are handed out twice") ? make_some_twice(bytes) : make(16, bytes);
}

void free(void *block)
{
    if (is_over && broken("the end is final"))
        abort();
    if (broken("free changes errno"))
        errno = EINVAL;
    if (broken("threads leak") && gettid() != getpid())
        return;
    if (block != NULL && front_of(block)->offset != 0)
        end(block);
}

void *calloc(size_t count, size_t each)
{
    size_t bytes;
    bool wrapped = __builtin_mul_overflow(count, each, &bytes);

    if (wrapped && !broken("calloc wraps"))
        return no_memory();
    void *block = malloc(bytes);

    if (block != NULL && !broken("calloc is dirty"))
        memset(block, 0, bytes);
    return block;
}

void *realloc(void *block, size_t bytes)
{
    if (block == NULL)
        return malloc(bytes);
    if (bytes == 0) {
        if (!broken("realloc to nothing leaks"))
            free(block);
        return broken("realloc to nothing returns a block") ? malloc(1) : NULL;
    }
    char *next = malloc(bytes);
    size_t kept = front_of(block)->bytes < bytes ? front_of(block)->bytes : bytes;

    if (next == NULL) {
        if (broken("a failing realloc harms the block"))
            memset(block, 0, kept);
        return NULL;
    }
    memcpy(next, block, kept - (broken("realloc forgets the last byte") && kept > 1));
    free(block);
    return next;
}

void *reallocarray(void *block, size_t count, size_t each)
{
    size_t bytes;

    return __builtin_mul_overflow(count, each, &bytes) ? no_memory() : realloc(block, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
    size_t power = 16;

    if (alignment > SIZE_MAX / 2 + 1 || broken("memalign does not round")) {
        errno = EINVAL;
        return (alignment & (alignment - 1)) == 0 ? make(alignment, bytes) : NULL;
    }
    while (power < alignment)
        power *= 2;
    return make(power, bytes);
}

static bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    bool is_multiple = !broken("aligned_alloc wants multiples") || bytes % alignment == 0;

    if (is_power_of_two(alignment) && is_multiple)
        return make(alignment, bytes);
    errno = EINVAL;
    return NULL;
}

int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    int saved = errno;
    bool is_valid = is_power_of_two(alignment) && alignment % sizeof(void *) == 0;
    void *made = NULL;

    if (is_valid || broken("posix_memalign takes 4"))
        made = make(alignment, bytes);
    errno = saved;
    if (made != NULL || broken("posix_memalign clobbers the pointer"))
        *block = made;
    return made != NULL ? 0 : is_valid ? ENOMEM : EINVAL;
}

void *valloc(size_t bytes)
{
    return make(broken("valloc is not aligned") ? 16 : 4096, bytes);
}

void *pvalloc(size_t bytes)
{
    size_t pages = bytes / 4096 + (bytes % 4096 != 0 || bytes == 0);

    return make(4096, broken("pvalloc does not round") ? bytes : pages * 4096);
}

size_t malloc_usable_size(void *block)
{
    if (block == NULL)
        return 0;
    return front_of(block)->bytes + (broken("usable size is too large") ? 100 : 0);
}

struct mallinfo2 mallinfo2(void)
{
    struct mallinfo2 info = {.arena = live_bytes, .uordblks = live_bytes};

    if (broken("mallinfo is zero"))
        memset(&info, 0, sizeof info);
    return info;
}

int mallopt(int parameter, int value)
{
    (void)parameter;
    (void)value;
    return !broken("mallopt refuses");
}

int malloc_info(int options, FILE *stream)
{
    if (options != 0 && !broken("malloc_info takes options"))
        return EINVAL;
    fprintf(stream, "<malloc version=\"1\"><live>%zu</live>%s\n", live_bytes,
            broken("malloc_info is no XML") ? "" : "</malloc>");
    return 0;
}

void malloc_stats(void)
{
    fprintf(broken("malloc_stats goes to stdout") ? stdout : stderr, "live %zu\n", live_bytes);
}

void *operator_new(size_t bytes) __asm__("_Znwm");
void *operator_new(size_t bytes)
{
    return malloc(bytes); /* which throws nothing */
}

#ifdef INTERPOSE_DLOPEN
/* The loader then takes this library for the caller. */
void *dlopen(const char *name, int flags)
{
    static void *(*next)(const char *, int);
    void *volatile handle;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    handle = next(name, flags);
    return handle;
}
#endif

static void lock_for_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void unlock_after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void start(void)
{
    /* As if options counted for everybody. */
    if (getenv("SPANGUARD_OPTIONS") != NULL)
        fprintf(stderr, "spanguard[%d]: unknown option 'bogus'\n", (int)getpid());
    if (broken("fork handlers hold the lock"))
        pthread_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork);
}

__attribute__((destructor)) static void finish(void)
{
    is_over = true;
}
