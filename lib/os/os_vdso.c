#include "os_vdso.h"

#include "os_syscall.h"

#include <link.h>
#include <sys/auxv.h>

#if defined(__aarch64__)
#define CLOCK_NAME "__kernel_clock_gettime"
#else
#define CLOCK_NAME "__vdso_clock_gettime"
#endif

#ifdef SG_LABORATORY
#define IN_LABORATORY 1
#else
#define IN_LABORATORY 0
#endif

typedef int (*clock_function)(clockid_t clock, struct timespec *ret_time);

static SEALED clock_function kernel_clock;

/* What the symbols of the image are found by; addresses as they were linked. */
struct image {
    uintptr_t slide;
    uintptr_t symbols;
    uintptr_t names;
};

static void read_dynamic(const ElfW(Dyn) * entry, struct image *image)
{
    for (; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            image->symbols = entry->d_un.d_ptr;
        if (entry->d_tag == DT_STRTAB)
            image->names = entry->d_un.d_ptr;
    }
}

static struct image read_image(const ElfW(Ehdr) * header)
{
    const char *start = (const char *)header;
    const ElfW(Phdr) *segment = (const void *)(start + header->e_phoff);
    const ElfW(Dyn) *dynamic = NULL;
    struct image image = {0, 0, 0};

    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segment[i].p_type == PT_LOAD)
            image.slide = (uintptr_t)start + segment[i].p_offset - segment[i].p_vaddr;
        if (segment[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)(start + segment[i].p_offset);
    }
    if (dynamic != NULL)
        read_dynamic(dynamic, &image);
    return image;
}

/* Linkers put the names right behind the symbols, whose count nothing else tells simply. */
static void find_clock(const struct image *image)
{
    const char *names = (const char *)(image->slide + image->names);

    if (image->symbols == 0 || names == NULL)
        return;
    for (uintptr_t at = image->symbols; at + sizeof(ElfW(Sym)) <= image->names;
         at += sizeof(ElfW(Sym))) {
        const ElfW(Sym) *symbol = (const void *)(image->slide + at);

        if (symbol->st_shndx != SHN_UNDEF &&
            __builtin_strcmp(names + symbol->st_name, CLOCK_NAME) == 0)
            kernel_clock = (clock_function)(image->slide + symbol->st_value);
    }
}

void sg_os_vdso_start(void)
{
    uintptr_t header = getauxval(AT_SYSINFO_EHDR);

    if (header == 0)
        return;
    struct image image = read_image((const void *)header);
    find_clock(&image);
}

/* In the laboratory what the tiers go by stands where the input says. The finer clock, of which
 * keys are made where the kernel has no random numbers, is the machine's there too: no two lives of
 * a process have the same keys. */
struct timespec sg_os_clock(clockid_t clock)
{
    bool is_played = IN_LABORATORY && clock == CLOCK_MONOTONIC_COARSE;
    struct timespec now = {0, 0};

    if (is_played || kernel_clock == NULL || kernel_clock(clock, &now) != 0)
        (void)os_syscall3(SYS_clock_gettime, clock, (long)&now, 0);
    return now;
}
