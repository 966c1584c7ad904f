/* Knows rules: the built-in ones and those of Policy documents, and turns them into a verdict for every step with the rule,
 * its place and the values that decided. Must not know any kind beyond the names in the built-in table, must not act. */
#include "policy.h"

#include <assert.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "condition.h"

/* --- what is built in ----------------------------------------------------------------------------------------------- */

/* "name: message", in the order of the table below. Each asks for approval. */
static const char *const builtin_lines[] = {
    "built-in/recover: what was soft-deleted may have been deleted on purpose",
    "built-in/enable: a key version may have been disabled on purpose",
    "built-in/restore-key: a key that is gone may have been destroyed on purpose",
    "built-in/re-point-key: disks in use depend on the key their disk encryption set points at",
    "built-in/purge-protection: purge protection cannot be turned off again",
    "built-in/permission-model: changing the permission model takes effect on every grant of the vault at once",
    "built-in/export-again: a pass that named no set failed and left no key; a second one is a second failing restore",
    "built-in/resume-protection: a stopped protection keeps its points for ever; resumed, its policy's retention applies to them again",
    "built-in/replace: the disks of a VM that is there are exchanged; what was written since the recovery point is gone from it",
    "built-in/escrow: who can read the container can take the key; its first backup there is somebody's decision",
    "built-in/escrow-elsewhere: the container is not seen in a declared subscription; a backup there leaves what you declare",
    NULL,
};

struct builtin {
    enum action action;
    const char *kind, *other_kind;   /* NULL: any, no other */
    const char *change;              /* only when the step changes this path; NULL: always */
    const char *unless_empty;        /* a list among the facts; the rule is silent only when it is known to be empty */
    bool named;                      /* an order does not approve it: a person's name has to */
};

static const struct builtin builtins[] = {
    {ACTION_RECOVER, NULL, NULL, NULL, NULL, false},
    {ACTION_ENABLE, NULL, NULL, NULL, NULL, false},
    {ACTION_RESTORE_KEY, NULL, NULL, NULL, NULL, false},
    {ACTION_UPDATE, "DiskEncryptionSet", NULL, "properties.activeKey.keyUrl", "associatedResources", false},
    {ACTION_UPDATE, "KeyVault", "ManagedHsm", "properties.enablePurgeProtection", NULL, false},
    {ACTION_UPDATE, "KeyVault", NULL, "properties.enableRbacAuthorization", NULL, false},
    {ACTION_EXPORT_KEY, NULL, NULL, "securedVMDetails.securedVMOsDiskEncryptionSetId", NULL, true},
    {ACTION_UPDATE, "ProtectedVirtualMachine", "RestoredVirtualMachine", "properties.protectionState", NULL, true},
    {ACTION_RESTORE_VM, NULL, NULL, "properties.storageProfile.osDisk.managedDisk.id", NULL, true},
    {ACTION_ESCROW_KEY, NULL, NULL, "escrow.container", NULL, true},
    {ACTION_ESCROW_KEY, NULL, NULL, "escrow.subscription", NULL, true},
};
static_assert(COUNT(builtins) + 1 == COUNT(builtin_lines), "one line for each built-in rule");

const char *const *policy_builtin_lines(void)
{
    return builtin_lines;
}

/* --- compiled form -------------------------------------------------------------------------------------------------- */

enum attribute { ATTRIBUTE_KIND, ATTRIBUTE_NAME, ATTRIBUTE_ID, ATTRIBUTE_ACTION, ATTRIBUTE_SCENARIO, ATTRIBUTE_COUNT, ATTRIBUTE_LABEL };

static const char *const attribute_names[ATTRIBUTE_COUNT] = {"kind", "name", "id", "action", "scenario"};

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

enum { BUDGET_CHANGES, BUDGET_RESTORES, BUDGET_EXPORTS, BUDGET_COUNT };

static const char *const budget_names[BUDGET_COUNT] = {"changes", "restores", "exports"};

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

/* --- compiling ------------------------------------------------------------------------------------------------------ */

static bool matches_an_action(const struct pattern *pattern)
{
    for (enum action a = 0; a < ACTION_COUNT; a++) {
        bool found = false;
        struct err err;

        if (pattern_matches(pattern, action_name(a), &found, &err) < 0 || found)
            return true;
    }
    return false;
}

static bool matches_a_kind(const struct compiling *c, const struct pattern *pattern)
{
    for (const char *const *kind = c->kinds; kind && *kind; kind++) {
        bool found = false;
        struct err err;

        if (pattern_matches(pattern, *kind, &found, &err) < 0 || found)
            return true;
    }
    return !c->kinds;
}

static void matcher_compile(struct compiling *c, struct match *match, enum attribute attribute, const char *label, const struct value *v)
{
    /* Kinds and actions are matched whole: "Key" is not KeyVault. */
    bool whole = attribute == ATTRIBUTE_KIND || attribute == ATTRIBUTE_ACTION;
    struct matcher m = {.attribute = attribute, .label = label, .pattern = compile_pattern(c, v, whole)};

    if (!m.pattern)
        return;
    if (attribute == ATTRIBUTE_ACTION && !matches_an_action(m.pattern))
        diags_add(c->diags, SEVERITY_ERROR, &v->origin, "write actions as plans show them, such as restore-key",
                  "no action matches \"%s\", so that the rule would never apply", value_str(v));
    if (attribute == ATTRIBUTE_KIND && !matches_a_kind(c, m.pattern)) {
        const char *meant = c->kinds ? did_you_mean(value_str(v), c->kinds) : NULL;

        diags_add(c->diags, SEVERITY_ERROR, &v->origin,
                  meant ? arena_printf(c->arena, "did you mean %s?", meant) : "kinds are matched whole; .* is every kind",
                  "no kind matches \"%s\", so that the rule would never apply", value_str(v));
    }
    arena_push(c->arena, match->items, match->count, m);
}

static struct match match_compile(struct compiling *c, const struct value *v)
{
    const struct value *labels = value_get(v, "labels");
    struct match match = {0};

    for (enum attribute a = 0; a < ATTRIBUTE_COUNT; a++)
        if (value_get(v, attribute_names[a]))
            matcher_compile(c, &match, a, NULL, value_get(v, attribute_names[a]));
    for (size_t i = 0; value_is(labels, VALUE_MAP) && i < labels->map.count; i++)
        matcher_compile(c, &match, ATTRIBUTE_LABEL, labels->map.members[i].key, labels->map.members[i].value);
    return match;
}

static enum verdict effect_parse(const char *name)
{
    enum verdict v = VERDICT_WARN;

    while (v < VERDICT_COUNT && !str_eq(verdict_name(v), name))
        v++;
    return v;
}

static void rule_compile(struct compiling *c, struct policy *p, const struct value *v)
{
    const struct value *when = value_get(v, "when"), *assertion = value_get(v, "assert"), *effect = value_get(v, "effect");
    struct rule rule = {.name = value_str_at(v, "name"), .message = value_str_at(v, "message"), .origin = v->origin};

    if (!rule.name || str_starts(rule.name, "built-in/")) {
        diags_add(c->diags, SEVERITY_ERROR, &v->origin, "names beginning with built-in/ are taken", "the rule has no name of its own");
        return;
    }
    for (size_t i = 0; i < p->n_rules; i++)
        if (str_eq(p->rules[i].name, rule.name))
            diags_add(c->diags, SEVERITY_ERROR, &v->origin, "give one of them another name",
                      "rule %s is declared twice: first at %s:%d", rule.name,
                      p->rules[i].origin.file ? p->rules[i].origin.file : "(no file)", p->rules[i].origin.line);
    rule.effect = effect_parse(value_str(effect));
    if (rule.effect == VERDICT_COUNT)
        diags_add(c->diags, SEVERITY_ERROR, effect ? &effect->origin : &v->origin, "write warn, require-approval, observe-only or deny",
                  "rule %s has no effect that exists", rule.name);
    rule.match = match_compile(c, value_get(v, "match"));
    rule.when = when ? condition_compile(c, when) : NULL;
    rule.assertion = assertion ? condition_compile(c, assertion) : NULL;
    arena_push(c->arena, p->rules, p->n_rules, rule);
}

static void builtins_compile(struct arena *a, struct policy *p)
{
    for (size_t i = 0; i < COUNT(builtins); i++) {
        const char *line = builtin_lines[i], *colon = str_find_nocase(line, ": ");
        struct rule rule = {.effect = VERDICT_REQUIRE_APPROVAL, .builtin = &builtins[i], .message = colon + 2};

        rule.name = arena_strndup(a, line, (size_t)(colon - line));
        arena_push(a, p->rules, p->n_rules, rule);
    }
}

static int64_t time_compile(struct compiling *c, const struct value *owner, const char *member)
{
    const struct value *v = value_get(owner, member);
    int64_t ms = value_str(v) ? time_parse(value_str(v)) : TIME_NONE;

    if (ms == TIME_NONE)
        diags_add(c->diags, SEVERITY_ERROR, v ? &v->origin : &owner->origin, "write it such as 2026-11-23T03:00:00Z", "%s is no time",
                  member);
    return ms;
}

static void exception_compile(struct compiling *c, struct policy *p, const struct value *v)
{
    struct exception e = {.rule = value_str_at(v, "rule"), .reason = value_str_at(v, "reason"), .origin = v->origin};

    e.until_ms = time_compile(c, v, "until");
    e.match = match_compile(c, value_get(v, "match"));
    if (!e.rule || !e.reason || !*e.reason)
        diags_add(c->diags, SEVERITY_ERROR, &v->origin, "write rule, until and reason", "the exception has no %s",
                  e.rule ? "reason" : "rule");
    else
        arena_push(c->arena, p->exceptions, p->n_exceptions, e);
}

static void allowed_compile(struct compiling *c, const struct value *allowed)
{
    for (size_t i = 0; value_is(allowed, VALUE_MAP) && i < allowed->map.count; i++) {
        const struct value *list = allowed->map.members[i].value;

        for (size_t j = 0; j < value_count(list); j++) {
            const struct value *item = value_item(list, j);

            if (!value_str(item) || action_parse(value_str(item)) == ACTION_COUNT)
                diags_add(c->diags, SEVERITY_ERROR, &item->origin, "write actions as plans show them, such as restore-key",
                          "\"%s\" is no action", value_str(item) ? value_str(item) : value_type_name(item->type));
        }
    }
}

static void guard_compile(struct compiling *c, struct policy *p, const struct document *doc)
{
    struct guard g = {.document = doc, .allowed = value_get(doc->spec, "allowedActions"), .windows_at = value_get(doc->spec, "windows")};
    const struct value *budgets = value_get(doc->spec, "budgets");

    allowed_compile(c, g.allowed);
    for (size_t i = 0; i < BUDGET_COUNT; i++) {
        g.budgets[i] = value_get(budgets, budget_names[i]);
        if (g.budgets[i] && (!value_is(g.budgets[i], VALUE_INT) || g.budgets[i]->i < 0))
            diags_add(c->diags, SEVERITY_ERROR, &g.budgets[i]->origin, "write a whole number, 0 or more", "budgets.%s is no count",
                      budget_names[i]);
    }
    for (size_t i = 0; i < value_count(g.windows_at); i++) {
        const struct value *at = value_item(g.windows_at, i);
        struct window w = {.match = match_compile(c, value_get(at, "match"))};

        w.from_ms = time_compile(c, at, "from");
        w.until_ms = time_compile(c, at, "until");
        if (w.from_ms != TIME_NONE && w.until_ms != TIME_NONE && w.until_ms <= w.from_ms)
            diags_add(c->diags, SEVERITY_ERROR, &at->origin, "until must be later than from", "the window never opens");
        arena_push(c->arena, g.windows, g.n_windows, w);
    }
    arena_push(c->arena, p->guards, p->n_guards, g);
}

/* An exception to a rule that does not exist lifts nothing: most likely the rule's name is misspelt. */
static void exceptions_check(struct compiling *c, const struct policy *p)
{
    const char **names = NULL;
    size_t count = 0;

    for (size_t i = 0; i < p->n_rules; i++)
        arena_push(c->arena, names, count, p->rules[i].name);
    for (size_t i = 0; i < p->n_guards; i++) {
        arena_push(c->arena, names, count, arena_printf(c->arena, "%s/allowedActions", p->guards[i].document->name));
        arena_push(c->arena, names, count, arena_printf(c->arena, "%s/windows", p->guards[i].document->name));
        for (size_t j = 0; j < BUDGET_COUNT; j++)
            arena_push(c->arena, names, count, arena_printf(c->arena, "%s/budgets.%s", p->guards[i].document->name, budget_names[j]));
    }
    arena_push(c->arena, names, count, NULL);
    for (size_t i = 0; i < p->n_exceptions; i++) {
        const char *near = did_you_mean(p->exceptions[i].rule, names);

        if (near && str_eq(near, p->exceptions[i].rule))
            continue;
        diags_add(c->diags, SEVERITY_ERROR, &p->exceptions[i].origin,
                  near ? arena_printf(c->arena, "did you mean %s?", near) : "name a rule, a built-in one or POLICY/budgets.changes",
                  "there is no rule %s to make an exception of", p->exceptions[i].rule);
    }
}

/* Two editions at once would make every prediction depend on the order of the documents. */
static void article_compile(struct compiling *c, struct policy *p, const struct document *doc)
{
    const struct value *article = value_get(doc->spec, "article");

    if (p->article && article && !str_eq(value_str(p->article), value_str(article)))
        diags_add(c->diags, SEVERITY_ERROR, &article->origin, "keep one of the two", "article is %s here and %s at %s:%d",
                  value_str(article), value_str(p->article), p->article->origin.file ? p->article->origin.file : "another Policy",
                  p->article->origin.line);
    if (article)
        p->article = article;
}

const struct policy *policy_compile(struct arena *a, const struct document *const *policies, size_t n, const char *const *kinds,
                                    struct diags *diags)
{
    struct policy *p = arena_new_of(a, struct policy);
    struct compiling c = {.arena = a, .diags = diags, .kinds = kinds};

    builtins_compile(a, p);
    for (size_t i = 0; i < n; i++) {
        const struct value *rules = value_get(policies[i]->spec, "rules"), *exceptions = value_get(policies[i]->spec, "exceptions");

        for (size_t j = 0; j < value_count(rules); j++)
            rule_compile(&c, p, value_item(rules, j));
        for (size_t j = 0; j < value_count(exceptions); j++)
            exception_compile(&c, p, value_item(exceptions, j));
        guard_compile(&c, p, policies[i]);
        article_compile(&c, p, policies[i]);
        /* Of several the strictest counts. */
        p->claims_required = p->claims_required || str_eq(value_str_at(policies[i]->spec, "claims"), "required");
    }
    exceptions_check(&c, p);
    p->patterns = c.patterns;
    p->n_patterns = c.n_patterns;
    return p;
}

const char *const *policy_rule_names(struct arena *a, const struct policy *p)
{
    const char **names = arena_array(a, const char *, p->n_rules + 1);

    for (size_t i = 0; i < p->n_rules; i++)
        names[i] = p->rules[i].name;
    return names;
}

const char *policy_article(const struct policy *p)
{
    return p ? value_str(p->article) : NULL;
}

bool policy_claims_required(const struct policy *p)
{
    return p && p->claims_required;
}

void policy_free(const struct policy *p)
{
    for (size_t i = 0; p && i < p->n_patterns; i++)
        pattern_free(p->patterns[i]);
}

/* --- judging -------------------------------------------------------------------------------------------------------- */

struct judging {
    const struct policy *policy;
    const struct policy_options *options;
    struct subject subject;
    struct step *step;
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
        evidence = arena_printf(j->subject.arena, "%s%s%s%s = %s", evidence ? evidence : "", evidence ? ", " : "",
                                m->label ? "labels." : "", m->label ? m->label : attribute_names[m->attribute], have);
    }
    if (ret_evidence)
        *ret_evidence = evidence;
    return result;
}

/* The exception that lifts this rule for this step; *ret_ended: one that would have, had it not ended; *ret_unpinned: had it been
 * pinned. */
static const struct exception *exception_find(const struct judging *j, const char *rule, const struct exception **ret_ended,
                                              const struct exception **ret_unpinned)
{
    bool pinned = j->options->pinned || !str_starts(rule, "built-in/");

    for (size_t i = 0; i < j->policy->n_exceptions; i++) {
        const struct exception *e = &j->policy->exceptions[i];

        /* One that cannot be decided lifts nothing. */
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

static bool needs_a_name(const char *rule)
{
    for (size_t i = 0; i < COUNT(builtins); i++)
        if (builtins[i].named && str_starts(builtin_lines[i], rule) && builtin_lines[i][strlen(rule)] == ':')
            return true;
    return false;
}

static void ruling_approve(const struct judging *j, struct ruling *ruling)
{
    const char *order = value_str_at(j->step->detail, "orderedBy");

    for (size_t i = 0; i < j->options->n_approvals && !ruling->approved_by; i++)
        if (str_eq(j->options->approvals[i].rule, ruling->rule))
            ruling->approved_by = arena_strdup(j->subject.arena, j->options->approvals[i].name);
    /* An order in force is the approval for what it covers; rules of one's own may ask for more. */
    if (!ruling->approved_by && order && str_starts(ruling->rule, "built-in/") && !needs_a_name(ruling->rule))
        ruling->approved_by = arena_printf(j->subject.arena, "Activation %s", order);
}

static void ruling_add(const struct judging *j, struct ruling ruling)
{
    struct arena *a = j->subject.arena;
    const struct exception *ended = NULL, *unpinned = NULL, *lifted = exception_find(j, ruling.rule, &ended, &unpinned);
    struct ruling *rulings = (struct ruling *)j->step->rulings;

    if (lifted) {
        ruling.verdict = VERDICT_ALLOW;
        ruling.origin = lifted->origin;
        ruling.message = arena_printf(a, "lifted by an exception until %s: %s", time_format(a, lifted->until_ms), lifted->reason);
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

    if (step->action != b->action ||
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
        *ret_evidence = list ? arena_printf(j->subject.arena, "used by %zu", value_count(list)) : "what uses it is not known";
    else if (b->change)
        *ret_evidence = arena_printf(j->subject.arena, "the step changes %s", b->change);
    return true;
}

static void rule_judge(const struct judging *j, const struct rule *rule)
{
    struct ruling ruling = {.verdict = rule->effect, .rule = rule->name, .origin = rule->origin, .message = rule->message};
    const char *evidence = NULL;

    if (rule->builtin) {
        if (builtin_applies(rule->builtin, j, &ruling.evidence))
            ruling_add(j, ruling);
        return;
    }
    /* Nothing is done by a step that writes nothing; but a broken assertion is shown wherever the document is. */
    if (!rule->assertion && (j->step->action == ACTION_NONE || (rule->effect > VERDICT_WARN && !action_writes(j->step->action))))
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
    ruling.origin = list->origin;
    ruling.message = arena_printf(a, "of %s only these actions are allowed: %s", j->step->document->kind, names ? names : "none");
    ruling.evidence = arena_printf(a, "action = %s", action_name(j->step->action));
    ruling_add(j, ruling);
}

static void windows_judge(const struct judging *j, const struct guard *g)
{
    struct arena *a = j->subject.arena;
    int64_t now = j->options->now_ms, next = TIME_NONE;
    bool bound = false;

    for (size_t i = 0; i < g->n_windows; i++) {
        const struct window *w = &g->windows[i];

        if (match_holds(&w->match, j, NULL) == TRUTH_NO)
            continue;
        bound = true;
        if (now >= w->from_ms && now < w->until_ms)
            return;
        if (now < w->from_ms && (next == TIME_NONE || w->from_ms < next))
            next = w->from_ms;
    }
    if (bound)
        ruling_add(j, (struct ruling){
                          .verdict = VERDICT_DENY,
                          .rule = arena_printf(a, "%s/windows", g->document->name),
                          .origin = g->windows_at->origin,
                          .message = next == TIME_NONE ? "no window for it will open any more"
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
    if (!action_writes(step->action) && step->verdict > VERDICT_WARN)
        step->verdict = VERDICT_WARN;
}

static bool budget_counts(size_t budget, enum action action)
{
    if (budget == BUDGET_RESTORES)
        return action == ACTION_RESTORE_VM;
    return budget == BUDGET_EXPORTS ? action == ACTION_EXPORT_KEY : action_writes(action);
}

static bool budget_spent(const struct judging *j, const struct guard *g, size_t budget, int64_t used)
{
    struct arena *a = j->subject.arena;
    const struct value *limit = g->budgets[budget];

    if (!limit || !budget_counts(budget, j->step->action) || used < limit->i)
        return false;
    ruling_add(j, (struct ruling){
                      .verdict = VERDICT_DENY,
                      .rule = arena_printf(a, "%s/budgets.%s", g->document->name, budget_names[budget]),
                      .origin = limit->origin,
                      .message = "the budget of this pass is used up",
                      .evidence = arena_printf(a, "%s: %lld of %lld used", budget_names[budget], (long long)used, (long long)limit->i),
                  });
    return true;
}

/* `used` has a counter for every budget of every guard. A step that may not run anyway uses nothing up. */
static void budgets_judge(const struct judging *j, int64_t (*used)[BUDGET_COUNT])
{
    bool spent = false;

    if (j->step->verdict >= VERDICT_OBSERVE_ONLY)
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
            used[i][b] += budget_counts(b, j->step->action);
}

void policy_judge(const struct policy *p, const struct policy_options *options, struct steps *steps, policy_facts *facts, const void *ctx)
{
    int64_t(*used)[BUDGET_COUNT] = arena_alloc(steps->arena, sizeof(*used) * (p->n_guards + 1));

    for (size_t i = 0; i < options->n_spent; i++)
        for (size_t g = 0; g < p->n_guards; g++)
            for (size_t b = 0; b < BUDGET_COUNT; b++)
                used[g][b] += budget_counts(b, options->spent[i]->action);
    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = steps->items[i];
        struct judging j = {.policy = p, .options = options, .step = step, .subject = {.arena = steps->arena, .step = step}};

        j.subject.facts = facts(ctx, step->document);
        step->rulings = NULL;
        step->n_rulings = 0;
        for (size_t k = 0; k < p->n_rules; k++)
            rule_judge(&j, &p->rules[k]);
        for (size_t k = 0; k < p->n_guards && action_writes(step->action); k++) {
            allowed_judge(&j, &p->guards[k]);
            windows_judge(&j, &p->guards[k]);
        }
        verdict_conclude(step);
        budgets_judge(&j, used);
    }
}
