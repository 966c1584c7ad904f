/* Knows what a raw document is: its kind, name, annotations and controls, checked one by one. Must not know what
 * documents are to each other. */
#include "drafts.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"

#define API_VERSION "reinstate/v1"

/* "reinstate/v2": what a field means there nobody knows here. */
static bool another_version(const char *version)
{
    static const char mine[] = "reinstate/v";

    return str_starts(version, mine) && !str_eq(version, API_VERSION) && version[sizeof(mine) - 1] &&
           !version[sizeof(mine) - 1 + strspn(version + sizeof(mine) - 1, "0123456789")];
}

/* False: the document is of another version, so that nothing more can be said of it. */
static bool version_read(const struct resolver *r, const struct value *raw)
{
    const struct value *version = value_get(raw, "apiVersion");
    const char *instead = "write apiVersion: " API_VERSION;

    if (str_eq(value_str(version), API_VERSION))
        return true;
    if (version)
        diags_add(r->diags, SEVERITY_ERROR, value_origin(version), instead,
                  "this version does not understand apiVersion %s",
                  value_str(version) ? value_str(version) : "of another type");
    else
        diags_add(r->diags, SEVERITY_ERROR, value_origin(raw), instead, "apiVersion is missing");
    return !another_version(value_str(version));
}

/* Of a document of no known kind only this can be judged: has it a name, and is there anything in it that no kind has,
 * as a misspelt "kind". */
static void unknown_kind_read(const struct resolver *r, const struct value *raw)
{
    static const char *const members[] = {"apiVersion", "kind", "metadata", "spec", NULL};
    const struct value *name = value_at(raw, "metadata.name");

    if (!value_str(name) || !*value_str(name))
        diags_add(r->diags, SEVERITY_ERROR, name ? value_origin(name) : value_origin(raw),
                  "write metadata: {name: …}",
                  "the document has no name");
    for (size_t i = 0; i < raw->map.count; i++) {
        const struct member *m = &raw->map.members[i];
        const char *near = did_you_mean(m->key, members);
        bool known = near && str_eq(near, m->key);
        struct origin at = member_origin(m);

        if (!known)
            diags_add(r->diags, SEVERITY_ERROR, &at,
                      near ? arena_printf(r->arena, "did you mean %s?", near)
                           : "there are apiVersion, kind, metadata and spec",
                      "the document: there is no field %s", str_shown(r->arena, m->key));
    }
}

static bool is_kind_of_ours(const char *const *kinds, const char *kind)
{
    return did_you_mean(kind, kinds) || str_eq(kind, "World") || str_eq(kind, "History");
}

/* None of the four members that our documents have, however written. */
static bool has_no_mark(const struct value *raw)
{
    static const char *const marks[] = {"kind", "spec", "metadata", "apiVersion"},
                             *const long_marks[] = {"metadata", "apiVersion", NULL};

    for (size_t i = 0; value_is(raw, VALUE_MAP) && i < raw->map.count; i++) {
        for (size_t k = 0; k < COUNT(marks); k++)
            if (str_eq_nocase(raw->map.members[i].key, marks[k]))
                return false;
        if (did_you_mean(raw->map.members[i].key, long_marks))
            return false;
    }
    return value_count(raw) > 0;
}

/* "kyverno.io/v1": a group of somebody's domain, which is never a misspelt one of ours, whatever the kind. */
static bool in_a_domain(const char *version)
{
    size_t n = strcspn(version, "/");

    return version[n] && memchr(version, '.', n) && !str_find_nocase(version, "reinstate");
}

const char *desired_foreign(struct arena *a, const char *const *kinds, const struct value *raw)
{
    const char *version = value_str_at(raw, "apiVersion"), *kind = value_str_at(raw, "kind"),
               *file = value_origin(raw)->file ? value_origin(raw)->file : "";

    if (!version && !kind &&
        (str_ends_nocase(file, "kustomization.yaml") || str_ends_nocase(file, "kustomization.yml")))
        return "a kustomization";
    if (has_no_mark(raw))
        return value_is(raw, VALUE_LIST) ? "a list" : "neither apiVersion nor kind";
    if (!version || !kind || (!in_a_domain(version) &&
                              (str_starts(version, "reinstate/") || is_kind_of_ours(kinds, kind))))
        return NULL;
    return arena_printf(a, "kind %s of %s", kind, version);
}

/* What other tools keep beside manifests: a ConfigMap, a kustomization. One fault says all; true: it was said. */
static bool foreign_told(const struct resolver *r, const struct value *raw)
{
    const char *whose = desired_foreign(r->arena, r->kinds, raw);

    if (whose)
        diags_add(r->diags, SEVERITY_ERROR, value_origin(raw),
                  "take it out, or give -f the files that are meant", "another tool's document: %s",
                  whose);
    return whose != NULL;
}

static void stray_add(struct resolver *r, const struct value *raw, const char *near)
{
    struct stray stray = {.near = near, .name = value_str_at(raw, "metadata.name")};

    arena_push(r->arena, r->strays, r->n_strays, stray);
}

/* The known kind of a document, or NULL with a fault (or, for a World or a History, a warning). */
static const char *kind_read(struct resolver *r, const struct value *raw)
{
    const struct value *kind = value_get(raw, "kind");
    const char **known = NULL;
    const char *near;
    size_t count = 0;

    if (str_eq(value_str(kind), "World")) {
        diags_add(r->diags, SEVERITY_WARNING, value_origin(kind), NULL,
                  "a World among the manifests is ignored: it is given with --world FILE");
        return NULL;
    }
    if (str_eq(value_str(kind), "History")) {
        diags_add(r->diags, SEVERITY_WARNING, value_origin(kind), NULL,
                  "a History among the manifests is ignored: it is given with --history FILE");
        return NULL;
    }
    if (foreign_told(r, raw))
        return NULL;
    if (!version_read(r, raw)) {
        stray_add(r, raw, value_str(kind));
        return NULL;
    }
    for (size_t i = 0; r->kinds[i]; i++) {
        if (str_eq(r->kinds[i], value_str(kind)))
            return r->kinds[i];
        arena_push(r->arena, known, count, r->kinds[i]);
    }
    arena_push(r->arena, known, count, "World");
    arena_push(r->arena, known, count, NULL);
    if (!value_str(kind)) {
        diags_add(r->diags, SEVERITY_ERROR, kind ? value_origin(kind) : value_origin(raw),
                  "write kind: and one of the kinds reinstate explain lists", "the document has no kind");
        unknown_kind_read(r, raw);
        stray_add(r, raw, NULL);
        return NULL;
    }
    near = did_you_mean(value_str(kind), known);
    diags_add(r->diags, SEVERITY_ERROR, value_origin(kind),
              near ? arena_printf(r->arena, "did you mean %s?", near) : "reinstate explain lists the kinds",
              "unknown kind \"%s\"", value_str(kind));
    unknown_kind_read(r, raw);
    stray_add(r, raw, near);
    return NULL;
}

/* Names under which other tools take addresses and programs. Wherever the schemas do not define such a field, the fault
 * says that it is refused on purpose and where it belongs. */
static bool operator_word(const char *key)
{
    static const char *const words[] = {
        "endpoint", "endpoints", "hook", "hooks", "webhook", "webhooks", "command", "commands", "exec", "script",
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq_nocase(key, words[i]))
            return true;
    return false;
}

/* Takes such fields out of v (a copy), so that the schema does not name them a second time as merely unknown. */
static void operator_fields_refuse(const struct resolver *r, const char *schema, const char *path, struct value *v)
{
    for (size_t i = 0; value_is(v, VALUE_LIST) && i < v->list.count; i++)
        operator_fields_refuse(r, schema, path, v->list.items[i]);
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count;) {
        const struct member *m = &v->map.members[i];
        const char *below = arena_printf(r->arena, "%s%s%s", path, *path ? "." : "", m->key);
        struct origin at = member_origin(m);

        if (!operator_word(m->key) || schema_field(r->schemas, schema, below)) {
            operator_fields_refuse(r, schema, below, m->value);
            i++;
            continue;
        }
        diags_add(r->diags, SEVERITY_ERROR, &at,
                  "the operator gives it on the command line (see --cloud) or in the environment",
                  "%s is refused: a manifest does not decide where requests go or what is run", below);
        value_remove(v, m->key);
    }
}

static bool has_control(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)s[i] < 0x20 && !strchr("\n\t\r", s[i])) || s[i] == 0x7f)
            return true;
    return false;
}

/* A control character can come in as an escape. None belongs into a name or a text: it moves cursors, and in a runbook
 * it would stand for one of the script's own variables. */
static void controls_refuse(const struct resolver *r, const char *path, const struct value *v)
{
    static const char instead[] = "take it out: no name and no text needs one";

    if (value_is(v, VALUE_STRING) && has_control(v->str.s, v->str.len))
        diags_add(r->diags, SEVERITY_ERROR, value_origin(v), instead, "%s holds a control character", path);
    for (size_t i = 0; value_is(v, VALUE_LIST) && i < v->list.count; i++)
        controls_refuse(r, path, v->list.items[i]);
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count; i++) {
        const struct member *m = &v->map.members[i];
        struct origin at = member_origin(m);

        if (has_control(m->key, strlen(m->key)))
            diags_add(r->diags, SEVERITY_ERROR, &at, instead,
                      "the name of a field in %s holds a control character", *path ? path : "the document");
        controls_refuse(r, arena_printf(r->arena, "%s%s%s", path, *path ? "." : "", m->key), m->value);
    }
}

static bool told_at(const struct diags *d, const struct origin *at)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].origin.line == at->line && d->items[i].origin.column == at->column &&
            str_eq(d->items[i].origin.file, at->file))
            return true;
    return false;
}

/* A label, an incident or an expression takes any text, also one that was to be filled in: it would fit nothing. */
static void templates_tell(const struct resolver *r, const char *path, const struct value *v)
{
    if (value_is(v, VALUE_STRING) && str_is_template(v->str.s, false) && !told_at(r->diags, value_origin(v)))
        diags_add(r->diags, SEVERITY_WARNING, value_origin(v), "fill it in before reinstate reads the file",
                  "%s: a template was left in it", path);
    for (size_t i = 0; value_is(v, VALUE_LIST) && i < v->list.count; i++)
        templates_tell(r, arena_printf(r->arena, "%s.%zu", path, i), v->list.items[i]);
    for (size_t i = 0; value_is(v, VALUE_MAP) && i < v->map.count; i++)
        templates_tell(r, arena_printf(r->arena, "%s%s%s", path, *path ? "." : "", v->map.members[i].key),
                       v->map.members[i].value);
}

static bool holds_template(const struct value *v)
{
    bool found = value_is(v, VALUE_STRING) && str_is_template(v->str.s, false);

    for (size_t i = 0; i < value_count(v) && !found; i++)
        found = holds_template(v->type == VALUE_MAP ? v->map.members[i].value : v->list.items[i]);
    return found;
}

static void annotations_read(const struct resolver *r, struct document *doc)
{
    static const char *const known[] = {"reinstate/suspend", "reinstate/mode", NULL};
    const struct value *annotations = value_at(doc->root, "metadata.annotations");

    for (size_t i = 0; value_is(annotations, VALUE_MAP) && i < annotations->map.count; i++) {
        const struct member *m = &annotations->map.members[i];
        const char *text = value_str(m->value), *near;
        struct origin at = member_origin(m);

        if (str_eq(m->key, known[0])) {
            doc->suspended = text && *text ? text : NULL;
            if (!doc->suspended)
                diags_add(r->diags, SEVERITY_ERROR, value_origin(m->value), "write the reason as a string",
                          "reinstate/suspend has no reason");
        } else if (str_eq(m->key, known[1])) {
            doc->observe_only = str_eq(text, "observe");
            if (!doc->observe_only)
                diags_add(r->diags, SEVERITY_ERROR, value_origin(m->value), "write observe, or leave it out",
                          "reinstate/mode is no mode that exists");
        } else if (str_starts(m->key, "reinstate/")) {
            near = did_you_mean(m->key, known);
            diags_add(r->diags, SEVERITY_WARNING, &at,
                      near ? arena_printf(r->arena, "did you mean %s?", near) : NULL,
                      "unknown annotation %s has no effect", m->key);
        }
    }
}

/* Any operator's word or control character: whether it is a fault is seen where it is told. */
static bool is_suspect(const struct value *v)
{
    bool found = value_is(v, VALUE_STRING) && has_control(v->str.s, v->str.len);

    for (size_t i = 0; i < value_count(v) && !found; i++) {
        const struct member *m = v->type == VALUE_MAP ? &v->map.members[i] : NULL;

        found = (m && (operator_word(m->key) || has_control(m->key, strlen(m->key)))) ||
                is_suspect(m ? m->value : v->list.items[i]);
    }
    return found;
}

/* The document as its schema is to judge it, with all faults told that are no question of its schema. As good as every
 * one is taken as it was read: a copy of each would double an estate. */
static const struct value *refused_told(const struct resolver *r, const char *schema, const struct value *raw)
{
    struct value *checked;

    if (str_eq(value_str_at(raw, "apiVersion"), API_VERSION) && !is_suspect(raw))
        return raw;
    checked = value_copy(r->arena, raw);
    /* What is wrong with its version has been said; all else that is wrong is said at once. */
    value_set_string(r->arena, checked, "apiVersion", API_VERSION);
    operator_fields_refuse(r, schema, "", checked);
    controls_refuse(r, "", checked);
    return checked;
}

static void draft_read(const struct resolver *r, const char *kind, const struct value *raw, struct draft *ret)
{
    size_t before = r->diags->n_errors;
    const struct value *checked, *name;
    struct document *doc = &ret->document;

    ret->schema = arena_printf(r->arena, "%s.json", kind);
    checked = refused_told(r, ret->schema, raw);
    schema_check(r->schemas, ret->schema, checked, r->diags);
    if (holds_template(checked))
        templates_tell(r, "", checked);
    ret->faulty = r->diags->n_errors > before;
    doc->root = schema_with_defaults(r->arena, r->schemas, ret->schema, checked);
    name = value_at(doc->root, "metadata.name");
    if (!ret->faulty && !(value_str(name) && *value_str(name))) {
        diags_add(r->diags, SEVERITY_ERROR, name ? value_origin(name) : value_origin(raw),
                  "write metadata: {name: …}",
                  "the document has no name");
        ret->faulty = true;
    }
    doc->faulty = ret->faulty;
    doc->kind = kind;
    doc->name = value_str(name) ? value_str(name) : "";
    doc->address = arena_printf(r->arena, "%s/%s", kind, doc->name);
    doc->spec = value_get(doc->root, "spec");
    doc->labels = value_at(doc->root, "metadata.labels");
    doc->origin = *value_origin(raw);
    annotations_read(r, doc);
}

void drafts_read(struct resolver *r, const struct value *docs)
{
    size_t n = value_count(docs), at = 0;
    const char **kinds = arena_array(r->arena, const char *, n + 1);

    for (size_t i = 0; i < n; i++) {
        const struct value *raw = value_item(docs, i);

        if (value_is(raw, VALUE_MAP))
            kinds[i] = kind_read(r, raw);
        else
            diags_add(r->diags, SEVERITY_ERROR, value_origin(raw),
                      "write a map with apiVersion, kind, metadata and spec", "the document is %s",
                      value_type_name(raw->type));
        r->count += kinds[i] != NULL;
    }
    r->drafts = arena_array(r->arena, struct draft, r->count + 1);
    for (size_t k = 0; r->kinds[k]; k++)
        for (size_t i = 0; i < n; i++) {
            if (kinds[i] != r->kinds[k])
                continue;
            r->drafts[at].document.index = at;
            draft_read(r, kinds[i], value_item(docs, i), &r->drafts[at++]);
        }
}
