/* Knows how schemas answer questions about fields: the references in a value, its defaults, the schema at a path, all
 * paths. Must not know any kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "schema_internal.h"

enum { SHAPE_DEPTH_MAX = 32 };

/* The i-th alternative of oneOf, then of anyOf; NULL behind the last. */
static const struct value *alternative(const struct schemas *s, const struct value *schema, size_t i)
{
    const struct value *one = value_get(schema, "oneOf"), *any = value_get(schema, "anyOf");
    size_t n = value_count(one);
    const struct value *found = i < n ? value_item(one, i) : value_item(any, i - n);

    return found ? schema_resolve(s, found) : NULL;
}

/* --- references in values ----------------------------------------------------------------------------------------- */

struct visiting {
    const struct schemas *s;
    schema_visit *visit;
    void *ctx;
    struct text path;
};

static void visit_value(struct visiting *w, const struct value *schema, const struct value *v);

static void visit_below(struct visiting *w, const struct value *schema, const struct value *v, const char *key)
{
    size_t len = w->path.len;

    text_printf(&w->path, "%s%s", len ? "." : "", key);
    visit_value(w, schema, v);
    w->path.len = len;
    w->path.s[len] = '\0';
}

static void visit_value(struct visiting *w, const struct value *schema, const struct value *v)
{
    const struct value *kinds, *items, *alt;
    char number[24];

    schema = schema_resolve(w->s, schema);
    kinds = value_get(schema, "x-ref");
    if (kinds) {
        w->visit(w->ctx, text_str(&w->path), v, kinds);
        return;
    }
    items = value_get(schema, "items");
    for (size_t i = 0; items && value_is(v, VALUE_LIST) && i < v->list.count; i++) {
        snprintf(number, sizeof(number), "%zu", i);
        visit_below(w, items, v->list.items[i], number);
    }
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count; i++) {
        const struct value *below = schema_of_member(w->s, schema, v->map.members[i].key);

        if (below)
            visit_below(w, below, v->map.members[i].value, v->map.members[i].key);
    }
    for (size_t i = 0; (alt = alternative(w->s, schema, i)); i++)
        if (schema_fits(w->s, alt, v))
            visit_value(w, alt, v);
}

void schema_each_ref(const struct schemas *s, const char *name, const struct value *v, schema_visit *visit, void *ctx)
{
    struct visiting w = {.s = s, .visit = visit, .ctx = ctx};
    const struct value *root = schemas_root(s, name);

    text_init(&w.path, TEXT_CEILING);
    if (root)
        visit_value(&w, root, v);
    text_release(&w.path);
}

const char *schema_implied(const struct schemas *s, const char *name, const char **kind)
{
    const struct value *members = value_get(schema_field(s, name, "spec"), "properties");

    for (size_t i = 0; value_is(members, VALUE_MAP) && i < members->map.count; i++) {
        const struct value *field = schema_resolve(s, members->map.members[i].value);

        if (value_bool_at(field, "x-implied", false)) {
            *kind = value_str(value_item(value_get(field, "x-ref"), 0));
            return members->map.members[i].key;
        }
    }
    return NULL;
}

/* --- defaults ----------------------------------------------------------------------------------------------------- */

static void set_written(struct value *v, const struct written *at)
{
    v->written = at;
    for (size_t i = 0; i < value_count(v); i++)
        set_written(v->type == VALUE_LIST ? v->list.items[i] : v->map.members[i].value, at);
}

struct filling {
    struct arena *a;
    const struct schemas *s;
};

static const struct value *filled(const struct filling *f, const struct value *schema, const struct value *v);

/* The same with another item or member's value in place i. `copy`: what `v` is a copy of already, or NULL. */
static const struct value *exchanged(const struct filling *f, const struct value *v, struct value **copy, size_t i,
                                     const struct value *now)
{
    if (!*copy) {
        *copy = v->type == VALUE_LIST ? value_list_of(f->a, v->list.items, v->list.count)
                                      : value_map_of(f->a, v->map.members, v->map.count);
        (*copy)->written = v->written;
    }
    if (v->type == VALUE_LIST)
        (*copy)->list.items[i] = (struct value *)now;
    else
        (*copy)->map.members[i].value = (struct value *)now;
    return *copy;
}

static const struct value *items_filled(const struct filling *f, const struct value *items, const struct value *v)
{
    struct value *copy = NULL;

    for (size_t i = 0; items && value_is(v, VALUE_LIST) && i < v->list.count; i++) {
        const struct value *now = filled(f, items, v->list.items[i]);

        if (now != v->list.items[i])
            v = exchanged(f, v, &copy, i, now);
    }
    return v;
}

static const struct value *members_filled(const struct filling *f, const struct value *schema, const struct value *v)
{
    struct value *copy = NULL;

    for (size_t i = 0; i < v->map.count; i++) {
        const struct value *below = schema_of_member(f->s, schema, v->map.members[i].key);
        const struct value *now = below ? filled(f, below, v->map.members[i].value) : v->map.members[i].value;

        if (now != v->map.members[i].value)
            v = exchanged(f, v, &copy, i, now);
    }
    return v;
}

/* With the defaults of members that it lacks; they are said to stand where the map does. */
static const struct value *absent_filled(const struct filling *f, const struct value *properties,
                                         const struct value *v)
{
    size_t n = v->map.count;
    struct member *members = NULL;
    struct value *more;

    for (size_t i = 0; i < value_count(properties); i++) {
        const struct member *m = &properties->map.members[i];
        const struct value *otherwise = value_get(schema_resolve(f->s, m->value), "default");

        if (!otherwise || value_get(v, m->key))
            continue;
        if (!members) {
            members = xcalloc(n + value_count(properties), sizeof(*members));
            memcpy(members, v->map.members, n * sizeof(*members));
        }
        members[n].key = arena_strdup(f->a, m->key);
        members[n].value = value_copy(f->a, otherwise);
        set_written(members[n++].value, v->written);
    }
    if (!members)
        return v;
    more = value_map_of(f->a, members, n);
    more->written = v->written;
    free(members);
    return more;
}

static const struct value *filled(const struct filling *f, const struct value *schema, const struct value *v)
{
    const struct value *alt;

    schema = schema_resolve(f->s, schema);
    /* Before anything is filled in, or an alternative might be taken for its defaults alone. */
    for (size_t i = 0; (alt = alternative(f->s, schema, i)); i++)
        if (schema_fits(f->s, alt, v))
            v = filled(f, alt, v);
    v = items_filled(f, value_get(schema, "items"), v);
    if (!value_is(v, VALUE_MAP))
        return v;
    v = absent_filled(f, value_get(schema, "properties"), v);
    return members_filled(f, schema, v);
}

const struct value *schema_with_defaults(struct arena *a, const struct schemas *s, const char *name,
                                         const struct value *v)
{
    const struct filling f = {.a = a, .s = s};
    const struct value *root = schemas_root(s, name);

    return root && v ? filled(&f, root, v) : v;
}

/* --- fields ------------------------------------------------------------------------------------------------------- */

static const struct value *field_below(const struct schemas *s, const struct value *schema, const char *path,
                                       size_t depth)
{
    const struct value *found, *alt, *items;
    char key[256];
    size_t n = strcspn(path, ".");

    schema = schema_resolve(s, schema);
    if (!*path || depth > SHAPE_DEPTH_MAX || n >= sizeof(key))
        return *path ? NULL : schema;
    memcpy(key, path, n);
    key[n] = '\0';
    found = schema_of_member(s, schema, key);
    if (found)
        found = field_below(s, found, path + n + (path[n] == '.'), depth + 1);
    items = value_get(schema, "items");
    if (!found && items)
        found = field_below(s, items, path, depth + 1);
    for (size_t i = 0; !found && (alt = alternative(s, schema, i)); i++)
        found = field_below(s, alt, path, depth + 1);
    return found;
}

const struct value *schema_field(const struct schemas *s, const char *name, const char *path)
{
    const struct value *root = schemas_root(s, name);

    return root ? field_below(s, root, path, 0) : NULL;
}

static bool requires(const struct value *schema, const char *key)
{
    const struct value *required = value_get(schema, "required");

    for (size_t i = 0; i < value_count(required); i++)
        if (str_eq(value_str(value_item(required, i)), key))
            return true;
    return false;
}

/* Whether this shape asks for the member, or each of its forms does. */
static bool demanded(const struct schemas *s, const struct value *schema, const char *key, size_t depth)
{
    const struct value *alt, *items;

    schema = schema_resolve(s, schema);
    if (depth > SHAPE_DEPTH_MAX)
        return false;
    if (schema_of_member(s, schema, key))
        return requires(schema, key);
    items = value_get(schema, "items");
    if (items && demanded(s, items, key, depth + 1))
        return true;
    for (size_t i = 0; (alt = alternative(s, schema, i)); i++)
        if (!demanded(s, alt, key, depth + 1))
            return false;
    return alternative(s, schema, 0) != NULL;
}

bool schema_required(const struct schemas *s, const char *name, const char *path)
{
    const struct value *root = schemas_root(s, name), *parent;
    const char *dot = strrchr(path, '.');
    char above[256];
    size_t n = dot ? (size_t)(dot - path) : 0;

    if (!root || n >= sizeof(above))
        return false;
    memcpy(above, path, n);
    above[n] = '\0';
    parent = n ? field_below(s, root, above, 0) : root;
    return parent && demanded(s, parent, dot ? dot + 1 : path, 0);
}

struct listing {
    struct arena *a;
    const struct schemas *s;
    struct value *paths;
    const struct value *open[SHAPE_DEPTH_MAX];   /* a shape inside itself is not entered again */
    size_t depth;
};

static void list_path(struct listing *l, const char *path)
{
    for (size_t i = 0; i < value_count(l->paths); i++)
        if (str_eq(value_str(l->paths->list.items[i]), path))
            return;
    value_push(l->a, l->paths, value_string(l->a, path));
}

/* Two references to one shape are merged apart, but what is below them is shared. */
static bool same_shape(const struct value *a, const struct value *b)
{
    static const char *const below[] = {"properties", "items", "oneOf", "anyOf"};
    bool shared = false;

    for (size_t i = 0; i < COUNT(below); i++) {
        const struct value *x = value_get(a, below[i]);

        if (x != value_get(b, below[i]))
            return false;
        shared |= x != NULL;
    }
    return shared;
}

static void list_below(struct listing *l, const struct value *schema, const char *path)
{
    const struct value *properties, *items, *alt;

    schema = schema_resolve(l->s, schema);
    if (l->depth == SHAPE_DEPTH_MAX)
        return;
    for (size_t i = 0; i < l->depth; i++)
        if (same_shape(l->open[i], schema))
            return;
    l->open[l->depth++] = schema;
    properties = value_get(schema, "properties");
    for (size_t i = 0; i < value_count(properties); i++) {
        const struct member *m = &properties->map.members[i];
        const char *below = arena_printf(l->a, "%s%s%s", path, *path ? "." : "", m->key);

        list_path(l, below);
        list_below(l, m->value, below);
    }
    items = value_get(schema, "items");
    if (items)
        list_below(l, items, path);
    for (size_t i = 0; (alt = alternative(l->s, schema, i)); i++)
        list_below(l, alt, path);
    l->depth--;
}

struct value *schema_paths(struct arena *a, const struct schemas *s, const char *name)
{
    struct listing l = {.a = a, .s = s, .paths = value_list(a)};
    const struct value *root = schemas_root(s, name);

    if (root)
        list_below(&l, root, "");
    return l.paths;
}
