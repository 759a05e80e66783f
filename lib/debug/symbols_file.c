/* Paths. The loader's name of a module may be relative to a folder that the program has left since;
 * the kernel's list of mappings is always right, and slow. */
#include "symbols_file.h"

#include "os_file.h"

#define CHUNK_BYTES 1024

/* One line of /proc/self/maps as it comes: "START-END ... PATH". */
struct line {
    uint64_t number; /* being read */
    uint64_t start;
    enum { LINE_START, LINE_END, LINE_MIDDLE, LINE_PATH } part;
    bool is_wanted;
    size_t length; /* of the path */
};

static bool add_digit(uint64_t *number, char digit)
{
    bool is_decimal = digit >= '0' && digit <= '9';

    if (!is_decimal && !(digit >= 'a' && digit <= 'f'))
        return false;
    *number = *number << 4 | (uint64_t)(is_decimal ? digit - '0' : digit - 'a' + 10);
    return true;
}

/* True when the path is complete. */
static bool read_character(struct line *line, char character, uintptr_t address,
                           char path[SYMBOLS_PATH_BYTES])
{
    if (character == '\n') {
        bool is_found = line->is_wanted && line->part == LINE_PATH;

        path[line->length] = '\0';
        *line = (struct line){0};
        return is_found;
    }
    if (line->part == LINE_MIDDLE && character == '/')
        line->part = LINE_PATH;
    if (line->part == LINE_PATH) {
        if (line->length < SYMBOLS_PATH_BYTES - 1)
            path[line->length++] = character;
    } else if (line->part != LINE_MIDDLE && !add_digit(&line->number, character)) {
        line->is_wanted = line->part == LINE_END && address >= line->start &&
                          address < line->number;
        line->start = line->number;
        line->number = 0;
        line->part++;
    }
    return false;
}

static bool find_in(const char *maps, uintptr_t address, char path[SYMBOLS_PATH_BYTES])
{
    int descriptor = sg_os_open(OS_NO_FOLDER, maps);
    struct line line = {0};
    char chunk[CHUNK_BYTES];
    size_t length = CHUNK_BYTES;
    bool is_found = false;

    if (descriptor < 0)
        return false;
    while (!is_found && length == CHUNK_BYTES &&
           sg_os_read(descriptor, chunk, CHUNK_BYTES, &length))
        for (size_t i = 0; i < length && !is_found; i++)
            is_found = read_character(&line, chunk[i], address, path);
    sg_os_close(descriptor);
    return is_found;
}

/* The first is empty once the first thread has ended. */
static bool find_mapped(uintptr_t address, char path[SYMBOLS_PATH_BYTES])
{
    return find_in("/proc/self/maps", address, path) ||
           find_in("/proc/thread-self/maps", address, path);
}

bool sg_symbols_file_of(const struct module *module, char ret_path[SYMBOLS_PATH_BYTES])
{
    size_t length = __builtin_strlen(module->name);

    if (length == 0)
        return sg_os_executable_path(ret_path) && ret_path[0] == '/';
    if (module->name[0] != '/' || length >= SYMBOLS_PATH_BYTES)
        return find_mapped(module->start, ret_path);
    __builtin_memcpy(ret_path, module->name, length + 1);
    return true;
}
