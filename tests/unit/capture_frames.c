#include "capture_frames.h"

#include "unwind.h"

#include <stdio.h>
#include <string.h>

#define FORMS 16u
#define KEEP_FRAME __asm__ volatile("" ::: "memory")
#define FORM static __attribute__((noipa)) int

/* Of libgcc's <unwind.h>, whose name is also that of our header. */
struct _Unwind_Context;
int _Unwind_Backtrace(int (*see)(struct _Unwind_Context *, void *), void *opaque);
uintptr_t _Unwind_GetIP(struct _Unwind_Context *context);

struct seen {
    const uintptr_t *frames;
    uint32_t count;
    uint32_t next;
    uint32_t same;
};

static int see(struct _Unwind_Context *context, void *opaque)
{
    struct seen *seen = opaque;

    if (seen->next < seen->count)
        seen->same += _Unwind_GetIP(context) == seen->frames[seen->next];
    seen->next++;
    return 0;
}

/* The first frame is the same function, at its two calls. */
static ALWAYS_INLINE bool libgcc_agrees(const uintptr_t *frames, uint32_t count)
{
    struct seen seen = {.frames = frames, .count = count};

    _Unwind_Backtrace(see, &seen);
    return seen.same == count - 1 && seen.next >= count;
}

/* From one frame: all but the first address have to be the same. */
static __attribute__((noipa)) int look(struct tour *tour)
{
    static const uint32_t depths[] = {16, 32, 5};
    uint32_t depth = depths[tour->random % 16 == 3 ? tour->random / 16 % 3 : 0];
    uintptr_t frames[DEPOT_FRAMES_MAX];
    struct depot_stack stack = sg_depot_get(sg_capture(depth));
    uint32_t count = (uint32_t)sg_unwind(frames, depth, NULL);
    bool is_same = stack.count == count && count > 0 &&
                   memcmp(stack.frames + 1, frames + 1, (count - 1) * sizeof(frames[0])) == 0;

    if (tour->is_doubted)
        is_same &= libgcc_agrees(frames, count);
    tour->captures++;
    if (!is_same && tour->wrong++ == 0)
        printf("# capture %lu: %u frames, by a walk %u\n", (unsigned long)tour->captures,
               stack.count, count);
    KEEP_FRAME;
    return 1;
}

typedef int (*form)(struct tour *tour, unsigned levels);
static const form forms[FORMS];

static inline int next(struct tour *tour, unsigned levels)
{
    if (levels == 0)
        return look(tour);
    return forms[tour->path >> (levels - 1) % 16 * 4 & (FORMS - 1)](tour, levels - 1);
}

#define WITH_ROOM(name, bytes)                                                                     \
    FORM name(struct tour *tour, unsigned levels)                                                  \
    {                                                                                              \
        volatile char room[bytes];                                                                 \
                                                                                                   \
        room[levels % (bytes)] = 1;                                                                \
        return next(tour, levels) + room[levels % (bytes)];                                        \
    }

WITH_ROOM(room_8, 8)
WITH_ROOM(room_24, 24)
WITH_ROOM(room_200, 200)
WITH_ROOM(room_5000, 5000)

/* Several registers have to be saved, whose values change from call to call. */
#define WITH_REGISTERS(name, attributes)                                                           \
    attributes FORM name(struct tour *tour, unsigned levels)                                       \
    {                                                                                              \
        uint64_t a = tour->random, b = tour->captures, c = a * 3, d = b * 5, e = a ^ b;            \
        int result;                                                                                \
                                                                                                   \
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));                        \
        result = next(tour, levels);                                                               \
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));                        \
        return result + (int)(a + b + c + d + e);                                                  \
    }

WITH_REGISTERS(registers, )
WITH_REGISTERS(registers_pointer, __attribute__((optimize("no-omit-frame-pointer"))))
WITH_REGISTERS(registers_slow, __attribute__((optimize("O0"))))
WITH_REGISTERS(registers_size, __attribute__((optimize("Os"))))

/* The frame's size is not known to the compiler: its address comes from rbp. */
FORM with_alloca(struct tour *tour, unsigned levels)
{
    size_t bytes = 16 + tour->path % 7 * 64;
    volatile char *memory = __builtin_alloca(bytes);

    memory[bytes - 1] = 1;
    return next(tour, levels) + memory[bytes - 1];
}

/* Another size at each call, of which no bit of the path tells. */
FORM with_any_alloca(struct tour *tour, unsigned levels)
{
    size_t bytes = 16 + (tour->random >> 32) % 5 * 32;
    volatile char *memory = __builtin_alloca(bytes);

    memory[bytes - 1] = 1;
    return next(tour, levels) + memory[bytes - 1];
}

FORM with_alignment(struct tour *tour, unsigned levels)
{
    volatile char aligned[64] __attribute__((aligned(64)));
    volatile char *memory = __builtin_alloca(32 + levels);

    aligned[levels] = 3;
    memory[levels] = 1;
    return next(tour, levels) + aligned[levels] + memory[levels];
}

static __attribute__((noipa, optimize("no-omit-frame-pointer"))) int with_pointer(struct tour *tour,
                                                                                  unsigned levels)
{
    return next(tour, levels) + 1;
}

/* Two places of one function, whose frames differ in nothing but the return address. */
FORM two_places(struct tour *tour, unsigned levels)
{
    if (tour->random >> 40 & 1)
        return next(tour, levels) + 1;
    KEEP_FRAME;
    return next(tour, levels) + 2;
}

FORM twice(struct tour *tour, unsigned levels)
{
    int first = next(tour, levels > 1 ? 1 : levels);

    return first + next(tour, levels);
}

struct many {
    uint64_t words[12];
};

FORM with_arguments(struct tour *tour, unsigned levels);

/* Arguments go over the stack: it has another size at the call than around it. */
static __attribute__((noipa)) int many_arguments(struct tour *tour, unsigned levels,
                                                 struct many by_value, uint64_t a, uint64_t b,
                                                 uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    return next(tour, levels) + (int)(by_value.words[levels % 12] + a + b + c + d + e + f);
}

FORM with_arguments(struct tour *tour, unsigned levels)
{
    struct many many = {{levels}};

    return many_arguments(tour, levels, many, 1, 2, 3, 4, 5, tour->random) + 1;
}

/* The register that others compute their frames from holds a number. */
FORM with_busy_pointer(struct tour *tour, unsigned levels)
{
    uint64_t results[4] = {tour->random, tour->path};

    for (unsigned i = 0; i < 2; i++)
        results[i + 2] = results[i] + (uint64_t)next(tour, levels / 2);
    return (int)(results[2] ^ results[3]);
}

static const form forms[FORMS] = {
    room_8,         room_24,
    room_200,       room_5000,
    registers,      registers_pointer,
    registers_slow, registers_size,
    with_alloca,    with_any_alloca,
    with_alignment, with_pointer,
    two_places,     twice,
    with_arguments, with_busy_pointer,
};

uint64_t tour_random(struct tour *tour)
{
    uint64_t state = tour->random;

    state ^= state << 13;
    state ^= state >> 7;
    return tour->random = state ^ state << 17;
}

__attribute__((noipa)) void tour_visit(struct tour *tour, unsigned levels)
{
    for (int i = 0; i < 4; i++) {
        next(tour, levels);
        KEEP_FRAME;
    }
    (void)tour_random(tour);
}

/* Of the frames that are next, sometimes all change, sometimes one, mostly none. */
__attribute__((noipa)) void tour_wander(struct tour *tour, uint64_t captures)
{
    uint64_t end = tour->captures + captures;

    while (tour->captures < end) {
        uint64_t random = tour_random(tour);

        if (random % 64 == 0)
            tour->path = tour_random(tour);
        else if (random % 4 == 0)
            tour->path ^= 1ull << (random >> 8) % 64;
        next(tour, 2 + (unsigned)(random >> 20) % 2 * 12);
        KEEP_FRAME;
    }
}

__attribute__((noipa)) void tour_call(struct tour *tour, tour_caller call)
{
    (void)call(tour, look);
    KEEP_FRAME;
}
