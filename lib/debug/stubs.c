#include "capture.h"
#include "debug_report.h"
#include "leak.h"
#include "symbols.h"
#include "unwind.h"
stack_id sg_depot_put(const uintptr_t *f, uint32_t c)
{
    (void)f;
    (void)c;
    return 0;
}
struct depot_stack sg_depot_get(stack_id id)
{
    (void)id;
    return (struct depot_stack){0};
}
stack_id sg_capture(uint32_t depth)
{
    uintptr_t f[32];
    return depth ? sg_depot_put(f, (uint32_t)sg_unwind(f, depth, NULL)) : 0;
}
bool sg_symbols_find(struct bug *bug, unsigned ms)
{
    (void)bug;
    (void)ms;
    return false;
}
void sg_bug_add_stack(struct bug *bug, struct bug_stack *stack, const uintptr_t *frames,
                      uint32_t count, bool exact)
{
    (void)bug;
    (void)stack;
    (void)frames;
    (void)count;
    (void)exact;
}
bool sg_leak_find(struct bug *bug, const char *s, const char **why)
{
    (void)bug;
    (void)s;
    *why = NULL;
    return false;
}
const char *sg_debug_suppressions(void)
{
    return NULL;
}
const char *sg_bug_code(enum bug_kind kind)
{
    static const char *const c[] = {
#define BUG(n, code, a, t) code,
        BUGS(BUG)
#undef BUG
    };
    return c[kind];
}
const char *sg_bug_keep(struct bug *bug, const char *b, size_t n)
{
    (void)bug;
    (void)b;
    (void)n;
    return "kept";
}
void sg_bug_identify(struct bug *bug)
{
    (void)bug;
}
static void say(struct text *t, const struct bug *b)
{
    sg_text_string(t, sg_bug_code(b->kind));
    sg_text_string(t, " ");
    sg_text_decimal(t, b->block.bytes);
    sg_text_string(t, " at ");
    sg_text_decimal(t, (uint64_t)b->access_offset);
    sg_text_string(t, " ");
    sg_text_string(t, b->found);
    sg_text_string(t, "\n");
}
void sg_bug_say_text(struct text *t, const struct bug *b, bool c)
{
    (void)c;
    say(t, b);
}
void sg_bug_say_json(struct text *t, const struct bug *b)
{
    say(t, b);
}
void sg_bug_say_asan(struct text *t, const struct bug *b)
{
    say(t, b);
}
void sg_bug_say_core(struct text *t, const struct bug *b)
{
    say(t, b);
}
