/* The two tables: what must have been understood of which recorded exchange, and in which points our requests differ
 * from recorded ones for the same purpose, each with its reason. */
#ifndef REINSTATE_REPLAY_TABLES_H
#define REINSTATE_REPLAY_TABLES_H

#include "replay_routes.h"

enum { DIFFERENCES_MAX = 200 };

struct tables {
    struct arena *arena;
    struct value *understood, *differences;
    size_t used[DIFFERENCES_MAX];           /* by difference */
};

struct totals {
    size_t exchanges, understood, never, passed, failed, operations, requests, differing;
    bool verbose;
};

static void verdict(struct totals *t, const struct recording *file, size_t at, const char *what, const char *fault)
{
    if (fault) {
        t->failed++;
        printf("FAILED %s:%zu %s: %s\n", file->stem, at + 1, what, fault);
    } else {
        t->passed++;
    }
}

static int table_read(struct arena *a, const char *folder, const char *name, struct value **ret)
{
    struct secret text cleanup(secret_release) = {0};
    const char *path = arena_printf(a, "%s/%s", folder, name);
    struct err err = {0};

    if (secret_read_file(&text, path, 1 << 20, &err) < 0 || json_parse(a, text.bytes, text.len, ret, &err) < 0) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        return -1;
    }
    return 0;
}

/* --- what must have been understood ------------------------------------------------------------------------------- */

static void check_table(struct tables *tables, struct totals *t, const struct recording *file, size_t at,
                        const struct value *understood)
{
    const struct value *rows = value_get(tables->understood, file->stem);

    for (size_t i = 0; i < value_count(rows); i++) {
        const struct value *row = value_item(rows, i), *want = value_get(row, "understood");

        if ((size_t)value_int_at(row, "line", 0) != at + 1)
            continue;
        for (size_t j = 0; value_is(want, VALUE_MAP) && j < want->map.count; j++) {
            const char *name = want->map.members[j].key, *text = value_str(want->map.members[j].value);
            const char *got = value_str(value_get(understood, name));

            verdict(t, file, at, arena_printf(file->arena, "%s (%s)", name, value_str_at(row, "why")),
                    str_eq(got, text) ? NULL
                                      : arena_printf(file->arena, "understood %s, must be %s", got ? got : "nothing",
                                                     text ? text : "?"));
        }
    }
}

/* A row about a line that is not there says nothing. */
static void check_lines(const struct tables *tables, struct totals *t, const struct recording *file)
{
    const struct value *rows = value_get(tables->understood, file->stem);

    for (size_t i = 0; i < value_count(rows); i++) {
        int64_t line = value_int_at(value_item(rows, i), "line", 0);

        if (line < 1 || (size_t)line > file->count)
            verdict(t, file, (size_t)line - 1, "table", "the recording has no such line");
    }
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* '*' stands for any text. */
static bool text_fits(const char *pattern, const char *s)
{
    if (!pattern || !s)
        return pattern == s;
    for (; *pattern && *pattern != '*'; pattern++, s++)
        if (*pattern != *s)
            return false;
    if (!*pattern)
        return !*s;
    for (;; s++) {
        if (text_fits(pattern + 1, s))
            return true;
        if (!*s)
            return false;
    }
}

struct comparison {
    struct tables *tables;
    struct replay *r;
    const char *operation;
    struct text unlisted;
};

static bool stem_fits(const struct value *row, const char *stem)
{
    const struct value *in = value_get(row, "seen_in");

    for (size_t i = 0; i < value_count(in); i++)
        if (text_fits(value_str(value_item(in, i)), stem))
            return true;
    return false;
}

static void difference(struct comparison *c, const char *member, const char *recorded, const char *ours)
{
    const struct value *rows = c->tables->differences;

    for (size_t i = 0; i < value_count(rows); i++) {
        const struct value *row = value_item(rows, i);

        if (!text_fits(value_str_at(row, "operation"), c->operation) || !str_eq(value_str_at(row, "member"), member) ||
            !text_fits(value_str_at(row, "recorded"), recorded) || !text_fits(value_str_at(row, "ours"), ours))
            continue;
        if (i < DIFFERENCES_MAX && stem_fits(row, c->r->file->stem))
            c->tables->used[i]++;
        return;
    }
    text_printf(&c->unlisted, "%s%s: recorded %.300s, ours %.300s", c->unlisted.len ? "; " : "", member,
                recorded ? recorded : "(none)", ours ? ours : "(none)");
}

static void compare_values(struct comparison *c, const char *member, const struct value *recorded,
                           const struct value *ours)
{
    struct arena *a = c->r->a;

    if (value_is(recorded, VALUE_MAP) && value_is(ours, VALUE_MAP)) {
        for (size_t i = 0; i < recorded->map.count; i++)
            compare_values(c, arena_printf(a, "%s.%s", member, recorded->map.members[i].key),
                           recorded->map.members[i].value, value_get(ours, recorded->map.members[i].key));
        for (size_t i = 0; i < ours->map.count; i++)
            if (!value_get(recorded, ours->map.members[i].key))
                compare_values(c, arena_printf(a, "%s.%s", member, ours->map.members[i].key), NULL,
                               ours->map.members[i].value);
    } else if (!value_equal(recorded, ours)) {
        difference(c, member,
                   recorded && !value_is(recorded, VALUE_NULL) ? json_string(a, recorded, JSON_COMPACT) : NULL,
                   ours ? json_string(a, ours, JSON_COMPACT) : NULL);
    }
}

static struct value *query_of(struct arena *a, const char *url)
{
    const char *p = strchr(url, '?');
    struct value *map = value_map(a);

    for (p = p ? p + 1 : ""; *p; p += strcspn(p, "&"), p += *p == '&') {
        size_t n = strcspn(p, "&"), name = strcspn(p, "=&");

        if (n > 0)
            value_set_string(a, map, decoded(a, p, name, true),
                             name < n ? decoded(a, p + name + 1, n - name - 1, true) : "");
    }
    return map;
}

/* Our request for the same inputs against the recorded one. In a recording that nobody has listed yet, a difference is
 * told and is no failure: what tools chose to send says nothing about what we understand. */
static void compare_request(struct tables *tables, struct totals *t, struct replay *r, const char *operation)
{
    struct comparison c = {.tables = tables, .r = r, .operation = operation};
    const struct asked *asked = r->n_asked ? &r->asked[0] : NULL;
    const struct value *sent = value_is(r->x->sent, VALUE_STRING) && r->x->sent->str.len == 0 ? NULL : r->x->sent;
    struct value *body = NULL;
    struct err err = {0};

    if (!asked) {
        verdict(t, r->file, r->at, operation, arena_printf(r->a, "our client asked nothing (%s)", r->err.text));
        return;
    }
    t->requests++;
    text_init(&c.unlisted, 64 * 1024);
    if (!str_eq(asked->method, r->x->method))
        difference(&c, "method", r->x->method, asked->method);
    if (!str_eq_nocase(host_of(r->a, asked->url), host_of(r->a, r->x->uri)))
        difference(&c, "host", host_of(r->a, r->x->uri), host_of(r->a, asked->url));
    if (!same_path(r->a, path_of(r->a, asked->url), r->x->path))
        difference(&c, "path", r->x->path, path_of(r->a, asked->url));
    compare_values(&c, "query", query_of(r->a, r->x->uri), query_of(r->a, asked->url));
    if (asked->body && json_parse(r->a, asked->body, strlen(asked->body), &body, &err) < 0)
        difference(&c, "body", NULL, "no JSON");
    compare_values(&c, "body", sent, body);
    if (c.unlisted.len && !value_get(tables->understood, r->file->stem)) {
        t->differing++;
        printf("DIFFERS %s:%zu request of %s: %s\n", r->file->stem, r->at + 1, operation, text_str(&c.unlisted));
    } else {
        verdict(t, r->file, r->at, arena_printf(r->a, "request of %s", operation),
                c.unlisted.len ? arena_strdup(r->a, text_str(&c.unlisted)) : NULL);
    }
    text_release(&c.unlisted);
}

/* A listed difference that nothing shows any more is no difference. */
static void check_unused(const struct tables *tables, struct totals *t, const struct value *stems)
{
    for (size_t i = 0; i < value_count(tables->differences) && i < DIFFERENCES_MAX; i++) {
        const struct value *row = value_item(tables->differences, i);
        bool there = false;

        for (size_t j = 0; j < value_count(stems); j++)
            there |= value_get(tables->understood, value_str(value_item(stems, j))) &&
                     stem_fits(row, value_str(value_item(stems, j)));
        if (there && !tables->used[i]) {
            t->failed++;
            printf("FAILED request-differences.json: %s %s is listed, but was not seen\n",
                   value_str_at(row, "operation"), value_str_at(row, "member"));
        }
    }
}

#endif
