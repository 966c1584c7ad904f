/* Knows when a declared value and a live one mean the same. Must not know which field of which kind it compares. */
#include "diff.h"


#include "../base/text.h"

static bool blank(const struct value *v)
{
    return !v || v->type == VALUE_NULL;
}

static bool number(const struct value *v, double *ret)
{
    if (value_is(v, VALUE_INT))
        *ret = (double)v->i;
    else if (value_is(v, VALUE_REAL))
        *ret = v->r;
    else
        return false;
    return true;
}

static bool string_same(const struct value *want, const struct value *have, unsigned traits)
{
    if (traits & DIFF_LOCATION)
        return str_eq_spaceless(want->str.s, have->str.s);
    if (traits & DIFF_NOCASE)
        return str_eq_nocase(want->str.s, have->str.s);
    return value_equal(want, have);
}

static bool subset(const struct value *part, const struct value *whole, unsigned traits)
{
    for (size_t i = 0; i < value_count(part); i++) {
        size_t j = 0;

        while (j < value_count(whole) && !diff_same(value_item(part, i), value_item(whole, j), traits))
            j++;
        if (j == value_count(whole))
            return false;
    }
    return true;
}

static bool list_same(const struct value *want, const struct value *have, unsigned traits)
{
    if (traits & DIFF_UNORDERED)
        return subset(want, have, traits | DIFF_NOCASE) && subset(have, want, traits | DIFF_NOCASE);
    if (value_count(want) != value_count(have))
        return false;
    for (size_t i = 0; i < value_count(want); i++)
        if (!diff_same(value_item(want, i), value_item(have, i), traits))
            return false;
    return true;
}

/* Compares the declared members only: others belong to somebody else. */
static bool map_same(const struct value *want, const struct value *have, unsigned traits)
{
    for (size_t i = 0; i < value_count(want); i++) {
        const struct member *m = &want->map.members[i];

        if (!diff_same(m->value, value_get(have, m->key), traits))
            return false;
    }
    return true;
}

bool diff_same(const struct value *want, const struct value *have, unsigned traits)
{
    double a, b;

    if (!want)
        return true;
    if (traits & DIFF_ABSENT_IS_FALSE && value_is(want, VALUE_BOOL) && !want->b && blank(have))
        return true;
    if (number(want, &a) && number(have, &b) && want->type != have->type)
        return a <= b && a >= b;
    if (blank(want) || blank(have) || want->type != have->type)
        return blank(want) && blank(have);
    if (want->type == VALUE_STRING)
        return string_same(want, have, traits);
    if (want->type == VALUE_LIST)
        return list_same(want, have, traits);
    if (want->type == VALUE_MAP)
        return map_same(want, have, traits);
    return value_equal(want, have);
}

bool diff_field(struct steps *s, struct step *step, const char *path, const struct value *want,
                const struct value *have, unsigned traits)
{
    if (diff_same(want, have, traits))
        return false;
    step_change(s, step, path, have, want, NULL);
    return true;
}
