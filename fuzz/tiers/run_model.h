/* What the page cache must hold: runs of pages in the order of their addresses, each in use or free
 * and of a kind, free ones merged as far as they may be. Knows nothing of spans. */
#ifndef SG_FUZZ_TIERS_RUN_MODEL_H
#define SG_FUZZ_TIERS_RUN_MODEL_H

#include "compiler.h"

#define RUNS_MAX 2048u

enum run_use { USE_CLEAN, USE_DIRTY, USE_STUCK, USE_TAKEN };

struct run {
    size_t first; /* page of the area */
    size_t pages;
    enum run_use use;
    uint8_t space;
    unsigned slot; /* TAKEN: whose */
    uint64_t age;  /* DIRTY: the lower the longer */
};

struct run_model {
    struct run runs[RUNS_MAX];
    size_t count;
    uint64_t age;
    size_t mapped_pages;
    size_t used_pages;
    size_t dirty_pages;
};

struct run_request {
    size_t pages;
    size_t alignment_pages;
    uint8_t space;
};

/* The run that holds the page, or NULL. */
struct run *run_model_find(struct run_model *model, size_t page);

/* Adds a free run, where nothing is, and merges it. */
void run_model_free(struct run_model *model, struct run run);

/* Address space that is new. */
void run_model_grow(struct run_model *model, size_t first, size_t pages, uint8_t space);

/* Whether a request can be served from the runs of this kind at whatever address they begin. */
bool run_model_has(const struct run_model *model, struct run_request request, bool clean);

/* Whether `first` is a right answer: of the dirty, then of the clean the shortest run. NULL: it is
 * taken; else what is wrong with it. */
const char *run_model_take(struct run_model *model, struct run_request request, size_t first,
                           unsigned slot);

/* The last pages of a taken run are free again. */
void run_model_give(struct run_model *model, size_t first, size_t pages, enum run_use use);

/* The pages behind a taken run become its own; false: they are not free, or too few. */
bool run_model_extend(struct run_model *model, size_t first, size_t more, uint8_t space);

/* The oldest dirty run, out of the model; false if there is none. */
bool run_model_oldest(struct run_model *model, struct run *ret_run);

/* The next dirty run by age after `age`, or NULL. */
const struct run *run_model_after(const struct run_model *model, uint64_t age);

#endif
