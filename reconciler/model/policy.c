/* Knows rules: the built-in ones that it is handed and those of Policy documents, and compiles them. Must not know any
 * kind, must not judge a step (policy_judge.c). */
#include "policy_internal.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"

const char *const policy_attribute_names[ATTRIBUTE_COUNT] = {"kind", "name", "id", "action", "scenario"};

const char *policy_budget_name(size_t budget)
{
    return budget == BUDGET_CHANGES ? "changes" : budgets_own[budget - 1];
}

/* --- compiling ---------------------------------------------------------------------------------------------------- */

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

static void matcher_compile(struct compiling *c, struct match *match, enum attribute attribute, const char *label,
                            const struct value *v)
{
    /* Kinds and actions are matched whole: "Key" is not KeyVault. */
    bool whole = attribute == ATTRIBUTE_KIND || attribute == ATTRIBUTE_ACTION;
    struct matcher m = {.attribute = attribute, .label = label, .pattern = compile_pattern(c, v, whole)};

    if (!m.pattern)
        return;
    if (attribute == ATTRIBUTE_ACTION && !matches_an_action(m.pattern))
        diags_add(c->diags, SEVERITY_ERROR, value_origin(v), "write actions as plans show them, such as create",
                  "no action matches \"%s\", so that the rule would never apply", value_str(v));
    if (attribute == ATTRIBUTE_KIND && !matches_a_kind(c, m.pattern)) {
        const char *meant = c->kinds ? did_you_mean(value_str(v), c->kinds) : NULL;

        diags_add(c->diags, SEVERITY_ERROR, value_origin(v),
                  meant ? arena_printf(c->arena, "did you mean %s?", meant)
                        : "kinds are matched whole; .* is every kind",
                  "no kind matches \"%s\", so that the rule would never apply", value_str(v));
    }
    arena_push(c->arena, match->items, match->count, m);
}

static struct match match_compile(struct compiling *c, const struct value *v)
{
    const struct value *labels = value_get(v, "labels");
    struct match match = {0};

    for (enum attribute a = 0; a < ATTRIBUTE_COUNT; a++)
        if (value_get(v, policy_attribute_names[a]))
            matcher_compile(c, &match, a, NULL, value_get(v, policy_attribute_names[a]));
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
    const struct value *when = value_get(v, "when"), *assertion = value_get(v, "assert"),
                       *effect = value_get(v, "effect");
    struct rule rule = {
        .name = value_str_at(v, "name"), .message = value_str_at(v, "message"), .origin = *value_origin(v)};

    if (!rule.name || str_starts(rule.name, "built-in/")) {
        diags_add(c->diags, SEVERITY_ERROR, value_origin(v), "names beginning with built-in/ are taken",
                  "the rule has no name of its own");
        return;
    }
    for (size_t i = 0; i < p->n_rules; i++)
        if (str_eq(p->rules[i].name, rule.name))
            diags_add(c->diags, SEVERITY_ERROR, value_origin(v), "give one of them another name",
                      "rule %s is declared twice: first at %s:%d", rule.name,
                      p->rules[i].origin.file ? p->rules[i].origin.file : "(no file)", p->rules[i].origin.line);
    rule.effect = effect_parse(value_str(effect));
    if (rule.effect == VERDICT_COUNT)
        diags_add(c->diags, SEVERITY_ERROR, effect ? value_origin(effect) : value_origin(v),
                  "write warn, require-approval, observe-only or deny", "rule %s has no effect that exists", rule.name);
    rule.match = match_compile(c, value_get(v, "match"));
    rule.when = when ? condition_compile(c, when) : NULL;
    rule.assertion = assertion ? condition_compile(c, assertion) : NULL;
    arena_push(c->arena, p->rules, p->n_rules, rule);
}

static void builtins_compile(struct arena *a, struct policy *p, const struct rulebook *book)
{
    for (size_t i = 0; book && i < book->count; i++) {
        struct rule rule = {.name = book->rules[i].name, .message = book->rules[i].message,
                            .effect = VERDICT_REQUIRE_APPROVAL, .builtin = &book->rules[i]};

        arena_push(a, p->rules, p->n_rules, rule);
    }
}

static int64_t time_compile(struct compiling *c, const struct value *owner, const char *member)
{
    const struct value *v = value_get(owner, member);
    int64_t ms = value_str(v) ? time_parse(value_str(v)) : TIME_NONE;

    if (ms == TIME_NONE)
        diags_add(c->diags, SEVERITY_ERROR, v ? value_origin(v) : value_origin(owner),
                  "write it such as 2026-11-23T03:00:00Z", "%s is no time", member);
    return ms;
}

static void exception_compile(struct compiling *c, struct policy *p, const struct value *v)
{
    struct exception e = {
        .rule = value_str_at(v, "rule"), .reason = value_str_at(v, "reason"), .origin = *value_origin(v)};

    e.until_ms = time_compile(c, v, "until");
    e.match = match_compile(c, value_get(v, "match"));
    if (!e.rule || !e.reason || !*e.reason)
        diags_add(c->diags, SEVERITY_ERROR, value_origin(v), "write rule, until and reason", "the exception has no %s",
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
                diags_add(c->diags, SEVERITY_ERROR, value_origin(item),
                          "write actions as plans show them, such as create", "\"%s\" is no action",
                          value_str(item) ? value_str(item) : value_type_name(item->type));
        }
    }
}

static void guard_compile(struct compiling *c, struct policy *p, const struct document *doc)
{
    struct guard g = {.document = doc,
                      .allowed = value_get(doc->spec, "allowedActions"),
                      .windows_at = value_get(doc->spec, "windows")};
    const struct value *budgets = value_get(doc->spec, "budgets");

    allowed_compile(c, g.allowed);
    for (size_t i = 0; i < BUDGET_COUNT; i++) {
        g.budgets[i] = value_get(budgets, policy_budget_name(i));
        if (g.budgets[i] && (!value_is(g.budgets[i], VALUE_INT) || g.budgets[i]->i < 0))
            diags_add(c->diags, SEVERITY_ERROR, value_origin(g.budgets[i]), "write a whole number, 0 or more",
                      "budgets.%s is no count", policy_budget_name(i));
    }
    for (size_t i = 0; i < value_count(g.windows_at); i++) {
        const struct value *at = value_item(g.windows_at, i);
        struct window w = {.match = match_compile(c, value_get(at, "match"))};

        w.from_ms = time_compile(c, at, "from");
        w.until_ms = time_compile(c, at, "until");
        if (w.from_ms != TIME_NONE && w.until_ms != TIME_NONE && w.until_ms <= w.from_ms)
            diags_add(c->diags, SEVERITY_ERROR, value_origin(at), "until must be later than from",
                      "the window never opens");
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
            arena_push(c->arena, names, count, arena_printf(c->arena, "%s/budgets.%s", p->guards[i].document->name,
                       policy_budget_name(j)));
    }
    arena_push(c->arena, names, count, NULL);
    for (size_t i = 0; i < p->n_exceptions; i++) {
        const char *near = did_you_mean(p->exceptions[i].rule, names);

        if (near && str_eq(near, p->exceptions[i].rule))
            continue;
        diags_add(c->diags, SEVERITY_ERROR, &p->exceptions[i].origin,
                  near ? arena_printf(c->arena, "did you mean %s?", near)
                       : "name a rule, a built-in one or POLICY/budgets.changes",
                  "there is no rule %s to make an exception of", p->exceptions[i].rule);
    }
}

/* Two editions at once would make every prediction depend on the order of the documents. */
static void article_compile(struct compiling *c, struct policy *p, const struct document *doc)
{
    const struct value *article = value_get(doc->spec, "article");

    if (p->article && article && !str_eq(value_str(p->article), value_str(article)))
        diags_add(c->diags, SEVERITY_ERROR, value_origin(article), "keep one of the two",
                  "article is %s here and %s at %s:%d", value_str(article), value_str(p->article),
                  value_origin(p->article)->file ? value_origin(p->article)->file : "another Policy",
                  value_origin(p->article)->line);
    if (article)
        p->article = article;
}

const struct policy *policy_compile(struct arena *a, const struct document *const *policies, size_t n,
                                    const struct rulebook *book, struct diags *diags)
{
    struct policy *p = arena_new_of(a, struct policy);
    struct compiling c = {.arena = a, .diags = diags, .kinds = book ? book->kinds : NULL};

    builtins_compile(a, p, book);
    for (size_t i = 0; i < n; i++) {
        const struct value *rules = value_get(policies[i]->spec, "rules"),
                           *exceptions = value_get(policies[i]->spec, "exceptions");

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
