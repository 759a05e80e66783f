#include "fault_run.h"

#include "arena.h"
#include "bounds.h"
#include "heap_calls.h"
#include "laboratory.h"
#include "lifecycle.h"
#include "os_guard.h"
#include "os_vdso.h"
#include "pool.h"
#include "refused.h"
#include "secrets.h"
#include "truth.h"
#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CALLS_PER_CHECK 64u
#define CHECKS_MAX 16u
#define ERRNO_CANARY 4711

static struct {
    struct fault_setup setup;
    struct shadow shadow;
    size_t alignments[OPS_SLOTS]; /* as the live blocks were made */
    uint64_t failures_seen;
    unsigned checks; /* because of failures */
} run;

/* Failures of these alone lower density; they never fail a request. */
#define HARMLESS (1u << FAULTY_DONTNEED | 1u << FAULTY_GUARD | 1u << FAULTY_GETRANDOM)
#define ANY ((1u << FAULTY_CALLS) - 1)

struct fault_setup fault_setup_of(const uint8_t *bytes, size_t count)
{
    uint8_t header[FAULT_HEADER_BYTES] = {0};
    struct fault_setup setup = {.profile = 0};

    if (count > 0)
        memcpy(header, bytes, count < sizeof(header) ? count : sizeof(header));
    for (unsigned i = 0; i < FAULTY_RULES; i++) {
        const uint8_t *rule = header + i * 4;
        int error = rule[3] & 0x7f;

        setup.rules[i] = (struct faulty_rule){
            .mask = rule[0],
            .first = rule[1],
            .count = rule[2] == UINT8_MAX ? FAULTY_FOR_EVER : rule[2] + 1u,
            .error = error, /* FAULTY_SHORT is 0 */
            .closes = rule[3] >> 7 != 0,
        };
    }
    setup.profile = header[8] % FAULT_PROFILES;
    setup.by_mprotect = (header[9] & 1) != 0;
    setup.retries = (header[9] & 2) != 0;
    setup.is_fresh = (header[10] & 1) != 0;
    return setup;
}

static uint64_t refused_now(void)
{
    struct os_guard_statistics statistics;

    sg_os_guard_statistics(&statistics);
    return statistics.refused;
}

/* Those that excuse a request that fails. What munmap refused is lost, and the arena may be full of
 * that. */
static uint64_t failures_of(const struct call *call)
{
    return faulty_failures(ANY & ~(call->bytes == 0 ? 0 : HARMLESS)) + arena_no_room();
}

static bool may_fail(uint64_t failures_before, const struct call *call)
{
    return call->must_fail || failures_of(call) > failures_before;
}

static void make_block(const struct call *call)
{
    uint64_t before = failures_of(call);
    void *block = heap_make(call);

    if (block == NULL && !may_fail(before, call))
        shadow_fail("out of memory, and no call failed that would excuse it", call->slot);
    if (block == NULL && run.setup.retries && !call->must_fail) {
        faulty_pause();
        block = heap_make(call);
        faulty_resume();
        if (block == NULL)
            shadow_fail("out of memory after the failure was over", call->slot);
    }
    if (block == NULL)
        return;
    run.alignments[call->slot] = call->alignment;
    shadow_give(&run.shadow, call, heap_answer(block));
}

static void require_as_it_was(const struct call *call)
{
    const struct shadow_block *block = &run.shadow.blocks[call->slot];

    shadow_verify(&run.shadow, call->slot);
    if (!heap_is_live(block->address))
        shadow_fail("a failed realloc ended the block", call->slot);
    if (sg_pool_usable_bytes(block->address, "usable") != block->usable_bytes)
        shadow_fail("a failed realloc changed the size", call->slot);
}

static void resize_block(const struct call *call)
{
    uint64_t before = failures_of(call);
    char *block = run.shadow.blocks[call->slot].address;

    shadow_prepare_move(&run.shadow, call);
    void *moved = sg_pool_reallocate(block, call->bytes, "realloc");
    if (moved == NULL) {
        require_as_it_was(call);
        if (!may_fail(before, call))
            shadow_fail("realloc failed, and no call that would excuse it", call->slot);
        if (call->must_fail || !run.setup.retries)
            return;
        faulty_pause();
        moved = sg_pool_reallocate(block, call->bytes, "realloc");
        faulty_resume();
    }
    if (moved == NULL)
        shadow_fail("realloc fails after the failure was over", call->slot);
    run.alignments[call->slot] = 0;
    shadow_move(&run.shadow, call, heap_answer(moved));
}

static void end_block(unsigned slot, bool stated)
{
    struct shadow_block *block = &run.shadow.blocks[slot];
    struct call call = {
        .slot = slot,
        .bytes = block->bytes,
        .alignment = run.alignments[slot],
        .maker = block->maker,
    };
    void *address = shadow_take(&run.shadow, slot);

    if (stated)
        heap_free_stated(address, &call);
    else
        heap_free(address, call.maker);
    if (heap_is_live(address))
        shadow_fail("a freed block lives", slot);
}

/* Each block is stamped with its own address: two that overlap cannot both keep theirs. */
static void burst(const struct call *call)
{
    static void *blocks[OPS_BURST_BLOCKS_MAX];
    bool is_stamped = call->bytes >= sizeof(void *);

    for (unsigned i = 0; i < call->count; i++) {
        struct call one = {.kind = CALL_MALLOC, .bytes = call->bytes, .maker = SLOT_LIVE_MALLOC};
        uint64_t before = failures_of(&one);

        blocks[i] = heap_make(&one);
        if (blocks[i] == NULL && !may_fail(before, &one))
            shadow_fail("out of memory, and no call failed that would excuse it", i);
        if (is_stamped && blocks[i] != NULL)
            memcpy(blocks[i], &blocks[i], sizeof(blocks[i]));
    }
    for (unsigned i = 0; i < call->count; i++) {
        unsigned k = call->order == BURST_DOWNWARDS ? call->count - 1 - i : i;

        if (blocks[k] == NULL)
            continue;
        if (is_stamped && memcmp(blocks[k], &blocks[k], sizeof(blocks[k])) != 0)
            shadow_fail("contents of a burst changed", k);
        heap_free(blocks[k], SLOT_LIVE_MALLOC);
    }
}

static void fill_usable(unsigned slot)
{
    struct shadow_block *block = &run.shadow.blocks[slot];

    if (sg_pool_usable_bytes(block->address, "usable") != block->usable_bytes)
        shadow_fail("usable changed", slot);
    shadow_fill_usable(&run.shadow, slot);
}

static void verify_all(void)
{
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++)
        if (run.shadow.blocks[slot].address != NULL)
            shadow_verify(&run.shadow, slot);
}

/* A block that realloc had to leave behind is counted and is not in the model. */
static void check_statistics(void)
{
    if (faulty_failures(1u << FAULTY_MREMAP) == 0)
        walk_statistics(&run.shadow);
}

/* The plan believes that every call succeeded: what it says of a slot that is empty is no call. */
static void perform_on_block(const struct call *call)
{
    bool is_empty = run.shadow.blocks[call->slot].address == NULL;

    if (call->kind == CALL_MALLOC || call->kind == CALL_CALLOC || call->kind == CALL_ALIGNED)
        make_block(call);
    else if (is_empty)
        return;
    else if (call->kind == CALL_REALLOC)
        resize_block(call);
    else if (call->kind == CALL_USABLE)
        fill_usable(call->slot);
    else
        end_block(call->slot, call->kind == CALL_FREE_STATED);
}

static void perform(const struct call *call)
{
    switch (call->kind) {
    case CALL_VERIFY:
        verify_all();
        return;
    case CALL_TRIM:
        (void)sg_pool_trim(call->bytes);
        walk_trimmed(call->bytes);
        return;
    case CALL_STATISTICS:
        check_statistics();
        return;
    case CALL_BURST:
        burst(call);
        return;
    default:
        perform_on_block(call);
        return;
    }
}

static void check_all(void)
{
    faulty_pause();
    truth_check(&run.shadow);
    if (faulty_failures(1u << FAULTY_DONTNEED | 1u << FAULTY_GUARD | 1u << FAULTY_UNGUARD) > 0)
        truth_check_zero();
    if (refused_now() < refused_closings())
        shadow_fail("a refused guard is not counted", OPS_SLOTS);
    faulty_resume();
}

/* Keys must be of chance, whatever getrandom does: never constant, never half of them. */
static void check_keys(void)
{
    struct keys one;
    const uint64_t *words = (const uint64_t *)&one;

    sg_os_vdso_start(); /* as the allocator's own start does, before it takes keys */
    memset(&sg_keys, 0, sizeof(sg_keys)); /* so that what is not filled in shows */
    sg_secrets_start(true);
    one = sg_keys;
    sg_secrets_start(true);
    if (memcmp(&one, &sg_keys, sizeof(one)) == 0)
        shadow_fail("the keys are the same twice", OPS_SLOTS);
    for (unsigned i = 0; i < sizeof(one) / sizeof(*words); i++)
        if (words[i] >> 8 == 0 || (i > 0 && words[i] == words[i - 1]))
            shadow_fail("a key is constant", OPS_SLOTS);
}

/* Those of the input's own header, but for the profile. */
static void begin_process(const struct fault_setup *setup, const struct tuning *tuning)
{
    static const char *const profiles[FAULT_PROFILES] = {
        "profile=fast", "profile=hardened", "profile=strict", "profile=hardened:pool=guarded"};
    struct laboratory_settings settings = tuning->settings;
    const char *defences = strchr(tuning->options, ':');
    char options[LABORATORY_OPTIONS_BYTES];

    snprintf(options, sizeof(options), "%s%s", profiles[setup->profile],
             defences == NULL ? "" : defences);
    settings.options = options;
    settings.without_guard_advice |= setup->by_mprotect;
    laboratory_begin(&settings);
}

static void start(const struct fault_setup *setup, const struct tuning *tuning)
{
    begin_process(setup, tuning);
    run.setup = *setup;
    run.failures_seen = 0;
    run.checks = 0;
    memset(run.alignments, 0, sizeof(run.alignments));
    shadow_start(&run.shadow, tuning->is_dense);
    faulty_start(setup->rules, FAULTY_RULES);
    check_keys();
    if (!setup->is_fresh)
        faulty_pause();
    lifecycle_start();
    faulty_resume();
}

/* After the first calls in which something failed, before others can hide what that did; then, and
 * where nothing fails, now and then. */
static bool is_to_be_checked(unsigned number)
{
    uint64_t failures = faulty_failures(ANY);
    bool has_failed = failures != run.failures_seen;

    run.failures_seen = failures;
    if (has_failed && run.checks < CHECKS_MAX) {
        run.checks++;
        return true;
    }
    return number % CALLS_PER_CHECK == 0;
}

/* What could not be opened is lost, which the walk of spans does not know. */
static void walk(void)
{
    if (faulty_failures(ANY & ~HARMLESS & ~(1u << FAULTY_MMAP)) == 0)
        walk_check(&run.shadow);
    else
        walk_lists(&run.shadow);
}

static void finish(void)
{
    for (unsigned slot = 0; slot < OPS_SLOTS; slot++)
        if (run.shadow.blocks[slot].address != NULL)
            end_block(slot, false);
    (void)sg_pool_trim(0);
    check_all();

    uint64_t failures = faulty_failures(ANY);
    faulty_stop();
    (void)sg_pool_trim(0);
    truth_take_back(failures);
    walk_end();
    /* Where access cannot be changed, spans are lost with their records. */
    if (faulty_failures(~(1u << FAULTY_MMAP)) == 0)
        bounds_check_records();
    laboratory_end();
}

void fault_run(const struct fault_setup *setup, const uint8_t *bytes, size_t count)
{
    static struct plan plan;
    struct tuning tuning;
    struct call call;

    plan_start(&plan, bytes, count);
    tuning_read(&tuning, bytes, count);
    start(setup, &tuning);
    errno = ERRNO_CANARY;
    for (unsigned number = 1; plan_next(&plan, &call); number++) {
        shadow_note_call(number);
        arena_note_progress();
        perform(&call);
        if (errno != ERRNO_CANARY)
            shadow_fail("errno changed", call.slot);
        if (number % tuning.calls_per_walk == 0)
            walk();
        if (is_to_be_checked(number))
            check_all();
    }
    finish();
}
