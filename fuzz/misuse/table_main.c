/* What comes of each act: for every profile, act and size of block so many inputs of a few calls
 * and that act, counted by outcome, as a Markdown table. As TAP too: a broken promise ends it before
 * its plan, and a profile in which no act was counted fails.
 *
 *   fuzz_misuse_table [--seed SEED] [--count INPUTS_PER_CELL] */
#include "target.h"

#include "child.h"
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned counts[PROFILES][ACT_COUNT][BANDS][OUTCOME_COUNT];

static void count_outcomes(enum profile profile)
{
    for (uint32_t i = 0; i < child_page->act_count; i++) {
        const struct act *act = &child_page->acts[i];

        counts[profile][act->kind][act->band][act->outcome]++;
    }
}

/* One cell. Ends the program, as any target does, if a promise is broken. */
static void run_cell(uint64_t seed, unsigned number, unsigned inputs)
{
    enum profile profile = number / (ACT_COUNT * BANDS);
    enum act_kind act = number / BANDS % ACT_COUNT;

    for (unsigned i = 0; i < inputs; i++) {
        uint8_t bytes[TARGET_INPUT_BYTES_MAX];
        struct random random = target_random(seed, (uint64_t)number << 32 | i);
        size_t size = step_generate_one(&random, bytes, profile, act, number % BANDS);

        LLVMFuzzerTestOneInput(bytes, size);
        count_outcomes(profile);
    }
}

static void print_cell(const unsigned *cell)
{
    unsigned all = 0;

    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        all += cell[i];
    if (all == 0)
        printf(" – |");
    else
        printf(" %u %u %u %u %u |", cell[OUTCOME_IMMEDIATE], cell[OUTCOME_LATER],
               cell[OUTCOME_HARMLESS], cell[OUTCOME_MISSED], cell[OUTCOME_OPEN]);
}

static void print_profile(enum profile profile)
{
    static const char *const names[PROFILES] = {"fast", "hardened", "strict"};

    printf("\nProfile %s: reported now, later, harmless, missed, nobody looked\n\n",
           names[profile]);
    printf("| act | 16 B | 64 B | 1 KiB | 64 KiB | 1 MiB |\n|---|---|---|---|---|---|\n");
    for (unsigned act = 0; act < ACT_COUNT; act++) {
        printf("| %s |", act_titles[act]);
        for (unsigned band = 0; band < BANDS; band++)
            print_cell(counts[profile][act][band]);
        printf("\n");
    }
}

static unsigned reported(enum profile profile)
{
    unsigned sum = 0;

    for (unsigned act = 0; act < ACT_COUNT; act++)
        for (unsigned band = 0; band < BANDS; band++)
            sum += counts[profile][act][band][OUTCOME_IMMEDIATE];
    return sum;
}

/* Every profile says something of wrong pointers. */
static bool print_results(void)
{
    bool passed = true;

    printf("\n");
    for (unsigned profile = 0; profile < PROFILES; profile++) {
        bool is_good = reported(profile) > 0;

        printf("%s %u - profile %u: acts are reported, and no promise was broken\n",
               is_good ? "ok" : "not ok", profile + 1, profile);
        passed = passed && is_good;
    }
    printf("1..%d\n", PROFILES);
    return passed;
}

int main(int count, char **arguments)
{
    uint64_t seed = 1;
    unsigned inputs = 20;

    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--seed") == 0)
            seed = strtoull(arguments[i + 1], NULL, 0);
        else if (strcmp(arguments[i], "--count") == 0)
            inputs = (unsigned)strtoul(arguments[i + 1], NULL, 0);
        else
            return 2;
    }
    for (unsigned number = 0; number < PROFILES * ACT_COUNT * BANDS; number++)
        run_cell(seed, number, inputs);
    for (unsigned profile = 0; profile < PROFILES; profile++)
        print_profile(profile);
    return !print_results();
}
