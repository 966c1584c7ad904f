/* Knows how checked documents become an estate: what each field names, and in which order they can be looked at. Must
 * not know what any kind means; the table of kinds and their schemas say. */
#include "desired.h"

#include "drafts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "expand.h"
#include "graph.h"
#include "implied.h"

/* --- names -------------------------------------------------------------------------------------------------------- */

static int draft_before(const void *a, const void *b)
{
    const struct draft *const *x = a, *const *y = b;
    int by_name = strcmp((*x)->document.name, (*y)->document.name);

    return by_name ? by_name
                   : ((*x)->document.index > (*y)->document.index) - ((*x)->document.index < (*y)->document.index);
}

static void names_index(struct resolver *r)
{
    r->by_name = arena_array(r->arena, struct draft *, r->count + 1);
    for (size_t i = 0; i < r->count; i++)
        r->by_name[i] = &r->drafts[i];
    qsort(r->by_name, r->count, sizeof(*r->by_name), draft_before);
    for (size_t i = 1, first = 0; i < r->count; i++) {
        const struct document *a = &r->by_name[first]->document, *b = &r->by_name[i]->document;

        if (!*b->name || !str_eq(a->address, b->address)) {
            first = i;
            continue;
        }
        diags_add(r->diags, SEVERITY_ERROR, &b->origin,
                  "keep one of the two, with what both say, or give one of them another name",
                  "%s is declared twice: first at %s:%d:%d", b->address, a->origin.file ? a->origin.file : "(no file)",
                  a->origin.line, a->origin.column);
    }
}

/* The first place in by_name that is not before `name`. */
static size_t names_from(const struct resolver *r, const char *name)
{
    size_t low = 0, high = r->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(r->by_name[middle]->document.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* --- references --------------------------------------------------------------------------------------------------- */

static bool kind_fits(const struct value *ref_kinds, const char *kind)
{
    for (size_t i = 0; i < value_count(ref_kinds); i++)
        if (str_eq(value_str(value_item(ref_kinds, i)), kind))
            return true;
    return false;
}

static const char *kinds_words(struct arena *a, const struct value *ref_kinds)
{
    const char *words = "";
    size_t n = value_count(ref_kinds);

    for (size_t i = 0; i < n; i++)
        words = arena_printf(a, "%s%s%s", words,
                             i == 0       ? ""
                             : i + 1 == n ? " or "
                                          : ", ",
                             value_str(value_item(ref_kinds, i)));
    return words;
}

/* A document that has lost its kind or its name may be the one that is meant: its own fault has been told, and this
 * would be a consequence. */
static bool may_be_told(const struct resolver *r, const char *name, const struct value *ref_kinds)
{
    size_t nameless = names_from(r, "");

    for (size_t i = 0; i < r->n_strays; i++)
        if ((!r->strays[i].name || str_eq(r->strays[i].name, name)) &&
            (!r->strays[i].near || kind_fits(ref_kinds, r->strays[i].near)))
            return true;
    for (size_t i = nameless; i < r->count && !*r->by_name[i]->document.name; i++)
        if (kind_fits(ref_kinds, r->by_name[i]->document.kind))
            return true;
    return false;
}

static void dangling_report(const struct resolver *r, const char *path, const struct value *at,
                            const struct value *ref_kinds)
{
    const char **names = NULL, *near, *other = NULL;
    size_t count = 0, place = names_from(r, at->str.s);

    /* What is only counted needs no words: looking for them would take a second look at every name. */
    for (size_t i = 0; i < r->count && !diags_full(r->diags); i++)
        if (kind_fits(ref_kinds, r->drafts[i].document.kind))
            arena_push(r->arena, names, count, r->drafts[i].document.name);
    arena_push(r->arena, names, count, NULL);
    near = did_you_mean(at->str.s, names);
    if (place < r->count && str_eq(r->by_name[place]->document.name, at->str.s))
        other = r->by_name[place]->document.address;
    diags_add(r->diags, SEVERITY_ERROR, value_origin(at),
              near ? arena_printf(r->arena, "did you mean \"%s\"?", near)
                   : "declare it, or write {id: …} or {url: …} of something not declared here",
              "%s: there is no %s named \"%s\"%s", path, kinds_words(r->arena, ref_kinds), at->str.s,
              other ? arena_printf(r->arena, " (%s is of another kind)", other) : "");
}

static struct draft *name_resolve(const struct resolver *r, const char *path, const struct value *at,
                                  const struct value *ref_kinds)
{
    struct draft *found = NULL;

    for (size_t i = names_from(r, at->str.s); i < r->count && str_eq(r->by_name[i]->document.name, at->str.s); i++) {
        struct draft *d = r->by_name[i];

        if (!kind_fits(ref_kinds, d->document.kind))
            continue;
        if (found && !str_eq(found->document.kind, d->document.kind)) {
            diags_add(r->diags, SEVERITY_ERROR, value_origin(at), "give one of them another name",
                      "%s: \"%s\" may be %s or %s", path, at->str.s, found->document.address, d->document.address);
            return found;
        }
        if (!found)
            found = d;
    }
    if (!found && !may_be_told(r, at->str.s, ref_kinds))
        dangling_report(r, path, at, ref_kinds);
    return found;
}

struct visiting {
    struct resolver *resolver;
    struct draft *draft;
};

static void reference_visit(void *ctx, const char *path, const struct value *at, const struct value *ref_kinds)
{
    struct visiting *v = ctx;
    struct resolver *r = v->resolver;
    struct reference ref = {.path = arena_strdup(r->arena, path), .origin = *value_origin(at)};

    /* A field that only takes something not declared here has no kinds; its schema has complained about a name. */
    if (value_is(at, VALUE_STRING) && !value_count(ref_kinds))
        return;
    if (value_is(at, VALUE_STRING)) {
        struct draft *target = name_resolve(r, path, at, ref_kinds);

        v->draft->document.faulty = v->draft->document.faulty || !target;
        if (!target)
            return;
        ref.target = &target->document;
        draft_referred(r->arena, target, v->draft);
    } else {
        ref.id = value_str_at(at, "id");
        ref.url = value_str_at(at, "url");
        if (!ref.id == !ref.url || value_count(at) != 1) {
            v->draft->document.faulty = true;
            if (!v->draft->faulty)
                diags_add(r->diags, SEVERITY_ERROR, value_origin(at),
                          "write the name of a document, {id: …} or {url: …}",
                          "%s is no reference%s%s", path, value_count(ref_kinds) ? " to " : "",
                          kinds_words(r->arena, ref_kinds));
            return;
        }
    }
    arena_push(r->arena, v->draft->references, v->draft->document.n_references, ref);
}

static void references_resolve(struct resolver *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct visiting v = {.resolver = r, .draft = &r->drafts[i]};

        schema_each_ref(r->schemas, r->drafts[i].schema, r->drafts[i].document.root, reference_visit, &v);
        r->drafts[i].document.references = r->drafts[i].references;
    }
}

/* --- order -------------------------------------------------------------------------------------------------------- */

static void cycle_report(const struct resolver *r, const size_t *cycle, size_t length)
{
    const struct document *first = &r->drafts[cycle[0]].document, *next = &r->drafts[cycle[1 % length]].document;
    const struct origin *origin = &first->origin;
    const char *path = "", *words = first->address;

    for (size_t i = 0; i < first->n_references; i++)
        if (first->references[i].target == next) {
            origin = &first->references[i].origin;
            path = first->references[i].path;
            break;
        }
    for (size_t i = 1; i <= length; i++)
        words = arena_printf(r->arena, "%s -> %s", words, r->drafts[cycle[i % length]].document.address);
    diags_add(r->diags, SEVERITY_ERROR, origin, "take one of these references out",
              "%s: documents refer to each other in a circle: %s", path, words);
}

static size_t levels_assign(struct resolver *r)
{
    struct graph *g = graph_new(r->arena, r->count);
    size_t *order = arena_array(r->arena, size_t, r->count + 1), levels = 0;
    const size_t *const *cycles, *lengths;

    for (size_t i = 0; i < r->count; i++) {
        const struct document *doc = &r->drafts[i].document;

        for (size_t j = 0; j < doc->n_references; j++)
            if (doc->references[j].target)
                graph_edge(g, i, doc->references[j].target->index);
        /* An implied document counts like a written one. */
        if (doc->connection)
            graph_edge(g, i, doc->connection->index);
    }
    if (!graph_order(g, order)) {
        size_t n = graph_cycles(g, &cycles, &lengths);

        for (size_t i = 0; i < n; i++)
            cycle_report(r, cycles[i], lengths[i]);
        return 0;
    }
    for (size_t i = 0; i < r->count; i++) {
        struct document *doc = &r->drafts[order[i]].document;

        doc->level = doc->connection ? doc->connection->level + 1 : 0;
        for (size_t j = 0; j < doc->n_references; j++)
            if (doc->references[j].target && doc->references[j].target->level >= doc->level)
                doc->level = doc->references[j].target->level + 1;
        if (doc->level >= levels)
            levels = doc->level + 1;
    }
    return levels;
}

/* Whoever suspends a store means the keys in it, too. What is referred to comes before in the estate. */
static void withheld_assign(const struct resolver *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct document *doc = &r->drafts[i].document;

        doc->withheld = doc->suspended || doc->observe_only ? doc : doc->connection ? doc->connection->withheld : NULL;
        for (size_t k = 0; r->naming->part_of && !doc->withheld && k < doc->n_references; k++)
            if (doc->references[k].target && r->naming->part_of(doc, &doc->references[k]))
                doc->withheld = doc->references[k].target->withheld;
    }
}

void desired_check(struct arena *a, const struct schemas *schemas, const char *const *kinds, const struct value *docs,
                   struct diags *diags)
{
    struct resolver r = {.arena = a, .schemas = schemas, .kinds = kinds, .diags = diags};

    drafts_read(&r, docs);
}

const struct desired *desired_resolve(struct arena *a, const struct schemas *schemas, const struct naming *naming,
                                      const struct value *docs, struct diags *diags)
{
    struct resolver r = {.arena = a, .schemas = schemas, .kinds = naming->kinds, .naming = naming, .diags = diags};
    struct desired *d = arena_new_of(a, struct desired);
    const struct document **documents;

    d->raw = documents_expand(a, schemas, docs, diags);
    drafts_read(&r, d->raw);
    names_index(&r);
    references_resolve(&r);
    implied_assign(&r);
    naming_resolve(&r);
    for (size_t i = 0; i < r.count; i++)
        r.drafts[i].document.referrers = r.drafts[i].referrers;
    withheld_assign(&r);
    d->levels = levels_assign(&r);
    documents = arena_array(a, const struct document *, r.count + 1);
    d->by_kind = index_new(a, INDEX_EXACT);
    d->by_address = index_new(a, INDEX_EXACT);
    d->by_thing = index_new(a, INDEX_NOCASE);
    for (size_t i = 0; i < r.count; i++) {
        documents[i] = &r.drafts[i].document;
        index_put(d->by_kind, documents[i]->kind, documents[i]);
        index_put(d->by_address, documents[i]->address, documents[i]);
        index_put(d->by_thing, documents[i]->stands_for, documents[i]);
        for (size_t k = 0; k < documents[i]->n_speaks_of; k++)
            index_put(d->by_thing, documents[i]->speaks_of[k].thing, documents[i]);
    }
    d->documents = documents;
    d->count = r.count;
    return d;
}

bool desired_sound(const struct desired *d, const struct document *doc)
{
    bool sound = !doc->faulty && d->levels && !(doc->connection && doc->connection->faulty);

    for (size_t i = 0; i < doc->n_references; i++)
        sound = sound && !(doc->references[i].target && doc->references[i].target->faulty);
    for (size_t i = 0; i < doc->n_referrers; i++)
        sound = sound && !doc->referrers[i]->faulty;
    return sound;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

const struct document *desired_find(const struct desired *d, const char *kind, const char *name)
{
    char address[512];
    const struct document *found;

    if (!kind || !name)
        return NULL;
    if (snprintf(address, sizeof(address), "%s/%s", kind, name) < (int)sizeof(address))
        return index_get(d->by_address, address);
    for (const struct index_entry *at = NULL; (found = desired_next(d, kind, &at));)
        if (str_eq(found->name, name))
            return found;
    return NULL;
}

const struct document *desired_next(const struct desired *d, const char *kind, const struct index_entry **at)
{
    *at = *at ? (*at)->next : index_find(d->by_kind, kind);
    return *at ? (*at)->thing : NULL;
}

bool desired_beside(const struct desired *d, const struct document *doc)
{
    return d->beside && d->beside[doc->index];
}

const struct desired *desired_with_beside(struct arena *a, const struct desired *d, const bool *beside)
{
    struct desired *ret = arena_new_of(a, struct desired);

    *ret = *d;
    ret->beside = beside;
    return ret;
}
