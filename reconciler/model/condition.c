/* Knows how to decide a condition over one step and its facts, and what to show as evidence. Must not know what follows
 * from it: effects, exceptions and budgets are the business of policy.c. */
#include "condition.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../format/json.h"

enum op {
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_NOT_IN,
    OP_CONTAINS,
    OP_REGEX,
    OP_EXISTS,
    OP_ABSENT,
    OP_COUNT
};

static const char *const op_names[OP_COUNT + 1] = {
    "eq", "ne", "lt", "le", "gt", "ge", "in", "notIn", "contains", "regex", "exists", "absent", NULL,
};

enum shape { SHAPE_FIELD, SHAPE_ALL, SHAPE_ANY, SHAPE_NOT };

struct condition {
    enum shape shape;
    const struct condition **children;
    size_t n_children;
    const char *field;
    enum op op;
    const struct value *value;
    const struct pattern *pattern;
};

/* --- compiling ---------------------------------------------------------------------------------------------------- */

const struct pattern *compile_pattern(struct compiling *c, const struct value *v, bool whole)
{
    struct pattern *pattern = NULL;
    struct err err;
    const char *text = value_str(v);

    if (!text) {
        diags_add(c->diags, SEVERITY_ERROR, value_origin(v), "write a PCRE2 expression as a string",
                  "the expression is %s", value_type_name(v->type));
        return NULL;
    }
    /* First as it was written, so that an offset in the fault is the writer's. */
    if (pattern_new(text, &pattern, &err) == 0 && whole) {
        pattern_freep(&pattern);
        (void)!pattern_new(arena_printf(c->arena, "^(?:%s)$", text), &pattern, &err);
    }
    if (!pattern) {
        diags_add(c->diags, SEVERITY_ERROR, value_origin(v), "write a PCRE2 expression", "\"%s\" cannot be used: %s",
                  text, err.text);
        return NULL;
    }
    arena_push(c->arena, c->patterns, c->n_patterns, pattern);
    return pattern;
}

static bool field_known(const char *field)
{
    static const char *const roots[] = {"metadata.", "spec.", "live.", "facts.", "step.detail."};
    static const char *const whole[] = {"step.id", "step.action", "step.scope", "step.scenario", "step.reason"};

    for (size_t i = 0; i < COUNT(roots); i++)
        if (str_starts(field, roots[i]) && field[strlen(roots[i])])
            return true;
    for (size_t i = 0; i < COUNT(whole); i++)
        if (str_eq(field, whole[i]))
            return true;
    return false;
}

static bool ordered(const struct value *v)
{
    const char *text = value_str(v);

    return value_is(v, VALUE_INT) || value_is(v, VALUE_REAL) ||
           (text && (time_parse(text) != TIME_NONE || duration_parse(text) >= 0));
}

/* What the operator asks of its value; NULL when it is met. */
static const char *op_wants(enum op op, const struct value *value)
{
    if (op >= OP_LT && op <= OP_GE)
        return ordered(value) ? NULL : "a number, a time such as 2026-11-23T03:00:00Z or a duration such as 24h";
    if (op == OP_IN || op == OP_NOT_IN)
        return value_is(value, VALUE_LIST) ? NULL : "a list";
    if (op == OP_EXISTS || op == OP_ABSENT)
        return value ? "no value" : NULL;
    return value ? NULL : "a value";
}

static const struct condition *field_compile(struct compiling *c, const struct value *v, struct condition *condition)
{
    const struct value *field = value_get(v, "field"), *op = value_get(v, "op");
    const char *wants, *near;

    condition->field = value_str(field);
    condition->value = value_get(v, "value");
    if (!condition->field || !field_known(condition->field)) {
        diags_add(c->diags, SEVERITY_ERROR, field ? value_origin(field) : value_origin(v),
                  "fields begin with metadata. spec. live. facts. or are "
                  "step.id, action, scope, scenario, reason, detail.…",
                  "\"%s\" is no field a rule can look at", condition->field ? condition->field : "");
        return NULL;
    }
    while (condition->op < OP_COUNT && !str_eq(op_names[condition->op], value_str(op)))
        condition->op++;
    if (condition->op == OP_COUNT) {
        near = value_str(op) ? did_you_mean(value_str(op), op_names) : NULL;
        diags_add(c->diags, SEVERITY_ERROR, op ? value_origin(op) : value_origin(v),
                  near ? arena_printf(c->arena, "did you mean %s?", near)
                       : "write eq, ne, lt, le, gt, ge, in, notIn, contains, regex, exists or absent",
                  "\"%s\" is no operator", value_str(op) ? value_str(op) : "");
        return NULL;
    }
    wants = op_wants(condition->op, condition->value);
    if (wants) {
        diags_add(c->diags, SEVERITY_ERROR, condition->value ? value_origin(condition->value) : value_origin(v),
                  arena_printf(c->arena, "give %s", wants), "the value does not fit the operator %s",
                  op_names[condition->op]);
        return NULL;
    }
    if (condition->op != OP_REGEX)
        return condition;
    condition->pattern = compile_pattern(c, condition->value, false);
    return condition->pattern ? condition : NULL;
}

const struct condition *condition_compile(struct compiling *c, const struct value *v)
{
    static const char *const names[] = {[SHAPE_ALL] = "all", [SHAPE_ANY] = "any", [SHAPE_NOT] = "not"};
    struct condition *condition = arena_new_of(c->arena, struct condition);
    const struct value *below = NULL;
    size_t n;

    for (enum shape shape = SHAPE_ALL; shape <= SHAPE_NOT && !below; shape++) {
        below = value_get(v, names[shape]);
        condition->shape = below ? shape : SHAPE_FIELD;
    }
    if (condition->shape == SHAPE_FIELD)
        return field_compile(c, v, condition);
    n = condition->shape == SHAPE_NOT ? 1 : value_count(below);
    if (n == 0 || value_count(v) != 1 || (condition->shape != SHAPE_NOT && !value_is(below, VALUE_LIST))) {
        diags_add(c->diags, SEVERITY_ERROR, value_origin(v),
                  "write {field, op, value}, {all: [..]}, {any: [..]} or {not: ..}", "this is no condition");
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const struct condition *child =
            condition_compile(c, condition->shape == SHAPE_NOT ? below : value_item(below, i));

        if (!child)
            return NULL;
        arena_push(c->arena, condition->children, condition->n_children, child);
    }
    return condition;
}

/* --- deciding ----------------------------------------------------------------------------------------------------- */

/* What the step itself says a live field will be: the step that mends a broken assertion does not break it. */
static const struct value *field_foreseen(const struct condition *c, const struct step *step)
{
    const char *path = c->field + strlen("live.");

    for (size_t i = 0; i < step->n_changes; i++) {
        const char *changed = step->changes[i].path;
        size_t n = strlen(changed);

        if (str_starts(path, changed) && (path[n] == '\0' || path[n] == '.'))
            return value_at(step->changes[i].after, path[n] ? path + n + 1 : "");
    }
    return NULL;
}

static const struct value *field_read(const struct condition *c, const struct subject *s)
{
    const struct step *step = s->step;
    const struct {
        const char *field, *text;
    } texts[] = {
        {"step.id", step->id},         {"step.action", action_name(step->action)},
        {"step.scope", step->scope},   {"step.scenario", step->scenario},
        {"step.reason", step->reason},
    };

    if (str_starts(c->field, "live.")) {
        const struct value *foreseen = s->foreseen && action_writes(step->action) ? field_foreseen(c, step) : NULL;

        return foreseen ? foreseen : value_at(s->facts, c->field);
    }
    if (str_starts(c->field, "facts."))
        return value_at(s->facts, c->field + strlen("facts."));
    if (str_starts(c->field, "step.detail."))
        return value_at(step->detail, c->field + strlen("step.detail."));
    for (size_t i = 0; i < COUNT(texts); i++)
        if (str_eq(texts[i].field, c->field))
            return texts[i].text ? value_string(s->arena, texts[i].text) : NULL;
    return value_at(step->document->root, c->field);
}

static bool number(const struct value *v, double *ret)
{
    if (!value_is(v, VALUE_INT) && !value_is(v, VALUE_REAL))
        return false;
    *ret = v->type == VALUE_INT ? (double)v->i : v->r;
    return true;
}

static bool moment(const struct value *v, double *ret)
{
    int64_t ms = value_str(v) ? time_parse(value_str(v)) : TIME_NONE;

    *ret = (double)ms;
    return ms != TIME_NONE;
}

static bool span(const struct value *v, double *ret)
{
    const char *text = value_str(v);
    int64_t ms = text ? duration_parse(text) : -1;

    if (text && ms < 0)
        ms = duration_parse_iso(text);
    *ret = (double)ms;
    return ms >= 0;
}

/* Both values as numbers, times or durations alike. */
static bool comparable(const struct value *have, const struct value *want, double *a, double *b)
{
    return (number(have, a) && number(want, b)) || (moment(have, a) && moment(want, b)) ||
           (span(have, a) && span(want, b));
}

static bool same(const struct value *a, const struct value *b)
{
    double x, y;

    return number(a, &x) && number(b, &y) ? x <= y && x >= y : value_equal(a, b);
}

static enum truth truth(bool b)
{
    return b ? TRUTH_YES : TRUTH_NO;
}

static enum truth list_holds(const struct value *list, const struct value *item)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (same(value_item(list, i), item))
            return TRUTH_YES;
    return TRUTH_NO;
}

static enum truth order_holds(enum op op, const struct value *have, const struct value *want)
{
    double a, b;

    if (!comparable(have, want, &a, &b))
        return TRUTH_UNDECIDED;
    return truth(op == OP_LT ? a < b : op == OP_LE ? a <= b : op == OP_GT ? a > b : a >= b);
}

static enum truth text_holds(const struct condition *c, const struct value *have)
{
    bool found = false;
    struct err err;

    if (c->op == OP_CONTAINS && value_is(have, VALUE_LIST))
        return list_holds(have, c->value);
    if (!value_is(have, VALUE_STRING) || (c->op == OP_CONTAINS && !value_is(c->value, VALUE_STRING)))
        return TRUTH_UNDECIDED;
    if (c->op == OP_CONTAINS)
        return truth(strstr(have->str.s, c->value->str.s) != NULL);
    return pattern_matches(c->pattern, have->str.s, &found, &err) < 0 ? TRUTH_UNDECIDED : truth(found);
}

static enum truth value_holds(const struct condition *c, const struct value *have)
{
    bool there = have && have->type != VALUE_NULL;

    if (c->op == OP_EXISTS || c->op == OP_ABSENT)
        return truth(there == (c->op == OP_EXISTS));
    if (!there)
        return truth(c->op == OP_NE);
    if (have->type == VALUE_UNKNOWN)
        return TRUTH_UNDECIDED;
    switch (c->op) {
    case OP_EQ:
    case OP_NE:
        return truth(same(have, c->value) == (c->op == OP_EQ));
    case OP_IN:
    case OP_NOT_IN:
        return truth((list_holds(c->value, have) == TRUTH_YES) == (c->op == OP_IN));
    case OP_CONTAINS:
    case OP_REGEX:
        return text_holds(c, have);
    default:
        return order_holds(c->op, have, c->value);
    }
}

enum { EVIDENCE_VALUE_MAX = 120 };

static const char *evidence_of(const struct condition *c, const struct subject *s, const struct value *have)
{
    char *text;
    int n = EVIDENCE_VALUE_MAX;

    if (!have || have->type == VALUE_NULL)
        return arena_printf(s->arena, "%s is absent", c->field);
    if (have->type == VALUE_UNKNOWN)
        return arena_printf(s->arena, "%s is known only after apply", c->field);
    text = json_string(s->arena, have, JSON_COMPACT);
    if (strlen(text) <= EVIDENCE_VALUE_MAX)
        return arena_printf(s->arena, "%s = %s", c->field, text);
    /* Not in the middle of a character: evidence is written as JSON too. */
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return arena_printf(s->arena, "%s = %.*s...", c->field, n, text);
}

enum truth condition_holds(const struct condition *c, const struct subject *s, const char **ret_evidence)
{
    /* One child with this answer settles the matter alone. */
    enum truth settles = c->shape == SHAPE_ANY ? TRUTH_YES : TRUTH_NO,
               result = c->shape == SHAPE_ANY ? TRUTH_NO : TRUTH_YES;
    const char *evidence = NULL;

    if (c->shape == SHAPE_FIELD) {
        const struct value *have = field_read(c, s);

        *ret_evidence = evidence_of(c, s, have);
        return value_holds(c, have);
    }
    for (size_t i = 0; i < c->n_children; i++) {
        const char *below;
        enum truth child = condition_holds(c->children[i], s, &below);

        if (c->shape == SHAPE_NOT) {
            *ret_evidence = below;
            return child == TRUTH_UNDECIDED ? child : truth(child == TRUTH_NO);
        }
        if (child == settles) {
            *ret_evidence = below;
            return child;
        }
        if (child == TRUTH_UNDECIDED)
            result = child;
        evidence = evidence ? arena_printf(s->arena, "%s, %s", evidence, below) : below;
    }
    *ret_evidence = evidence;
    return result;
}
