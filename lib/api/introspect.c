/* What the heap says about itself, through the interfaces that glibc gives programs. */
#include "pool.h"
#include "report.h"
#include "system_pool.h"

#include "format.h"
#include "os_file.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

/* Gives back all free memory but `keep_bytes`; 1 if any went. Other threads keep their caches. */
EXPORT int malloc_trim(size_t keep_bytes)
{
    int saved = errno;
    int trimmed = sg_pool_trim(keep_bytes);

    errno = saved;
    return trimmed;
}

/* glibc's parameters are about its own arenas. They are accepted, so that a program that checks the
 * result goes on, and have no effect. */
EXPORT int mallopt(int parameter, int value)
{
    if (system_pool_serves() && sg_system_pool.call.set != NULL)
        return sg_system_pool.call.set(parameter, value);
    switch (parameter) {
    case M_MXFAST:
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
        return 1;
    default:
        return 0;
    }
}

/* As in glibc, large objects count in hblks and hblkhd only. fsmblks is what thread caches hold, as
 * glibc uses the field for its fast bins. */
EXPORT struct mallinfo2 mallinfo2(void)
{
    struct pool_statistics now;

    if (system_pool_serves() && sg_system_pool.call.statistics != NULL)
        return sg_system_pool.call.statistics();
    sg_pool_statistics(&now);
    return (struct mallinfo2){
        .arena = now.mapped_bytes - now.large_bytes,
        .ordblks = now.free_runs,
        .smblks = now.thread_caches,
        .hblks = now.large_count,
        .hblkhd = now.large_bytes,
        .fsmblks = now.cached_bytes,
        .uordblks = now.live_bytes - now.large_bytes,
        .fordblks = now.mapped_bytes - now.live_bytes,
        .keepcost = now.dirty_bytes,
    };
}

static int clamped(size_t value)
{
    return value > INT_MAX ? INT_MAX : (int)value;
}

EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 wide = mallinfo2();

    return (struct mallinfo){
        .arena = clamped(wide.arena),
        .ordblks = clamped(wide.ordblks),
        .smblks = clamped(wide.smblks),
        .hblks = clamped(wide.hblks),
        .hblkhd = clamped(wide.hblkhd),
        .fsmblks = clamped(wide.fsmblks),
        .uordblks = clamped(wide.uordblks),
        .fordblks = clamped(wide.fordblks),
        .keepcost = clamped(wide.keepcost),
    };
}

struct figure {
    const char *name;
    size_t value;
};

#define FIGURE_COUNT 14

static void collect(struct figure *figures)
{
    struct pool_statistics now;

    sg_pool_statistics(&now);
    const struct figure all[FIGURE_COUNT] = {
        {"mapped_bytes", now.mapped_bytes},     {"metadata_bytes", now.metadata_bytes},
        {"live_bytes", now.live_bytes},         {"large_bytes", now.large_bytes},
        {"large_count", now.large_count},       {"thread_cached_bytes", now.cached_bytes},
        {"central_bytes", now.central_bytes},   {"dirty_bytes", now.dirty_bytes},
        {"clean_bytes", now.clean_bytes},       {"thread_caches", now.thread_caches},
        {"purge_calls", now.purge_calls},       {"guard_bytes", now.guard_bytes},
        {"guard_mappings", now.guard_mappings}, {"guards_refused", now.guards_refused},
    };
    __builtin_memcpy(figures, all, sizeof(all));
}

/* XML on a stream, as glibc's; the elements are ours. */
EXPORT int malloc_info(int options, FILE *stream)
{
    struct figure figures[FIGURE_COUNT];

    if (system_pool_serves() && sg_system_pool.call.describe != NULL)
        return sg_system_pool.call.describe(options, stream);
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    collect(figures);
    fprintf(stream, "<malloc version=\"spanguard-1\">\n");
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        fprintf(stream, "<%s>%zu</%s>\n", figures[i].name, figures[i].value, figures[i].name);
    fprintf(stream, "</malloc>\n");
    return ferror(stream) ? -1 : 0;
}

EXPORT void malloc_stats(void)
{
    struct figure figures[FIGURE_COUNT];
    char buffer[1024];
    struct text text = sg_text_begin(buffer, sizeof(buffer));

    if (system_pool_serves() && sg_system_pool.call.print != NULL) {
        sg_system_pool.call.print();
        return;
    }
    collect(figures);
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        sg_text_string(&text, "spanguard: ");
        sg_text_string(&text, figures[i].name);
        sg_text_string(&text, " = ");
        sg_text_decimal(&text, figures[i].value);
        sg_text_string(&text, "\n");
    }
    sg_os_write(OS_STDERR, text.bytes, text.length);
}
