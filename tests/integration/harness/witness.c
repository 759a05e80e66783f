/* Preloaded beside the allocator into every process of a case: writes down which object answers
 * malloc there. Allocates nothing, and never fails the program it is in.
 *
 * The address of malloc would not do: in a program linked at a fixed address that is the program's
 * own jump table. What a call reaches is in this object's jump slots, bound at load by -z now. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 8192, PATH_BYTES = 1024 };

static const char *const watched[] = {"malloc", "free", "calloc", "realloc", "posix_memalign"};

/* Never called: these two make the linker give each function a jump slot here. */
void *witness_references(void *old, size_t bytes);
int witness_more_references(void **ret_block, void *old);

void *witness_references(void *old, size_t bytes)
{
    if (old != NULL)
        return realloc(old, bytes);
    return bytes % 2 == 0 ? malloc(bytes) : calloc(bytes, 3);
}

int witness_more_references(void **ret_block, void *old)
{
    free(old);
    return posix_memalign(ret_block, 64, 64);
}

static ElfW(Addr) dynamic_value(ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag)
            return entry->d_un.d_ptr;
    return 0;
}

static const char *owner_of(const void *function)
{
    Dl_info info;

    if (dladdr(function, &info) == 0 || info.dli_fname == NULL)
        return "an unknown place";
    return info.dli_fname;
}

static const void *target_of(const char *name)
{
    const ElfW(Rela) *slots = (const ElfW(Rela) *)dynamic_value(DT_JMPREL);
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)dynamic_value(DT_SYMTAB);
    const char *names = (const char *)dynamic_value(DT_STRTAB);
    size_t count = dynamic_value(DT_PLTRELSZ) / sizeof *slots;
    Dl_info self;

    if (slots == NULL || dladdr(_DYNAMIC, &self) == 0)
        return NULL;
    for (size_t index = 0; index < count; index++) {
        const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(slots[index].r_info)];
        if (strcmp(names + symbol->st_name, name) == 0)
            return *(void **)((char *)self.dli_fbase + slots[index].r_offset);
    }
    return NULL;
}

static size_t describe(char *line, const char *program)
{
    size_t used = (size_t)snprintf(line, LINE_BYTES, "%d\t%s", (int)getpid(), program);

    for (size_t index = 0; index < sizeof watched / sizeof *watched; index++)
        used += (size_t)snprintf(line + used, LINE_BYTES - used, "\t%.1024s",
                                 owner_of(target_of(watched[index])));
    line[used] = '\n';
    return used + 1;
}

__attribute__((constructor)) static void testify(void)
{
    const char *path = getenv("INTEGRATION_WITNESS");
    char program[PATH_BYTES] = "";
    char line[LINE_BYTES];

    if (path == NULL || readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        return;
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0)
        return;
    /* One write per process: lines of concurrent processes never mix. A line that is lost is
     * noticed as a missing testimony. */
    ssize_t written = write(file, line, describe(line, program));
    (void)written;
    close(file);
}
