/* What the parts of explain share: where the answer goes, as text and as a value. */
#ifndef REINSTATE_EXPLAIN_H
#define REINSTATE_EXPLAIN_H

#include "../reconciler/format/schema.h"
#include "options.h"

struct explaining {
    struct arena *arena;
    const struct options *options;
    const struct schemas *schemas;
    struct text *out;
    struct value *answer;
};

/* The lists: of the scenario table, of the catalogue of errors, of the remedies. */
void explain_scenarios(struct explaining *x);
void explain_errors(struct explaining *x);
/* What steps of a plan do. */
void explain_actions(struct explaining *x);
/* A built-in rule of the rulebook, by its place there: "NAME: what it is for". */
const char *explain_rule_line(const struct explaining *x, size_t i);
/* A row's id, an observation, a risk, an error's code, a rule, an action or a step of a plan. False: it is none of
 * them, and nothing was said. */
bool explain_name(struct explaining *x, const char *word);
/* The nearest of all those names; NULL. */
const char *explain_near(const struct explaining *x, const char *word);

#endif
