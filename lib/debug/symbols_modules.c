/* From addresses to frames: which module, how far into it. */
#include "symbols.h"

#include "os_file.h"
#include "os_process.h"
#include "symbols_file.h"
#include "symbols_printable.h"
#include "unloaded.h"
#include "unwind.h"
#include "unwind_module.h"

/* With more rights than its caller a program does not tell where its files are. */
static const char *shown_part(const char *path)
{
    const char *shown = path;

    for (const char *byte = path; sg_os_is_secure() && *byte != '\0'; byte++)
        if (*byte == '/')
            shown = byte + 1;
    return shown;
}

static void name_module(char path[sizeof(((struct bug_module *)0)->path)],
                        const struct module *module)
{
    char file[SYMBOLS_PATH_BYTES];
    struct text text = sg_text_begin(path, sizeof(((struct bug_module *)0)->path));
    const char *shown = shown_part(sg_symbols_file_of(module, file) ? file : module->name);

    sg_symbols_put_printable(&text, shown, __builtin_strlen(shown));
    if (text.length == 0)
        sg_text_string(&text, "program");
}

uint16_t sg_bug_add_module(struct bug *bug, uintptr_t address, uint64_t *ret_offset)
{
    struct bug_module *added = &bug->modules[bug->module_count];
    struct bug_module entry = {.build_id = ""};
    struct module module;

    if (!sg_module_of(address, &module))
        return BUG_NO_MODULE;
    *ret_offset = address - module.start;
    name_module(entry.path, &module);
    for (uint32_t i = 0; i < bug->module_count; i++)
        if (__builtin_strcmp(bug->modules[i].path, entry.path) == 0)
            return (uint16_t)i;
    if (bug->module_count == BUG_MODULES)
        return BUG_NO_MODULE;
    sg_symbols_build_id(&module, entry.build_id);
    __builtin_memcpy(added, &entry, sizeof(entry));
    return (uint16_t)bug->module_count++;
}

/* One for all frames of modules that are gone: what lies there now has nothing to say of them. */
static uint16_t add_unloaded(struct bug *bug)
{
    uint32_t i = 0;

    while (i < bug->module_count && !sg_bug_module_is_unloaded(&bug->modules[i]))
        i++;
    if (i == BUG_MODULES)
        return BUG_NO_MODULE;
    if (i == bug->module_count) {
        bug->modules[i] = (struct bug_module){.path = SYMBOLS_UNLOADED};
        bug->module_count++;
    }
    return (uint16_t)i;
}

static void add_frame(struct bug *bug, struct bug_stack *stack, uintptr_t pc, uint64_t time)
{
    struct bug_frame frame = {.pc = pc, .module = BUG_NO_MODULE};
    struct module module;
    struct place place;

    if (stack->count >= BUG_FRAMES)
        return;
    if (sg_unwind_place(pc, &place)) {
        if (place.is_own)
            return;
        if (sg_module_of(pc, &module) && sg_unloaded_since(&module, time))
            frame.module = add_unloaded(bug);
        else
            frame.module = sg_bug_add_module(bug, pc, &frame.offset);
    }
    stack->frames[stack->count++] = frame;
}

void sg_bug_add_stack(struct bug *bug, struct bug_stack *stack, struct depot_stack frames,
                      bool first_is_exact)
{
    for (uint32_t i = 0; i < frames.count; i++)
        add_frame(bug, stack, frames.frames[i] - (i == 0 && first_is_exact ? 0 : 1), 0);
}

void sg_bug_add_past_stack(struct bug *bug, struct bug_stack *stack, struct depot_stack frames,
                           uint64_t time)
{
    for (uint32_t i = 0; i < frames.count; i++)
        add_frame(bug, stack, frames.frames[i] - 1, time);
}
