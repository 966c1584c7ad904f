/* Holds steps against the compiled rules: a verdict for every step, with the rule, its place and the values that
 * decided. Must not know any kind beyond the Activation that orders a step, must not act. */
#include "policy_internal.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"

struct judging {
    const struct policy *policy;
    const struct policy_options *options;
    struct subject subject;
    struct step *step;
    int64_t begins_ms;   /* when the step can be begun, by the estimates of all that it needs */
    bool order_withheld; /* policy withholds the order of this step: it approves nothing */
};

static const char *attribute_read(const struct matcher *m, const struct step *step)
{
    const struct value *labels = step->document->labels;

    switch (m->attribute) {
    case ATTRIBUTE_KIND:
        return step->document->kind;
    case ATTRIBUTE_NAME:
        return step->document->name;
    case ATTRIBUTE_ID:
        return step->id;
    case ATTRIBUTE_ACTION:
        return action_name(step->action);
    case ATTRIBUTE_SCENARIO:
        return step->scenario;
    case ATTRIBUTE_LABEL:
        return value_str(value_get(labels, m->label));
    case ATTRIBUTE_COUNT:
        break;
    }
    return NULL;
}

static enum truth match_holds(const struct match *match, const struct judging *j, const char **ret_evidence)
{
    enum truth result = TRUTH_YES;
    const char *evidence = NULL;

    for (size_t i = 0; i < match->count; i++) {
        const struct matcher *m = &match->items[i];
        const char *have = attribute_read(m, j->step);
        bool found = false;
        struct err err;

        if (!have)
            return TRUTH_NO;
        if (pattern_matches(m->pattern, have, &found, &err) < 0)
            result = TRUTH_UNDECIDED;
        else if (!found)
            return TRUTH_NO;
        evidence =
            arena_printf(j->subject.arena, "%s%s%s%s = %s", evidence ? evidence : "", evidence ? ", " : "",
                         m->label ? "labels." : "", m->label ? m->label : policy_attribute_names[m->attribute], have);
    }
    if (ret_evidence)
        *ret_evidence = evidence;
    return result;
}

/* The exception that lifts this rule for this step. *ret_ended: one that fits and has ended; *ret_unpinned: one that
 * fits and would have to stand in a pinned policy. */
static const struct exception *exception_find(const struct judging *j, const char *rule,
                                              const struct exception **ret_ended, const struct exception **ret_unpinned)
{
    bool pinned = j->options->pinned || !str_starts(rule, "built-in/");

    for (size_t i = 0; i < j->policy->n_exceptions; i++) {
        const struct exception *e = &j->policy->exceptions[i];

        /* An exception whose match cannot be decided does not apply: a rule must not be lifted by chance. */
        if (!str_eq(e->rule, rule) || match_holds(&e->match, j, NULL) != TRUTH_YES)
            continue;
        if (j->options->now_ms >= e->until_ms)
            *ret_ended = e;
        else if (pinned)
            return e;
        else
            *ret_unpinned = e;
    }
    return NULL;
}

/* A built-in rule that an order does not approve: a person's name has to. */
static bool needs_a_name(const struct policy *p, const char *rule)
{
    for (size_t i = 0; i < p->n_rules; i++)
        if (p->rules[i].builtin && p->rules[i].builtin->named && str_eq(p->rules[i].name, rule))
            return true;
    return false;
}

static void ruling_approve(const struct judging *j, struct ruling *ruling)
{
    const char *order = value_str_at(j->step->detail, "orderedBy"), *why = NULL;

    for (size_t i = 0; i < j->options->n_approvals && !ruling->approved_by; i++)
        if (str_eq(j->options->approvals[i].rule, ruling->rule))
            ruling->approved_by = arena_strdup(j->subject.arena, j->options->approvals[i].name);
    /* An order in force is the approval for what it covers; rules of one's own may ask for more. */
    if (!ruling->approved_by && order && !j->order_withheld && str_starts(ruling->rule, "built-in/") &&
        !needs_a_name(j->policy, ruling->rule)) {
        why = j->options->unapproved ? j->options->unapproved(j->options->ctx, j->step) : NULL;
        if (why) {
            ruling->message = arena_printf(j->subject.arena, "%s%s%s: Activation %s does not approve that",
                                           ruling->message ? ruling->message : "", ruling->message ? "; " : "", why,
                                           order);
            return;
        }
        ruling->approved_by = arena_printf(j->subject.arena, "Activation %s", order);
        ruling->by_order = true;
    }
}

static void ruling_add(const struct judging *j, struct ruling ruling)
{
    struct arena *a = j->subject.arena;
    const struct exception *ended = NULL, *unpinned = NULL, *lifted = exception_find(j, ruling.rule, &ended, &unpinned);
    struct ruling *rulings = (struct ruling *)j->step->rulings;

    if (lifted) {
        ruling.verdict = VERDICT_ALLOW;
        ruling.origin = lifted->origin;
        ruling.message =
            arena_printf(a, "lifted by an exception until %s: %s", time_format(a, lifted->until_ms), lifted->reason);
        /* Judged again when it begins: a run would stop there, with the steps before it done. */
        if (j->begins_ms >= lifted->until_ms) {
            ruling.ends_ms = lifted->until_ms;
            ruling.message = arena_printf(a, "%s; by the estimates this begins at %s only, when it has ended",
                                          ruling.message, time_format(a, j->begins_ms));
        }
    } else if (unpinned) {
        ruling.message = arena_printf(a, "%s%sthe exception to it counts only in a policy that is given with --policy",
                                      ruling.message ? ruling.message : "", ruling.message ? "; " : "");
    } else if (ended) {
        ruling.message = arena_printf(a, "%s%sthe exception to it ended at %s", ruling.message ? ruling.message : "",
                                      ruling.message ? "; " : "", time_format(a, ended->until_ms));
    }
    if (ruling.verdict == VERDICT_REQUIRE_APPROVAL)
        ruling_approve(j, &ruling);
    arena_push(a, rulings, j->step->n_rulings, ruling);
    j->step->rulings = rulings;
}

static bool builtin_applies(const struct builtin *b, const struct judging *j, const char **ret_evidence)
{
    const struct step *step = j->step;
    const struct value *list = b->unless_empty ? value_get(j->subject.facts, b->unless_empty) : NULL;
    const struct change *change = NULL;

    if ((step->action != b->action && b->action != ACTION_COUNT) ||
        (b->kind && !str_eq(b->kind, step->document->kind) && !str_eq(b->other_kind, step->document->kind)))
        return false;
    for (size_t i = 0; b->change && i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, b->change))
            change = &step->changes[i];
    if (b->change && !change)
        return false;
    if (value_is(list, VALUE_LIST) && value_count(list) == 0)
        return false;
    *ret_evidence = arena_printf(j->subject.arena, "action = %s", action_name(step->action));
    if (b->unless_empty)
        *ret_evidence =
            list ? arena_printf(j->subject.arena, "used by %zu", value_count(list)) : "what uses it is not known";
    else if (b->change)
        *ret_evidence = arena_printf(j->subject.arena, "the step changes %s", b->change);
    return true;
}

static void rule_judge(const struct judging *j, const struct rule *rule)
{
    struct ruling ruling = {
        .verdict = rule->effect, .rule = rule->name, .origin = rule->origin, .message = rule->message};
    const char *evidence = NULL;

    if (rule->builtin) {
        if (step_alters(j->step) && builtin_applies(rule->builtin, j, &ruling.evidence))
            ruling_add(j, ruling);
        return;
    }
    /* Rules that hold steps back skip steps that write nothing. A broken assertion is shown all the same, because it
     * concerns the document. */
    if (!rule->assertion &&
        (j->step->action == ACTION_NONE || (rule->effect > VERDICT_WARN && !step_alters(j->step))))
        return;
    if (match_holds(&rule->match, j, &ruling.evidence) == TRUTH_NO)
        return;
    if (rule->when && condition_holds(rule->when, &j->subject, &ruling.evidence) == TRUTH_NO)
        return;
    if (rule->assertion) {
        struct subject after = j->subject;

        after.foreseen = true;
        if (condition_holds(rule->assertion, &after, &evidence) == TRUTH_YES)
            return;
        ruling.evidence = evidence;
    }
    ruling_add(j, ruling);
}

static void allowed_judge(const struct judging *j, const struct guard *g)
{
    struct arena *a = j->subject.arena;
    const struct value *list = value_get(g->allowed, j->step->document->kind);
    struct ruling ruling = {.verdict = VERDICT_DENY, .rule = arena_printf(a, "%s/allowedActions", g->document->name)};
    const char *names = NULL;

    if (!list)
        return;
    for (size_t i = 0; i < value_count(list); i++) {
        const char *name = value_str(value_item(list, i));

        if (str_eq(name, action_name(j->step->action)))
            return;
        names = arena_printf(a, "%s%s%s", names ? names : "", names ? ", " : "", name ? name : "");
    }
    ruling.origin = *value_origin(list);
    ruling.message =
        arena_printf(a, "of %s only these actions are allowed: %s", j->step->document->kind, names ? names : "none");
    ruling.evidence = arena_printf(a, "action = %s", action_name(j->step->action));
    ruling_add(j, ruling);
}

/* A window is looked at again when the step begins: one that closes before lets a run begin what it cannot end. */
static void window_closes(const struct judging *j, const struct guard *g, int64_t until_ms)
{
    struct arena *a = j->subject.arena;

    if (j->begins_ms < until_ms)
        return;
    ruling_add(j, (struct ruling){
                      .verdict = VERDICT_WARN,
                      .rule = arena_printf(a, "%s/windows", g->document->name),
                      .origin = *value_origin(g->windows_at),
                      .ends_ms = until_ms,
                      .message = arena_printf(a,
                                              "the window for it closes at %s, and by the estimates it begins at %s "
                                              "only: it would then be denied",
                                              time_format(a, until_ms), time_format(a, j->begins_ms)),
                      .evidence = arena_printf(a, "now = %s", time_format(a, j->options->now_ms)),
                  });
}

static void windows_judge(const struct judging *j, const struct guard *g)
{
    struct arena *a = j->subject.arena;
    int64_t now = j->options->now_ms, next = TIME_NONE;
    const struct window *open = NULL;
    bool bound = false;

    for (size_t i = 0; i < g->n_windows; i++) {
        const struct window *w = &g->windows[i];

        if (match_holds(&w->match, j, NULL) == TRUTH_NO)
            continue;
        bound = true;
        if (now >= w->from_ms && now < w->until_ms && (!open || w->until_ms > open->until_ms))
            open = w;
        if (now < w->from_ms && (next == TIME_NONE || w->from_ms < next))
            next = w->from_ms;
    }
    if (open)
        window_closes(j, g, open->until_ms);
    else if (bound)
        ruling_add(j, (struct ruling){
                          .verdict = VERDICT_DENY,
                          .rule = arena_printf(a, "%s/windows", g->document->name),
                          .origin = *value_origin(g->windows_at),
                          .message = next == TIME_NONE
                                         ? "no window for it will open any more"
                                         : arena_printf(a, "the next window for it opens at %s", time_format(a, next)),
                          .evidence = arena_printf(a, "now = %s", time_format(a, now)),
                      });
}

static void verdict_conclude(struct step *step)
{
    step->verdict = VERDICT_ALLOW;
    for (size_t i = 0; i < step->n_rulings; i++)
        if (!step->rulings[i].approved_by && step->rulings[i].verdict > step->verdict)
            step->verdict = step->rulings[i].verdict;
    /* Looking and waiting are never forbidden; the ruling stays visible. */
    if (!step_alters(step) && step->verdict > VERDICT_WARN)
        step->verdict = VERDICT_WARN;
}

static bool budget_counts(size_t budget, const struct step *step)
{
    return step_alters(step) && (budget == BUDGET_CHANGES || action_words(step->action)->budget == budget);
}

_Static_assert((int)POLICY_BUDGETS == (int)BUDGET_COUNT, "a run holds its place in every budget");

void policy_hold(struct policy_options *options, const struct step *step)
{
    for (size_t b = 0; b < BUDGET_COUNT; b++)
        options->used[b] += budget_counts(b, step);
}

static bool budget_spent(const struct judging *j, const struct guard *g, size_t budget, int64_t used)
{
    struct arena *a = j->subject.arena;
    const struct value *limit = g->budgets[budget];

    if (!limit || !budget_counts(budget, j->step) || used < limit->i)
        return false;
    ruling_add(j, (struct ruling){
                      .verdict = VERDICT_DENY,
                      .rule = arena_printf(a, "%s/budgets.%s", g->document->name, policy_budget_name(budget)),
                      .origin = *value_origin(limit),
                      .message = "the budget of this pass is used up",
                      .evidence = arena_printf(a, "%s: %lld of %lld used", policy_budget_name(budget), (long long)used,
                                               (long long)limit->i),
                  });
    return true;
}

/* `used` has a counter for every budget of every guard. A step that policy already holds back uses up no budget:
 * otherwise it would take the place of one that may run. */
static void budgets_judge(const struct judging *j, int64_t (*used)[BUDGET_COUNT])
{
    bool spent = false;

    if (j->step->verdict >= VERDICT_OBSERVE_ONLY ||
        (j->options->held && j->options->held(j->options->ctx, j->step)))
        return;
    for (size_t i = 0; i < j->policy->n_guards; i++)
        for (size_t b = 0; b < BUDGET_COUNT; b++)
            spent = budget_spent(j, &j->policy->guards[i], b, used[i][b]) || spent;
    if (spent)
        verdict_conclude(j->step);
    if (j->step->verdict >= VERDICT_OBSERVE_ONLY)
        return;
    for (size_t i = 0; i < j->policy->n_guards; i++)
        for (size_t b = 0; b < BUDGET_COUNT; b++)
            used[i][b] += budget_counts(b, j->step);
}

/* --- the order behind a step -------------------------------------------------------------------------------------- */

/* The document that orders a step, among those that have steps of their own; NULL: nobody does. */
static const struct document *orderer_of(const struct steps *steps, const struct step *step)
{
    const char *name = value_str_at(step->detail, "orderedBy");
    const char *address = name ? arena_printf(steps->arena, "Activation/%s", name) : NULL;
    const struct step *its = address ? index_get(steps->by_document, address) : NULL;

    /* Where steps are made only when they are asked for, nobody asks for those of an order. */
    if (!its && address && steps->asked)
        return index_get(steps->desired->by_address, address);
    return its ? its->document : NULL;
}

/* A rule that holds an order back holds back everything the order triggers: an Activation writes nothing itself, so
 * such a rule would otherwise have no effect. A job that runs already is still followed. */
static void order_judge(struct judging *j, const struct document *order, const struct value *order_facts)
{
    struct step as_order = *j->step;
    struct judging of = *j;

    if (!step_alters(j->step))
        return;
    as_order.document = order;
    of.step = &as_order;
    of.subject.step = &as_order;
    of.subject.facts = order_facts;
    for (size_t i = 0; i < j->policy->n_rules; i++)
        if (!j->policy->rules[i].builtin && j->policy->rules[i].effect > VERDICT_WARN)
            rule_judge(&of, &j->policy->rules[i]);
    verdict_conclude(&as_order);
    j->order_withheld = step_withheld(&as_order) != NULL;
    j->step->rulings = as_order.rulings;
    j->step->n_rulings = as_order.n_rulings;
}

/* The order has met the same rule already, and no exception lifted it there: it is told once. */
static bool ruled(const struct step *step, const struct rule *rule)
{
    for (size_t i = 0; i < step->n_rulings; i++)
        if (str_eq(step->rulings[i].rule, rule->name) && step->rulings[i].verdict == rule->effect)
            return true;
    return false;
}

void policy_judge(const struct policy *p, const struct policy_options *options, struct steps *steps,
                  policy_facts *facts, const void *ctx)
{
    int64_t(*used)[BUDGET_COUNT] = arena_alloc(steps->arena, sizeof(*used) * (p->n_guards + 1));
    struct index *known = index_new(steps->arena, INDEX_EXACT);

    for (size_t g = 0; g < p->n_guards; g++)
        for (size_t b = 0; b < BUDGET_COUNT; b++)
            used[g][b] = options->used[b];
    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = steps->items[i];
        struct judging j = {.policy = p,
                            .options = options,
                            .step = step,
                            .begins_ms = options->now_ms + steps_lead_ms(steps, step, known),
                            .subject = {.arena = steps->arena, .step = step}};
        const struct document *order = orderer_of(steps, step);

        j.subject.facts = facts(ctx, step->document);
        step->rulings = NULL;
        step->n_rulings = 0;
        if (order)
            order_judge(&j, order, facts(ctx, order));
        for (size_t k = 0; k < p->n_rules; k++)
            if (!ruled(step, &p->rules[k]))
                rule_judge(&j, &p->rules[k]);
        for (size_t k = 0; k < p->n_guards && step_alters(step); k++) {
            allowed_judge(&j, &p->guards[k]);
            windows_judge(&j, &p->guards[k]);
        }
        verdict_conclude(step);
        budgets_judge(&j, used);
    }
}
