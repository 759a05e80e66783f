/* The report as AddressSanitizer and LeakSanitizer write it, for the tools that read theirs. What
 * was found late has no program counter of its own: that of the place where it was found stands
 * for it, and a line of ours says so. */
#include "bug_words.h"

#define NAME_COLUMNS 256 /* of a function or path */

static void say_process(struct text *text, const struct bug *bug)
{
    sg_text_string(text, "==");
    sg_bug_say_signed(text, bug->process);
    sg_text_string(text, "==");
}

static void say_address(struct text *text, uint64_t address)
{
    sg_text_string(text, "0x");
    sg_text_hex_digits(text, address, 12);
}

/* They count threads from 0. */
static void say_thread(struct text *text, uint32_t thread)
{
    sg_text_string(text, "thread T");
    sg_text_decimal(text, thread > 0 ? thread - 1 : 0);
}

static void say_number(struct text *text, const char *before, uint64_t value, const char *after)
{
    sg_text_string(text, before);
    sg_text_decimal(text, value);
    sg_text_string(text, after);
}

static const struct bug_module *module_of(const struct bug *bug, const struct bug_frame *frame)
{
    bool is_known = frame->module < bug->module_count && frame->module < BUG_MODULES;

    return is_known ? &bug->modules[frame->module] : NULL;
}

static bool has_file(const struct bug_frame *frame)
{
    return frame->file != NULL && frame->file[0] != '\0';
}

static void say_source(struct text *text, const struct bug_frame *frame)
{
    sg_bug_say_tail(text, frame->file, NAME_COLUMNS);
    if (frame->line == 0)
        return;
    say_number(text, ":", frame->line, "");
    if (frame->column != 0)
        say_number(text, ":", frame->column, "");
}

static void say_module(struct text *text, const struct bug *bug, const struct bug_frame *frame)
{
    const struct bug_module *module = module_of(bug, frame);

    if (module == NULL)
        return sg_text_string(text, " (<unknown module>)");
    sg_text_string(text, " (");
    sg_bug_say_tail(text, module->path, NAME_COLUMNS);
    sg_text_string(text, "+");
    sg_text_hex(text, frame->offset);
    sg_text_string(text, ")");
    if (module->build_id[0] == '\0')
        return;
    sg_text_string(text, " (BuildId: ");
    sg_bug_say_head(text, module->build_id, sizeof(module->build_id));
    sg_text_string(text, ")");
}

static void say_frame(struct text *text, const struct bug *bug, const struct bug_stack *stack,
                      uint32_t i)
{
    const struct bug_frame *frame = &stack->frames[i];
    bool is_named = frame->function != NULL && frame->function[0] != '\0';

    say_number(text, "    #", i, " ");
    say_address(text, frame->pc);
    sg_text_string(text, is_named ? " in " : " ");
    if (is_named)
        sg_bug_say_head(text, frame->function, NAME_COLUMNS);
    if (has_file(frame)) {
        sg_text_string(text, " ");
        say_source(text, frame);
    } else {
        say_module(text, bug, frame);
    }
    sg_text_string(text, "\n");
}

static void say_stack(struct text *text, const struct bug *bug, const struct bug_stack *stack)
{
    for (uint32_t i = 0; i < stack->count && i < BUG_FRAMES; i++)
        say_frame(text, bug, stack, i);
    if (stack->count == 0)
        sg_text_string(text, "    <empty stack>\n");
    sg_text_string(text, "\n");
}

static uint64_t target_of(const struct bug *bug)
{
    bool is_of_block = bug->is_late && bug->block.is_known;

    return is_of_block ? bug->block.start + (uint64_t)bug->access_offset : bug->address;
}

static uint64_t pc_of(const struct bug *bug)
{
    return bug->at.count > 0 ? bug->at.frames[0].pc : 0;
}

static void say_registers(struct text *text, const struct bug *bug)
{
    sg_text_string(text, " at pc ");
    say_address(text, pc_of(bug));
    sg_text_string(text, " bp ");
    say_address(text, 0);
    sg_text_string(text, " sp ");
    say_address(text, 0);
}

static void say_access(struct text *text, const struct bug *bug)
{
    uint64_t bytes = bug->is_late ? bug->changed_bytes : bug->access_bytes;

    sg_text_string(text, " on address ");
    say_address(text, target_of(bug));
    say_registers(text, bug);
    sg_text_string(text, bug->is_write || bug->is_late ? "\nWRITE of size " : "\nREAD of size ");
    sg_text_decimal(text, bytes > 0 ? bytes : 1);
    sg_text_string(text, " at ");
    say_address(text, target_of(bug));
}

/* In their spelling: operator new []. */
static void say_interface(struct text *text, const char *name, const char *otherwise)
{
    size_t length;

    if (name == NULL)
        name = otherwise;
    if (__builtin_strncmp(name, "new", 3) == 0 || __builtin_strncmp(name, "delete", 6) == 0)
        sg_text_string(text, "operator ");
    sg_bug_say_head(text, name, 64);
    length = text->length;
    if (length < 2 || text->bytes[length - 2] != '[')
        return;
    text->length -= 2;
    sg_text_string(text, " []");
}

static void say_interfaces(struct text *text, const struct bug *bug)
{
    sg_text_string(text, " (");
    say_interface(text, bug->block.made.function, "malloc");
    sg_text_string(text, " vs ");
    say_interface(text, bug->function, "free");
    sg_text_string(text, ") on ");
    say_address(text, bug->address);
}

static void say_types(struct text *text, const struct bug *bug)
{
    sg_text_string(text, ":\n  object passed to delete has wrong type:\n");
    if (bug->kind == BUG_SIZE) {
        say_number(text, "  size of the allocated type:   ", bug->block.bytes, " bytes;\n");
        say_number(text, "  size of the deallocated type: ", bug->stated, " bytes.\n");
        return;
    }
    sg_text_string(text, "  alignment of the allocated type:   default-aligned;\n");
    say_number(text, "  alignment of the deallocated type: ", bug->stated, " bytes.\n");
}

/* The first line as far as the stack that belongs to it. */
static void say_error(struct text *text, const struct bug *bug)
{
    switch (bug->kind) {
    case BUG_DOUBLE_FREE:
    case BUG_SIZE:
    case BUG_ALIGNMENT:
        sg_text_string(text, " on ");
        say_address(text, bug->address);
        break;
    case BUG_STALE:
    case BUG_INTERIOR:
    case BUG_FOREIGN:
        sg_text_string(text, ": ");
        say_address(text, bug->address);
        break;
    case BUG_INTERFACE:
        say_interfaces(text, bug);
        break;
    default:
        say_access(text, bug);
    }
    if (bug->kind != BUG_INTERFACE) {
        sg_text_string(text,
                       bug->kind >= BUG_DOUBLE_FREE && bug->kind <= BUG_ALIGNMENT ? " in " : " ");
        say_thread(text, bug->thread);
    }
    if (bug->kind == BUG_SIZE || bug->kind == BUG_ALIGNMENT)
        return say_types(text, bug);
    sg_text_string(text, bug->kind == BUG_DOUBLE_FREE ? ":\n" : "\n");
}

static void say_position(struct text *text, const struct bug *bug)
{
    uint64_t start = bug->block.start, end = start + bug->block.bytes, target = target_of(bug);

    say_address(text, target);
    if (target < start)
        say_number(text, " is located ", start - target, " bytes before ");
    else if (target >= end && target != start)
        say_number(text, " is located ", target - end, " bytes after ");
    else
        say_number(text, " is located ", target - start, " bytes inside of ");
    say_number(text, "", bug->block.bytes, "-byte region [");
    say_address(text, start);
    sg_text_string(text, ",");
    say_address(text, end);
    sg_text_string(text, ")\n");
}

static void say_event(struct text *text, const struct bug *bug, const struct bug_event *event,
                      const char *what)
{
    sg_text_string(text, what);
    say_thread(text, event->thread);
    sg_text_string(text, " here:\n");
    say_stack(text, bug, &event->stack);
}

static void say_block(struct text *text, const struct bug *bug)
{
    bool is_moved = bug->kind == BUG_REALLOC_FAULT || bug->kind == BUG_REALLOC_WRITE;
    bool is_freed = is_moved || bug->block.is_freed;

    if (!bug->block.is_known)
        return;
    say_position(text, bug);
    if (is_freed)
        say_event(text, bug, is_moved ? &bug->moved : &bug->block.ended, "freed by ");
    say_event(text, bug, &bug->block.made, is_freed ? "previously allocated by " : "allocated by ");
}

static const char *summary_word(const struct bug *bug)
{
    switch (bug->kind) {
    case BUG_DOUBLE_FREE:
        return "double-free";
    case BUG_STALE:
    case BUG_INTERIOR:
    case BUG_FOREIGN:
        return "bad-free";
    default:
        return sg_bug_asan_word(bug->kind);
    }
}

static void say_summary(struct text *text, const struct bug *bug)
{
    const struct bug_frame *frame = &bug->at.frames[0];

    sg_text_string(text, "SUMMARY: AddressSanitizer: ");
    sg_text_string(text, summary_word(bug));
    if (bug->at.count == 0)
        return sg_text_string(text, "\n");
    if (has_file(frame)) {
        sg_text_string(text, " ");
        say_source(text, frame);
    } else {
        say_module(text, bug, frame);
    }
    if (frame->function != NULL && frame->function[0] != '\0') {
        sg_text_string(text, " in ");
        sg_bug_say_head(text, frame->function, NAME_COLUMNS);
    }
    sg_text_string(text, "\n");
}

static void say_leak(struct text *text, const struct bug *bug, const struct bug_leak *leak)
{
    say_number(text, leak->is_indirect ? "Indirect leak of " : "Direct leak of ", leak->bytes,
               " byte(s) in ");
    sg_text_decimal(text, leak->blocks);
    sg_text_string(text, " object(s) allocated from:\n");
    say_stack(text, bug, &leak->stack);
}

static void say_leaks(struct text *text, const struct bug *bug)
{
    sg_text_string(text, "ERROR: LeakSanitizer: detected memory leaks\n\n");
    for (uint32_t i = 0; i < bug->leak_count && i < BUG_LEAKS; i++)
        say_leak(text, bug, &bug->leaks[i]);
    say_number(text, "SUMMARY: AddressSanitizer: ", bug->leak_bytes, " byte(s) leaked in ");
    sg_text_decimal(text, bug->leak_blocks);
    sg_text_string(text, " allocation(s).\n");
}

static void say_no_memory(struct text *text, const struct bug *bug)
{
    sg_text_string(text,
                   "ERROR: AddressSanitizer: out of memory: allocator is trying to allocate ");
    sg_text_hex(text, bug->stated);
    sg_text_string(text, " bytes\n");
    say_stack(text, bug, &bug->at);
    say_summary(text, bug);
}

static void say_note(struct text *text, const struct bug *bug)
{
    say_process(text, bug);
    sg_text_string(text, "spanguard: ");
    sg_text_string(text, sg_bug_code(bug->kind));
    sg_text_string(text, " id=");
    sg_text_hex_digits(text, bug->id, 8);
    if (bug->is_late) {
        sg_text_string(text, ", found late ");
        sg_bug_say_head(text, bug->found != NULL ? bug->found : "", 64);
        sg_text_string(text, ": the first stack is where it was found, not who did it");
    }
    sg_text_string(text, "\n");
}

static void say_all(struct text *text, const struct bug *bug)
{
    sg_text_string(text, "=================================================================\n");
    say_process(text, bug);
    if (bug->kind == BUG_LEAK)
        return say_leaks(text, bug);
    if (bug->kind == BUG_MAP_LIMIT)
        return say_no_memory(text, bug);
    sg_text_string(text, "ERROR: AddressSanitizer: ");
    sg_text_string(text, sg_bug_asan_word(bug->kind));
    say_error(text, bug);
    say_stack(text, bug, &bug->at);
    say_block(text, bug);
    say_note(text, bug);
    say_summary(text, bug);
}

void sg_bug_say_asan(struct text *text, const struct bug *bug)
{
    say_all(text, bug);
    sg_bug_end_line(text);
}
