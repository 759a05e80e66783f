/* The functions at an address, from the innermost inlined one outwards, by DWARF; without it the
 * symbol there. */
#include "symbolize.h"

#include <dwarf.h>
#include <stdlib.h>

struct symbolize_query {
    Dwarf_Addr address;
    struct symbolize_frame *frames;
};

/* Some compilers write no table of addresses: then each unit says itself what it covers. */
static Dwarf_Die *find_unit(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *ret_bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, ret_bias);

    if (unit != NULL)
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, ret_bias)) != NULL)
        if (dwarf_haspc(unit, address - *ret_bias) == 1)
            return unit;
    return NULL;
}

static char *path_of(Dwarf_Die *unit, const char *file)
{
    Dwarf_Attribute attribute;
    const char *folder = NULL;

    if (file == NULL)
        return NULL;
    if (dwarf_attr_integrate(unit, DW_AT_comp_dir, &attribute) != NULL)
        folder = dwarf_formstring(&attribute);
    return symbolize_path(folder, file);
}

static struct symbolize_location innermost_location(Dwarf_Die *unit, Dwarf_Addr pc)
{
    struct symbolize_location location = {0};
    Dwarf_Line *line = dwarf_getsrc_die(unit, pc);

    if (line == NULL)
        return location;
    location.file = path_of(unit, dwarf_linesrc(line, NULL, NULL));
    if (dwarf_lineno(line, &location.line) != 0)
        location.line = 0;
    if (dwarf_linecol(line, &location.column) != 0)
        location.column = 0;
    return location;
}

static int number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;

    if (dwarf_attr(die, name, &attribute) == NULL || dwarf_formudata(&attribute, &value) != 0 ||
        value > INT32_MAX)
        return 0;
    return (int)value;
}

/* Where an inlined function was called. */
static struct symbolize_location call_location(Dwarf_Die *unit, Dwarf_Die *inlined)
{
    int file = number_of(inlined, DW_AT_call_file);
    struct symbolize_location location = {
        .line = number_of(inlined, DW_AT_call_line),
        .column = number_of(inlined, DW_AT_call_column),
    };
    Dwarf_Files *files;
    size_t count;

    if (dwarf_getsrcfiles(unit, &files, &count) == 0 && (size_t)file < count)
        location.file = path_of(unit, dwarf_filesrc(files, (size_t)file, NULL, NULL));
    return location;
}

/* The DIEs around an address, innermost first, as they stand in the file: dwarf_getscopes() goes on
 * with those around the definition of an inlined function, not with its caller. */
static int find_scopes(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die **ret_scopes)
{
    Dwarf_Die *logical = NULL;
    Dwarf_Die innermost;

    if (dwarf_getscopes(unit, pc, &logical) <= 0)
        return 0;
    innermost = logical[0];
    free(logical);
    return dwarf_getscopes_die(&innermost, ret_scopes);
}

/* `unit` is the one that holds the address. */
static size_t frames_by_dwarf(struct symbolize_module *module, Dwarf_Die *unit, Dwarf_Addr bias,
                              struct symbolize_query *query)
{
    struct symbolize_location location = innermost_location(unit, query->address - bias);
    Dwarf_Die *scopes = NULL;
    int scope_count = find_scopes(unit, query->address - bias, &scopes);
    size_t count = 0;
    int tag = 0;

    for (int i = 0; i < scope_count && count < SYMBOLIZE_FRAMES && tag != DW_TAG_subprogram; i++) {
        tag = dwarf_tag(&scopes[i]);
        if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
            continue;
        query->frames[count++] = (struct symbolize_frame){
            symbolize_name_of_die(module, &scopes[i], query->address), location};
        if (tag == DW_TAG_inlined_subroutine)
            location = call_location(unit, &scopes[i]);
    }
    if (count == 0 && location.file != NULL)
        query->frames[count++] = (struct symbolize_frame){NULL, location};
    free(scopes);
    return count;
}

size_t symbolize_frames(struct symbolize_module *module, uint64_t offset,
                        struct symbolize_frame frames[SYMBOLIZE_FRAMES])
{
    struct symbolize_query query = {.frames = frames};
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit;
    size_t count = 0;

    symbolize_open(module);
    if (module->module == NULL)
        return 0;
    query.address = module->base + offset;
    unit = find_unit(module->module, query.address, &bias);
    if (unit != NULL)
        count = frames_by_dwarf(module, unit, bias, &query);
    if (count == 0)
        frames[count++] = (struct symbolize_frame){0};
    if (frames[count - 1].function == NULL)
        frames[count - 1].function = symbolize_name_of_code(module, query.address);
    return frames[0].function == NULL && frames[0].at.file == NULL ? 0 : count;
}
