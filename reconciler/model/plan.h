/* The plan: steps in order with the digests of what they were made from; saved, loaded, compared. Pure. */
#ifndef REINSTATE_PLAN_H
#define REINSTATE_PLAN_H

#include "step.h"

enum { PLAN_FORMAT_VERSION = 1 };

/* Something that cannot be undone and has a date: shown first. */
struct deadline {
    int64_t at_ms;
    const char *what;                  /* "Key payroll-os is purged" */
};

struct plan {
    int64_t made_ms;
    const char *inputs_digest;         /* canonical documents, policy included */
    const char *policy_digest;         /* canonical documents of a pinned policy; NULL: none is pinned */
    const char *facts_digest;          /* canonical observed facts */
    const char *digest;                /* of the plan itself: approvals are bound to it */
    struct steps steps;                /* in execution order, all of them, ACTION_NONE too */
    const struct deadline *deadlines;
    size_t n_deadlines;
    size_t n_changes, n_blocked, n_denied,
        n_approvals; /* steps that do or block something; blocked; denied; waiting for approval */
    size_t n_unseen;                                        /* documents that cannot be seen */
};

/* Blocks the steps that need each other in a circle, each with the circle named in full, so that a fault of two
 * documents does not end a run that is about others. true: there was one, and there may be more. */
bool plan_circles_block(struct arena *a, struct steps *steps);
/* What a plan was made of: it is told by their digests. */
struct plan_inputs {
    int64_t now_ms;
    const struct value *documents;
    const struct value *pinned; /* the policy that was pinned; NULL: none */
    const struct value *facts;
};
/* Orders the steps by their needs (needs on ids that are not steps are already satisfied and dropped), counts, and
 * digests. A cycle among steps is ERR_INVALID with the cycle named in full. */
must_use int plan_make(struct arena *a, struct steps *steps, const struct plan_inputs *inputs, const struct plan **ret,
                       struct err *err);
struct value *plan_to_value(struct arena *a, const struct plan *p);      /* the shape of schemas/plan.json */
/* The same without summary and steps. */
struct value *plan_head_to_value(struct arena *a, const struct plan *p);
/* Whether a step counts as a difference. A step that waits or verifies follows from another one and counts only if it
 * is all that is left. */
bool plan_is_difference(const struct plan *p, const struct step *step);
/* The steps that an order asks for and all they need: a plan of their own. `order` NULL: of any order. */
const struct plan *plan_ordered(struct arena *a, const struct plan *p, const char *order);
/* The deadlines, soonest first. */
const struct deadline *plan_deadlines(struct arena *a, const struct plan *p);
/* Steps that will be done if what waits for approval is approved: neither blocked, refused by policy nor lacking a
 * right, and needing nothing that is. Asked when the rights are known (preflight). */
size_t plan_due(struct arena *a, const struct plan *p);
/* Time along the longest chain of steps that will be done, by what they need and what they let end first, or the time
 * that the allowances they spend need when that is longer; estimates as far as they are known, -1 when none is.
 * *ret_unknown: steps among them without an estimate. */
int64_t plan_estimate(struct arena *a, const struct plan *p, size_t *ret_unknown);
/* The time that the allowances need for all steps that will be done; *ret_of: the slowest of them, NULL when all can be
 * asked at once. */
int64_t plan_allowed_ms(struct arena *a, const struct plan *p, const char **ret_of);
/* What is saved: the plan's value with a seal over all of it. */
struct value *plan_to_saved(struct arena *a, const struct plan *p);
/* A saved plan compared with a fresh one: NULL if all that matters is the same (steps with what policy says to them,
 * the digests of manifests, pinned policy and facts) and nobody has edited the rest; else a sentence that says what
 * differs. */
const char *plan_differs(struct arena *a, const struct value *saved, const struct plan *fresh);

#endif
