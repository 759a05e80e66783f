/* See double.h. */
#include "double.h"

#include "depot.h"
#include "leak.h"
#include "os_thread.h"
#include "record.h"
#include "symbols.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RECORDS 1100000u
#define STACKS 200000u
#define REDZONE 16u
#define ARENA_BYTES ((size_t)1 << 30)
#define STRING_BYTES 16u /* as if each stack had a name to keep */
#define API __attribute__((visibility("default")))

static struct record *records;
static uint32_t record_count;
static char *arena, *arena_at;
static uintptr_t (*frames)[2];
static const char *names[1024];
static uint32_t questions;
static struct double_result *result;

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        abort();
    return memory;
}

__attribute__((constructor)) static void start(void)
{
    records = map(RECORDS * sizeof(*records));
    arena = arena_at = map(ARENA_BYTES);
    frames = map(STACKS * sizeof(*frames));
    result = map(sizeof(*result));
}

API void *double_make(size_t bytes, uint32_t stack)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct record *record;
    char *block;

    pthread_mutex_lock(&lock);
    record = &records[record_count++];
    block = arena_at + REDZONE;
    arena_at += 2 * REDZONE + ((bytes + 15) & ~(size_t)15);
    if (record_count > RECORDS || arena_at > arena + ARENA_BYTES)
        abort();
    pthread_mutex_unlock(&lock);
    record->bytes = bytes & RECORD_BYTES_MAX;
    record->made_stack = stack;
    atomic_store(&record->start, (uintptr_t)block);
    atomic_store(&record->state, RECORD_LIVE);
    return block;
}

API void double_set_busy(uintptr_t inverted)
{
    for (uint32_t i = 0; i < record_count; i++)
        if (records[i].start == ~inverted)
            records[i].state = RECORD_BUSY;
}

API void double_reset(void)
{
    madvise(records, record_count * sizeof(*records), MADV_DONTNEED);
    record_count = 0;
}

API void double_set_frame(uint32_t stack, uintptr_t pc)
{
    frames[stack][0] = pc;
    frames[stack][1] = pc + 64;
}

API void double_set_name(uint32_t stack, const char *function)
{
    names[stack] = function;
}

API void *double_records(void)
{
    return records;
}

API uint32_t double_questions(void)
{
    return questions;
}

static NOINLINE void clear_stack(void)
{
    volatile char garbage[65536];

    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = 0;
}

API const struct double_result *double_find(const char *suppressions)
{
    uint64_t before = sg_os_milliseconds();

    clear_stack();
    result->bug = (struct bug){.module_count = 1};
    result->found = sg_leak_find(&result->bug, suppressions, &result->why);
    result->milliseconds = (unsigned)(sg_os_milliseconds() - before);
    return result;
}

/* What other parts of the debug library do. */

void sg_record_each(void (*visit)(struct record *record, void *context), void *context)
{
    for (uint32_t i = 0; i < record_count; i++)
        if (atomic_load(&records[i].state) != RECORD_NONE)
            visit(&records[i], context);
}

struct depot_stack sg_depot_get(stack_id id)
{
    struct depot_stack stack = {0, NULL};

    if (id > 0 && id < STACKS && frames[id][0] != 0)
        stack = (struct depot_stack){2, frames[id]};
    return stack;
}

void sg_bug_add_past_stack(struct bug *bug, struct bug_stack *stack, struct depot_stack from,
                           uint64_t time)
{
    (void)time;
    if (bug->module_count < 2)
        __builtin_strcpy(bug->modules[bug->module_count++].path, "/usr/lib/libmaker.so.1");
    bug->string_bytes += STRING_BYTES;
    stack->count = from.count;
    for (uint32_t i = 0; i < from.count; i++)
        stack->frames[i] = (struct bug_frame){.pc = from.frames[i], .module = 1};
}

bool sg_symbols_find(struct bug *bug, unsigned milliseconds)
{
    (void)milliseconds;
    questions++;
    for (uint32_t i = 0; i < bug->leak_count; i++) {
        struct bug_stack *stack = &bug->leaks[i].stack;
        uint64_t number = stack->count > 0 ? (stack->frames[0].pc & 0xffff) : 0;

        if (number < 1024)
            stack->frames[0].function = names[number];
    }
    return true;
}
