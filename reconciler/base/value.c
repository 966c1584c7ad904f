/* Knows trees of values. Must not know YAML, JSON or what the values mean. */
#include "value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "text.h"

static struct value *value_new(struct arena *a, enum value_type type)
{
    struct value *v = arena_new_of(a, struct value);

    v->type = type;
    return v;
}

struct value *value_null(struct arena *a)
{
    return value_new(a, VALUE_NULL);
}

struct value *value_bool(struct arena *a, bool b)
{
    struct value *v = value_new(a, VALUE_BOOL);

    v->b = b;
    return v;
}

struct value *value_int(struct arena *a, int64_t i)
{
    struct value *v = value_new(a, VALUE_INT);

    v->i = i;
    return v;
}

struct value *value_real(struct arena *a, double r)
{
    struct value *v = value_new(a, VALUE_REAL);

    v->r = r;
    return v;
}

struct value *value_string_n(struct arena *a, const char *s, size_t n)
{
    struct value *v = value_new(a, VALUE_STRING);

    v->str.s = arena_strndup(a, s, n);
    v->str.len = (uint32_t)n;
    return v;
}

struct value *value_string(struct arena *a, const char *s)
{
    return s ? value_string_n(a, s, strlen(s)) : value_null(a);
}

struct value *value_format(struct arena *a, const char *fmt, ...)
{
    struct value *v = value_new(a, VALUE_STRING);
    va_list ap;

    va_start(ap, fmt);
    v->str.s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    v->str.len = (uint32_t)strlen(v->str.s);
    return v;
}

struct value *value_unknown(struct arena *a)
{
    return value_new(a, VALUE_UNKNOWN);
}

struct value *value_list(struct arena *a)
{
    return value_new(a, VALUE_LIST);
}

struct value *value_map(struct arena *a)
{
    return value_new(a, VALUE_MAP);
}

struct value *value_list_of(struct arena *a, struct value *const *items, size_t n)
{
    struct value *v = value_new(a, VALUE_LIST);

    v->list.items = arena_grow(a, items, n * sizeof(*items), n * sizeof(*items));
    v->list.count = (uint32_t)n;
    v->exact = true;
    return v;
}

struct value *value_map_of(struct arena *a, const struct member *members, size_t n)
{
    struct value *v = value_new(a, VALUE_MAP);

    v->map.members = arena_grow(a, members, n * sizeof(*members), n * sizeof(*members));
    v->map.count = (uint32_t)n;
    v->exact = true;
    return v;
}

/* Room for what arena_push takes there to be behind n items. */
static size_t roomy(size_t n)
{
    size_t room = 4;

    while (room < n)
        room *= 2;
    return room;
}

void value_push(struct arena *a, struct value *list, struct value *item)
{
    size_t n = list->list.count, size = sizeof(struct value *);

    if (list->exact)
        list->list.items = arena_grow(a, list->list.items, n * size, roomy(n) * size);
    list->exact = false;
    arena_push(a, list->list.items, list->list.count, item);
}

static struct member *member_find(const struct value *map, const char *key, bool nocase)
{
    if (!map || map->type != VALUE_MAP || !key)
        return NULL;
    for (size_t i = 0; i < map->map.count; i++)
        if (nocase ? str_eq_nocase(map->map.members[i].key, key)
                   : *map->map.members[i].key == *key && strcmp(map->map.members[i].key, key) == 0)
            return &map->map.members[i];
    return NULL;
}

static void member_push(struct arena *a, struct value *map, struct member m)
{
    size_t n = map->map.count, size = sizeof(struct member);

    if (map->exact)
        map->map.members = arena_grow(a, map->map.members, n * size, roomy(n) * size);
    map->exact = false;
    arena_push(a, map->map.members, map->map.count, m);
}

void value_add(struct arena *a, struct value *map, const char *key, const struct value *v)
{
    member_push(a, map, (struct member){.key = arena_strdup(a, key), .value = (struct value *)v});
}

struct value *value_set(struct arena *a, struct value *map, const char *key, struct value *v)
{
    struct member *m = member_find(map, key, false);

    if (m)
        m->value = v;
    else
        value_add(a, map, key, v);
    return v;
}

struct value *value_set_map(struct arena *a, struct value *map, const char *key)
{
    return value_set(a, map, key, value_map(a));
}

void value_link(struct arena *a, struct value *map, const char *key, const struct value *v)
{
    value_set(a, map, key, (struct value *)v);
}

void value_set_string(struct arena *a, struct value *map, const char *key, const char *s)
{
    if (s)
        value_set(a, map, key, value_string(a, s));
}

void value_set_int(struct arena *a, struct value *map, const char *key, int64_t i)
{
    value_set(a, map, key, value_int(a, i));
}

void value_set_bool(struct arena *a, struct value *map, const char *key, bool b)
{
    value_set(a, map, key, value_bool(a, b));
}

bool value_remove(struct value *map, const char *key)
{
    struct member *m = member_find(map, key, false);
    size_t at;

    if (!m)
        return false;
    at = (size_t)(m - map->map.members);
    /* arena_push derives its capacity from the count, so the array is rebuilt by shifting and the count lowered; a
     * push at a power of two then copies into a fresh array, which is safe; below it there is room. */
    memmove(m, m + 1, (map->map.count - at - 1) * sizeof(*m));
    map->map.count--;
    return true;
}

/* A key of the copy: without `keys`, a copy of its own. */
static const char *key_copy(struct arena *a, struct index *keys, const char *key)
{
    const char *kept = keys ? index_get(keys, key) : NULL;

    if (kept)
        return kept;
    kept = arena_strdup(a, key);
    if (keys)
        index_put(keys, kept, kept);
    return kept;
}

static struct value *copy_of(struct arena *a, struct index *keys, const struct value *v)
{
    struct value *copy;
    size_t n = value_count(v);

    if (!v)
        return NULL;
    copy = value_new(a, v->type);
    *copy = *v;
    copy->exact = true;
    if (v->type == VALUE_STRING) {
        copy->str.s = arena_strndup(a, v->str.s, v->str.len);
    } else if (v->type == VALUE_LIST) {
        copy->list.items = arena_array(a, struct value *, n);
        for (size_t i = 0; i < n; i++)
            copy->list.items[i] = copy_of(a, keys, v->list.items[i]);
    } else if (v->type == VALUE_MAP) {
        copy->map.members = arena_array(a, struct member, n);
        for (size_t i = 0; i < n; i++)
            copy->map.members[i] = (struct member){.key = key_copy(a, keys, v->map.members[i].key),
                                                   .value = copy_of(a, keys, v->map.members[i].value)};
    }
    return copy;
}

struct value *value_copy(struct arena *a, const struct value *v)
{
    return copy_of(a, NULL, v);
}

const struct value *value_copy_shared(struct arena *a, const struct value *v)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();

    return copy_of(a, index_new(scratch, INDEX_EXACT), v);
}

struct value *value_get(const struct value *map, const char *key)
{
    struct member *m = member_find(map, key, false);

    return m ? m->value : NULL;
}

struct value *value_get_nocase(const struct value *map, const char *key)
{
    struct member *m = member_find(map, key, true);

    return m ? m->value : NULL;
}

struct value *value_at(const struct value *v, const char *path)
{
    char key[256];

    /* Most paths are one name. */
    if (v && v->type == VALUE_MAP && *path && !strchr(path, '.'))
        return value_get(v, path);
    while (v && *path) {
        size_t n = strcspn(path, ".");

        if (n >= sizeof(key))
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        if (v->type == VALUE_LIST) {
            char *end;
            unsigned long i = strtoul(key, &end, 10);

            if (*end || end == key)
                return NULL;
            v = value_item(v, i);
        } else {
            v = value_get(v, key);
        }
        path += n + (path[n] == '.');
    }
    return (struct value *)v;
}

size_t value_count(const struct value *v)
{
    if (!v)
        return 0;
    return v->type == VALUE_LIST ? v->list.count : v->type == VALUE_MAP ? v->map.count : 0;
}

struct value *value_item(const struct value *list, size_t i)
{
    return list && list->type == VALUE_LIST && i < list->list.count ? list->list.items[i] : NULL;
}

const char *value_str(const struct value *v)
{
    return v && v->type == VALUE_STRING ? v->str.s : NULL;
}

const char *value_str_at(const struct value *v, const char *path)
{
    return value_str(value_at(v, path));
}

int64_t value_int_at(const struct value *v, const char *path, int64_t otherwise)
{
    const struct value *at = value_at(v, path);

    if (value_is(at, VALUE_INT))
        return at->i;
    if (value_is(at, VALUE_STRING) && at->str.len && at->str.s[strspn(at->str.s, "0123456789")] == '\0') {
        long long n;

        errno = 0;
        n = strtoll(at->str.s, NULL, 10);
        if (!errno)
            return n;
    }
    return otherwise;
}

bool value_bool_at(const struct value *v, const char *path, bool otherwise)
{
    const struct value *at = value_at(v, path);

    /* A service that writes a flag as a text means it all the same. */
    if (str_eq_nocase(value_str(at), "true") || str_eq_nocase(value_str(at), "false"))
        return str_eq_nocase(value_str(at), "true");
    return value_is(at, VALUE_BOOL) ? at->b : otherwise;
}

const struct origin *value_origin(const struct value *v)
{
    static const struct origin nowhere;

    return v && v->written ? &v->written->origin : &nowhere;
}

struct origin member_origin(const struct member *m)
{
    struct origin at = *value_origin(m->value);

    if (m->value && m->value->written && m->value->written->key_line) {
        at.line = m->value->written->key_line;
        at.column = m->value->written->key_column;
    }
    return at;
}

bool value_is(const struct value *v, enum value_type type)
{
    return v && v->type == type;
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[VALUE_TYPE_COUNT] = {
        "null", "true or false", "a whole number", "a number", "a string", "a list", "a map", "known after apply",
    };

    return type >= 0 && type < VALUE_TYPE_COUNT ? names[type] : "unknown";
}

static bool map_equal(const struct value *a, const struct value *b)
{
    if (a->map.count != b->map.count)
        return false;
    for (size_t i = 0; i < a->map.count; i++) {
        struct member *m = member_find(b, a->map.members[i].key, false);

        if (!m || !value_equal(a->map.members[i].value, m->value))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (!a || !b)
        return (!a || a->type == VALUE_NULL) && (!b || b->type == VALUE_NULL);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_INT:
        return a->i == b->i;
    case VALUE_REAL:
        return a->r <= b->r && a->r >= b->r;
    case VALUE_STRING:
        return a->str.len == b->str.len && memcmp(a->str.s, b->str.s, a->str.len) == 0;
    case VALUE_LIST:
        if (a->list.count != b->list.count)
            return false;
        for (size_t i = 0; i < a->list.count; i++)
            if (!value_equal(a->list.items[i], b->list.items[i]))
                return false;
        return true;
    case VALUE_MAP:
        return map_equal(a, b);
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        return true;
    case VALUE_UNKNOWN:
        return false;
    }
    return false;
}

bool value_deeper_than(const struct value *v, size_t depth)
{
    if (!v || (v->type != VALUE_LIST && v->type != VALUE_MAP))
        return false;
    if (depth == 0)
        return true;
    for (size_t i = 0; i < value_count(v); i++)
        if (value_deeper_than(v->type == VALUE_LIST ? v->list.items[i] : v->map.members[i].value, depth - 1))
            return true;
    return false;
}
