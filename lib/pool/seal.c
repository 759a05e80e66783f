#include "seal.h"

#include "os_memory.h"

/* The linker sorts sections by name (meson.build): the sealed objects lie between these two. */
#define SEAL_PAGE_BYTES 4096
static __attribute__((section(".data.sg_seal_a"), aligned(SEAL_PAGE_BYTES), used)) char begin[1];
static __attribute__((section(".data.sg_seal_c"), aligned(SEAL_PAGE_BYTES), used)) char end[1];

bool sg_seal(void)
{
    size_t bytes = (size_t)(end - begin);

    return sg_seal_is_sorted() && sg_os_page_bytes == SEAL_PAGE_BYTES &&
           sg_os_make_read_only(begin, bytes);
}
