#include "bug_fields.h"

#define AT(structure, member) .offset = (uint32_t)offsetof(struct structure, member)
#define ROW(name_, type_, structure, member)                                                       \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .last = LEVEL_LEAST, AT(structure, member)           \
    }
#define ROW_UNTIL(level, name_, type_, structure, member)                                          \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .last = level, AT(structure, member)                 \
    }
#define ROW_BUT(absent_, name_, type_, structure, member)                                          \
    {                                                                                              \
        .name = name_, .type = FIELD_##type_, .last = LEVEL_LEAST, AT(structure, member),          \
        .absent = absent_                                                                          \
    }
#define ROW_CHARS(name_, structure, member)                                                        \
    {                                                                                              \
        .name = name_, .type = FIELD_CHARS, .last = LEVEL_LEAST, AT(structure, member),            \
        .size = sizeof(((struct structure *)0)->member)                                            \
    }
#define ROW_OBJECT(name_, structure, member, fields_, is_there_)                                   \
    {                                                                                              \
        .name = name_, .type = FIELD_OBJECT, .last = LEVEL_LEAST, AT(structure, member),           \
        .size = sizeof(((struct structure *)0)->member), .fields = fields_, .is_there = is_there_  \
    }
#define ROW_ARRAY(name_, structure, array, count, fields_)                                         \
    {                                                                                              \
        .name = name_, .type = FIELD_ARRAY, .last = LEVEL_LEAST, AT(structure, array),             \
        .size = sizeof(((struct structure *)0)->array[0]),                                         \
        .count_offset = (uint32_t)offsetof(struct structure, count),                               \
        .count_most = sizeof(((struct structure *)0)->array) /                                     \
                      sizeof(((struct structure *)0)->array[0]),                                   \
        .fields = fields_                                                                          \
    }
#define ROW_STACK(name_, structure, member)                                                        \
    ROW_ARRAY(name_, structure, member.frames, member.count, frame_fields)
#define ROWS_END                                                                                   \
    {                                                                                              \
        .name = NULL                                                                               \
    }

const char *const sg_bug_place_names[] = {
    [BUG_PLACE_UNKNOWN] = "unknown", [BUG_PLACE_STACK] = "stack", [BUG_PLACE_GLOBAL] = "global",
    [BUG_PLACE_MAPPING] = "mapping", [BUG_PLACE_HEAP] = "heap",   [BUG_PLACE_SYSTEM] = "system",
    [BUG_PLACE_OVERFLOW] = "none",
};

static const struct field frame_fields[] = {
    ROW("pc", ADDRESS, bug_frame, pc),
    ROW("offset", ADDRESS, bug_frame, offset),
    ROW_BUT(BUG_NO_MODULE, "module", U16, bug_frame, module),
    ROW("inlined", BOOL, bug_frame, is_inlined),
    ROW_UNTIL(LEVEL_NO_SOURCES, "function", STRING, bug_frame, function),
    ROW_UNTIL(LEVEL_NO_SOURCES, "file", STRING, bug_frame, file),
    ROW_UNTIL(LEVEL_NO_SOURCES, "line", U32, bug_frame, line),
    ROW_UNTIL(LEVEL_NO_SOURCES, "column", U32, bug_frame, column),
    ROW_UNTIL(LEVEL_ALL, "source", STRING, bug_frame, source),
    ROWS_END,
};

static const struct field event_fields[] = {
    ROW("function", STRING, bug_event, function),
    ROW("sequence", U64, bug_event, sequence),
    ROW_BUT(UINT64_MAX, "microseconds", U64, bug_event, microseconds),
    ROW("thread", U32, bug_event, thread),
    ROW_STACK("stack", bug_event, stack),
    ROWS_END,
};

/* What was never recorded holds whatever it was set to. */
static bool event_is_there(const void *object)
{
    const struct bug_event *event = object;

    return event->function != NULL || event->stack.count > 0 || event->sequence != 0;
}

static bool block_is_there(const void *object)
{
    return ((const struct bug_block *)object)->is_known;
}

static const struct field block_fields[] = {
    ROW("known", BOOL, bug_block, is_known),
    ROW("freed", BOOL, bug_block, is_freed),
    ROW("start", ADDRESS, bug_block, start),
    ROW("bytes", U64, bug_block, bytes),
    ROW("site_ordinal", U64, bug_block, site_ordinal),
    ROW_OBJECT("allocated_by", bug_block, made, event_fields, event_is_there),
    ROW_OBJECT("freed_by", bug_block, ended, event_fields, event_is_there),
    ROWS_END,
};

static bool memory_is_there(const void *object)
{
    return ((const struct bug_memory *)object)->count > 0;
}

static const struct field memory_fields[] = {
    ROW("offset", I64, bug_memory, offset),
    ROW("expected", U8, bug_memory, expected),
    {
        .name = "bytes",
        .type = FIELD_BYTES,
        .last = LEVEL_LEAST,
        AT(bug_memory, bytes),
        .size = BUG_MEMORY_BYTES,
        .count_offset = (uint32_t)offsetof(struct bug_memory, count),
        .count_most = BUG_MEMORY_BYTES,
    },
    ROW("changed", ADDRESS, bug_memory, changed),
    ROW("readable", ADDRESS, bug_memory, readable),
    ROWS_END,
};

static const struct field leak_fields[] = {
    ROW("bytes", U64, bug_leak, bytes),
    ROW("blocks", U64, bug_leak, blocks),
    ROW("indirect", BOOL, bug_leak, is_indirect),
    ROW_STACK("stack", bug_leak, stack),
    ROWS_END,
};

static const struct field module_fields[] = {
    ROW_CHARS("path", bug_module, path),
    ROW_CHARS("build_id", bug_module, build_id),
    ROWS_END,
};

const struct field sg_bug_fields[] = {
    {.name = "code", .type = FIELD_KIND, .last = LEVEL_LEAST, AT(bug, kind), .absent = UINT64_MAX},
    ROW("process", I32, bug, process),
    ROW("id", ID, bug, id),
    ROW("same_as", ID, bug, same_as),
    ROW("program", STRING, bug, program),
    ROW("profile", STRING, bug, profile),
    ROW("function", STRING, bug, function),
    ROW("found", STRING, bug, found),
    ROW("late", BOOL, bug, is_late),
    ROW("write", BOOL, bug, is_write),
    ROW("access_bytes", U32, bug, access_bytes),
    ROW("access_offset", I64, bug, access_offset),
    ROW("changed_bytes", U64, bug, changed_bytes),
    ROW("address", ADDRESS, bug, address),
    ROW("stated", U64, bug, stated),
    ROW("frees_since", U64, bug, frees_since),
    ROW("limit", U64, bug, limit),
    ROW("limit_used", U64, bug, limit_used),
    ROW("place", PLACE, bug, place),
    ROW("place_name", STRING, bug, place_name),
    ROW("place_thread", U32, bug, place_thread),
    ROW("thread", U32, bug, thread),
    ROW_STACK("at", bug, at),
    ROW_OBJECT("block", bug, block, block_fields, block_is_there),
    ROW_OBJECT("owner", bug, owner, block_fields, block_is_there),
    ROW_OBJECT("moved", bug, moved, event_fields, event_is_there),
    ROW("moved_bytes", U64, bug, moved_bytes),
    ROW_OBJECT("memory", bug, memory, memory_fields, memory_is_there),
    ROW("memory_withheld", BOOL, bug, is_memory_withheld),
    ROW("pointers_left", U64, bug, pointers_left),
    ROW("leak_bytes", U64, bug, leak_bytes),
    ROW("leak_blocks", U64, bug, leak_blocks),
    ROW("leak_places", U64, bug, leak_places),
    ROW("reachable_bytes", U64, bug, reachable_bytes),
    ROW("reachable_blocks", U64, bug, reachable_blocks),
    ROW_ARRAY("leaks", bug, leaks, leak_count, leak_fields),
    ROW_ARRAY("modules", bug, modules, module_count, module_fields),
    ROW("cut", BOOL, bug, is_cut),
    ROWS_END,
};
