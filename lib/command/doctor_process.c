/* Whether the library serves a process that runs, and why not. */
#include "doctor.h"

#include "library.h"
#include "target.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RESTART "restart the process by spanguard run"

/* Other allocators, and what else takes malloc over. */
static const char *const others[] = {
    "libjemalloc", "libtcmalloc",       "libmimalloc", "libhardened_malloc", "libscudo",
    "libsnmalloc", "libc_malloc_debug", "libasan",     "libdislocator",      "vgpreload_",
};

/* The path of a line of maps, in its place, or NULL. Cuts the line. */
static char *path_of_line(char *line)
{
    char *slash = strchr(line, '/');

    if (slash != NULL)
        slash[strcspn(slash, "\n")] = '\0';
    return slash;
}

static bool is_gone(const char *path)
{
    size_t length = strlen(path);

    return length > 10 && strcmp(path + length - 10, " (deleted)") == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

struct mapped {
    char ours[PATH_MAX];
    char other[PATH_MAX];
};

static void look_at_path(struct mapped *mapped, const char *path)
{
    if (mapped->ours[0] == '\0' && sg_library_is_ours(path))
        (void)snprintf(mapped->ours, sizeof(mapped->ours), "%s", path);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strncmp(base_name(path), others[i], strlen(others[i])) == 0)
            (void)snprintf(mapped->other, sizeof(mapped->other), "%s", path);
}

static void read_maps(struct proc_text *maps, struct mapped *ret_mapped)
{
    char *line = maps->bytes;

    *ret_mapped = (struct mapped){.ours = ""};
    while (line != NULL && *line != '\0') {
        char *next = strchr(line, '\n');

        if (next != NULL)
            *next++ = '\0';
        const char *path = path_of_line(line);
        if (path != NULL)
            look_at_path(ret_mapped, path);
        line = next;
    }
}

/* A variable as the process was started with it, or NULL. */
static const char *variable(const struct proc_text *environment, const char *name)
{
    size_t length = strlen(name);

    for (ssize_t at = 0; at < environment->length;
         at += (ssize_t)strlen(environment->bytes + at) + 1)
        if (strncmp(environment->bytes + at, name, length) == 0 &&
            environment->bytes[at + (ssize_t)length] == '=')
            return environment->bytes + at + length + 1;
    return NULL;
}

static bool runs_with_more_rights(pid_t process)
{
    struct proc_text *vector = sg_allocate(sizeof(*vector));
    Elf64_auxv_t entry;
    bool is_secure = false;

    sg_proc_read(process, "auxv", vector);
    for (ssize_t at = 0; at + (ssize_t)sizeof(entry) <= vector->length; at += sizeof(entry)) {
        memcpy(&entry, vector->bytes + at, sizeof(entry));
        is_secure = is_secure || (entry.a_type == AT_SECURE && entry.a_un.a_val != 0);
    }
    free(vector);
    return is_secure;
}

static bool is_named(const char *preload)
{
    for (; *preload != '\0'; preload += strspn(preload, " :")) {
        char name[PATH_MAX];
        size_t length = strcspn(preload, " :");

        (void)snprintf(name, sizeof(name), "%.*s", (int)length, preload);
        if (sg_library_is_ours(name))
            return true;
        preload += length;
    }
    return false;
}

/* It is not loaded: why? */
static void say_why_not(struct diagnosis *diagnosis, pid_t process, const char *preload)
{
    struct program_file file;
    struct verdict ignored;
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)process);
    if (sg_program_read(path, &file, &ignored) && file.is_elf && !file.has_interpreter)
        sg_diagnose(diagnosis, BAD("link it with libspanguard.a, if it is not"),
                    "the program is linked statically: no library can be preloaded");
    else if (sg_program_defines(path, "malloc"))
        sg_diagnose(diagnosis, BAD("link it with libspanguard.a, if it is not"),
                    "the program has a malloc of its own, which comes before any library's");
    else if (runs_with_more_rights(process))
        sg_diagnose(diagnosis, BAD("/etc/ld.so.preload counts for such programs, too"),
                    "it runs with more rights than its caller: LD_PRELOAD is ignored");
    else if (preload != NULL && is_named(preload))
        sg_diagnose(diagnosis, BAD("name the file that is there, or use spanguard run"),
                    "LD_PRELOAD names the library, but it did not load: %s", preload);
    else
        sg_diagnose(diagnosis, BAD(RESTART), "the library is not loaded%s",
                    preload == NULL ? ": LD_PRELOAD was not set" : ": LD_PRELOAD lacks it");
}

static void say_loaded(struct diagnosis *diagnosis, pid_t process, const struct mapped *mapped)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)process);
    if (sg_program_defines(path, "malloc"))
        sg_diagnose(diagnosis, BAD("link it without its own malloc"),
                    "the program has a malloc of its own, which comes before any library's");
    if (is_gone(mapped->ours))
        sg_diagnose(diagnosis, WARN(RESTART ": its file was replaced since"),
                    "an older %s is loaded", base_name(mapped->ours));
    else
        sg_diagnose(diagnosis, FINE, "%s is loaded", mapped->ours);
    if (mapped->other[0] != '\0')
        sg_diagnose(diagnosis, WARN("remove it: only one can be malloc"),
                    "another allocator is loaded as well: %s", mapped->other);
}

static void say_options(struct diagnosis *diagnosis, const char *options)
{
    if (options == NULL)
        return;
    if (strstr(options, "pool=system") != NULL)
        sg_diagnose(diagnosis, BAD("take pool=system out of SPANGUARD_OPTIONS"),
                    "pool=system: libc serves, nothing is checked");
    sg_diagnose_options(diagnosis, options);
}

bool sg_diagnose_process(struct diagnosis *diagnosis, pid_t process)
{
    struct proc_text *text = sg_allocate(sizeof(*text));
    struct mapped *mapped = sg_allocate(sizeof(*mapped));

    sg_proc_read(process, "maps", text);
    bool is_readable = text->length > 0;
    if (!is_readable) {
        sg_diagnose(diagnosis, BAD("ask as its user, or as root"),
                    "the mappings of process %d cannot be read", (int)process);
    } else {
        read_maps(text, mapped);
        sg_proc_read(process, "environ", text);
        if (mapped->ours[0] == '\0') {
            say_why_not(diagnosis, process, variable(text, "LD_PRELOAD"));
        } else {
            say_loaded(diagnosis, process, mapped);
            say_options(diagnosis, variable(text, "SPANGUARD_OPTIONS"));
        }
    }
    free(mapped);
    free(text);
    return is_readable;
}
