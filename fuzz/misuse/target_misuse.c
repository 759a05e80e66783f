/* The input as an attacker over the tiers. Before each call the model says what may come of it; a
 * report or a fault is the end of the input, and is compared. See README.md. */
#include "target.h"

#include "child.h"
#include "heap.h"
#include "machine.h"
#include "misuse.h"
#include "promise.h"
#include "step.h"
#include "strike.h"
#include "worker.h"

#include "central_list.h"
#include "page_cache.h"
#include "policy.h"
#include "pool.h"
#include "report.h"
#include "secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct target target = {
    .name = "misuse",
    .header_bytes = STEP_HEADER_BYTES,
    .record_bytes = STEP_RECORD_BYTES,
    .records_max = STEPS_MAX,
    .generate = step_generate,
    .change = step_change,
};

/* What no attack on the heap may change. */
#define DECOY_BYTES 512u
static char decoy_global[DECOY_BYTES];
static char *decoy_on_stack;

static void set_decoys(char *on_stack)
{
    decoy_on_stack = on_stack;
    memset(decoy_global, 'g', DECOY_BYTES);
    memset(decoy_on_stack, 's', DECOY_BYTES);
}

static void check_decoys(void)
{
    for (unsigned i = 0; i < DECOY_BYTES; i++)
        if (decoy_global[i] != 'g' || decoy_on_stack[i] != 's')
            child_fail("memory that is not the heap's changed");
}

char *misuse_decoy(bool on_stack)
{
    return (on_stack ? decoy_on_stack : decoy_global) + 64;
}

static void on_report(void)
{
    int act = promise_judge(machine_said());

    snprintf(child_page->said, sizeof(child_page->said), "%s", machine_said());
    if (act < 0)
        child_fail("said: %.*sthe model expects: %s", (int)(sizeof(child_page->failure) / 2),
                   machine_said()[0] == '\0' ? "nothing, and aborted\n" : machine_said(),
                   promise_text());
    act_settle(act, act == act_current ? OUTCOME_IMMEDIATE : OUTCOME_LATER);
    check_decoys();
    child_finish();
}

static void on_fault(uintptr_t address, const void *context)
{
    strike_judge_fault(address, context);
    check_decoys();
    child_finish();
}

static void walk(void)
{
    sg_page_cache_check();
    for (uint32_t class = 0; class < CLASS_COUNT; class ++)
        sg_central_check(class);
    for (unsigned i = 0; i < VICTIM_COUNT; i++)
        if (victims[i].is_live)
            misuse_check_span(&victims[i]);
}

/* What is damaged is found now at the latest; then all of it is gone. */
static void run_out(const void *unused)
{
    (void)unused;
    victim_verify_all();
    walk();
    heap_use_stains();
    for (unsigned i = 0; i < VICTIM_COUNT; i++) {
        struct ending ending = {
            .pointer = victims[i].address, .ender = ender_for(victims[i].maker, 0), .act = NO_ACT};

        if (victims[i].is_live)
            heap_end(&ending);
    }
    heap_trim();
    walk();
}

static void drain(const void *unused)
{
    (void)unused;
    heap_drain();
}

void misuse_begin(const struct setting *setting)
{
    static const char *const names[PROFILES] = {"fast", "hardened", "strict"};
    static const struct child_events events = {on_report, on_fault};
    struct report_settings settings = {.profile = names[setting->profile],
                                       .target = REPORT_DESCRIPTOR,
                                       .descriptor = MACHINE_REPORT_DESCRIPTOR};
    char options[64];

    victim_profile = setting->profile;
    child_page->profile = (uint8_t)setting->profile;
    snprintf(options, sizeof(options), "profile=%s:sample_bytes=%d:sample_slots=256",
             names[setting->profile], setting->is_sampled ? 1 : 0);
    machine_start(setting->has_chance ? 0 : setting->seed);
    sg_options_apply(options);
    sg_report_configure(&settings);
    sg_secrets_start(sg_options.encode != 0);
    sg_policy_start();
    child_watch(&events);
}

struct input {
    const uint8_t *data;
    size_t bytes;
};

static void run_step(const void *argument)
{
    misuse_step(argument);
}

static void run_steps(const struct input *input, const struct setting *setting)
{
    size_t records = (input->bytes - STEP_HEADER_BYTES) / STEP_RECORD_BYTES;

    for (size_t i = 0; i < records && i < STEPS_MAX; i++) {
        struct step step = step_of(input->data + STEP_HEADER_BYTES + i * STEP_RECORD_BYTES);

        if (getenv("MISUSE_TRACE") != NULL)
            misuse_print(&step, i);
        if (step.by_second && setting->is_threaded)
            worker_run(run_step, &step);
        else
            misuse_step(&step);
        if (step.kind == STEP_TRIM && step.choice % 4 == 3)
            heap_end_thread();
    }
}

static void run(const void *argument)
{
    const struct input *input = argument;
    struct setting setting = setting_of(input->data, input->bytes);
    char on_stack[DECOY_BYTES];

    set_decoys(on_stack);
    misuse_begin(&setting);
    if (input->bytes >= STEP_HEADER_BYTES)
        run_steps(input, &setting);
    if (setting.is_threaded)
        worker_run(drain, NULL);
    run_out(NULL);
    check_decoys();
    child_finish();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input input = {data, bytes};

    if (child_run(run, &input))
        return 0;
    fprintf(stderr, "fuzz: %s\n", child_page->failure);
    abort();
}
