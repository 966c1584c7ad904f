/* Knows oneOf, anyOf and not: each alternative is tried quietly, and when none fits, the one that was most likely meant
 * is told about in its own words. Must not know any kind. */
#include "../base/text.h"
#include "json.h"
#include "schema_internal.h"

static bool enum_type_fits(const struct value *operand, const struct value *v)
{
    for (size_t i = 0; i < operand->list.count; i++)
        if (operand->list.items[i]->type == v->type)
            return true;
    return false;
}

/* Whether v is at least of a type that the alternative allows. */
static bool may_be_meant(const struct value *alt, const struct value *v)
{
    const struct value *type = value_get(alt, "type"), *words = value_get(alt, "enum");

    return (!type || schema_type_fits(type, v)) && (!words || enum_type_fits(words, v));
}

/* How likely a map was meant as this alternative: its fixed members weigh most, then required ones, then known ones. */
static int closeness(const struct check *c, const struct value *alt, const struct value *v)
{
    const struct value *properties = value_get(alt, "properties"), *required = value_get(alt, "required");
    int score = 0;

    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count; i++) {
        const struct value *property = schema_resolve(c->s, value_get(properties, v->map.members[i].key));
        const struct value *fixed = value_get(property, "const");

        score += property ? 1 : 0;
        if (fixed)
            score += value_equal(fixed, v->map.members[i].value) ? 1000 : -1000;
    }
    for (size_t i = 0; i < value_count(required); i++)
        score += value_get(v, required->list.items[i]->str.s) ? 50 : -1;
    return score;
}

/* The member by which an alternative is told from the others: the first that it requires. */
static const char *mark_of(const struct value *alt)
{
    return value_str(value_item(value_get(alt, "required"), 0));
}

static const struct value *alternative_at(const struct check *c, const struct value *alts, size_t i)
{
    return schema_resolve(c->s, alts->list.items[i]);
}

/* Lists the marks of the alternatives that are maps: all of them, or those that v has. False if one has no mark. */
static bool marks(const struct check *c, const struct value *alts, const struct value *v, bool present,
                  struct value *ret)
{
    for (size_t i = 0; i < alts->list.count; i++) {
        const struct value *alt = alternative_at(c, alts, i);
        const char *mark = mark_of(alt);

        if (!may_be_meant(alt, v))
            continue;
        if (!mark)
            return false;
        if (!present || value_get(v, mark))
            value_push(c->diags->arena, ret, value_string(c->diags->arena, mark));
    }
    return true;
}

static bool wrong_type_for_all(struct check *c, const struct value *schema, const struct value *alts,
                               const struct value *v, const struct place *at)
{
    struct arena *a = c->diags->arena;
    struct value *words = value_list(a);

    for (size_t i = 0; i < alts->list.count; i++) {
        const struct value *alt = alternative_at(c, alts, i), *type = value_get(alt, "type"),
                           *values = value_get(alt, "enum");

        if (type)
            schema_type_words_add(a, words, type);
        for (size_t j = 0; j < value_count(values); j++)
            value_push(a, words, value_string(a, json_string(a, value_item(values, j), JSON_COMPACT)));
    }
    return schema_fault(c, value_origin(v), at, schema_type_advice(a, NULL, schema, v), "found %s, expected %s",
                        schema_shown(c, schema, v), schema_joined(a, words, " or "));
}

/* No alternative has its mark in v: names them, or the one that was misspelt. */
static bool no_mark(struct check *c, const struct value *all, const struct value *v, const struct place *at)
{
    struct arena *a = c->diags->arena;
    const char **names = arena_array(a, const char *, value_count(all) + 1);

    for (size_t i = 0; i < value_count(all); i++)
        names[i] = value_str(value_item(all, i));
    for (size_t i = 0; i < v->map.count; i++)
        if (did_you_mean(v->map.members[i].key, names))
            return schema_unknown_field(c, names, &v->map.members[i], at);
    return schema_fault(c, value_origin(v), at, arena_printf(a, "write %s", schema_joined(a, all, " or ")),
                 "none of the fields is there that would say what is meant");
}

static bool excluding(struct check *c, const struct value *here, const struct value *v, const struct place *at)
{
    return schema_fault(c, value_origin(v), at, "keep one of them", "%s exclude each other",
                        schema_joined(c->diags->arena, here, " and "));
}

/* None fits: says so in the words of the alternative that was most likely meant. */
static bool none_fits(struct check *c, const struct value *schema, const struct value *alts, const struct value *v,
                      const struct place *at)
{
    const struct value *best = NULL;
    int most = 0;

    for (size_t i = 0; i < alts->list.count; i++) {
        const struct value *alt = alternative_at(c, alts, i);
        int score = closeness(c, alt, v);

        if (may_be_meant(alt, v) && (!best || score > most)) {
            best = alt;
            most = score;
        }
    }
    if (!best)
        return wrong_type_for_all(c, schema, alts, v, at);
    if (v->type == VALUE_MAP && most < 1000) {
        struct value *all = value_list(c->diags->arena), *here = value_list(c->diags->arena);

        if (marks(c, alts, v, false, all) && marks(c, alts, v, true, here) && value_count(all) > 1) {
            if (value_count(here) == 0)
                return no_mark(c, all, v, at);
            if (value_count(here) > 1)
                return excluding(c, here, v, at);
        }
    }
    return schema_check_value(c, best, v, at);
}

static size_t count_fitting(const struct check *c, const struct value *alts, const struct value *v)
{
    struct check quiet = {.s = c->s, .depth = c->depth};
    size_t n = 0;

    for (size_t i = 0; i < alts->list.count; i++)
        n += schema_check_value(&quiet, alts->list.items[i], v, NULL);
    return n;
}

bool schema_check_one_of(struct check *c, const struct value *schema, const struct value *operand,
                         const struct value *v, const struct place *at)
{
    size_t n = count_fitting(c, operand, v);
    struct value *here;

    if (n == 1 || !c->diags)
        return n == 1;
    if (n == 0)
        return none_fits(c, schema, operand, v, at);
    here = value_list(c->diags->arena);
    if (v->type == VALUE_MAP && marks(c, operand, v, true, here) && value_count(here) > 1)
        return excluding(c, here, v, at);
    return schema_fault(c, value_origin(v), at, NULL,
                        "it fits %zu of the forms allowed here, and only one may be meant", n);
}

bool schema_check_any_of(struct check *c, const struct value *schema, const struct value *operand,
                         const struct value *v, const struct place *at)
{
    if (count_fitting(c, operand, v) > 0)
        return true;
    return c->diags && none_fits(c, schema, operand, v, at);
}

bool schema_check_not(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                      const struct place *at)
{
    struct check quiet = {.s = c->s, .depth = c->depth};
    const char *says = value_str(value_get(schema_resolve(c->s, operand), "description"));

    if (!schema_check_value(&quiet, operand, v, NULL))
        return true;
    return c->diags && schema_fault(c, value_origin(v), at, says, "%s is not allowed here", schema_shown(c, schema, v));
}
