/* The page cache alone, over a kernel on paper: its memory does not exist, only what is known of
 * it. Beside it a model that says which run must be handed out, which runs go back to the kernel
 * and in what order, and what lies beside what.
 *
 *   header[0]    options: dirty_bytes, guard_free, isolate_classes
 *   header[1]    the kernel: where it maps, whether at odd OS pages, whether it has guards
 *   op % 16      what; a: span; b, c: how long, how
 */
#include "object_pool.h"
#include "options.h"
#include "os_guard.h"
#include "page_cache_state.h"
#include "page_heap.h"
#include "paper_kernel.h"
#include "tier.h"

#include <string.h>

TIER_TARGET("page_cache");

#define LIVE_PAGES_MAX 6000u
#define CALLS_PER_CHECK 16u
#define PURGE_BATCH 64u /* as in page_purge.c: a batch is out of the sets as a whole */

struct run_model model;
struct page_heap heap;

static void start(const struct tier_input *input)
{
    static const size_t dirty_bytes[8] = {0,         8 * KIB, 64 * KIB, 128 * KIB,
                                          256 * KIB, 1 * MIB, 8 * MIB,  256 * MIB};
    uint8_t kernel = input->header[1];
    struct paper_setup setup = {
        .start = kernel, .is_unaligned = kernel / 4 % 4 == 3, .seed = input->seed};

    paper_start(setup);
    sg_os_guard_start(kernel / 16 % 4 == 3, SIZE_MAX);
    sg_options.dirty_bytes = dirty_bytes[input->header[0] % 8];
    sg_options.guard_free = input->header[0] / 8 % 2;
    sg_options.isolate_classes = input->header[0] / 16 % 2;
    memset(&heap.spans, 0, sizeof(heap.spans));
    heap.is_vague = false;
    heap.needed_bytes = sg_object_pool_live_bytes();
    model.count = model.mapped_pages = model.used_pages = model.dirty_pages = 0;
    model.age = 0;
}

/* What the kernel gave, if anything. */
static bool note_growth(uint8_t space)
{
    size_t pages = sg_page_cache.mapped_pages - model.mapped_pages;

    if (pages == 0)
        return false;
    uintptr_t base = (paper.last_mapping + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    tier_expect(base + pages * PAGE_BYTES <= paper_end(), "a run is longer than its mapping");
    run_model_grow(&model, page_heap_page(base), pages, space);
    return true;
}

static void expect_ready(const struct span *span, const struct page_request *request, bool zeroed)
{
    uintptr_t base = span->slots.base;
    size_t bytes = request->pages * PAGE_BYTES;

    tier_expect(span->pages == request->pages + request->guard_pages, "a span has another length");
    tier_expect(paper_is_open(base, bytes), "a span has pages without access");
    tier_expect(!zeroed || !paper_is_written(base, bytes), "a span that is said to be zero is not");
    for (uintptr_t guard = base + bytes; guard < span_end(span); guard += PAPER_OS_PAGE_BYTES)
        tier_expect(!paper_is_open(guard, PAPER_OS_PAGE_BYTES) || heap.is_vague,
                    "a guard can be written to");
}

static size_t length_of(uint8_t b)
{
    static const uint16_t lengths[16] = {32,  33,  63,  64,  65,  126, 127, 128,
                                         129, 130, 160, 200, 255, 256, 384, 600};

    return b < 192 ? 1u + b % 24 : lengths[b % 16];
}

static void take(const struct tier_record *record)
{
    unsigned slot = record->a % PAGE_SLOTS;
    struct page_request request = {
        .pages = length_of(record->b),
        .guard_pages = record->c % 8 < 5 ? 0 : record->c % 8 - 4,
        .alignment_pages = record->c / 8 % 4 != 3 ? 1 : (size_t)1 << (record->c / 32),
        .owner = record->op / 16 % 2 == 0 ? SPAN_CENTRAL : SPAN_LARGE,
    };
    struct run_request wanted = {request.pages + request.guard_pages, request.alignment_pages,
                                 sg_page_space_of(request.owner)};
    unsigned failures = paper.failures;
    bool zeroed = false;

    if (model.used_pages + wanted.pages > LIVE_PAGES_MAX)
        return;
    bool had_one = run_model_has(&model, wanted, false) || run_model_has(&model, wanted, true);
    struct span *span = sg_page_cache_take(request, &zeroed);
    bool has_grown = note_growth(wanted.space);

    tier_expect(!has_grown || !had_one, "more was mapped although a free run would have fitted");
    if (span == NULL) {
        tier_expect(!had_one && paper.failures > failures, "no span, and nothing failed");
        return;
    }
    const char *wrong = run_model_take(&model, wanted, page_heap_page(span->slots.base), slot);
    if (wrong != NULL)
        tier_fail(wrong);
    expect_ready(span, &request, zeroed);
    span->slots.slot_count = 1; /* as its user would: something could be freed in it */
    heap.spans[slot] = span;
    heap.open_pages[slot] = request.pages;
    if (record->op / 32 % 4 != 0)
        (void)paper_write(span->slots.base, request.pages * PAGE_BYTES);
}

/* The call of madvise that took this run's memory, or none. */
static bool was_purged(const struct run *run)
{
    for (size_t i = 0; i < paper.purge_count; i++)
        if (paper.purges[i].address == page_heap_address(run->first) &&
            paper.purges[i].bytes == run->pages * PAGE_BYTES)
            return true;
    return false;
}

/* Takes the oldest dirty runs out of the model until `keep` pages are left, and puts them back as
 * what the kernel made of them. */
static void purge_model(size_t keep, unsigned failures)
{
    size_t budget = model.dirty_pages;
    size_t purged = 0;
    size_t runs = 0;

    while (model.dirty_pages > keep && purged < budget) {
        struct run batch[PURGE_BATCH];
        size_t count = 0;

        while (count < PURGE_BATCH && model.dirty_pages > keep &&
               run_model_oldest(&model, &batch[count]))
            count++;
        runs += count;
        while (count-- > 0) {
            struct run run = batch[count];

            run.use = was_purged(&run) ? USE_CLEAN : USE_STUCK;
            tier_expect(run.use == USE_CLEAN || paper.failures > failures,
                        "an older dirty run stayed, and younger ones went back");
            purged += run.use == USE_CLEAN ? run.pages : 0;
            run_model_free(&model, run);
        }
    }
    tier_expect(paper.purge_count <= runs + (paper.failures - failures),
                "more runs went back to the kernel than the rule says");
}

/* After `failures`, something was given; what is too much of it went back at once. */
static void purge_beyond_limit(unsigned failures)
{
    size_t limit = sg_page_cache_dirty_limit();

    if (model.dirty_pages > limit)
        purge_model(limit / 2, failures);
    else
        tier_expect(paper.purge_count == 0, "memory went back although it might have stayed");
}

/* Some of its last pages lose access, as a large object's guard does; returns how many do not. */
static size_t close_tail(uintptr_t base, size_t pages, uint8_t how)
{
    size_t closed = how % 4 == 3 ? pages : how % 4 == 2 ? pages / 2 : 0;

    if (closed > 0)
        (void)sg_os_forbid((void *)(base + (pages - closed) * PAGE_BYTES), closed * PAGE_BYTES);
    paper.purge_count = 0;
    return closed == 0 ? SIZE_MAX : pages - closed;
}

static size_t at_most(size_t one, size_t other)
{
    return one < other ? one : other;
}

static void give(const struct tier_record *record)
{
    struct span *span = heap.spans[record->a % PAGE_SLOTS];
    bool zeroed = record->op / 16 % 4 == 1;
    size_t pages = span->pages;
    size_t first = page_heap_page(span->slots.base);
    size_t open = heap.open_pages[record->a % PAGE_SLOTS];

    heap.spans[record->a % PAGE_SLOTS] = NULL;
    paper.purge_count = 0;
    if (zeroed)
        paper_clear(span->slots.base, span_bytes(span));
    else if (record->op / 16 % 4 > 1)
        open = at_most(open, close_tail(span->slots.base, pages, record->c));
    unsigned failures = paper.failures;
    sg_page_cache_give(span, zeroed, open);
    run_model_give(&model, first, pages, zeroed ? USE_CLEAN : USE_DIRTY);
    purge_beyond_limit(failures);
}

static void extend(const struct tier_record *record)
{
    struct span *span = heap.spans[record->a % PAGE_SLOTS];
    size_t pages = span->pages;
    size_t more = length_of(record->b);

    if (span->slots.owner != SPAN_LARGE || model.used_pages + more > LIVE_PAGES_MAX)
        return;
    bool must = run_model_extend(&model, page_heap_page(span->slots.base), more,
                                 sg_page_space_of(SPAN_LARGE));
    bool extended = sg_page_cache_extend(span, pages + more);
    tier_expect(extended == must, "a span grew where it could not, or did not where it could");
    tier_expect(span->pages == pages + (must ? more : 0), "a span that grew has another length");
    if (!extended)
        return;
    if (heap.open_pages[record->a % PAGE_SLOTS] == pages)
        heap.open_pages[record->a % PAGE_SLOTS] += more;
    else
        heap.is_vague = true; /* its guard is somewhere in the middle now */
    tier_expect(paper_write(span->slots.base + pages * PAGE_BYTES, more * PAGE_BYTES),
                "a span grew by pages without access");
}

static void shrink(const struct tier_record *record)
{
    struct span *span = heap.spans[record->a % PAGE_SLOTS];
    size_t first = page_heap_page(span->slots.base);
    size_t pages = 1 + record->b % (span->pages == 1 ? 1 : span->pages - 1);
    size_t less = span->pages - pages;
    size_t *known = &heap.open_pages[record->a % PAGE_SLOTS];
    unsigned failures;

    if (span->slots.owner != SPAN_LARGE || less == 0)
        return;
    /* Its guard, if it had one, lies among what is cut off. */
    size_t open = close_tail(page_heap_address(first + pages), less, record->c);
    failures = paper.failures;
    open = at_most(open, *known > pages ? *known - pages : 0);
    *known = at_most(*known, pages);
    tier_expect(sg_page_cache_shrink(span, pages, open), "a span did not shrink");
    tier_expect(span->pages == pages, "a span that shrank has another length");
    run_model_give(&model, first, less, USE_DIRTY);
    purge_beyond_limit(failures);
}

static void trim(size_t keep_pages)
{
    unsigned failures = paper.failures;
    size_t before = model.dirty_pages;
    size_t given;

    paper.purge_count = 0;
    given = sg_page_cache_trim(keep_pages * PAGE_BYTES);
    purge_model(keep_pages, failures);
    if (paper.failures == failures && before > keep_pages)
        tier_expect(given >= (before - keep_pages) * PAGE_BYTES, "a trim says less than it did");
}

/* What may stay dirty is an eighth of what is used, or the floor, and for a while some more. */
static void check_limit(void)
{
    size_t floor = sg_options.dirty_bytes / PAGE_BYTES;
    size_t absent = (size_t)heap.absent_os_pages * PAPER_OS_PAGE_BYTES / PAGE_BYTES;
    size_t share = model.used_pages > absent ? (model.used_pages - absent) / 8 : 0;
    size_t least = share > floor ? share : floor;
    size_t limit = sg_page_cache_dirty_limit();

    tier_expect(limit >= least, "less may stay dirty than the rule says");
    tier_expect(limit == least + sg_page_cache.credit_pages, "more may stay than rule and credit");
    tier_expect(sg_page_cache_would_keep(1) == (model.dirty_pages + 1 <= limit),
                "would_keep says something else than the limit");
}

static void pass_time(uint8_t c)
{
    static const uint16_t periods[8] = {1, 4, 50, 99, 100, 101, 1000, 40000};

    paper.milliseconds += periods[c % 8];
    check_limit();
    if (periods[c % 8] == 40000)
        tier_expect(sg_page_cache.credit_pages == 0, "credit lasts for ever");
}

static void note_absent(uint8_t b)
{
    long os_pages = b % 2 == 0 ? b * 4l : -(b * 2l);

    if (heap.absent_os_pages + os_pages < 0)
        os_pages = -heap.absent_os_pages;
    heap.absent_os_pages += os_pages;
    sg_page_cache_note_absent(os_pages);
    check_limit();
}

static void fail_later(const struct tier_record *record)
{
    heap.is_vague = true;
    if (record->b % 2 == 0)
        paper.fail_mmap_in = 1 + record->c % 2;
    else
        paper.fail_advice_in = 1 + record->c % 8;
}

static void perform(const struct tier_record *record)
{
    bool is_live = heap.spans[record->a % PAGE_SLOTS] != NULL;

    switch (record->op % 16) {
    case 10:
        if (is_live)
            extend(record);
        break;
    case 11:
        if (is_live)
            shrink(record);
        break;
    case 12:
        trim(record->b % 4 == 0 ? 0 : record->c);
        break;
    case 13:
        pass_time(record->c);
        break;
    case 14:
        note_absent(record->b);
        break;
    case 15:
        fail_later(record);
        break;
    default:
        if (is_live)
            give(record);
        else
            take(record);
        break;
    }
}

static void end(void)
{
    paper.fail_mmap_in = 0;
    paper.fail_advice_in = 0;
    for (unsigned slot = 0; slot < PAGE_SLOTS; slot++)
        if (heap.spans[slot] != NULL)
            give(&(struct tier_record){.a = (uint8_t)slot});
    sg_page_cache_note_absent(-heap.absent_os_pages);
    heap.absent_os_pages = 0;
    pass_time(7);
    trim(0);
    page_heap_check();
    tier_expect(model.dirty_pages == 0, "in the end a run is dirty");
    page_heap_reset();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tier_input input;
    struct tier_record record;
    unsigned calls = 0;

    tier_begin(&input, data, bytes);
    start(&input);
    while (tier_next(&input, &record)) {
        paper.purge_count = 0;
        perform(&record);
        if (++calls % CALLS_PER_CHECK == 0)
            page_heap_check();
    }
    page_heap_check();
    end();
    return 0;
}
