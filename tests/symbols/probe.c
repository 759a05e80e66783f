#include "probe.h"

#include "symbols.h"
#include "unwind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROBE __attribute__((visibility("default")))
#define PATIENCE_MS 5000

static struct bug bug;

/* Stands for lib/bug's. */
const char *sg_bug_keep(struct bug *to, const char *bytes, size_t length)
{
    char *kept = to->strings + to->string_bytes;

    if (length + 1 > BUG_STRING_BYTES - to->string_bytes)
        return "";
    memcpy(kept, bytes, length);
    kept[length] = '\0';
    to->string_bytes += (uint32_t)length + 1;
    return kept;
}

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned patience(void)
{
    const char *text = getenv("PROBE_MS");

    return text == NULL ? PATIENCE_MS : (unsigned)atoi(text);
}

static const char *or_dash(const char *text)
{
    return text == NULL ? "-" : text;
}

/* Fields between tabs, for run.py. */
static void print_stack(const char *name, const struct bug_stack *stack)
{
    for (uint32_t i = 0; i < stack->count; i++) {
        const struct bug_frame *frame = &stack->frames[i];
        const struct bug_module *module =
            frame->module == BUG_NO_MODULE ? NULL : &bug.modules[frame->module];

        printf("%s\t%d\t%s\t%s\t%u\t%u\t%s\t%s\t%#llx\t%s\n", name, frame->is_inlined,
               or_dash(frame->function), or_dash(frame->file), frame->line, frame->column,
               or_dash(frame->source), module == NULL ? "-" : module->path,
               (unsigned long long)frame->offset, module == NULL ? "-" : module->build_id);
    }
}

static void find_and_print(void)
{
    long start = now_ms();
    bool found = sg_symbols_find(&bug, patience());

    printf("found\t%d\t%ld\t%u\n", found, now_ms() - start, bug.string_bytes);
    print_stack("at", &bug.at);
    print_stack("made", &bug.block.made.stack);
    for (uint32_t i = 0; i < bug.leak_count; i++)
        print_stack("leak", &bug.leaks[i].stack);
    if (bug.place_name != NULL)
        printf("place\t%s\n", bug.place_name);
    fflush(stdout);
}

static void add(struct bug_stack *stack, const void *context)
{
    uintptr_t frames[DEPOT_FRAMES_MAX];
    size_t count = sg_unwind(frames, DEPOT_FRAMES_MAX, context);
    struct depot_stack calls = {.count = (uint32_t)count, .frames = frames};

    sg_bug_add_stack(&bug, stack, calls, context != NULL);
}

PROBE void probe_stack(void)
{
    memset(&bug, 0, sizeof(bug));
    add(&bug.at, NULL);
    find_and_print();
}

PROBE void probe_context(const void *context)
{
    memset(&bug, 0, sizeof(bug));
    add(&bug.at, context);
    find_and_print();
}

PROBE void probe_many(void)
{
    memset(&bug, 0, sizeof(bug));
    add(&bug.at, NULL);
    add(&bug.block.made.stack, NULL);
    for (bug.leak_count = 0; bug.leak_count < BUG_LEAKS; bug.leak_count++)
        add(&bug.leaks[bug.leak_count].stack, NULL);
    find_and_print();
}

PROBE void probe_data(const void *address)
{
    memset(&bug, 0, sizeof(bug));
    bug.place = BUG_PLACE_GLOBAL;
    bug.address = (uintptr_t)address;
    find_and_print();
}

PROBE int probe_quiet(unsigned milliseconds, long *ret_ms)
{
    long start = now_ms();
    bool found;

    memset(&bug, 0, sizeof(bug));
    add(&bug.at, NULL);
    found = sg_symbols_find(&bug, milliseconds);
    *ret_ms = now_ms() - start;
    return found;
}
