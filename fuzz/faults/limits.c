/* Real limits, with the library preloaded that is shipped: no address space any more (RLIMIT_AS),
 * and no mapping any more (vm.max_map_count, reached by mappings of this process alone).
 *
 *   PROGRAM LIBRARY    runs each case in a process of its own; prints TAP
 *
 * Whatever is refused is refused with NULL and ENOMEM, the blocks there are keep their contents,
 * and as soon as there is room again everything is to be had. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS_MAX 200000u
#define ROOM_BYTES ((size_t)192 << 20) /* beyond what is mapped at the start */
#define SECONDS_MAX 100u
#define OS_PAGE 4096u

static struct {
    unsigned char *address;
    size_t bytes;
} * blocks; /* not from malloc */

static size_t block_count;
static const char *failed;

static bool expect(bool condition, const char *what)
{
    if (!condition && failed == NULL)
        failed = what;
    return condition;
}

static unsigned char mark_of(size_t index)
{
    return (unsigned char)(index * 37 + 11);
}

/* False: refused, as it should be. */
static bool take(size_t bytes)
{
    errno = 0;
    unsigned char *block = block_count % 3 == 0 ? calloc(1, bytes) : malloc(bytes);

    if (block == NULL) {
        expect(errno == ENOMEM, "refused without ENOMEM");
        return false;
    }
    if (block_count % 3 == 0)
        expect(block[0] == 0 && block[bytes / 2] == 0 && block[bytes - 1] == 0,
               "calloc is not zero");
    block[0] = block[bytes / 2] = block[bytes - 1] = mark_of(block_count);
    blocks[block_count].address = block;
    blocks[block_count++].bytes = bytes;
    return true;
}

static bool is_whole(size_t index)
{
    const unsigned char *block = blocks[index].address;
    size_t bytes = blocks[index].bytes;

    return block == NULL || (block[0] == mark_of(index) && block[bytes / 2] == mark_of(index) &&
                             block[bytes - 1] == mark_of(index));
}

/* Everything that can be asked of a heap that has nothing left. */
static void use_what_there_is(void)
{
    void *aligned = NULL;

    for (size_t i = 0; i < block_count; i++)
        expect(is_whole(i), "contents changed");
    for (size_t i = 0; i < block_count && i < 64; i++) {
        unsigned char *old = blocks[i].address;

        errno = 0;
        unsigned char *grown = realloc(old, blocks[i].bytes + ((size_t)1 << 40));
        expect(grown == NULL && errno == ENOMEM, "an impossible realloc");
        expect(is_whole(i), "a failed realloc changed the block");
    }
    errno = 0;
    int status = posix_memalign(&aligned, 4096, (size_t)1 << 40);
    expect(status == ENOMEM && aligned == NULL && errno == 0, "an impossible posix_memalign");
    expect(aligned_alloc(64, (size_t)1 << 41) == NULL && errno == ENOMEM, "aligned_alloc");
}

static void free_some(size_t from, size_t step)
{
    for (size_t i = from; i < block_count; i += step) {
        expect(is_whole(i), "contents changed");
        errno = 4711;
        free(blocks[i].address);
        expect(errno == 4711, "free changed errno");
        blocks[i].address = NULL;
    }
}

/* From the largest that must be there again to the least: sizes of each tier. */
static const size_t sizes[] = {(size_t)3 << 20, 300000, 40000, 3000, 200, 16};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static bool was_freed(size_t bytes)
{
    for (size_t i = 0; i < block_count; i += 2)
        if (blocks[i].bytes == bytes)
            return true;
    return false;
}

/* Half of all is free: in holes that no larger block fits. Then all of it. */
static void recover(void)
{
    free_some(0, 2);
    for (size_t i = 1; i < SIZES; i++) {
        if (!was_freed(sizes[i]))
            continue; /* where classes are isolated it has no addresses */
        unsigned char *block = malloc(sizes[i]);

        if (!expect(block != NULL, "refused although half of all was freed"))
            return;
        memset(block, 1, sizes[i]);
        block = realloc(block, sizes[i] - 1);
        expect(block != NULL && block[sizes[i] - 2] == 1, "realloc after the limit");
        free(block);
    }
    free_some(1, 2);
    malloc_trim(0);
    void *last = malloc((size_t)16 << 20);
    expect(last != NULL, "refused although all was freed");
    free(last);
}

static size_t address_space_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%zu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * OS_PAGE;
}

/* Sizes of each tier, the larger ones first to be refused. */
static void exhaust(size_t bytes)
{
    while (block_count < BLOCKS_MAX && failed == NULL && take(bytes))
        continue;
}

static void limit_address_space(void)
{
    rlim_t bytes = address_space_bytes() + ROOM_BYTES;
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};

    expect(setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit");
    for (size_t i = 0; i < SIZES; i++) {
        exhaust(sizes[i]);
        expect(block_count < BLOCKS_MAX, "the limit was never reached");
        use_what_there_is();
    }
    recover();
}

/* Pages with and without access in turn cannot be joined by the kernel: each is a mapping. Leaves
 * `left` mappings; returns what was mapped. */
static char *spend_mappings(size_t left, size_t *ret_bytes)
{
    size_t bytes = (size_t)160000 * OS_PAGE;
    char *area = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *ret_bytes = bytes;
    if (!expect(area != MAP_FAILED, "mmap"))
        return NULL;
    size_t page = 1;
    while (page < bytes / OS_PAGE && mprotect(area + page * OS_PAGE, OS_PAGE, PROT_READ) == 0)
        page += 2;
    if (!expect(page < bytes / OS_PAGE && errno == ENOMEM, "vm.max_map_count was never reached"))
        return NULL;
    /* Two mappings come back for each page that is as its neighbours again. */
    for (size_t i = 0; i < left / 2; i++) {
        page -= 2;
        expect(mprotect(area + page * OS_PAGE, OS_PAGE, PROT_NONE) == 0, "mprotect");
    }
    return area;
}

static void mix(size_t count)
{
    static const size_t mixed[] = {24, 300000, 5000, 0x100000, 200, 700000, 60000};

    for (size_t i = 0; i < count && block_count < BLOCKS_MAX && failed == NULL; i++) {
        (void)!take(mixed[i % 7]);
        if (i % 3 == 2 && block_count > 1 && blocks[block_count - 2].address != NULL) {
            expect(is_whole(block_count - 2), "contents changed");
            free(blocks[block_count - 2].address);
            blocks[block_count - 2].address = NULL;
        }
    }
}

/* The heap is at work when the last mapping goes, with `left` and with none. */
static void limit_mappings_to(size_t left)
{
    size_t bytes;

    mix(300);
    char *area = spend_mappings(left, &bytes);
    if (area == NULL)
        return;
    mix(1500);
    use_what_there_is();
    for (size_t i = 0; i < block_count; i += 2) { /* frees, which close and open, at the limit */
        expect(is_whole(i), "contents changed");
        free(blocks[i].address);
        blocks[i].address = NULL;
    }
    mix(300);
    expect(munmap(area, bytes) == 0, "munmap");
    recover();
}

static void limit_mappings(void)
{
    limit_mappings_to(0);
}

static void limit_mappings_nearly(void)
{
    limit_mappings_to(40);
}

struct limit_case {
    const char *name;
    const char *options;
    void (*run)(void);
};

static const struct limit_case cases[] = {
    {"RLIMIT_AS, fast", "profile=fast", limit_address_space},
    {"RLIMIT_AS, hardened", "profile=hardened", limit_address_space},
    {"RLIMIT_AS, strict", "profile=strict", limit_address_space},
    {"RLIMIT_AS, guarded", "pool=guarded", limit_address_space},
    {"no mappings, hardened", "profile=hardened", limit_mappings},
    {"no mappings, guards by mprotect, fast", "profile=fast:guard_madvise=0", limit_mappings},
    {"no mappings, guards by mprotect, hardened", "profile=hardened:guard_madvise=0",
     limit_mappings},
    {"no mappings, guards by mprotect, strict", "profile=strict:guard_madvise=0", limit_mappings},
    {"40 mappings, guards by mprotect, hardened", "profile=hardened:guard_madvise=0",
     limit_mappings_nearly},
    {"40 mappings, guards by mprotect, guarded", "pool=guarded:guard_madvise=0",
     limit_mappings_nearly},
    {"40 mappings, guards by mprotect without a bound",
     "profile=strict:guard_madvise=0:guard_budget=1000000", limit_mappings_nearly},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* Of the library's own interface; glibc has none. */
extern const char *spanguard_version(void) __attribute__((weak));

static int run_case(size_t number)
{
    expect(spanguard_version != NULL, "the library is not there");
    alarm(SECONDS_MAX);
    blocks = mmap(NULL, BLOCKS_MAX * sizeof(*blocks), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (blocks == MAP_FAILED)
        return 2;
    cases[number].run();
    if (failed != NULL)
        fprintf(stderr, "# %s: %s, %zu blocks\n", cases[number].name, failed, block_count);
    return failed != NULL;
}

static bool start_case(size_t number, const char *program, const char *library)
{
    char text[16];
    int status = -1;
    pid_t child = fork();

    snprintf(text, sizeof(text), "%zu", number);
    if (child == 0) {
        setenv("LD_PRELOAD", library, 1);
        setenv("SPANGUARD_OPTIONS", cases[number].options, 1);
        execl(program, program, "--case", text, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (status != 0)
        printf("# wait status %d\n", status);
    return status == 0;
}

int main(int count, char **arguments)
{
    size_t failures = 0;

    if (count == 3 && strcmp(arguments[1], "--case") == 0)
        return run_case(strtoul(arguments[2], NULL, 10) % CASES);
    if (count != 2) {
        fprintf(stderr, "usage: %s LIBRARY\n", arguments[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < CASES; i++) {
        bool passed = start_case(i, arguments[0], arguments[1]);

        failures += !passed;
        printf("%s %zu - %s\n", passed ? "ok" : "not ok", i + 1, cases[i].name);
    }
    printf("1..%zu\n", CASES);
    return failures != 0;
}
