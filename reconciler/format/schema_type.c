/* Knows the types that a schema can name: their values, their words, and what a value of another type
 * was meant to be. */
#include <ctype.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "json.h"
#include "schema_internal.h"

static const struct type_name {
    const char *name, *words;
    enum value_type type;
} type_names[] = {
    {"object", "a map", VALUE_MAP},       {"array", "a list", VALUE_LIST},
    {"string", "a string", VALUE_STRING}, {"integer", "a whole number", VALUE_INT},
    {"number", "a number", VALUE_REAL},   {"boolean", "true or false", VALUE_BOOL},
    {"null", "null", VALUE_NULL},
};

static const struct type_name *type_find(const char *name)
{
    for (size_t i = 0; i < COUNT(type_names); i++)
        if (strcmp(type_names[i].name, name) == 0)
            return &type_names[i];
    return NULL;
}

bool schema_type_known(const char *name)
{
    return type_find(name) != NULL;
}

static bool type_fits_one(const struct value *operand, const struct value *v)
{
    enum value_type type = type_find(operand->str.s)->type;

    return v->type == type || (type == VALUE_REAL && v->type == VALUE_INT);
}

bool schema_type_fits(const struct value *operand, const struct value *v)
{
    if (operand->type == VALUE_STRING)
        return type_fits_one(operand, v);
    for (size_t i = 0; i < operand->list.count; i++)
        if (type_fits_one(operand->list.items[i], v))
            return true;
    return false;
}

void schema_type_words_add(struct arena *a, struct value *words, const struct value *operand)
{
    for (size_t i = 0; i < value_count(operand); i++)
        schema_type_words_add(a, words, operand->list.items[i]);
    if (operand->type != VALUE_STRING)
        return;
    for (size_t i = 0; i < value_count(words); i++)
        if (str_eq(value_str(value_item(words, i)), type_find(operand->str.s)->words))
            return;
    value_push(a, words, value_string(a, type_find(operand->str.s)->words));
}

static const char *boolean_meant(const char *s)
{
    static const char *const yes[] = {"yes", "on", "y", "true"}, *const no[] = {"no", "off", "n", "false"};

    for (size_t i = 0; i < COUNT(yes); i++) {
        if (str_eq_nocase(s, yes[i]))
            return "true";
        if (str_eq_nocase(s, no[i]))
            return "false";
    }
    return NULL;
}

/* A word where a map is wanted: it may be the one field that the map must have. */
static const char *map_meant(struct arena *a, const struct value *schema, const char *word)
{
    const struct value *required = value_get(schema, "required"), *properties = value_get(schema, "properties");
    const char *only = value_str(value_item(required, 0));

    if (!value_count(properties) && value_is(value_get(schema, "additionalProperties"), VALUE_BOOL))
        return "write {}";
    if (!only || !word || value_count(required) > 1)
        return NULL;
    return str_eq(value_str(value_at(value_get(properties, only), "type")), "array")
               ? arena_printf(a, "write {%s: [%s]}", only, word)
               : arena_printf(a, "write {%s: %s}", only, word);
}

const char *schema_duration_advice(struct arena *a, const char *text)
{
    const char *meant = duration_meant(a, text);

    if (!meant)
        return "write it like 90s, 10m, 24h or 7d";
    return text[strspn(text, "0123456789")] ? arena_printf(a, "did you mean %s?", meant)
                                            : arena_printf(a, "write it with its unit, such as %s", meant);
}

/* What the writer most likely meant, when only the way of writing is wrong. */
const char *schema_type_advice(struct arena *a, const struct value *operand, const struct value *schema,
                               const struct value *v)
{
    const char *want = value_str(operand), *s = value_str(v);

    if (value_count(value_get(schema, "x-ref")) > 0)
        return arena_printf(a, "write the name of a document of kind %s",
                            schema_joined(a, value_get(schema, "x-ref"), " or "));
    if (str_eq(value_str(value_get(schema, "format")), "duration") && (v->type == VALUE_INT || v->type == VALUE_REAL))
        return schema_duration_advice(a, json_string(a, v, JSON_COMPACT));
    if (str_eq(want, "object") && (s || v->type == VALUE_BOOL))
        return map_meant(a, schema, s);
    if (str_eq(want, "boolean") && v->type == VALUE_INT && (v->i == 0 || v->i == 1))
        return v->i ? "write true" : "write false";
    if (str_eq(want, "string") && (v->type == VALUE_INT || v->type == VALUE_REAL || v->type == VALUE_BOOL))
        return "write it in quotes";
    if (str_eq(want, "boolean") && s && boolean_meant(s))
        return arena_printf(a, "write %s, without quotes", boolean_meant(s));
    if ((str_eq(want, "integer") || str_eq(want, "number")) && s && *s && s[strspn(s, "0123456789")] == '\0')
        return "write it without quotes";
    if (str_eq(want, "integer") && s && strspn(s, "0123456789") > 0 &&
        isalpha((unsigned char)s[strspn(s, "0123456789")]))
        return arena_printf(a, "write %.*s, without a unit", (int)strspn(s, "0123456789"), s);
    if (str_eq(want, "array") && (s || v->type == VALUE_MAP))
        return "write each item on a line of its own with \"- \" before it, also when there is only one";
    return NULL;
}
