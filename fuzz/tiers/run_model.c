#include "run_model.h"

#include "tier.h"

#include <string.h>

ORACLES_BEGIN

static bool is_free(const struct run *run)
{
    return run->use != USE_TAKEN;
}

/* The index of the first run that does not end before `page`. */
static size_t index_at(const struct run_model *model, size_t page)
{
    size_t low = 0;
    size_t high = model->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct run *run = &model->runs[middle];

        if (run->first + run->pages <= page)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct run *run_model_find(struct run_model *model, size_t page)
{
    size_t index = index_at(model, page);

    if (index == model->count || model->runs[index].first > page)
        return NULL;
    return &model->runs[index];
}

static void insert(struct run_model *model, struct run run)
{
    size_t index = index_at(model, run.first);

    tier_expect(model->count < RUNS_MAX, "more runs than the model has room for");
    memmove(&model->runs[index + 1], &model->runs[index],
            (model->count - index) * sizeof(struct run));
    model->runs[index] = run;
    model->count++;
    if (run.use == USE_DIRTY)
        model->dirty_pages += run.pages;
    if (run.use == USE_TAKEN)
        model->used_pages += run.pages;
}

static struct run take_out(struct run_model *model, size_t index)
{
    struct run run = model->runs[index];

    model->count--;
    memmove(&model->runs[index], &model->runs[index + 1],
            (model->count - index) * sizeof(struct run));
    if (run.use == USE_DIRTY)
        model->dirty_pages -= run.pages;
    if (run.use == USE_TAKEN)
        model->used_pages -= run.pages;
    return run;
}

static bool merges(const struct run *run, const struct run *other)
{
    return is_free(other) && other->space == run->space &&
           (other->use == USE_CLEAN) == (run->use == USE_CLEAN);
}

void run_model_free(struct run_model *model, struct run run)
{
    size_t index = index_at(model, run.first);
    bool is_merged = false;

    if (index > 0 && model->runs[index - 1].first + model->runs[index - 1].pages == run.first &&
        merges(&run, &model->runs[index - 1])) {
        struct run below = take_out(model, --index);

        run.first = below.first;
        run.pages += below.pages;
        is_merged = true;
    }
    if (index < model->count && run.first + run.pages == model->runs[index].first &&
        merges(&run, &model->runs[index])) {
        run.pages += take_out(model, index).pages;
        is_merged = true;
    }
    if (run.use == USE_STUCK && is_merged)
        run.use = USE_DIRTY;
    run.age = ++model->age;
    insert(model, run);
}

void run_model_grow(struct run_model *model, size_t first, size_t pages, uint8_t space)
{
    model->mapped_pages += pages;
    run_model_free(model,
                   (struct run){.first = first, .pages = pages, .use = USE_CLEAN, .space = space});
}

/* The length of the shortest run that has so many pages, or SIZE_MAX. */
static size_t shortest(const struct run_model *model, struct run_request request, bool clean)
{
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < model->count; i++) {
        const struct run *run = &model->runs[i];

        if (is_free(run) && run->space == request.space && (run->use == USE_CLEAN) == clean &&
            run->pages >= request.pages && run->pages < least)
            least = run->pages;
    }
    return least;
}

static struct run_request at_any_address(struct run_request request)
{
    request.pages += request.alignment_pages - 1;
    return request;
}

bool run_model_has(const struct run_model *model, struct run_request request, bool clean)
{
    return shortest(model, at_any_address(request), clean) != SIZE_MAX;
}

static const char *judge(const struct run_model *model, struct run_request request,
                         const struct run *run, size_t first)
{
    bool clean = run->use == USE_CLEAN;
    size_t aligned = (run->first + request.alignment_pages - 1) & ~(request.alignment_pages - 1);

    if (run->space != request.space)
        return "memory of another space is handed out";
    if (first % request.alignment_pages != 0)
        return "a span is not aligned";
    if (first != aligned || first + request.pages > run->first + run->pages)
        return "a span is not at the start of a free run, or longer than that";
    if (clean && run_model_has(model, request, false))
        return "clean memory is handed out, and dirty would have fitted";
    if (run->pages == shortest(model, at_any_address(request), clean))
        return NULL;
    if (aligned == run->first && run->pages == shortest(model, request, clean))
        return NULL;
    return "the run that is handed out is not the shortest that fits";
}

const char *run_model_take(struct run_model *model, struct run_request request, size_t first,
                           unsigned slot)
{
    struct run *run = run_model_find(model, first);
    const char *wrong;

    if (run == NULL || !is_free(run))
        return "a span overlaps another, or lies nowhere";
    wrong = judge(model, request, run, first);
    if (wrong != NULL)
        return wrong;

    struct run whole = take_out(model, (size_t)(run - model->runs));
    struct run taken = {.first = first,
                        .pages = request.pages,
                        .use = USE_TAKEN,
                        .space = request.space,
                        .slot = slot};
    struct run rest = whole;

    insert(model, taken);
    if (first > whole.first) {
        struct run lead = whole;

        lead.pages = first - whole.first;
        run_model_free(model, lead);
    }
    rest.first = first + request.pages;
    rest.pages = whole.first + whole.pages - rest.first;
    if (rest.pages > 0)
        run_model_free(model, rest);
    return NULL;
}

void run_model_give(struct run_model *model, size_t first, size_t pages, enum run_use use)
{
    size_t index = index_at(model, first);
    struct run run = take_out(model, index);
    struct run kept = run;
    uint8_t space = run.space;

    kept.pages = run.pages - pages;
    if (kept.pages > 0)
        insert(model, kept);
    run_model_free(
        model,
        (struct run){.first = run.first + kept.pages, .pages = pages, .use = use, .space = space});
}

bool run_model_extend(struct run_model *model, size_t first, size_t more, uint8_t space)
{
    size_t index = index_at(model, first);
    struct run run = model->runs[index];
    struct run above;

    if (index + 1 == model->count)
        return false;
    above = model->runs[index + 1];
    if (above.first != run.first + run.pages || !is_free(&above) || above.space != space ||
        above.pages < more)
        return false;
    (void)take_out(model, index + 1);
    (void)take_out(model, index);
    run.pages += more;
    insert(model, run);
    above.first += more;
    above.pages -= more;
    if (above.pages > 0)
        run_model_free(model, above);
    return true;
}

bool run_model_oldest(struct run_model *model, struct run *ret_run)
{
    const struct run *run = run_model_after(model, 0);

    if (run == NULL)
        return false;
    *ret_run = take_out(model, (size_t)(run - model->runs));
    return true;
}

const struct run *run_model_after(const struct run_model *model, uint64_t age)
{
    const struct run *oldest = NULL;

    for (size_t i = 0; i < model->count; i++) {
        const struct run *run = &model->runs[i];

        if (run->use == USE_DIRTY && run->age > age && (oldest == NULL || run->age < oldest->age))
            oldest = run;
    }
    return oldest;
}

ORACLES_END
