#include "symbols.h"

#include "os_file.h"
#include "os_memory.h"
#include "os_spawn.h"
#include "symbols_file.h"
#include "symbols_query.h"

#define PROGRAM "/spanguard-symbolize"

/* Where it is installed; without it only the library's own folder is looked into. */
#ifndef SG_LIBEXEC
#define SG_LIBEXEC ""
#endif

/* Behind the last slash of this library's path goes the program's name. */
static bool name_neighbour(char path[SYMBOLS_PATH_BYTES])
{
    struct module own;
    size_t length;

    if (!sg_module_of((uintptr_t)&sg_symbols_find, &own) || !sg_symbols_file_of(&own, path))
        return false;
    length = __builtin_strlen(path);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length == 0 || length - 1 + sizeof(PROGRAM) > SYMBOLS_PATH_BYTES)
        return false;
    __builtin_memcpy(path + length - 1, PROGRAM, sizeof(PROGRAM));
    return true;
}

/* Returns how much of a reply there is. */
static size_t converse(struct symbols_work *work, size_t request_bytes, unsigned milliseconds)
{
    char neighbour[SYMBOLS_PATH_BYTES];
    const char *programs[3] = {NULL, NULL, NULL};
    struct os_talk talk = {.request = work->request,
                           .request_bytes = request_bytes,
                           .reply = work->reply,
                           .capacity = sizeof(work->reply),
                           .ending = "\nend\n"};
    struct os_child child;
    size_t count = 0, bytes;

    if (name_neighbour(neighbour))
        programs[count++] = neighbour;
    if (sizeof(SG_LIBEXEC) > 1)
        programs[count] = SG_LIBEXEC PROGRAM;
    if (programs[0] == NULL || !sg_os_spawn(programs, milliseconds, &child))
        return 0;
    bytes = sg_os_spawn_talk(&child, &talk, milliseconds);
    sg_os_spawn_end(&child);
    return bytes;
}

/* With more rights than its caller a program starts nothing for us. */
bool sg_symbols_find(struct bug *bug, unsigned milliseconds)
{
    struct symbols_work *work = NULL;
    uint32_t module_count = bug->module_count;
    size_t request_bytes;
    bool is_known = false;

    if (sg_os_is_secure())
        return false;
    work = sg_os_map(NULL, sizeof(*work));
    if (work == NULL)
        return false;
    request_bytes = sg_symbols_ask(bug, work);
    if (request_bytes > 0) {
        work->reply_bytes = (uint32_t)converse(work, request_bytes, milliseconds);
        is_known = sg_symbols_answer(bug, work);
    }
    if (!is_known)
        bug->module_count = module_count;
    sg_os_unmap(work, sizeof(*work));
    return is_known;
}
