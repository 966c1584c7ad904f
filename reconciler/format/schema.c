/* Knows how schemas are loaded, refer to each other and are looked up. Must not know any kind. A $ref is resolved when
 * the schemas are loaded: a table leads from the schema that holds it to the merged one that stands in its place, so
 * that a shape that contains itself is a loop through the table and never one in the tree. */
#include "schema_internal.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "json.h"

enum { REF_CHAIN_MAX = 16 };

struct reference {
    const struct value *from, *merged;
    const char *file;
};

struct compiled {
    const char *expression;
    struct pattern *pattern;
};

struct schemas {
    struct arena *arena;
    const char **names;
    const struct value **roots;
    size_t count, name_count;
    const char **kinds;
    size_t kind_count;
    struct reference *references;     /* sorted by `from` once loaded */
    size_t reference_count;
    struct compiled *patterns;        /* sorted by expression once loaded */
    size_t pattern_count;
};

/* --- loading ------------------------------------------------------------------------------------------------------ */

/* Where the loader is: for faults. */
struct walk {
    struct schemas *s;
    const char *file;
};

static int walk_schema(struct walk *w, const struct value *schema, struct err *err);

static int keyword_fault(const struct walk *w, const char *keyword, const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "schema %s: %s: %s", w->file, keyword, what);
}

static int pattern_add(struct walk *w, const char *keyword, const char *expression, struct err *err)
{
    struct compiled c = {.expression = expression};

    if (pattern_new(expression, &c.pattern, err) < 0)
        return err_note(err, "schema %s: %s: %s", w->file, keyword, expression);
    arena_push(w->s->arena, w->s->patterns, w->s->pattern_count, c);
    return 0;
}

static int walk_children(struct walk *w, const struct keyword *k, const struct value *operand, struct err *err)
{
    for (size_t i = 0; i < value_count(operand); i++) {
        if (k->shape == SHAPE_SCHEMA_LIST) {
            TRY(walk_schema(w, operand->list.items[i], err));
            continue;
        }
        if (k->shape == SHAPE_PATTERN_MAP)
            TRY(pattern_add(w, k->name, operand->map.members[i].key, err));
        TRY(walk_schema(w, operand->map.members[i].value, err));
    }
    return 0;
}

static int walk_keyword(struct walk *w, const char *name, const struct value *operand, struct err *err)
{
    const struct keyword *k = schema_keyword(name);

    if (!k)
        return str_starts(name, "x-") || name[0] == '$' ? 0
                                                        : keyword_fault(w, name, "this keyword is not understood", err);
    if (!schema_shape_holds(k->shape, operand))
        return keyword_fault(w, name, "this operand does not fit the keyword", err);
    switch (k->shape) {
    case SHAPE_PATTERN:
        return pattern_add(w, name, operand->str.s, err);
    case SHAPE_SCHEMA:
    case SHAPE_SCHEMA_OR_FALSE:
        return value_is(operand, VALUE_MAP) ? walk_schema(w, operand, err) : 0;
    case SHAPE_SCHEMA_MAP:
    case SHAPE_PATTERN_MAP:
    case SHAPE_SCHEMA_LIST:
        return walk_children(w, k, operand, err);
    default:
        return 0;
    }
}

/* Checks the keywords, compiles the patterns and notes the references. */
static int walk_schema(struct walk *w, const struct value *schema, struct err *err)
{
    if (!value_is(schema, VALUE_MAP))
        return keyword_fault(w, "a schema", "it is no map", err);
    if (value_get(schema, "$ref")) {
        struct reference ref = {.from = schema, .file = w->file};

        arena_push(w->s->arena, w->s->references, w->s->reference_count, ref);
    }
    for (size_t i = 0; i < schema->map.count; i++)
        TRY(walk_keyword(w, schema->map.members[i].key, schema->map.members[i].value, err));
    return 0;
}

static const struct value *reference_target(const struct schemas *s, const char *file, const char *ref)
{
    const char *hash = strchr(ref, '#');
    const struct value *root;
    char name[128];
    size_t n;

    if (!hash || !str_starts(hash, "#/$defs/"))
        return NULL;
    n = (size_t)(hash - ref);
    if (n >= sizeof(name))
        return NULL;
    memcpy(name, ref, n);
    name[n] = '\0';
    root = schemas_root(s, n ? name : file);
    return value_get(value_get(root, "$defs"), hash + strlen("#/$defs/"));
}

static int merge(struct schemas *s, const struct value *schema, const char *file, size_t chain,
                 const struct value **ret, struct err *err)
{
    const char *ref = value_str(value_get(schema, "$ref"));
    const struct value *target = ref ? reference_target(s, file, ref) : NULL;
    struct value *merged = value_map(s->arena);

    if (!target)
        return err_set(err, ERR_INVALID, "schema %s: $ref: %s leads nowhere", file, ref ? ref : "this");
    if (chain > REF_CHAIN_MAX)
        return err_set(err, ERR_INVALID, "schema %s: $ref: %s leads in a circle", file, ref);
    if (value_get(target, "$ref")) {
        const char *hash = strchr(ref, '#');

        TRY(merge(s, target, hash == ref ? file : arena_strndup(s->arena, ref, (size_t)(hash - ref)), chain + 1,
                  &target, err));
    }
    for (size_t i = 0; i < target->map.count; i++)
        value_set(s->arena, merged, target->map.members[i].key, target->map.members[i].value);
    for (size_t i = 0; i < schema->map.count; i++) {
        const struct member *m = &schema->map.members[i];
        const struct keyword *k = schema_keyword(m->key);

        if (k && !k->annotation && value_get(target, m->key))
            return err_set(err, ERR_INVALID, "schema %s: $ref: %s already says %s", file, ref, m->key);
        if (strcmp(m->key, "$ref") != 0)
            value_set(s->arena, merged, m->key, m->value);
    }
    *ret = merged;
    return 0;
}

static int by_from(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct reference *)a)->from, y = (uintptr_t)((const struct reference *)b)->from;

    return x < y ? -1 : x > y;
}

static int by_expression(const void *a, const void *b)
{
    return strcmp(((const struct compiled *)a)->expression, ((const struct compiled *)b)->expression);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int file_parse(struct schemas *s, const struct schema_file *f, struct err *err)
{
    struct value *root = NULL;
    const char *kind;
    const char *name = arena_strdup(s->arena, f->name);

    if (json_parse(s->arena, f->bytes, f->len, &root, err) < 0) {
        err_note(err, "schema %s", f->name);
        err->class = ERR_INVALID;
        return -ERR_INVALID;
    }
    arena_push(s->arena, s->names, s->name_count, name);
    arena_push(s->arena, s->roots, s->count, root);
    kind = value_str(value_get(root, "x-kind"));
    if (!kind)
        return 0;
    if (!str_eq(name, arena_printf(s->arena, "%s.json", kind)))
        return err_set(err, ERR_INVALID, "schema %s: x-kind: the file is not called %s.json", name, kind);
    arena_push(s->arena, s->kinds, s->kind_count, kind);
    return 0;
}

static int load(struct schemas *s, const struct schema_file *files, struct err *err)
{
    const char *end = NULL;

    for (; files->name; files++)
        TRY(file_parse(s, files, err));
    if (s->kind_count)
        qsort(s->kinds, s->kind_count, sizeof(*s->kinds), by_name);
    arena_push(s->arena, s->kinds, s->kind_count, end);
    for (size_t i = 0; i < s->count; i++) {
        struct walk w = {.s = s, .file = s->names[i]};

        TRY(walk_schema(&w, s->roots[i], err));
    }
    for (size_t i = 0; i < s->reference_count; i++)
        TRY(merge(s, s->references[i].from, s->references[i].file, 0, &s->references[i].merged, err));
    if (s->reference_count)
        qsort(s->references, s->reference_count, sizeof(*s->references), by_from);
    if (s->pattern_count)
        qsort(s->patterns, s->pattern_count, sizeof(*s->patterns), by_expression);
    return 0;
}

int schemas_new(const struct schema_file *files, struct schemas **ret, struct err *err)
{
    struct schemas *s cleanup(schemas_freep) = xcalloc(1, sizeof(*s));

    s->arena = arena_new();
    TRY(load(s, files, err));
    *ret = s;
    s = NULL;
    return 0;
}

void schemas_free(struct schemas *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->pattern_count; i++)
        pattern_free(s->patterns[i].pattern);
    arena_free(s->arena);
    free(s);
}

void schemas_freep(struct schemas **s)
{
    schemas_free(*s);
    *s = NULL;
}

/* --- looking up --------------------------------------------------------------------------------------------------- */

const struct value *schemas_root(const struct schemas *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->names[i], name) == 0)
            return s->roots[i];
    return NULL;
}

const struct value *schemas_get(const struct schemas *s, const char *name)
{
    return schemas_root(s, name);
}

const char *const *schemas_kinds(const struct schemas *s)
{
    return s->kinds;
}

const struct value *schema_resolve(const struct schemas *s, const struct value *schema)
{
    struct reference key = {.from = schema};
    const struct reference *found =
        s->reference_count ? bsearch(&key, s->references, s->reference_count, sizeof(*s->references), by_from) : NULL;

    return found ? found->merged : schema;
}

const struct pattern *schema_pattern(const struct schemas *s, const char *expression)
{
    struct compiled key = {.expression = expression};
    const struct compiled *found =
        s->pattern_count ? bsearch(&key, s->patterns, s->pattern_count, sizeof(*s->patterns), by_expression) : NULL;

    return found ? found->pattern : NULL;
}

const struct value *schema_of_member(const struct schemas *s, const struct value *schema, const char *key)
{
    const struct value *found = value_get(value_get(schema, "properties"), key),
                       *patterns = value_get(schema, "patternProperties");

    for (size_t i = 0; !found && i < value_count(patterns); i++) {
        const struct member *m = &patterns->map.members[i];
        bool matches = false;
        struct err err;

        if (pattern_matches(schema_pattern(s, m->key), key, &matches, &err) == 0 && matches)
            found = m->value;
    }
    if (!found)
        found = value_get(schema, "additionalProperties");
    return value_is(found, VALUE_MAP) ? schema_resolve(s, found) : NULL;
}
