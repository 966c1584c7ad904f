/* Knows what each keyword of a schema demands of a value, and what to say so that a person can put it right. Must not
 * know any kind. The same code answers whether a value fits (no diags) and says why not. */
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "json.h"
#include "schema_internal.h"

enum { CHECK_DEPTH_MAX = 256, ENUM_LISTED_MAX = 24 };

/* --- type --------------------------------------------------------------------------------------------------------- */

static bool check_type(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                       const struct place *at)
{
    struct value *words;

    if (schema_type_fits(operand, v))
        return true;
    if (!c->diags)
        return false;
    words = value_list(c->diags->arena);
    schema_type_words_add(c->diags->arena, words, operand);
    return schema_fault(c, value_origin(v), at, schema_type_advice(c->diags->arena, operand, schema, v),
                        "found %s, expected %s", schema_shown(c, schema, v),
                        schema_joined(c->diags->arena, words, " or "));
}

/* --- maps --------------------------------------------------------------------------------------------------------- */

static bool check_properties(struct check *c, const struct value *schema, const struct value *operand,
                             const struct value *v, const struct place *at)
{
    bool fits = true;

    (void)schema;
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count && (fits || c->diags); i++) {
        const struct value *below = value_get(operand, v->map.members[i].key);
        struct place here = {.parent = at, .key = v->map.members[i].key};

        if (below)
            fits &= schema_check_value(c, below, v->map.members[i].value, &here);
    }
    return fits;
}

static bool check_pattern_properties(struct check *c, const struct value *schema, const struct value *operand,
                                     const struct value *v, const struct place *at)
{
    bool fits = true, matches;

    (void)schema;
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count; i++) {
        struct place here = {.parent = at, .key = v->map.members[i].key};
        struct origin origin = member_origin(&v->map.members[i]);

        for (size_t j = 0; j < operand->map.count; j++) {
            struct err err;

            if (pattern_matches(schema_pattern(c->s, operand->map.members[j].key), here.key, &matches, &err) < 0)
                fits = schema_fault(c, &origin, &here, NULL, "%s", err.text);
            else if (matches)
                fits &= schema_check_value(c, operand->map.members[j].value, v->map.members[i].value, &here);
        }
    }
    return fits;
}

/* Names that properties of the schema allow; NULL-terminated. */
static const char **property_names(struct arena *a, const struct value *schema)
{
    const struct value *properties = value_get(schema, "properties");
    const char **names = arena_array(a, const char *, value_count(properties) + 1);

    for (size_t i = 0; i < value_count(properties); i++)
        names[i] = properties->map.members[i].key;
    return names;
}

static bool pattern_allows(const struct check *c, const struct value *schema, const char *key)
{
    const struct value *patterns = value_get(schema, "patternProperties");
    bool matches = false;

    for (size_t i = 0; i < value_count(patterns) && !matches; i++) {
        struct err err;

        /* One that cannot be decided has been reported where patternProperties is checked. */
        if (pattern_matches(schema_pattern(c->s, patterns->map.members[i].key), key, &matches, &err) < 0)
            return true;
    }
    return matches;
}

static bool check_additional(struct check *c, const struct value *schema, const struct value *operand,
                             const struct value *v, const struct place *at)
{
    const struct value *properties = value_get(schema, "properties");
    bool fits = true;

    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count && (fits || c->diags); i++) {
        const struct member *m = &v->map.members[i];
        struct place here = {.parent = at, .key = m->key};

        if (value_get(properties, m->key) || pattern_allows(c, schema, m->key))
            continue;
        if (operand->type == VALUE_MAP)
            fits &= schema_check_value(c, operand, m->value, &here);
        else if (!c->diags)
            fits = false;
        else
            fits = schema_unknown_field(c, property_names(c->diags->arena, schema), m, at);
    }
    return fits;
}

static const char *first_sentence(struct arena *a, const char *s)
{
    const char *end = s ? strstr(s, ". ") : NULL;
    size_t n = end ? (size_t)(end - s) : s ? strlen(s) : 0;

    if (n && s[n - 1] == '.')
        n--;
    return n ? arena_strndup(a, s, n) : NULL;
}

static bool missing_field(struct check *c, const struct value *schema, const char *name, const struct value *v,
                          const struct place *at)
{
    const struct value *property = schema_resolve(c->s, value_get(value_get(schema, "properties"), name));
    const char *says;

    if (!c->diags)
        return false;
    says = first_sentence(c->diags->arena, value_str(value_get(property, "description")));
    return schema_fault(c, value_origin(v), at, says ? arena_printf(c->diags->arena, "add %s (%s)", name, says) : NULL,
                        "the field %s is missing", name);
}

static bool check_required(struct check *c, const struct value *schema, const struct value *operand,
                           const struct value *v, const struct place *at)
{
    bool fits = true;

    for (size_t i = 0; value_is(v, VALUE_MAP) && i < operand->list.count; i++)
        if (!value_get(v, operand->list.items[i]->str.s))
            fits = missing_field(c, schema, operand->list.items[i]->str.s, v, at);
    return fits;
}

/* --- lists and counts --------------------------------------------------------------------------------------------- */

static bool check_items(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                        const struct place *at)
{
    bool fits = true;

    (void)schema;
    for (size_t i = 0; value_is(v, VALUE_LIST) && i < v->list.count && (fits || c->diags); i++) {
        struct place here = {.parent = at, .index = i};

        fits &= schema_check_value(c, operand, v->list.items[i], &here);
    }
    return fits;
}

static bool at_least(struct check *c, const struct value *v, const struct place *at, size_t n,
                     const struct value *bound, const char *what)
{
    if (n >= (size_t)bound->i)
        return true;
    if (bound->i == 1)
        return schema_fault(c, value_origin(v), at, NULL, "it is empty");
    return schema_fault(c, value_origin(v), at, NULL, "%zu %s, at least %lld are needed", n, what, (long long)bound->i);
}

static bool at_most(struct check *c, const struct value *v, const struct place *at, size_t n, const struct value *bound,
                    const char *what)
{
    return n <= (size_t)bound->i ||
           schema_fault(c, value_origin(v), at, NULL, "%zu %s, at most %lld are allowed", n, what, (long long)bound->i);
}

static size_t characters(const struct value *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->str.len; i++)
        n += ((unsigned char)v->str.s[i] & 0xC0) != 0x80;
    return n;
}

#define BOUND_CHECK(name, want, bound, count, what)                                                                    \
    static bool name(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,  \
                     const struct place *at)                                                                           \
    {                                                                                                                  \
        (void)schema;                                                                                                  \
        return v->type != (want) || bound(c, v, at, count, operand, what);                                             \
    }

BOUND_CHECK(check_min_items, VALUE_LIST, at_least, v->list.count, "items")
BOUND_CHECK(check_max_items, VALUE_LIST, at_most, v->list.count, "items")
BOUND_CHECK(check_min_properties, VALUE_MAP, at_least, v->map.count, "fields")
BOUND_CHECK(check_max_properties, VALUE_MAP, at_most, v->map.count, "fields")
BOUND_CHECK(check_min_length, VALUE_STRING, at_least, characters(v), "characters")
BOUND_CHECK(check_max_length, VALUE_STRING, at_most, characters(v), "characters")

struct indexed {
    const char *text;
    size_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct indexed *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* Equal values have equal canonical texts, and sorting stays fast however long the list is. */
static bool check_unique(struct check *c, const struct value *schema, const struct value *operand,
                         const struct value *v, const struct place *at)
{
    struct arena *scratch cleanup(arena_freep) = NULL;
    struct indexed *items;
    size_t first = 0;
    bool fits = true;

    (void)schema;
    if (!operand->b || v->type != VALUE_LIST || v->list.count < 2)
        return true;
    scratch = arena_new();
    items = arena_array(scratch, struct indexed, v->list.count);
    for (size_t i = 0; i < v->list.count; i++)
        items[i] = (struct indexed){.text = json_string(scratch, v->list.items[i], JSON_CANONICAL), .index = i};
    qsort(items, v->list.count, sizeof(*items), by_text);
    for (size_t i = 1; i < v->list.count; i++) {
        struct place here = {.parent = at, .index = items[i].index};

        if (strcmp(items[i].text, items[first].text) != 0)
            first = i;
        else
            fits = schema_fault(c, value_origin(v->list.items[items[i].index]), &here, "name it once",
                                "the same as item %zu", items[first].index);
    }
    return fits;
}

/* --- single values ------------------------------------------------------------------------------------------------ */

/* x-also: what a word of other tools ("AzureCloud") is called here; NULL. */
static const char *also_called(const struct value *schema, const char *word)
{
    return value_str(value_get_nocase(value_get(schema, "x-also"), word));
}

static bool check_enum(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                       const struct place *at)
{
    const char **names, *near, *list = "", *instead;
    size_t n = 0;
    struct arena *a;

    for (size_t i = 0; i < operand->list.count; i++)
        if (value_equal(operand->list.items[i], v))
            return true;
    if (!c->diags)
        return false;
    a = c->diags->arena;
    names = arena_array(a, const char *, operand->list.count + 1);
    for (size_t i = 0; i < operand->list.count; i++) {
        const struct value *word = operand->list.items[i];

        if (value_str(word))
            names[n++] = value_str(word);
        if (i < ENUM_LISTED_MAX)
            list = arena_printf(a, "%s%s%s", list, i ? ", " : "",
                                value_str(word) && !strchr(value_str(word), ',') ? value_str(word)
                                                                                 : json_string(a, word, JSON_COMPACT));
    }
    near = value_str(v) ? also_called(schema, value_str(v)) : NULL;
    if (!near && value_str(v))
        near = did_you_mean(value_str(v), names);
    if (operand->list.count > ENUM_LISTED_MAX)
        list = arena_printf(a, "%s, ...", list);
    instead =
        arena_printf(a, "%s%s%sallowed: %s", near ? "did you mean " : "", near ? near : "", near ? "? " : "", list);
    return schema_fault(c, value_origin(v), at, instead, "%s is not allowed here%s", schema_shown(c, schema, v),
                        schema_template_words(v));
}

static bool check_const(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                        const struct place *at)
{
    if (value_equal(operand, v))
        return true;
    return c->diags &&
           schema_fault(c, value_origin(v), at, NULL, "found %s, must be %s", schema_shown(c, schema, v),
                        value_str(operand) ? value_str(operand) : json_string(c->diags->arena, operand, JSON_COMPACT));
}

static const char *example(struct arena *a, const struct value *schema)
{
    const char *s = value_str(value_item(value_get(schema, "examples"), 0));

    return s ? arena_printf(a, "for example %s", s) : NULL;
}

static bool check_pattern(struct check *c, const struct value *schema, const struct value *operand,
                          const struct value *v, const struct place *at)
{
    const char *form = value_str_at(schema, "x-form");
    bool matches = false;
    struct err err;

    if (v->type != VALUE_STRING)
        return true;
    if (strlen(v->str.s) != v->str.len)
        return schema_fault(c, value_origin(v), at, NULL, "the text holds a NUL character");
    if (pattern_matches(schema_pattern(c->s, operand->str.s), v->str.s, &matches, &err) < 0)
        return schema_fault(c, value_origin(v), at, NULL, "%s", err.text);
    if (matches || !c->diags)
        return matches;
    return schema_fault(c, value_origin(v), at, example(c->diags->arena, schema), "%s does not have the form %s%s",
                        schema_shown(c, schema, v), form ? form : operand->str.s, schema_template_words(v));
}

static double number(const struct value *v)
{
    return v->type == VALUE_INT ? (double)v->i : v->r;
}

static bool check_minimum(struct check *c, const struct value *schema, const struct value *operand,
                          const struct value *v, const struct place *at)
{
    if ((v->type != VALUE_INT && v->type != VALUE_REAL) || number(v) >= number(operand))
        return true;
    return c->diags && schema_fault(c, value_origin(v), at, NULL, "%s is too small, the least is %s",
                                    schema_shown(c, schema, v), schema_shown(c, NULL, operand));
}

static bool check_maximum(struct check *c, const struct value *schema, const struct value *operand,
                          const struct value *v, const struct place *at)
{
    if ((v->type != VALUE_INT && v->type != VALUE_REAL) || number(v) <= number(operand))
        return true;
    return c->diags && schema_fault(c, value_origin(v), at, NULL, "%s is too large, the most is %s",
                                    schema_shown(c, schema, v), schema_shown(c, NULL, operand));
}

static bool check_format(struct check *c, const struct value *schema, const struct value *operand,
                         const struct value *v, const struct place *at)
{
    const struct schema_format *f = schema_format(operand->str.s);

    if (v->type != VALUE_STRING || (strlen(v->str.s) == v->str.len && f->holds(v->str.s)))
        return true;
    return c->diags &&
           schema_fault(c, value_origin(v), at,
                        str_eq(operand->str.s, "duration") ? schema_duration_advice(c->diags->arena, v->str.s)
                                                           : f->instead,
                        "%s is not %s%s", schema_shown(c, schema, v), f->what, schema_template_words(v));
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

/* What a keyword demands of a value; those that are missing here demand nothing, save the type, which
 * is looked at first. */
struct demand {
    const char *name;
    bool (*check)(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                  const struct place *at);
};

/* Sorted by name, for bsearch. */
static const struct demand demands[] = {
    {"additionalProperties", check_additional},
    {"anyOf", schema_check_any_of},
    {"const", check_const},
    {"enum", check_enum},
    {"format", check_format},
    {"items", check_items},
    {"maxItems", check_max_items},
    {"maxLength", check_max_length},
    {"maxProperties", check_max_properties},
    {"maximum", check_maximum},
    {"minItems", check_min_items},
    {"minLength", check_min_length},
    {"minProperties", check_min_properties},
    {"minimum", check_minimum},
    {"not", schema_check_not},
    {"oneOf", schema_check_one_of},
    {"pattern", check_pattern},
    {"patternProperties", check_pattern_properties},
    {"properties", check_properties},
    {"required", check_required},
    {"uniqueItems", check_unique},
};

static int demand_order(const void *name, const void *demand)
{
    return strcmp(name, ((const struct demand *)demand)->name);
}

static const struct demand *demand_of(const char *name)
{
    return bsearch(name, demands, COUNT(demands), sizeof(*demands), demand_order);
}

static bool is_combining(const struct demand *d)
{
    return d->check == schema_check_one_of || d->check == schema_check_any_of || d->check == schema_check_not;
}

static bool check_keywords(struct check *c, const struct value *schema, const struct value *v, const struct place *at,
                           bool combining)
{
    bool fits = true;

    for (size_t i = 0; i < schema->map.count && (fits || c->diags); i++) {
        const struct demand *d = demand_of(schema->map.members[i].key);

        if (d && is_combining(d) == combining)
            fits &= d->check(c, schema, schema->map.members[i].value, v, at);
    }
    return fits;
}

bool schema_check_value(struct check *c, const struct value *schema, const struct value *v, const struct place *at)
{
    const struct value *type;
    bool fits;

    /* What only the steps will tell cannot be judged now. */
    if (v->type == VALUE_UNKNOWN)
        return true;
    schema = schema_resolve(c->s, schema);
    type = value_get(schema, "type");
    /* A value of the wrong type would only cause echoes. */
    if (type && !check_type(c, schema, type, v, at))
        return false;
    if (c->depth >= CHECK_DEPTH_MAX)
        return schema_fault(c, value_origin(v), at, NULL, "nested too deep to be checked");
    c->depth++;
    fits = check_keywords(c, schema, v, at, false);
    /* Alternatives look at the whole value again: what is wrong with it already would only be said twice. */
    fits = fits && check_keywords(c, schema, v, at, true);
    c->depth--;
    return fits;
}

bool schema_fits(const struct schemas *s, const struct value *schema, const struct value *v)
{
    struct check quiet = {.s = s};

    return schema_check_value(&quiet, schema, v, NULL);
}

void schema_check(const struct schemas *s, const char *name, const struct value *v, struct diags *diags)
{
    struct check c = {.s = s, .diags = diags};
    const struct value *root = schemas_root(s, name);

    if (!root)
        diags_add(diags, SEVERITY_ERROR, value_origin(v), NULL, "there is no schema %s", name);
    else
        schema_check_value(&c, root, v, NULL);
}
