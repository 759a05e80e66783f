/* The steps of an input: ordinary calls, and acts. */
#ifndef SG_FUZZ_MISUSE_MISUSE_H
#define SG_FUZZ_MISUSE_MISUSE_H

#include "step.h"
#include "victim.h"

/* In the child, once: the tiers as the setting wants them. */
void misuse_begin(const struct setting *setting);

void misuse_step(const struct step *step);
void misuse_print(const struct step *step, size_t number);

/* The span of a live block keeps its promises. */
void misuse_check_span(const struct victim *victim);

/* Memory that is not the heap's, for an attacker to hand in. */
char *misuse_decoy(bool on_stack);

#endif
