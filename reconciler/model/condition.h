/* Conditions of policy rules: {field, op, value}, {all: []}, {any: []}, {not: …} over one step.
 * For policy.c only. Pure. */
#ifndef REINSTATE_CONDITION_H
#define REINSTATE_CONDITION_H

#include "../format/pattern.h"
#include "step.h"

/* A condition that cannot be decided (a value known only after apply, an expression that hits its limit, values that
 * cannot be compared) is neither true nor false: a rule that depends on it must not be passed over. */
enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNDECIDED };

/* Where compiling puts faults and the expressions that have to be freed. */
struct compiling {
    struct arena *arena;
    struct diags *diags;
    struct pattern **patterns;
    size_t n_patterns;
    const char *const *kinds;        /* NULL: not known here */
};

struct subject {
    struct arena *arena;             /* for evidence */
    const struct step *step;
    const struct value *facts;
    bool foreseen;      /* live.* as the step will leave it, as far as it says so: what an assertion is held against */
};

struct condition;

/* NULL, with a fault, when it cannot be understood. */
const struct condition *condition_compile(struct compiling *c, const struct value *v);
/* *ret_evidence: the values that decided ("live.sku.name = "premium""). */
enum truth condition_holds(const struct condition *condition, const struct subject *subject, const char **ret_evidence);

/* Compiles an expression written at `v`; whole: it must match all of the text. NULL, with a fault, when it is none. */
const struct pattern *compile_pattern(struct compiling *c, const struct value *v, bool whole);

#endif
