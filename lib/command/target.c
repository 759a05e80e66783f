#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTS_MOST 5 /* as the kernel: a script may be the interpreter of a script */

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_executable(const char *path)
{
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 && !is_folder(path);
}

static bool refuse_execution(const char *name, const char *path, struct verdict *verdict)
{
    if (is_folder(path))
        return sg_refuse(verdict, STATUS_NOT_EXECUTABLE, "'%s' is a folder", name);
    return sg_refuse(verdict, STATUS_NOT_EXECUTABLE, "'%s' may not be executed", name);
}

/* The last of the folders that has a file of that name tells why it cannot be executed. */
static bool find_in_path(const char *name, struct target *target, struct verdict *verdict)
{
    const char *path = getenv("PATH");
    bool is_found = false;

    if (path == NULL)
        path = "/bin:/usr/bin";
    for (const char *end; path != NULL; path = *end == ':' ? end + 1 : NULL) {
        end = strchrnul(path, ':');
        (void)snprintf(target->path, sizeof(target->path), "%.*s%s%s", (int)(end - path), path,
                       end == path ? "./" : "/", name);
        if (is_executable(target->path))
            return true;
        if (access(target->path, F_OK) == 0 && !is_folder(target->path))
            is_found = !refuse_execution(target->path, target->path, verdict);
    }
    return is_found ? false
                    : sg_refuse(verdict, STATUS_NOT_FOUND, "'%s': no such program in PATH", name);
}

bool sg_target_find(const char *name, struct target *ret_target, struct verdict *ret_verdict)
{
    if (*name != '\0' && strchr(name, '/') == NULL)
        return find_in_path(name, ret_target, ret_verdict);
    if (strlen(name) >= sizeof(ret_target->path))
        return sg_refuse(ret_verdict, STATUS_NOT_FOUND, "the path of the program is too long");
    (void)snprintf(ret_target->path, sizeof(ret_target->path), "%s", name);
    if (is_executable(name))
        return true;
    if (access(name, F_OK) != 0 && errno != EACCES)
        return sg_refuse(ret_verdict, STATUS_NOT_FOUND, "'%s': no such program", name);
    return refuse_execution(name, name, ret_verdict);
}

/* Ours is that of this very command. */
static bool is_our_interpreter(const char *interpreter)
{
    struct program_file self;
    struct verdict ignored;
    char ours[PATH_MAX], theirs[PATH_MAX];

    if (!sg_program_read("/proc/self/exe", &self, &ignored) || !self.has_interpreter)
        return false;
    if (strcmp(strrchr(self.interpreter, '/'), strrchr(interpreter, '/')) == 0)
        return true;
    return realpath(self.interpreter, ours) != NULL && realpath(interpreter, theirs) != NULL &&
           strcmp(ours, theirs) == 0;
}

static bool check_interpreter(const char *path, const char *interpreter, struct verdict *verdict)
{
    if (strchr(interpreter, '/') == NULL || access(interpreter, F_OK) != 0)
        return sg_refuse(verdict, STATUS_NOT_EXECUTABLE, "'%s' needs the loader '%s', not there",
                         path, interpreter);
    if (strstr(interpreter, "/ld-musl") != NULL)
        return sg_refuse(verdict, STATUS_REFUSED, "'%s' runs on musl (%s), the library needs glibc",
                         path, interpreter);
    if (!is_our_interpreter(interpreter))
        return sg_refuse(verdict, STATUS_REFUSED,
                         "'%s' is loaded by '%s', which is not the loader of the library's libc",
                         path, interpreter);
    return true;
}

static bool check_program(const char *path, const struct program_file *file,
                          struct verdict *verdict)
{
    struct program_file ours;

    if (!sg_program_read("/proc/self/exe", &ours, verdict))
        return false;
    if (file->class != ours.class)
        return sg_refuse(verdict, STATUS_REFUSED, "'%s' is a %s-bit program, the library is %s-bit",
                         path, file->class == ELFCLASS32 ? "32" : "64",
                         ours.class == ELFCLASS32 ? "32" : "64");
    if (file->machine != ours.machine || file->data != ours.data)
        return sg_refuse(verdict, STATUS_REFUSED,
                         "'%s' is for another processor (ELF machine %u, the library's is %u)",
                         path, file->machine, ours.machine);
    if (!file->has_interpreter)
        return sg_refuse(verdict, STATUS_REFUSED,
                         "'%s' is linked statically: no library can be preloaded", path);
    if (sg_program_defines(path, "malloc"))
        return sg_refuse(
            verdict, STATUS_REFUSED,
            "'%s' has a malloc of its own, which comes before any library's; if that is of "
            "libspanguard.a, run it as it is",
            path);
    return check_interpreter(path, file->interpreter, verdict) &&
           !sg_target_gains_rights(path, verdict);
}

/* "#! /usr/bin/env NAME": the program that env will run; "" if that is not plain. */
static void follow_env(const char *interpreter, char *argument, struct target *target)
{
    const char *name = strrchr(interpreter, '/');
    struct target found;
    struct verdict ignored;

    if (strcmp(name == NULL ? interpreter : name + 1, "env") != 0)
        return;
    if (strncmp(argument, "-S", 2) == 0)
        argument += 2;
    argument += strspn(argument, " \t");
    argument[strcspn(argument, " \t")] = '\0';
    if (*argument == '\0' || *argument == '-' || strchr(argument, '=') != NULL)
        return;
    if (sg_target_find(argument, &found, &ignored))
        memcpy(target->loaded, found.path, sizeof(found.path));
}

/* `target->loaded` becomes the interpreter of the script whose first line is `line`. */
static bool follow_script(struct target *target, char *line, struct verdict *verdict)
{
    char script[PATH_MAX];

    memcpy(script, target->loaded, sizeof(script));
    if (strncmp(line, "#!", 2) != 0)
        return sg_refuse(verdict, STATUS_NOT_EXECUTABLE,
                         "'%s' is neither an ELF program nor a script with #!", script);
    line[strcspn(line, "\n")] = '\0';
    line += 2 + strspn(line + 2, " \t");

    size_t length = strcspn(line, " \t");
    char *argument = line + length + strspn(line + length, " \t");
    line[length] = '\0';
    (void)snprintf(target->loaded, sizeof(target->loaded), "%s", line);
    if (length == 0 || !is_executable(line))
        return sg_refuse(verdict, STATUS_NOT_EXECUTABLE, "'%s' needs '%s', which cannot be run",
                         script, line);
    follow_env(line, argument, target);
    return true;
}

bool sg_target_takes_preload(struct target *target, struct verdict *ret_verdict)
{
    struct program_file file;

    memcpy(target->loaded, target->path, sizeof(target->loaded));
    for (int depth = 0; depth <= SCRIPTS_MOST; depth++) {
        if (!sg_program_read(target->loaded, &file, ret_verdict))
            return false;
        if (file.is_elf)
            return check_program(target->loaded, &file, ret_verdict);
        if (!follow_script(target, file.first, ret_verdict))
            return false;
    }
    return sg_refuse(ret_verdict, STATUS_NOT_EXECUTABLE,
                     "'%s' is a script of a script of a script, more than the kernel follows",
                     target->path);
}
