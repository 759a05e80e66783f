/* The id of a bug: equal in every run of the same program, whatever address it was loaded to, and
 * equal before and after its frames got names. */
#include "bug_words.h"

#define ID_FRAMES 3 /* tell one mistake from another */

/* FNV-1a, as for the ids of the release library: no secret, no adversary. */
static uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * 16777619u;
    return hash;
}

/* Inlined frames are in the machine code but once: with the frame that they were inlined into. */
static bool has_place(const struct bug *bug, const struct bug_frame *frame)
{
    return !frame->is_inlined && frame->module < bug->module_count && frame->module < BUG_MODULES;
}

static uint32_t hash_stack(uint32_t hash, const struct bug *bug, const struct bug_stack *stack)
{
    unsigned taken = 0;

    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES && taken < ID_FRAMES; i++) {
        const struct bug_frame *frame = &stack->frames[i];
        const char *module;

        if (!has_place(bug, frame))
            continue;
        module = sg_bug_base_name(bug->modules[frame->module].path);
        hash = hash_bytes(hash, module, __builtin_strlen(module));
        hash = hash_bytes(hash, &frame->offset, sizeof(frame->offset));
        taken++;
    }
    return hash;
}

/* Where a late report was found says nothing about who did it. */
static const struct bug_stack *telling_stack(const struct bug *bug)
{
    if (bug->kind == BUG_LEAK)
        return &bug->leaks[0].stack;
    if (bug->is_late && bug->block.made.stack.count > 0)
        return &bug->block.made.stack;
    return &bug->at;
}

void sg_bug_identify(struct bug *bug)
{
    const char *code = sg_bug_code(bug->kind);
    uint32_t hash = hash_bytes(2166136261u, code, __builtin_strlen(code));

    bug->id = hash_stack(hash, bug, telling_stack(bug));
}
