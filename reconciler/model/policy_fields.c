/* Knows the fields that conditions of rules name, and where each could be. Must not judge a step (policy_judge.c), nor
 * repeat what compiling finds wrong (policy.c, condition.c). */
#include "policy_fields.h"

#include <string.h>

#include "../base/text.h"
#include "../format/pattern.h"

struct fields {
    const struct desired *desired;
    struct diags *diags;
    const struct schemas *schemas;      /* NULL: a look is held against the rules */
    const char *const *kinds;
    policy_facts *facts;
    bool of_facts; /* found: a rule that looks at facts.* */
    const void *ctx;
    const struct pattern *kind, *name;  /* of the rule; NULL: every one */
    bool reversed;                      /* below not or assert: what is never there has the opposite effect */
};

static bool fits(const struct pattern *p, const char *text)
{
    bool found = true;
    struct err err;

    /* One that cannot be decided leaves nothing out. */
    return !p || pattern_matches(p, text, &found, &err) < 0 || found;
}

static struct pattern *pattern_of(struct arena *a, const char *expression, bool whole)
{
    struct pattern *p = NULL;
    struct err err;

    if (expression)
        (void)!pattern_new(whole ? arena_printf(a, "^(?:%s)$", expression) : expression, &p, &err);
    return p;
}

/* --- declared fields ---------------------------------------------------------------------------------------------- */

/* Schemas step through lists without an index. */
static const char *without_indexes(struct arena *a, const char *path)
{
    const char *kept = "";

    while (*path) {
        size_t n = strcspn(path, ".");

        if (strspn(path, "0123456789") < n)
            kept = arena_printf(a, "%s%s%.*s", kept, *kept ? "." : "", (int)n, path);
        path += n + (path[n] == '.');
    }
    return kept;
}

static const char *schema_of(struct arena *a, const char *kind)
{
    return arena_printf(a, "%s.json", kind);
}

static const char *near_field(const struct fields *f, const char *field)
{
    struct arena *a = f->diags->arena;
    const char **names = NULL;
    size_t count = 0;

    for (const char *const *kind = f->kinds; *kind; kind++) {
        const struct value *paths = fits(f->kind, *kind) ? schema_paths(a, f->schemas, schema_of(a, *kind)) : NULL;

        for (size_t i = 0; i < value_count(paths); i++)
            arena_push(a, names, count, value_str(value_item(paths, i)));
    }
    arena_push(a, names, count, NULL);
    return did_you_mean(field, names);
}

static bool enum_has(const struct value *allowed, const struct value *v)
{
    for (size_t i = 0; i < value_count(allowed); i++)
        if (value_equal(value_item(allowed, i), v))
            return true;
    return !allowed;
}

static const char *effect_words(const struct fields *f, const char *op)
{
    bool absent = str_eq(op, "absent") || str_eq(op, "ne");

    return absent == f->reversed ? "so that the rule would never apply" : "so that the rule would always apply";
}

/* What no such field can ever be: a word that none of its schemas knows. */
static void check_value(const struct fields *f, const struct value *condition, const char *path, const struct value *v)
{
    struct arena *a = f->diags->arena;
    const char **names = NULL, *near;
    size_t count = 0;

    for (const char *const *kind = f->kinds; *kind; kind++) {
        const struct value *schema = fits(f->kind, *kind) ? schema_field(f->schemas, schema_of(a, *kind), path) : NULL;
        const struct value *allowed = value_get(schema, "enum");

        if (schema && (enum_has(allowed, v)))
            return;
        for (size_t i = 0; i < value_count(allowed); i++)
            if (value_str(value_item(allowed, i)))
                arena_push(a, names, count, value_str(value_item(allowed, i)));
    }
    arena_push(a, names, count, NULL);
    near = value_str(v) ? did_you_mean(value_str(v), names) : NULL;
    diags_add(f->diags, SEVERITY_ERROR, value_origin(v),
              near ? arena_printf(a, "did you mean %s?", near) : "write one of the values it may have",
              "%s is never %s, %s", value_str_at(condition, "field"),
              value_str(v) ? value_str(v) : value_type_name(v->type), effect_words(f, value_str_at(condition, "op")));
}

static void check_declared(const struct fields *f, const struct value *condition, const char *field)
{
    struct arena *a = f->diags->arena;
    const char *path = without_indexes(a, field), *op = value_str_at(condition, "op"), *near;
    const struct value *v = value_get(condition, "value");
    bool known = false;

    for (const char *const *kind = f->kinds; *kind && !known; kind++)
        known = fits(f->kind, *kind) && schema_field(f->schemas, schema_of(a, *kind), path);
    if (!known) {
        near = near_field(f, path);
        diags_add(f->diags, SEVERITY_ERROR, value_origin(value_get(condition, "field")),
                  near ? arena_printf(a, "did you mean %s?", near)
                       : "reinstate explain KIND lists the fields of a kind",
                  "no kind that the rule matches has a field %s, %s", field, effect_words(f, op));
    } else if (v && (str_eq(op, "eq") || str_eq(op, "ne"))) {
        check_value(f, condition, path, v);
    } else if (str_eq(op, "in") || str_eq(op, "notIn")) {
        for (size_t i = 0; i < value_count(v); i++)
            check_value(f, condition, path, value_item(v, i));
    }
}

/* --- observed fields ---------------------------------------------------------------------------------------------- */

static bool observed(const struct value *facts, const char *field)
{
    return str_starts(field, "live.") ? value_get(facts, "live") != NULL : value_count(facts) > 0;
}

static void check_observed(const struct fields *f, const struct value *condition, const char *field)
{
    const char *op = value_str_at(condition, "op"),
               *path = str_starts(field, "facts.") ? field + strlen("facts.") : field;
    size_t seen = 0;

    if (str_eq(op, "exists") || str_eq(op, "absent"))
        return;
    for (size_t i = 0; i < f->desired->count; i++) {
        const struct document *doc = f->desired->documents[i];
        const struct value *facts = f->facts(f->ctx, doc);

        if (!fits(f->kind, doc->kind) || !fits(f->name, doc->name) || !observed(facts, field))
            continue;
        if (value_at(facts, path))
            return;
        seen++;
    }
    if (seen)
        diags_add(f->diags, SEVERITY_WARNING, value_origin(value_get(condition, "field")),
                  "compare it with what plan -o json and the Azure REST reference show; exists or absent ask whether "
                  "it is there",
                  "none of the %zu document%s that the rule matches has %s: it may be misspelt, %s", seen,
                  seen == 1 ? "" : "s", field, effect_words(f, op));
}

/* --- rules -------------------------------------------------------------------------------------------------------- */

static void condition_walk(struct fields *f, const struct value *condition)
{
    static const char *const lists[] = {"all", "any"};
    const char *field = value_str_at(condition, "field");
    const struct value *not = value_get(condition, "not");

    for (size_t k = 0; k < COUNT(lists); k++)
        for (size_t i = 0; i < value_count(value_get(condition, lists[k])); i++)
            condition_walk(f, value_item(value_get(condition, lists[k]), i));
    if (not) {
        f->reversed = !f->reversed;
        condition_walk(f, not);
        f->reversed = !f->reversed;
    }
    if (!field)
        return;
    f->of_facts = f->of_facts || str_starts(field, "facts.");
    if (f->schemas && (str_starts(field, "spec.") || str_starts(field, "metadata.")))
        check_declared(f, condition, field);
    if (f->facts && (str_starts(field, "live.") || str_starts(field, "facts.")))
        check_observed(f, condition, field);
}

static void policies_walk(struct fields *f, const struct value *policies)
{
    for (size_t i = 0; i < value_count(policies); i++) {
        const struct value *doc = value_item(policies, i);
        const struct value *rules = str_eq(value_str_at(doc, "kind"), "Policy") ? value_at(doc, "spec.rules") : NULL;

        for (size_t k = 0; k < value_count(rules); k++) {
            const struct value *rule = value_item(rules, k);
            struct pattern *kind cleanup(pattern_freep) =
                pattern_of(f->diags->arena, value_str_at(rule, "match.kind"), true);
            struct pattern *name cleanup(pattern_freep) =
                pattern_of(f->diags->arena, value_str_at(rule, "match.name"), false);

            f->kind = kind;
            f->name = name;
            f->reversed = false;
            condition_walk(f, value_get(rule, "when"));
            f->reversed = true;
            condition_walk(f, value_get(rule, "assert"));
        }
    }
}

void policy_fields_check(const struct desired *d, const struct schemas *schemas, const char *const *kinds,
                         struct diags *diags)
{
    struct fields f = {.desired = d, .diags = diags, .schemas = schemas, .kinds = kinds};

    policies_walk(&f, d->raw);
}

void policy_fields_missed(const struct value *policies, const struct desired *d, policy_facts *facts, const void *ctx,
                          struct diags *diags)
{
    struct fields f = {.desired = d, .diags = diags, .facts = facts, .ctx = ctx};

    policies_walk(&f, policies);
}

bool policy_fields_of_facts(const struct value *policies, struct arena *scratch)
{
    struct diags diags;
    struct fields f = {.diags = &diags};

    diags_init(&diags, scratch);
    policies_walk(&f, policies);
    return f.of_facts;
}
