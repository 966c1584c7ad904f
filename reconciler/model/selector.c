/* Knows how labels are chosen by. Must not know documents. */
#include "selector.h"

#include <ctype.h>
#include <string.h>

#include "../base/text.h"

enum relation { LABEL_IN, LABEL_NOT_IN, LABEL_THERE, LABEL_NOT_THERE };

struct demand {
    enum relation relation;
    const char *key;
    const char **values;
    size_t n_values;
};

struct selector {
    struct demand *demands;
    size_t count;
};

struct reading {
    struct arena *a;
    const char *text, *at;
    struct err *err;
};

static int complain(struct reading *r, const char *what)
{
    err_set(r->err, ERR_INVALID, "\"%s\": %s%s%s", r->text, what, *r->at ? " at " : " at its end",
            *r->at ? r->at : "");
    return err_advise(r->err, "write it like app=payroll, tier!=test, env in (a,b), env notin (a,b), app or !app, with "
                              "commas between");
}

static void blanks_skip(struct reading *r)
{
    r->at += strspn(r->at, " \t");
}

/* A key, or a value between these marks: to the next blank or mark. */
static const char *word(struct reading *r, const char *ends)
{
    size_t n;
    const char *found;

    blanks_skip(r);
    n = strcspn(r->at, ends);
    found = arena_strndup(r->a, r->at, n);
    r->at += n;
    return found;
}

static bool taken(struct reading *r, const char *mark)
{
    blanks_skip(r);
    if (!str_starts(r->at, mark))
        return false;
    r->at += strlen(mark);
    return true;
}

/* "in (", "notin(": a word by itself. */
static bool word_taken(struct reading *r, const char *name)
{
    size_t n = strlen(name);

    blanks_skip(r);
    if (!str_starts(r->at, name) || !r->at[n] || !strchr(" \t(", r->at[n]))
        return false;
    r->at += n;
    return true;
}

/* Without the blanks around it; blanks inside belong to it. */
static const char *value(struct reading *r, const char *ends)
{
    char *found = arena_strdup(r->a, word(r, ends));

    for (size_t n = strlen(found); n && isspace((unsigned char)found[n - 1]); n--)
        found[n - 1] = '\0';
    return found;
}

static int values_read(struct reading *r, struct demand *d, enum relation relation)
{
    d->relation = relation;
    if (!taken(r, "("))
        return complain(r, "( is missing");
    do
        arena_push(r->a, d->values, d->n_values, value(r, ",)"));
    while (taken(r, ","));
    return taken(r, ")") ? 0 : complain(r, ") is missing");
}

static int demand_read(struct reading *r, struct demand *d)
{
    bool not = taken(r, "!");

    d->key = word(r, " \t=!,()");
    if (!*d->key)
        return complain(r, "the name of a label is missing");
    d->relation = not ? LABEL_NOT_THERE : LABEL_THERE;
    if (not)
        return 0;
    if (word_taken(r, "in"))
        return values_read(r, d, LABEL_IN);
    if (word_taken(r, "notin"))
        return values_read(r, d, LABEL_NOT_IN);
    if (taken(r, "!="))
        d->relation = LABEL_NOT_IN;
    else if (taken(r, "==") || taken(r, "="))
        d->relation = LABEL_IN;
    else
        return 0;
    arena_push(r->a, d->values, d->n_values, value(r, ","));
    return 0;
}

int selector_parse(struct arena *a, const char *text, const struct selector **ret, struct err *err)
{
    struct reading r = {.a = a, .text = text, .at = text, .err = err};
    struct selector *s = arena_new_of(a, struct selector);

    do {
        struct demand d = {0};

        TRY(demand_read(&r, &d));
        arena_push(a, s->demands, s->count, d);
    } while (taken(&r, ","));
    blanks_skip(&r);
    if (*r.at)
        return complain(&r, "a comma is missing");
    *ret = s;
    return 0;
}

static bool holds(const struct demand *d, const struct value *labels)
{
    const char *have = value_str(value_get(labels, d->key));
    bool among = false;

    for (size_t i = 0; have && i < d->n_values; i++)
        among = among || str_eq(have, d->values[i]);
    switch (d->relation) {
    case LABEL_IN:
        return among;
    case LABEL_NOT_IN:
        return !among;
    case LABEL_THERE:
        return have != NULL;
    case LABEL_NOT_THERE:
        return !have;
    }
    return false;
}

bool selector_matches(const struct selector *s, const struct value *labels)
{
    for (size_t i = 0; i < s->count; i++)
        if (!holds(&s->demands[i], labels))
            return false;
    return true;
}
