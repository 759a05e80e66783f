/* The page map alone: ranges set and looked up at every edge that an address can have, against a
 * plain array. Its nodes for 2 GiB come from a kernel of this file, so that each input begins with
 * a map that has none.
 *
 *   header[0] % 16     1: in the end all spans are visited, if there are few nodes: it is slow
 *   op % 8             what; a: anchor and value; b, c: place and length
 */
#include "laboratory.h"
#include "page_map.h"
#include "span.h"
#include "tier.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

TIER_TARGET("page_map");

#define WINDOW_PAGES 2048u /* of the model, around each anchor */
#define SPANS 12u

/* Edges: of nothing, of a leaf, of the user's half, of the two levels, of the third, of all. */
static const uintptr_t anchors[] = {
    WINDOW_PAGES / 2 * PAGE_BYTES,
    (uintptr_t)1 << PAGE_MAP_LEAF_SHIFT,
    ((uintptr_t)5 << PAGE_MAP_LEAF_SHIFT) + ((uintptr_t)1 << 30),
    (uintptr_t)0x7f << 40,
    (uintptr_t)1 << 47,
    (uintptr_t)1 << PAGE_MAP_NEAR_BITS,
    ((uintptr_t)1 << PAGE_MAP_NEAR_BITS) + ((uintptr_t)1 << PAGE_MAP_LEAF_SHIFT),
    (uintptr_t)3 << PAGE_MAP_NEAR_BITS,
    (uintptr_t)1 << 56,
    (uintptr_t)1 << PAGE_MAP_FAR_BITS,
    (uintptr_t)1 << 63,
    (uintptr_t)0xffff8 << 44,
    (uintptr_t)0 - WINDOW_PAGES / 2 * PAGE_BYTES,
};
#define ANCHORS (sizeof(anchors) / sizeof(anchors[0]))

static struct span spans[SPANS];

/* What a page finds: 0 nothing, 1 retired, 2 forbidden, else a span. */
static uint8_t model[ANCHORS][WINDOW_PAGES];
static bool is_touched[ANCHORS];

static struct span *span_of(uint8_t value)
{
    if (value == 0)
        return NULL;
    if (value == 1)
        return &sg_span_retired;
    return value == 2 ? &sg_span_forbidden : &spans[value - 3];
}

/* One mapping for each leaf, from here. */
#define NODES_MAX 32u
#define NODE_BYTES (sizeof(struct page_map_leaf) + (1u << 18))

static struct {
    char *memory;
    unsigned used;
    unsigned fail_in;
    unsigned failures;
} nodes;

static long give_node(void)
{
    if (nodes.fail_in != 0 && --nodes.fail_in == 0) {
        nodes.failures++;
        return -ENOMEM;
    }
    if (nodes.used == NODES_MAX)
        tier_fail("more leaves than the ranges need");
    return (long)(nodes.memory + nodes.used++ * NODE_BYTES);
}

static long kernel(long number, const long *arguments)
{
    size_t bytes = (size_t)arguments[1];
    bool is_ours = (uintptr_t)arguments[0] - (uintptr_t)nodes.memory < NODES_MAX * NODE_BYTES;

    if (number == SYS_mmap && bytes >= sizeof(struct page_map_leaf) && bytes <= NODE_BYTES)
        return give_node();
    if (number == SYS_mprotect && is_ours)
        return 0;
    return laboratory_machine_call(number, arguments);
}

static struct page_map_leaf *_Atomic *entry_of(uintptr_t address)
{
    struct page_map_root *root = &sg_page_map_near;

    if (address >> PAGE_MAP_NEAR_BITS != 0)
        root = sg_page_map_far_root(address);
    if (root == NULL)
        return NULL;
    return &root->leaves[(address >> PAGE_MAP_LEAF_SHIFT) & (PAGE_MAP_ROOT_ENTRIES - 1)];
}

/* Of the model and of the map. */
static void clear_window(size_t anchor)
{
    uintptr_t base = anchors[anchor] - WINDOW_PAGES / 2 * PAGE_BYTES;

    for (size_t i = 0; i < WINDOW_PAGES; i++)
        if (model[anchor][i] != 0)
            sg_page_map_set(base + i * PAGE_BYTES, 1, NULL);
    memset(model[anchor], 0, sizeof(model[anchor]));
}

/* Its leaves, now without a span, are as new and not there yet. */
static void forget_leaves(size_t anchor)
{
    uintptr_t base = anchors[anchor] - WINDOW_PAGES / 2 * PAGE_BYTES;
    uintptr_t last = base + (WINDOW_PAGES - 1) * PAGE_BYTES;

    if (entry_of(base) != NULL)
        store_relaxed(entry_of(base), NULL);
    if (entry_of(last) != NULL)
        store_relaxed(entry_of(last), NULL);
}

static void end(void)
{
    for (size_t i = 0; i < ANCHORS; i++)
        if (is_touched[i])
            clear_window(i);
    for (size_t i = 0; i < ANCHORS; i++) /* some share one */
        if (is_touched[i])
            forget_leaves(i);
}

static void start(void)
{
    if (nodes.memory == NULL) {
        nodes.memory = mmap(NULL, NODES_MAX * NODE_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        tier_expect(nodes.memory != MAP_FAILED, "no memory for nodes");
    }
    laboratory.kernel = kernel;
    nodes.used = 0;
    nodes.fail_in = 0;
    memset(is_touched, 0, sizeof(is_touched));
}

struct place {
    size_t anchor;
    size_t first; /* page in the window */
    size_t pages;
    uintptr_t base;
};

static struct place place_of(const struct tier_record *record)
{
    static const uint16_t lengths[8] = {1, 2, 3, 16, 129, 500, 1024, 2048};
    struct place place = {.anchor = record->a % ANCHORS};

    place.pages = lengths[record->c % 8];
    /* Around the anchor closely, or anywhere. */
    place.first = record->b < 64 ? WINDOW_PAGES / 2 - 32 + record->b : record->b * 8u;
    if (place.pages > WINDOW_PAGES - place.first)
        place.pages = WINDOW_PAGES - place.first;
    place.base = anchors[place.anchor] + (place.first - WINDOW_PAGES / 2) * PAGE_BYTES;
    return place;
}

/* What the promise says: only addresses of up to 57 bits, and as long as there is memory. */
static bool cover(const struct place *place)
{
    unsigned failures = nodes.failures;
    uintptr_t last = place->base + place->pages * PAGE_BYTES - 1;
    bool covered = sg_page_map_cover(place->base, place->pages * PAGE_BYTES);

    if (last >> PAGE_MAP_FAR_BITS != 0)
        tier_expect(!covered, "an address beyond 57 bits is covered");
    else
        tier_expect(covered == (nodes.failures == failures), "covered without memory, or not with");
    is_touched[place->anchor] = true;
    return covered;
}

static void set(const struct place *place, uint8_t value)
{
    if (!cover(place))
        return;
    sg_page_map_set(place->base, place->pages, span_of(value));
    memset(&model[place->anchor][place->first], value, place->pages);
}

/* What any address must find. */
static struct span *expected(uintptr_t address)
{
    for (size_t i = 0; i < ANCHORS; i++) {
        uintptr_t offset = address - (anchors[i] - WINDOW_PAGES / 2 * PAGE_BYTES);

        if (offset < WINDOW_PAGES * PAGE_BYTES)
            return span_of(model[i][offset / PAGE_BYTES]);
    }
    return NULL;
}

static void look(uintptr_t address)
{
    struct span *wanted = expected(address);
    bool is_near = address >> PAGE_MAP_NEAR_BITS == 0;

    tier_expect(page_map_lookup(address) == wanted, "an address finds another span");
    tier_expect(page_map_lookup_near(address) == (is_near ? wanted : NULL),
                "an address finds another span on the fast way");
}

/* An address of ours with bits flipped. */
static void look_beside(const struct place *place, const struct tier_record *record)
{
    uintptr_t address = place->base + record->c * 31u;

    look(address ^ (uintptr_t)1 << (record->op / 8 + 32));
    look(address | (uintptr_t)0xffff << 48);
    look(address ^ (uintptr_t)1 << (record->c % 64));
    look(~address);
}

static void look_around(const struct place *place)
{
    look(place->base);
    look(place->base - 1);
    look(place->base + place->pages * PAGE_BYTES - 1);
    look(place->base + place->pages * PAGE_BYTES);
}

/* The smallest range that has all pages of a value. */
static void find(const struct place *place, uint8_t value)
{
    const uint8_t *pages = &model[place->anchor][place->first];
    struct page_range wanted = {0, 0};

    if (!cover(place))
        return;
    for (size_t i = 0; i < place->pages; i++)
        if (pages[i] == value) {
            wanted.first = wanted.end == 0 ? i : wanted.first;
            wanted.end = i + 1;
        }
    struct page_range found = sg_page_map_find(place->base, place->pages, span_of(value));
    tier_expect(found.first == wanted.first && found.end == wanted.end,
                "another range is said to hold the span");
}

static void perform(const struct tier_record *record)
{
    struct place place = place_of(record);

    switch (record->op % 8) {
    case 0:
    case 1:
        set(&place, (uint8_t)(3 + record->op / 8 % SPANS));
        break;
    case 2:
        set(&place, record->op / 8 % 3);
        break;
    case 3:
        (void)cover(&place);
        break;
    case 4:
        nodes.fail_in = 1 + record->c % 2;
        (void)cover(&place);
        nodes.fail_in = 0;
        break;
    case 5:
        look_beside(&place, record);
        break;
    case 6:
        find(&place, record->op / 8 % (SPANS + 3));
        break;
    default:
        break;
    }
    look_around(&place);
}

static bool is_visited[SPANS];

static void visit(struct span *span)
{
    tier_expect(span >= spans && span < spans + SPANS, "a mark or nothing is visited");
    is_visited[span - spans] = true;
}

static void check_visits(void)
{
    bool is_there[SPANS] = {false};

    memset(is_visited, 0, sizeof(is_visited));
    sg_page_map_each(visit);
    for (size_t i = 0; i < ANCHORS * WINDOW_PAGES; i++)
        if (model[i / WINDOW_PAGES][i % WINDOW_PAGES] >= 3)
            is_there[model[i / WINDOW_PAGES][i % WINDOW_PAGES] - 3] = true;
    tier_expect(memcmp(is_there, is_visited, sizeof(is_there)) == 0, "a span is not visited");
}

static void check_window(size_t anchor)
{
    uintptr_t base = anchors[anchor] - WINDOW_PAGES / 2 * PAGE_BYTES;

    look(base - 1);
    for (size_t i = 0; i < WINDOW_PAGES; i++)
        tier_expect(page_map_lookup(base + i * PAGE_BYTES + i % PAGE_BYTES) ==
                        span_of(model[anchor][i]),
                    "in the end a page finds another span");
    look(base + WINDOW_PAGES * PAGE_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tier_input input;
    struct tier_record record;

    start();
    tier_begin(&input, data, bytes);
    while (tier_next(&input, &record))
        perform(&record);
    for (size_t i = 0; i < ANCHORS; i++)
        if (is_touched[i])
            check_window(i);
    if (input.header[0] % 16 == 1 && nodes.used <= 2)
        check_visits();
    end();
    return 0;
}
