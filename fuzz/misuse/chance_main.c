/* What rests on chance, with the machine's own keys: how often the attacker is lucky must not lie
 * five standard deviations above what is promised. TAP. */
#include "child.h"
#include "heap.h"
#include "misuse.h"

#include "entry.h"

#include <stdio.h>

#define TRIES 400u
#define BLOCK_BYTES 100u
#define PAIRS 4u
#define GUESSES (1u << 20)

static unsigned results;
static bool all_passed = true;

static void result(const char *name, unsigned tries, unsigned hits, double chance)
{
    double excess = hits - tries * chance;
    bool passed = excess <= 0 || excess * excess <= 25 * tries * chance * (1 - chance);

    all_passed &= passed;
    printf("%s %u - %s\n", passed ? "ok" : "not ok", ++results, name);
    printf("# %u of %u; promised are %.1f at most on average\n", hits, tries, tries * chance);
}

static void make(struct victim *victim)
{
    struct making making = {
        .kind = MAKE_MALLOC, .bytes = BLOCK_BYTES, .maker = SLOT_LIVE_MALLOC, .seed = 1};

    heap_make(victim, &making);
}

static void end(const struct victim *victim)
{
    heap_end(&(struct ending){.pointer = victim->address, .ender = ENDER_FREE, .act = NO_ACT});
}

/* Frees a block among others; whether one of the next few gets its address. */
static void try_reuse(const void *argument)
{
    struct setting setting = {.profile = *(const enum profile *)argument, .has_chance = true};

    misuse_begin(&setting);
    for (unsigned i = 0; i < VICTIM_SLOTS; i++)
        make(&victims[i]);
    for (unsigned i = 0; i < VICTIM_SLOTS; i++)
        end(&victims[i]);
    make(&victims[0]);
    const char *freed = victims[0].address;
    end(&victims[0]);
    int act = act_begin(ACT_DOUBLE_FREE, BLOCK_BYTES);
    for (unsigned i = 0; i <= PAIRS; i++) {
        make(&victims[1]);
        if (victims[1].address == freed && i == 0)
            child_fail("a slot is handed out right after its free");
        if (victims[1].address == freed)
            act_settle(act, OUTCOME_MISSED);
        end(&victims[1]);
    }
    child_finish();
}

static void count_reuse(enum profile profile, const char *name)
{
    unsigned hits = 0;

    for (unsigned i = 0; i < TRIES; i++) {
        if (!child_run(try_reuse, &profile)) {
            printf("Bail out! %s\n", child_page->failure);
            all_passed = false;
            return;
        }
        hits += child_page->acts[0].outcome == OUTCOME_MISSED;
    }
    /* The next one to be handed out is drawn among eight freed slots at least. */
    result(name, TRIES, hits, 1 - 7.0 / 8 * 7 / 8 * 7 / 8 * 7 / 8);
}

/* Words that the attacker makes up, in an entry whose keys nobody knows. */
static void count_guesses(void)
{
    struct cache_entry entry;
    struct free_slot decoded;
    struct random random = {.state = {1, 2}};
    unsigned hits = 0;

    sg_secrets_start(true);
    for (unsigned i = 0; i < GUESSES; i++) {
        entry.slot_word = random_next(&random);
        entry.state_word = random_next(&random);
        hits += entry_decode(&entry, &decoded);
    }
    result("a made-up entry of a cache decodes one time in 65536", GUESSES, hits, 1.0 / 65536);
}

int main(void)
{
    count_reuse(PROFILE_HARDENED, "hardened hands a slot out again at random");
    count_reuse(PROFILE_STRICT, "strict hands a slot out again at random");
    count_guesses();
    printf("1..%u\n", results);
    return all_passed ? 0 : 1;
}
