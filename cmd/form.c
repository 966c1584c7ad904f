/* Knows how the fields of a document are ordered by its schema. Must not change what it says. */
#include "form.h"

#include <string.h>

#include "../reconciler/format/manifest.h"

struct form {
    struct arena *arena;
    const struct schemas *schemas;
};

static struct value *ordered(const struct form *f, const char *file, const char *path, const struct value *v);

static void member_add(const struct form *f, const char *file, const char *path, const struct member *m,
                       struct value *ret)
{
    value_set(f->arena, ret, m->key,
              ordered(f, file, arena_printf(f->arena, "%s%s%s", path, *path ? "." : "", m->key), m->value));
}

/* By the schema, as explain lists the fields; what it does not name (labels) stays in its own order behind them. */
static struct value *ordered_map(const struct form *f, const char *file, const char *path, const struct value *v)
{
    const struct value *paths = schema_paths(f->arena, f->schemas, file);
    struct value *ret = value_map(f->arena);
    size_t n = strlen(path);

    for (size_t i = 0; i < value_count(paths); i++) {
        const char *one = value_str(value_item(paths, i)), *key = one + n + (n ? 1 : 0);

        if ((n && (strncmp(one, path, n) != 0 || one[n] != '.')) || strchr(key, '.'))
            continue;
        for (size_t k = 0; k < v->map.count; k++)
            if (str_eq(v->map.members[k].key, key))
                member_add(f, file, path, &v->map.members[k], ret);
    }
    for (size_t k = 0; k < v->map.count; k++)
        if (!value_get(ret, v->map.members[k].key))
            member_add(f, file, path, &v->map.members[k], ret);
    return ret;
}

static struct value *ordered(const struct form *f, const char *file, const char *path, const struct value *v)
{
    struct value *list;

    if (value_is(v, VALUE_MAP))
        return ordered_map(f, file, path, v);
    if (!value_is(v, VALUE_LIST))
        return (struct value *)v;
    list = value_list(f->arena);
    for (size_t i = 0; i < value_count(v); i++)
        value_push(f->arena, list, ordered(f, file, path, value_item(v, i)));
    return list;
}

void form_write(struct text *out, const struct schemas *schemas, const struct value *docs)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct form f = {.arena = a, .schemas = schemas};

    for (size_t i = 0; i < value_count(docs); i++) {
        const struct value *doc = value_item(docs, i);
        const char *kind = value_str_at(doc, "kind");

        if (i)
            text_add(out, "---\n");
        manifest_write(out, ordered(&f, arena_printf(a, "%s.json", kind ? kind : ""), "", doc));
    }
}
