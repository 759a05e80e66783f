/* Where in the program it was: at=, id=, and the stacks of a sampled block. */
#include "report_text.h"

#define FRAMES_MAX 24    /* of ours and the program's together */
#define PROGRAM_FRAMES 3 /* that tell one mistake from another */

static void say_place(struct text *text, const struct place *place)
{
    sg_text_string(text, place->module);
    sg_text_string(text, "+");
    sg_text_hex(text, place->offset);
}

/* FNV-1a: the id has to be the same in every run and build of ours, not hard to guess. */
static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * 16777619u;
    return hash;
}

static uint32_t hash_place(uint32_t hash, const struct place *place)
{
    hash = hash_bytes(hash, place->module, __builtin_strlen(place->module));
    return hash_bytes(hash, &place->offset, sizeof(place->offset));
}

struct trail {
    uint32_t hash;
    uint32_t found;
};

/* Linked statically we are part of the program's module and cannot tell its frames from ours:
 * then no place is named, and all frames make the id. */
static bool is_program(const struct place *place)
{
    return !place->is_own || place->is_main;
}

static void follow(struct text *text, struct trail *trail, uintptr_t pc)
{
    struct place place;

    if (!sg_unwind_place(pc, &place) || !is_program(&place))
        return;
    if (trail->found++ == 0 && !place.is_own) {
        sg_text_string(text, "at=");
        say_place(text, &place);
        sg_text_string(text, " ");
    }
    trail->hash = hash_place(trail->hash, &place);
}

void sg_report_say_places(struct text *text, const struct misuse *misuse)
{
    uintptr_t frames[FRAMES_MAX];
    const char *code = sg_report_code(misuse->kind);
    size_t count = sg_unwind(frames, FRAMES_MAX, misuse->context);
    struct trail trail = {.hash = hash_bytes(2166136261u, code, __builtin_strlen(code))};

    for (size_t i = 0; i < count && trail.found < PROGRAM_FRAMES; i++)
        follow(text, &trail, frames[i] - (i > 0 || misuse->context == NULL));
    sg_text_string(text, "id=");
    sg_text_hex_digits(text, trail.hash, 8);
}

static void say_stack(struct text *text, const char *name, const struct stack *stack)
{
    bool is_first = true;

    for (uint32_t i = 0; i < stack->count && i < STACK_FRAMES; i++) {
        struct place place;

        if (!sg_unwind_place(stack->frames[i] - 1, &place) || (place.is_own && !place.is_main))
            continue;
        sg_text_string(text, is_first ? name : "<");
        say_place(text, &place);
        is_first = false;
    }
}

void sg_report_say_stacks(struct text *text, const struct misuse *misuse)
{
    if (misuse->allocated != NULL)
        say_stack(text, " allocated=", misuse->allocated);
    if (misuse->freed != NULL)
        say_stack(text, " freed=", misuse->freed);
}
