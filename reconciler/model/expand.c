/* Knows how a template with a selector becomes one document per document selected. Must not know any kind: which fields
 * may select, and what of, is in the schemas. */
#include "expand.h"

#include <string.h>

#include "../base/text.h"

struct expansion {
    struct arena *arena;
    const struct schemas *schemas;
    const struct value *docs;
    struct diags *diags;
    struct value *out;
};

struct template {
    const struct value *raw;         /* the document */
    const char *kind, *field;        /* "RestoredVirtualMachine", "from" */
    const struct value *kinds;       /* what may be selected: x-ref */
    const struct value *selector;    /* the map of labels */
};

/* --- recognising -------------------------------------------------------------------------------------------------- */

/* The field of a document's spec that selects; false: the document is no template. */
static bool template_read(const struct expansion *x, const struct value *raw, struct template *ret)
{
    const struct value *spec = value_get(raw, "spec");
    const char *kind = value_str_at(raw, "kind");

    for (size_t i = 0; kind && value_is(spec, VALUE_MAP) && i < spec->map.count; i++) {
        const struct member *m = &spec->map.members[i];
        const struct value *schema;

        if (!value_get(m->value, "selector"))
            continue;
        schema = schema_field(x->schemas, arena_printf(x->arena, "%s.json", kind),
                              arena_printf(x->arena, "spec.%s", m->key));
        if (!value_bool_at(schema, "x-select", false))
            continue;
        *ret = (struct template){.raw = raw, .kind = kind, .field = m->key, .kinds = value_get(schema, "x-ref"),
                                 .selector = value_get(m->value, "selector")};
        return true;
    }
    return false;
}

static bool selector_sound(const struct expansion *x, const struct template *t)
{
    bool sound = value_is(t->selector, VALUE_MAP) && value_count(t->selector) > 0;

    for (size_t i = 0; sound && i < t->selector->map.count; i++)
        sound = value_str(t->selector->map.members[i].value) != NULL;
    if (!sound)
        diags_add(x->diags, SEVERITY_ERROR, value_origin(t->selector),
                  "write the labels to choose by, such as {selector: {app: payroll}}",
                  "spec.%s.selector is no map of labels", t->field);
    return sound;
}

/* A name without a placeholder would be given to every document. */
static bool name_sound(const struct expansion *x, const struct template *t)
{
    const struct value *name = value_at(t->raw, "metadata.name");

    if (value_str(name) && strchr(value_str(name), '{'))
        return true;
    diags_add(x->diags, SEVERITY_ERROR, name ? value_origin(name) : value_origin(t->raw), "write such as {name}-r",
              "metadata.name has no placeholder: every document that the selector stands for would have the same name");
    return false;
}

/* --- selecting ---------------------------------------------------------------------------------------------------- */

static bool kind_selected(const struct template *t, const char *kind)
{
    for (size_t i = 0; i < value_count(t->kinds); i++)
        if (str_eq(value_str(value_item(t->kinds, i)), kind))
            return true;
    return false;
}

static bool labels_fit(const struct template *t, const struct value *labels)
{
    for (size_t i = 0; i < value_count(t->selector); i++) {
        const struct member *m = &t->selector->map.members[i];

        if (!str_eq(value_str(value_get(labels, m->key)), value_str(m->value)))
            return false;
    }
    return true;
}

static void nothing_selected(const struct expansion *x, const struct template *t)
{
    const struct member *first = &t->selector->map.members[0];
    const char **have = NULL, *near;
    size_t n = 0;

    for (size_t i = 0; i < value_count(x->docs); i++) {
        const struct value *doc = value_item(x->docs, i);
        const char *label = value_str(value_get(value_at(doc, "metadata.labels"), first->key));

        if (kind_selected(t, value_str_at(doc, "kind")) && label)
            arena_push(x->arena, have, n, label);
    }
    arena_push(x->arena, have, n, NULL);
    near = did_you_mean(value_str(first->value), have);
    diags_add(x->diags, SEVERITY_ERROR, value_origin(t->selector),
              near ? arena_printf(x->arena, "did you mean %s: %s?", first->key, near)
                   : "labels stand under metadata.labels",
              "spec.%s.selector selects no %s", t->field, value_str(value_item(t->kinds, 0)));
}

/* --- filling in --------------------------------------------------------------------------------------------------- */

struct filling {
    const struct expansion *x;
    const struct value *selected;
    bool failed;
};

static const char *placeholder_text(const struct filling *f, const char *what)
{
    bool path = str_starts(what, "spec.") || str_starts(what, "metadata.");

    return value_str_at(f->selected, str_eq(what, "name") ? "metadata.name" : path ? what : "");
}

static void text_fill(struct filling *f, struct value *v)
{
    struct text t cleanup(text_release) = {0};
    const char *at = v->str.s, *open;

    text_init(&t, TEXT_CEILING);
    while (!f->failed && (open = strchr(at, '{'))) {
        size_t n = strcspn(open, "}");
        char *what = arena_strndup(f->x->arena, open + 1, n - 1);
        const char *text = open[n] ? placeholder_text(f, what) : NULL;

        if (!text) {
            diags_add(f->x->diags, SEVERITY_ERROR, value_origin(v),
                      "write {name} for the name of the document selected, or the path of a text of it, such as "
                      "{spec.source.name}",
                      "\"%s\": %s/%s has nothing to put in place of {%s}", v->str.s, value_str_at(f->selected, "kind"),
                      value_str_at(f->selected, "metadata.name"), what);
            f->failed = true;
            return;
        }
        text_add_n(&t, at, (size_t)(open - at));
        text_add(&t, text);
        at = open + n + 1;
    }
    text_add(&t, at);
    v->str.s = arena_strdup(f->x->arena, text_str(&t));
    v->str.len = t.len;
}

static void fill(struct filling *f, struct value *v)
{
    if (value_is(v, VALUE_STRING) && strchr(v->str.s, '{'))
        text_fill(f, v);
    for (size_t i = 0; value_is(v, VALUE_LIST) && i < v->list.count; i++)
        fill(f, v->list.items[i]);
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count; i++)
        fill(f, v->map.members[i].value);
}

static void labels_take_over(const struct expansion *x, struct value *doc, const struct value *labels)
{
    struct value *metadata = value_get(doc, "metadata"), *own = value_get(metadata, "labels");

    if (!value_is(labels, VALUE_MAP))
        return;
    if (!own)
        own = value_set(x->arena, metadata, "labels", value_map(x->arena));
    for (size_t i = 0; value_is(own, VALUE_MAP) && i < labels->map.count; i++)
        if (!value_get(own, labels->map.members[i].key))
            value_set(x->arena, own, labels->map.members[i].key, value_copy(x->arena, labels->map.members[i].value));
}

static struct value *document_of(const struct expansion *x, const struct template *t, const struct value *selected,
                                 bool *ret_failed)
{
    struct filling f = {.x = x, .selected = selected};
    struct value *doc = value_copy(x->arena, t->raw), *spec = value_get(doc, "spec"), *name;

    name = value_string(x->arena, value_str_at(selected, "metadata.name"));
    name->written = value_get(value_get(t->raw, "spec"), t->field)->written;
    value_set(x->arena, spec, t->field, name);
    fill(&f, value_get(doc, "metadata"));
    fill(&f, spec);
    labels_take_over(x, doc, value_at(selected, "metadata.labels"));
    *ret_failed = f.failed;
    return doc;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool name_taken(const struct expansion *x, const struct template *t, const struct value *doc, size_t from)
{
    const char *name = value_str_at(doc, "metadata.name");

    for (size_t i = from; i < value_count(x->out); i++) {
        if (!str_eq(value_str_at(value_item(x->out, i), "metadata.name"), name))
            continue;
        diags_add(x->diags, SEVERITY_ERROR, value_origin(value_at(t->raw, "metadata.name")), "let the name hold {name}",
                  "the selector gives two documents the name %s", name);
        return true;
    }
    return false;
}

static void template_expand(const struct expansion *x, const struct template *t)
{
    size_t from = value_count(x->out);
    bool failed = false;

    if (!selector_sound(x, t) || !name_sound(x, t))
        return;
    for (size_t i = 0; i < value_count(x->docs) && !failed; i++) {
        const struct value *selected = value_item(x->docs, i);
        struct value *doc;

        if (!kind_selected(t, value_str_at(selected, "kind")) ||
            !labels_fit(t, value_at(selected, "metadata.labels")) || !value_str_at(selected, "metadata.name"))
            continue;
        if (value_count(x->out) - from == SELECTED_MAX) {
            diags_add(x->diags, SEVERITY_ERROR, value_origin(t->selector), "choose by one more label",
                      "spec.%s.selector selects more than %d documents", t->field, SELECTED_MAX);
            return;
        }
        doc = document_of(x, t, selected, &failed);
        /* One fault of a template is told once, not once for each VM. */
        failed = failed || name_taken(x, t, doc, from);
        value_push(x->arena, x->out, doc);
    }
    if (value_count(x->out) == from)
        nothing_selected(x, t);
}

struct value *documents_expand(struct arena *a, const struct schemas *schemas, const struct value *docs,
                               struct diags *diags)
{
    struct expansion x = {.arena = a, .schemas = schemas, .docs = docs, .diags = diags, .out = value_list(a)};

    for (size_t i = 0; i < value_count(docs); i++) {
        struct value *raw = value_item(docs, i);
        struct template t;

        if (template_read(&x, raw, &t))
            template_expand(&x, &t);
        else
            value_push(a, x.out, raw);
    }
    return x.out;
}
