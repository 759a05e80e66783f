#include "checker.h"

#ifdef SG_DEBUG_VALGRIND
#include "bits.h"
#include "units.h"

bool sg_has_checker;

void sg_checker_start(void)
{
    sg_has_checker = RUNNING_ON_VALGRIND != 0;
}

/* Where no block began in this page before, none lies between this one and the page's end: nobody
 * has access to that until somebody gets it. */
void sg_checker_taken(uintptr_t start, size_t front_bytes)
{
    uintptr_t first = start - front_bytes;

    if (sg_record_step(start) == NULL)
        (void)VALGRIND_MAKE_MEM_NOACCESS(first, align_up(start + 1, PAGE_BYTES) - first);
}

void sg_checker_made(const struct record *record, bool zeroed)
{
    uintptr_t start = load_relaxed(&record->start);
    uintptr_t first = start - record->front_bytes;
    size_t bytes = record->front_bytes + record->bytes + record->behind_bytes;

    VALGRIND_HG_CLEAN_MEMORY(first, bytes);
    (void)VALGRIND_MAKE_MEM_NOACCESS(first, bytes);
    VALGRIND_MALLOCLIKE_BLOCK(start, record->bytes, 0, zeroed);
}

void sg_checker_ended(const struct record *record)
{
    VALGRIND_FREELIKE_BLOCK(load_relaxed(&record->start), 0);
}
#else
typedef int not_empty; /* built without valgrind's headers */
#endif
