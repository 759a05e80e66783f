#include "page_runs.h"

#include "bits.h"
#include "invariant.h"

static uint64_t priority(const struct span *span)
{
    return (span->slots.base >> PAGE_SHIFT) * 0x9e3779b97f4a7c15u;
}

static bool is_before(const struct span *span, const struct span *other)
{
    if (span->pages != other->pages)
        return span->pages < other->pages;
    return span->slots.base < other->slots.base;
}

static void tree_insert(struct span **place, struct span *span)
{
    while (*place != NULL && priority(*place) >= priority(span))
        place = is_before(span, *place) ? &(*place)->left : &(*place)->right;

    /* Split what hangs here into the nodes before and after `span`. */
    struct span *rest = *place;
    struct span **before = &span->left;
    struct span **after = &span->right;

    *place = span;
    while (rest != NULL) {
        if (is_before(rest, span)) {
            *before = rest;
            before = &rest->right;
            rest = rest->right;
        } else {
            *after = rest;
            after = &rest->left;
            rest = rest->left;
        }
    }
    *before = NULL;
    *after = NULL;
}

static void tree_remove(struct span **place, struct span *span)
{
    while (*place != NULL && *place != span)
        place = is_before(span, *place) ? &(*place)->left : &(*place)->right;
    ASSERT(*place == span);
    if (*place == NULL)
        return;

    struct span *left = span->left;
    struct span *right = span->right;

    while (left != NULL && right != NULL) {
        if (priority(left) > priority(right)) {
            *place = left;
            place = &left->right;
            left = left->right;
        } else {
            *place = right;
            place = &right->left;
            right = right->left;
        }
    }
    *place = left != NULL ? left : right;
}

void sg_page_runs_insert(struct page_runs *runs, struct span *span)
{
    uint32_t index = span->pages - 1;

    runs->pages += span->pages;
    runs->runs++;
    if (index >= RUNS_LISTED_PAGES) {
        tree_insert(&runs->longer, span);
        return;
    }
    list_push(&runs->listed[index], &span->link);
    runs->nonempty[index / 64] |= (uint64_t)1 << (index % 64);
}

void sg_page_runs_remove(struct page_runs *runs, struct span *span)
{
    uint32_t index = span->pages - 1;

    runs->pages -= span->pages;
    runs->runs--;
    if (index >= RUNS_LISTED_PAGES) {
        tree_remove(&runs->longer, span);
        return;
    }
    list_unlink(&runs->listed[index], &span->link);
    if (runs->listed[index] == NULL)
        runs->nonempty[index / 64] &= ~((uint64_t)1 << (index % 64));
}

static struct span *first_listed(const struct page_runs *runs, size_t pages)
{
    size_t index = pages - 1;

    for (size_t word = index / 64; word < RUNS_LISTED_PAGES / 64; word++) {
        uint64_t bits = runs->nonempty[word];

        if (word == index / 64)
            bits &= ~(uint64_t)0 << (index % 64);
        if (bits != 0)
            return container_of(runs->listed[word * 64 + (unsigned)__builtin_ctzll(bits)],
                                struct span, link);
    }
    return NULL;
}

struct span *sg_page_runs_best_fit(const struct page_runs *runs, size_t pages)
{
    struct span *best = pages <= RUNS_LISTED_PAGES ? first_listed(runs, pages) : NULL;

    if (best != NULL)
        return best;
    for (struct span *node = runs->longer; node != NULL;) {
        if (node->pages >= pages) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}
