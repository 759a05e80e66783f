/* Settings and secrets of the library are read-only once it runs, for good where the kernel has
 * mseal. Found from outside: the pages of its writable segment that cannot be written. */
#include "again.h"
#include "probe.h"

#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10 */
#endif

enum { PAGE = 4096, DIED = 128 + SIGSEGV };

struct range {
    char *from, *end;
};

static int find_writable_segment(struct dl_phdr_info *object, size_t size, void *result)
{
    struct range *range = result, relro = {0};

    (void)size;
    if (strstr(object->dlpi_name, strrchr(getenv("CHECK_PRELOAD"), '/')) == NULL)
        return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        char *from = (char *)(object->dlpi_addr + segment->p_vaddr);

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0)
            *range = (struct range){from, from + segment->p_memsz};
        if (segment->p_type == PT_GNU_RELRO)
            relro = (struct range){from, from + segment->p_memsz};
    }
    if (relro.end > range->from && relro.end < range->end)
        range->from = relro.end;
    return 1;
}

/* The first run of pages behind the read-only relocations that cannot be written. */
static struct range sealed_pages(void)
{
    struct range data = {0}, sealed = {0};

    free(malloc(opaque(100)));
    dl_iterate_phdr(find_writable_segment, &data);
    char *page = (char *)(((uintptr_t)data.from + PAGE - 1) & -(uintptr_t)PAGE);

    for (; page + PAGE <= data.end && sealed.end == NULL; page += PAGE)
        if (faults(page, PROBE_WRITE)) {
            sealed = (struct range){page, page};
            while (sealed.end + PAGE <= data.end && faults(sealed.end, PROBE_WRITE))
                sealed.end += PAGE;
        }
    return sealed;
}

TEST(settings_are_read_only_after_the_first_malloc)
{
    NOT_OVER_GLIBC();
    struct range sealed = sealed_pages();

    EXPECT(sealed.from < sealed.end);
    for (char *byte = sealed.from; byte < sealed.end; byte += PAGE / 4) {
        EXPECT(!faults(byte, PROBE_READ));
        EXPECT(faults(byte, PROBE_WRITE));
    }
}

BODY(writes_to_a_sealed_page)
{
    struct range sealed = sealed_pages();

    REQUIRE(sealed.from != NULL);
    *(volatile char *)sealed.from = 1;
}

TEST(a_write_to_the_settings_kills)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("writes_to_a_sealed_page", "", DIED, ""));
    EXPECT(again_is("writes_to_a_sealed_page", "profile=fast", DIED, ""));
}

BODY(has_no_sealed_page)
{
    REQUIRE(sealed_pages().from == NULL);
}

TEST(with_seal_0_nothing_is_sealed)
{
    NOT_OVER_GLIBC();
    EXPECT(again_is("has_no_sealed_page", "seal=0", 0, ""));
}

/* Whether the kernel has mseal, tried on a page of our own. */
static bool kernel_can_seal(void)
{
    char *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return syscall(SYS_mseal, page, (size_t)PAGE, 0ul) == 0;
}

static bool is_refused(long result)
{
    return result == -1 && errno == EPERM;
}

TEST(nobody_can_undo_the_seal)
{
    NOT_OVER_GLIBC();
    if (!kernel_can_seal())
        SKIP("this kernel has no mseal");
    struct range sealed = sealed_pages();
    size_t bytes = (size_t)(sealed.end - sealed.from);

    EXPECT(bytes > 0);
    for (char *page = sealed.from; page < sealed.end; page += PAGE)
        EXPECT(is_refused(mprotect(page, PAGE, PROT_READ | PROT_WRITE)));
    EXPECT(is_refused(munmap(sealed.from, bytes)));
    EXPECT(is_refused((long)mmap(sealed.from, bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)));
    EXPECT(is_refused((long)mremap(sealed.from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
                                   sealed.from + (64 << 20))));
    EXPECT(faults(sealed.from, PROBE_WRITE));
    free(malloc(opaque(5000)));
}

static void expect_sealed_in_child(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct range sealed = sealed_pages();

        _exit(sealed.from != NULL &&
                      (!kernel_can_seal() ||
                       is_refused(mprotect(sealed.from, PAGE, PROT_READ | PROT_WRITE)))
                  ? 0
                  : 1);
    }
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT_EQUAL(status, 0);
}

TEST(a_forked_child_is_sealed_too)
{
    NOT_OVER_GLIBC();
    expect_sealed_in_child();
}
