#include "os_touched.h"

#include "os_file.h"
#include "os_memory.h"
#include "os_syscall.h"

#define PRESENT_OR_SWAPPED ((uint64_t)3 << 62)

void sg_os_touched_open(struct os_touched *touched)
{
    touched->file = sg_os_open(OS_NO_FOLDER, "/proc/self/pagemap");
    touched->count = 0;
}

void sg_os_touched_close(struct os_touched *touched)
{
    if (touched->file >= 0)
        sg_os_close(touched->file);
    touched->file = OS_ABSENT;
}

static bool is_known(const struct os_touched *touched, uintptr_t page)
{
    return page >= touched->start && page - touched->start < touched->count;
}

static void look_from(struct os_touched *touched, uintptr_t page)
{
    long got = os_syscall6(SYS_pread64, touched->file, (long)touched->pages, sizeof(touched->pages),
                           (long)(page * sizeof(uint64_t)), 0, 0);

    touched->start = page;
    touched->count = got > 0 ? (size_t)got / sizeof(uint64_t) : 0;
}

uintptr_t sg_os_touched_next(struct os_touched *touched, uintptr_t from, uintptr_t to)
{
    while (touched->file >= 0 && from < to) {
        uintptr_t page = from / sg_os_page_bytes;

        if (!is_known(touched, page))
            look_from(touched, page);
        if (!is_known(touched, page) ||
            (touched->pages[page - touched->start] & PRESENT_OR_SWAPPED) != 0)
            return from;
        from = (page + 1) * sg_os_page_bytes;
    }
    return from < to ? from : to;
}
