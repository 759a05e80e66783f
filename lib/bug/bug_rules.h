/* Rules for the likely cause. Each says something only if the facts of the bug bear it out, and
 * returns whether it did; a rule that is not sure is silent. */
#ifndef SG_BUG_BUG_RULES_H
#define SG_BUG_BUG_RULES_H

#include "bug_words.h"

/* What the written bytes say. */
HIDDEN MUST_USE bool sg_rule_missing_nul(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_long_text(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_below_zero(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_one_too_many(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_pointer(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_run(struct text *text, const struct bug *bug);

/* What the stacks say. */
HIDDEN MUST_USE bool sg_rule_two_frees(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_used_after(struct text *text, const struct bug *bug);

/* What the call says. */
HIDDEN MUST_USE bool sg_rule_base_class(struct text *text, const struct bug *bug);
HIDDEN MUST_USE bool sg_rule_array_count(struct text *text, const struct bug *bug);

#endif
