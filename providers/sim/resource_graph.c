/* Knows Resource Graph: the rows of its table Resources, as much of its query language as finding things takes, and
 * pages. A word outside of that is an error, so that nobody gets an answer to another question. Must not know what a
 * row means. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

enum { TOP_MAX = 1000, WORD_MAX = 512, COLUMNS_MAX = 32 };

struct query {
    struct arena *a;
    const char *at;              /* what is left to read */
    struct value *rows;
    bool pageable;               /* rows can be told apart: their id is among the columns */
    const char *problem;         /* what cannot be understood */
};

static void problem(struct query *q, const char *text)
{
    if (!q->problem)
        q->problem = arena_printf(q->a, "%s near '%.40s'", text, q->at);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void skip_blanks(struct query *q)
{
    q->at += strspn(q->at, " \t\r\n");
}

/* Takes this punctuation when it is next. */
static bool take(struct query *q, const char *text)
{
    skip_blanks(q);
    if (!str_starts(q->at, text))
        return false;
    q->at += strlen(text);
    return true;
}

static const char *word(struct query *q)
{
    size_t n;

    skip_blanks(q);
    n = strspn(q->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    if (!n || n > WORD_MAX)
        return "";
    q->at += n;
    return arena_strndup(q->a, q->at - n, n);
}

/* Takes this word when it is next. */
static bool take_word(struct query *q, const char *text)
{
    const char *before = q->at;

    if (str_eq_nocase(word(q), text))
        return true;
    q->at = before;
    return false;
}

static const char *quoted(struct query *q)
{
    size_t n;
    char mark;

    skip_blanks(q);
    mark = *q->at;
    if (mark != '\'' && mark != '"') {
        const char *bare = word(q);

        if (!*bare)
            problem(q, "a value is missing");
        return bare;
    }
    n = strcspn(q->at + 1, mark == '\'' ? "'" : "\"");
    if (q->at[n + 1] != mark) {
        problem(q, "a text does not end");
        return "";
    }
    q->at += n + 2;
    return arena_strndup(q->a, q->at - n - 1, n);
}

static const char *column(struct query *q)
{
    const char *name = word(q);

    if (!*name)
        problem(q, "a column is missing");
    return name;
}

/* --- conditions --------------------------------------------------------------------------------------------------- */

static const char *cell_text(struct arena *a, const struct value *row, const char *path)
{
    const struct value *v = value_at(row, path);

    if (value_is(v, VALUE_BOOL))
        return v->b ? "true" : "false";
    if (value_is(v, VALUE_INT))
        return arena_printf(a, "%lld", (long long)v->i);
    return value_str(v) ? value_str(v) : "";
}

enum operator { OP_EQ, OP_EQ_FOLDED, OP_NE, OP_NE_FOLDED, OP_IN, OP_IN_FOLDED, OP_CONTAINS, OP_STARTS, OP_NONE };

static enum operator read_operator(struct query *q)
{
    static const struct { const char *text; enum operator op; } signs[] = {
        {"=~", OP_EQ_FOLDED}, {"==", OP_EQ}, {"!~", OP_NE_FOLDED}, {"!=", OP_NE}, {"in~", OP_IN_FOLDED},
    };
    static const struct {
        const char *text;
        enum operator op;
    } words[] = {
        {"in", OP_IN},
        {"contains", OP_CONTAINS},
        {"startswith", OP_STARTS},
    };

    for (size_t i = 0; i < COUNT(signs); i++)
        if (take(q, signs[i].text))
            return signs[i].op;
    for (size_t i = 0; i < COUNT(words); i++)
        if (take_word(q, words[i].text))
            return words[i].op;
    problem(q, "an operator is missing or not known");
    return OP_NONE;
}

static bool satisfies(enum operator op, const char *cell, const char *const *values, size_t n)
{
    switch (op) {
    case OP_EQ: return str_eq(cell, values[0]);
    case OP_EQ_FOLDED: return str_eq_nocase(cell, values[0]);
    case OP_NE: return !str_eq(cell, values[0]);
    case OP_NE_FOLDED: return !str_eq_nocase(cell, values[0]);
    case OP_CONTAINS: return str_find_nocase(cell, values[0]) != NULL;
    case OP_STARTS: return str_starts_nocase(cell, values[0]);
    case OP_IN:
    case OP_IN_FOLDED:
        for (size_t i = 0; i < n; i++)
            if (op == OP_IN ? str_eq(cell, values[i]) : str_eq_nocase(cell, values[i]))
                return true;
        return false;
    default: return false;
    }
}

static void condition(struct query *q)
{
    const char *path = column(q), *values[COLUMNS_MAX];
    enum operator op = read_operator(q);
    bool list = op == OP_IN || op == OP_IN_FOLDED;
    struct value *kept = value_list(q->a);
    size_t n = 0;

    if (list && !take(q, "("))
        problem(q, "a list is missing");
    do {
        values[n++] = quoted(q);
    } while (list && n < COUNT(values) && take(q, ","));
    if (list && !take(q, ")"))
        problem(q, "a list does not end");
    for (size_t i = 0; !q->problem && i < value_count(q->rows); i++)
        if (satisfies(op, cell_text(q->a, value_item(q->rows, i), path), values, n))
            value_push(q->a, kept, value_item(q->rows, i));
    q->rows = kept;
}

static void stage_where(struct query *q)
{
    do {
        condition(q);
    } while (!q->problem && take_word(q, "and"));
}

/* --- columns, order, counts --------------------------------------------------------------------------------------- */

static void stage_project(struct query *q)
{
    const char *names[COLUMNS_MAX], *paths[COLUMNS_MAX];
    struct value *rows = value_list(q->a);
    size_t n = 0;

    q->pageable = false;
    do {
        const char *first = column(q);
        bool renamed = !str_starts(q->at, "==") && take(q, "=");

        paths[n] = renamed ? column(q) : first;
        names[n] = arena_strdup(q->a, first);
        for (char *dot = strchr(names[n], '.'); dot; dot = strchr(dot, '.'))
            *dot = '_';
        q->pageable |= str_eq(names[n], "id");
        n++;
    } while (n < COUNT(names) && take(q, ","));
    for (size_t i = 0; i < value_count(q->rows); i++) {
        struct value *row = value_map(q->a);

        for (size_t k = 0; k < n; k++) {
            const struct value *cell = value_at(value_item(q->rows, i), paths[k]);

            value_set(q->a, row, names[k], cell ? value_copy(q->a, cell) : value_null(q->a));
        }
        value_push(q->a, rows, row);
    }
    q->rows = rows;
}

/* Insertion keeps rows of equal rank in their order. */
static void stage_order(struct query *q)
{
    const char *path;
    struct value *sorted = value_list(q->a);
    bool ascending;

    if (!take_word(q, "by"))
        problem(q, "'by' is missing");
    path = column(q);
    ascending = take_word(q, "asc");
    if (!ascending)
        take_word(q, "desc");
    for (size_t i = 0; i < value_count(q->rows); i++) {
        struct value *row = value_item(q->rows, i);
        size_t at = value_count(sorted);

        value_push(q->a, sorted, row);
        for (; at > 0; at--) {
            int order = strcasecmp(cell_text(q->a, value_item(sorted, at - 1), path), cell_text(q->a, row, path));

            if (ascending ? order <= 0 : order >= 0)
                break;
            sorted->list.items[at] = sorted->list.items[at - 1];
        }
        sorted->list.items[at] = row;
    }
    q->rows = sorted;
}

static void stage_limit(struct query *q)
{
    const char *text = word(q);
    char *end;
    size_t n = strtoul(text, &end, 10);

    if (!*text || *end)
        problem(q, "a number is missing");
    while (value_count(q->rows) > n)
        list_remove(q->rows, value_count(q->rows) - 1);
}

static void stage_count(struct query *q)
{
    struct value *row = value_map(q->a);

    value_set_int(q->a, row, "Count", (int64_t)value_count(q->rows));
    q->rows = value_list(q->a);
    value_push(q->a, q->rows, row);
    q->pageable = false;
}

static bool stage(struct query *q)
{
    static const struct { const char *word; void (*run)(struct query *q); } stages[] = {
        {"where", stage_where}, {"project", stage_project}, {"order", stage_order}, {"sort", stage_order},
        {"limit", stage_limit}, {"take", stage_limit},      {"count", stage_count},
    };

    for (size_t i = 0; i < COUNT(stages); i++)
        if (take_word(q, stages[i].word)) {
            stages[i].run(q);
            return true;
        }
    return false;
}

static void evaluate(struct query *q)
{
    if (!take_word(q, "Resources") && !stage(q))
        problem(q, "a table that is not known");
    while (!q->problem && take(q, "|"))
        if (!stage(q))
            problem(q, "an operator that is not known");
    skip_blanks(q);
    if (*q->at)
        problem(q, "what is behind the query's end");
}

/* --- the table and its pages -------------------------------------------------------------------------------------- */

/* As the table shows a resource: its type in small letters, beside the parts of its id. */
static struct value *row_of(struct sim *s, struct arena *a, const struct value *resource)
{
    struct value *row = resource_show(s, a, resource);
    const char *id = value_str_at(row, "id"), *group = str_find_nocase(id, "/resourceGroups/");
    const char *subscription = id + strlen("/subscriptions/"),
               *name = group ? group + strlen("/resourceGroups/") : NULL;

    value_set_string(a, row, "type", str_lower(a, value_str_at(row, "type")));
    value_set_string(a, row, "tenantId", value_str_at(s->spec, "tenant"));
    value_set_string(a, row, "subscriptionId", arena_strndup(a, subscription, strcspn(subscription, "/")));
    if (name)
        value_set_string(a, row, "resourceGroup", str_lower(a, arena_strndup(a, name, strcspn(name, "/"))));
    return row;
}

static bool in_scope(struct arena *a, const struct value *subscriptions, const char *id)
{
    for (size_t i = 0; i < value_count(subscriptions); i++)
        if (scope_covers(arena_printf(a, "/subscriptions/%s", value_str(value_item(subscriptions, i))), id))
            return true;
    return value_count(subscriptions) == 0;
}

static struct value *table(struct sim *s, const struct sim_request *r)
{
    struct arena *a = r->arena;
    struct value *all = state_list(s, "resources"), *rows = value_list(a);

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *id = value_str_at(v, "id"), *type = value_str_at(v, "type");

        if (!str_eq_nocase(type, "Microsoft.Resources/resourceGroups") &&
            in_scope(a, value_get(r->json, "subscriptions"), id) &&
            access_rbac(s, r->principal, id, arena_printf(a, "%s/read", type), false))
            value_push(a, rows, row_of(s, a, v));
    }
    return rows;
}

/* A way on to the next page is given only when every row has its id: else the rest is cut off, and said to be. */
static struct value *page(const struct query *q, const struct value *options)
{
    struct value *body = value_map(q->a), *data = value_list(q->a);
    const char *token = value_str_at(options, "$skipToken");
    size_t total = value_count(q->rows), skip = 0, top = TOP_MAX;

    if (token) {
        char *end;

        top = strtoul(token, &end, 10);
        skip = *end ? strtoul(end + 1, NULL, 10) : 0;
    }
    top = (size_t)value_int_at(options, "$top", (int64_t)top);
    skip = (size_t)value_int_at(options, "$skip", (int64_t)skip);
    for (size_t i = skip; i < total && i - skip < top; i++)
        value_push(q->a, data, value_item(q->rows, i));
    value_set_int(q->a, body, "totalRecords", (int64_t)total);
    value_set_int(q->a, body, "count", (int64_t)value_count(data));
    value_set(q->a, body, "data", data);
    value_set(q->a, body, "facets", value_list(q->a));
    skip += value_count(data);
    value_set_string(q->a, body, "resultTruncated", skip < total && !q->pageable ? "true" : "false");
    if (skip < total && q->pageable)
        value_set_string(q->a, body, "$skipToken", arena_printf(q->a, "%zu.%zu", top, skip));
    return body;
}

static void refuse(const struct sim_request *r, struct sim_answer *out, const char *why)
{
    answer_arm_error(r->arena, out, 400, false, "BadRequest", "The query is not valid: %s.", why);
}

void arm_resource_graph_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const struct value *options = value_get(r->json, "options");
    struct query q = {.a = r->arena, .at = value_str_at(r->json, "query"), .pageable = true};
    int64_t top = value_int_at(options, "$top", TOP_MAX), skip = value_int_at(options, "$skip", 0);

    if (!request_is(r, "POST") || !str_eq_nocase(request_segment(r, r->n_segments - 1), "resources"))
        arm_bad_path(r, out);
    else if (!q.at)
        refuse(r, out, "there is none");
    else if (str_eq_nocase(value_str_at(options, "resultFormat"), "table"))
        refuse(r, out, "the format table is not served here");
    else if (top < 1 || top > TOP_MAX || skip < 0)
        refuse(r, out, "a page is of 1 to 1000 rows");
    else {
        q.rows = table(s, r);
        evaluate(&q);
        if (q.problem)
            refuse(r, out, q.problem);
        else
            answer_json(r->arena, out, 200, page(&q, options));
        answer_header(r->arena, out, "x-ms-user-quota-remaining", "%d", 14);
        answer_header(r->arena, out, "x-ms-user-quota-resets-after", "%s", "00:00:05");
    }
}
