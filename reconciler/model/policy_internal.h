/* What the files of a policy share: its compiled form. policy.c makes it, policy_judge.c holds steps against it. */
#ifndef REINSTATE_POLICY_INTERNAL_H
#define REINSTATE_POLICY_INTERNAL_H

#include "condition.h"
#include "policy.h"

enum attribute {
    ATTRIBUTE_KIND,
    ATTRIBUTE_NAME,
    ATTRIBUTE_ID,
    ATTRIBUTE_ACTION,
    ATTRIBUTE_SCENARIO,
    ATTRIBUTE_COUNT,
    ATTRIBUTE_LABEL
};

extern const char *const policy_attribute_names[ATTRIBUTE_COUNT];

struct matcher {
    enum attribute attribute;
    const char *label;
    const struct pattern *pattern;
};

struct match {
    struct matcher *items;
    size_t count;
};

struct rule {
    const char *name, *message;
    struct origin origin;
    enum verdict effect;
    struct match match;
    const struct condition *when, *assertion;
    const struct builtin *builtin;
};

struct exception {
    const char *rule, *reason;
    struct origin origin;
    struct match match;
    int64_t until_ms;
};

struct window {
    struct match match;
    int64_t from_ms, until_ms;
};

/* Of all changes, and of what only the provider's documents do (action_words). */
enum { BUDGET_CHANGES, BUDGET_COUNT = BUDGETS_OWN + 1 };

const char *policy_budget_name(size_t budget);

/* What one Policy document says beside its rules. */
struct guard {
    const struct document *document;
    const struct value *allowed, *windows_at;
    const struct value *budgets[BUDGET_COUNT];      /* NULL: none */
    struct window *windows;
    size_t n_windows;
};

struct policy {
    struct rule *rules;
    size_t n_rules;
    struct exception *exceptions;
    size_t n_exceptions;
    struct guard *guards;
    size_t n_guards;
    struct pattern **patterns;
    size_t n_patterns;
    const struct value *article; /* NULL: nobody chose */
    bool claims_required;
};

#endif
