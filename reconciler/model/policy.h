/* Rules over steps: allow, warn, require approval, observe only, deny; allowed actions; budgets. Pure.
 *
 * A rule's `match` holds PCRE2 expressions over kind, name, id, action, scenario and labels (all must match). `when`
 * (judge steps for which it holds) and `assert` (judge steps for which it does not hold) are conditions
 * {field, op, value} or {all: []}, {any: []}, {not: …}. Fields: metadata.*, spec.* (declared), live.* (as observed),
 * facts.* (everything the kind observed), step.{id,action,scope,scenario,reason,detail.*}. op: eq ne lt le gt ge in
 * notIn contains regex exists absent. An assertion sees live.* as the step will leave it, where the step says so:
 * otherwise a rule would deny the very step that mends what it complains of. A field that is not there makes the
 * condition false, but for absent and ne. */
#ifndef REINSTATE_POLICY_H
#define REINSTATE_POLICY_H

#include "step.h"

struct approval {
    const char *rule, *name;
};

enum { POLICY_BUDGETS = 3 };

struct policy_options {
    const struct approval *approvals;
    size_t n_approvals;
    bool pinned; /* by the operator; else no exception lifts a built-in rule: who may change a
                  * manifest is not who answers for what was deleted */
    int64_t now_ms;                         /* windows and exceptions */
    /* A run's own steps have their place in the budgets already. NULL hook: there are none. */
    bool (*held)(const void *ctx, const struct step *step);
    int64_t used[POLICY_BUDGETS]; /* by them (policy_hold) */
    /* Why an order does not approve a step that it covers, in words; NULL: it does. NULL hook: it always does. */
    const char *(*unapproved)(const void *ctx, const struct step *step);
    const void *ctx;
};

/* Counts a step among those that have their place. */
void policy_hold(struct policy_options *options, const struct step *step);

/* A rule that is in force without being declared: it asks for approval of the steps that it matches. */
struct builtin {
    const char *name, *message;      /* "built-in/recover" */
    enum action action;              /* ACTION_COUNT: any */
    const char *kind, *other_kind;   /* NULL: any, no other */
    const char *change;              /* only when the step changes this path; NULL: always */
    const char *unless_empty;        /* a list among the facts; the rule is silent only when it is known to be empty */
    bool named;                      /* an order does not approve it: a person's name has to */
};

/* What policies are compiled against. It belongs to whoever knows the kinds, and outlives every policy. */
struct rulebook {
    const char *const *kinds;        /* NULL-terminated; NULL: a rule may match any name */
    const struct builtin *rules;
    size_t count;
};

struct policy;
/* Compiles the built-in rules of the book (NULL: none) and the Policy documents given. Bad expressions, fields and
 * durations are faults, and so is a `match` of a kind that is not in the book: such a rule would never apply. */
const struct policy *policy_compile(struct arena *a, const struct document *const *policies, size_t n,
                                    const struct rulebook *book, struct diags *diags);
/* The names of all rules, built-in ones first, NULL-terminated: what an approval may name. */
const char *const *policy_rule_names(struct arena *a, const struct policy *p);
/* The edition of Microsoft's article that predictions follow, as declared: a word; NULL when no Policy says. */
const char *policy_article(const struct policy *p);
/* Some Policy wants every trigger guarded by a claim. */
bool policy_claims_required(const struct policy *p);
void policy_free(const struct policy *p);     /* the compiled expressions */

/* Facts of a document by index, as observed (see kind.h). */
typedef const struct value *policy_facts(const void *ctx, const struct document *doc);

/* Fills verdict and rulings of every step. Budgets are counted over the steps in order; those beyond are denied. */
void policy_judge(const struct policy *p, const struct policy_options *options, struct steps *steps,
                  policy_facts *facts, const void *ctx);

#endif
