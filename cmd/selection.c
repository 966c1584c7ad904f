/* Knows which documents labels and targets mean, and which bear on them. Must not know what any kind means beyond its
 * name. */
#include "selection.h"

#include <string.h>

#include "../providers/documents/things.h"
#include "../reconciler/base/text.h"
#include "../reconciler/model/selector.h"

struct selection {
    const struct selector *labels; /* NULL: none are given */
    const struct texts *targets;
};

static const struct origin nowhere;

int selection_read(struct arena *a, const struct options *o, const struct selection **ret, struct err *err)
{
    struct selection *s = arena_new_of(a, struct selection);

    *ret = NULL;
    s->targets = &o->targets;
    if (o->selector && selector_parse(a, o->selector, &s->labels, err) < 0)
        return -(int)err->class;
    if (o->selector || o->targets.count)
        *ret = s;
    return 0;
}

/* "key/payroll-os-key": kinds are written in any case, as other tools take them. */
static bool is_target(const struct document *doc, const char *target)
{
    size_t n = strcspn(target, "/");

    return target[n] && strlen(doc->kind) == n && str_starts_nocase(target, doc->kind) &&
           str_eq(target + n + 1, doc->name);
}

bool selection_means(const struct selection *s, const struct document *doc)
{
    bool meant = !s || (s->labels && selector_matches(s->labels, doc->labels));

    for (size_t i = 0; s && !meant && i < s->targets->count; i++)
        meant = is_target(doc, s->targets->items[i]);
    return meant;
}

const char *selection_words(struct arena *a, const struct options *o)
{
    const char *words = o->selector ? arena_printf(a, "has the labels %s", o->selector) : "";

    for (size_t i = 0; i < o->targets.count; i++)
        words = arena_printf(a, "%s%s%s", words, i ? ", " : *words ? " or is " : "is ", o->targets.items[i]);
    return words;
}

/* A target that is not there is refused: with a misspelt one nothing would be done, and it would look like success. */
static void targets_check(struct arena *a, const struct desired *d, const struct texts *targets, struct diags *diags)
{
    const char **names = arena_array(a, const char *, d->count + 1), *near;

    for (size_t i = 0; i < d->count; i++)
        names[i] = d->documents[i]->address;
    for (size_t i = 0; i < targets->count; i++) {
        size_t k = 0;

        while (k < d->count && !is_target(d->documents[k], targets->items[i]))
            k++;
        if (k < d->count)
            continue;
        near = did_you_mean(targets->items[i], names);
        for (k = 0; !near && !strchr(targets->items[i], '/') && k < d->count; k++)
            near = str_eq(d->documents[k]->name, targets->items[i]) ? d->documents[k]->address : NULL;
        diags_add(diags, SEVERITY_ERROR, &nowhere,
                  near ? arena_printf(a, "did you mean %s?", near) : "write KIND/NAME, as plan does",
                  "--target %s: there is no such document", targets->items[i]);
    }
}

static void mark_with_references(const struct document *doc, bool *marked)
{
    if (marked[doc->index])
        return;
    marked[doc->index] = true;
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target)
            mark_with_references(doc->references[i].target, marked);
    if (doc->connection)
        mark_with_references(doc->connection, marked);
}

/* An order belongs to the selection when something it names does. */
static bool references_marked(const struct document *doc, const bool *marked)
{
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target && marked[doc->references[i].target->index])
            return true;
    return false;
}

/* The part of an order that is loaded: left out as a whole, its machines would be told as ordered by nobody, and
 * ordered twice. */
static struct value *order_part(struct arena *a, const struct value *raw, const struct desired *all, const bool *marked)
{
    struct value *part = value_copy(a, raw), *kept = value_list(a);
    const struct value *restores = value_at(raw, "spec.restores");

    for (size_t i = 0; i < value_count(restores); i++) {
        const char *name = value_str_at(value_item(restores, i), "virtualMachine");
        const struct document *vm = desired_find(all, "RestoredVirtualMachine", name ? name : "");

        if (!vm || marked[vm->index])
            value_push(a, kept, value_copy(a, value_item(restores, i)));
    }
    kept->written = restores ? restores->written : NULL;
    value_set(a, value_get(part, "spec"), "restores", kept);
    return part;
}

static bool is_grant(const struct document *doc)
{
    return str_eq(doc->kind, "KeyAccess") || str_eq(doc->kind, "KeyVaultAccessPolicy") ||
           str_eq(doc->kind, "RoleAssignment") || str_eq(doc->kind, "ManagedHsmRoleAssignment");
}

/* A grant on the key, on its whole store, or on the account that it is restored through. */
static bool acts_on_it(const struct document *target)
{
    return str_eq(target->kind, "Key") || str_eq(target->kind, "KeyVault") || str_eq(target->kind, "ManagedHsm");
}

/* A marked document declares or speaks of that thing, too: of a key at an address, of a staging account. */
static bool thing_marked(const struct desired *d, const char *thing, const bool *marked)
{
    for (const struct index_entry *at = index_find(d->by_thing, thing); at; at = at->next) {
        const struct document *other = at->thing;

        if (marked[other->index] && !is_grant(other))
            return true;
    }
    return false;
}

/* A grant on a whole subscription or group in which something marked lies acts on that as well. */
static bool scope_holds_marked(const struct desired *d, const char *scope, const bool *marked)
{
    struct arena *a cleanup(arena_freep) = NULL;

    if (*scope != '/' || str_find_nocase(scope, "/providers/"))
        return false;
    a = arena_new();
    for (size_t i = 0; i < d->count; i++)
        if (marked[i] && !is_grant(d->documents[i]) && thing_lies_in(a, d->documents[i], scope))
            return true;
    return false;
}

/* Nothing that is restored refers to its grants, and without them it is refused: they belong to what is selected. Those
 * of another set on the same key do not. */
static bool grant_is_needed(const struct document *grant, const struct desired *d, const bool *marked)
{
    bool of_sets = false, of_key = false;

    for (size_t i = 0; i < grant->n_references; i++) {
        const struct document *target = grant->references[i].target;

        if (target && str_eq(target->kind, "DiskEncryptionSet")) {
            of_sets = true;
            if (marked[target->index])
                return true;
        }
        of_key = of_key || (target && marked[target->index] && acts_on_it(target));
    }
    for (size_t i = 0; i < grant->n_speaks_of; i++) {
        bool same = thing_marked(d, grant->speaks_of[i].thing, marked),
             of_set = str_ends_nocase(grant->speaks_of[i].path, "diskEncryptionSet");

        if (of_set && same)
            return true;
        of_sets = of_sets || of_set;
        of_key = of_key || (!of_set && (same || scope_holds_marked(d, grant->speaks_of[i].thing, marked)));
    }
    return of_key && !of_sets;
}

static bool restores_any(const struct desired *d, const bool *marked)
{
    for (size_t i = 0; i < d->count; i++)
        if (marked[i] && str_eq(d->documents[i]->kind, "RestoredVirtualMachine"))
            return true;
    return false;
}

static bool *choose(struct arena *a, const struct desired *d, const struct selection *selection)
{
    bool *chosen = arena_array(a, bool, d->count + 1);

    for (size_t i = 0; i < d->count; i++)
        if (!str_eq(d->documents[i]->kind, "Policy") && selection_means(selection, d->documents[i]))
            mark_with_references(d->documents[i], chosen);
    for (size_t i = 0; restores_any(d, chosen) && i < d->count; i++)
        if (is_grant(d->documents[i]) && grant_is_needed(d->documents[i], d, chosen))
            mark_with_references(d->documents[i], chosen);
    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        if (str_eq(doc->kind, "Policy") || (str_eq(doc->kind, "Activation") && references_marked(doc, chosen)))
            chosen[i] = true;
    }
    return chosen;
}

/* What many documents name that have nothing to do with each other. */
static bool joins_nothing(const struct document *doc)
{
    return str_eq(doc->kind, "Azure") || str_eq(doc->kind, "Policy") || str_eq(doc->kind, "Activation") ||
           str_eq(doc->kind, "RecoveryServicesVault");
}

static bool speaks_apart(const struct document *doc, const char *thing)
{
    for (size_t i = 0; i < doc->n_speaks_of; i++)
        if (str_eq_nocase(doc->speaks_of[i].thing, thing))
            return doc->speaks_of[i].apart;
    return false;
}

/* What declares or speaks of the same thing is tied to `doc` as well, however each writes it. true: there was more. */
static bool mark_of_thing(const struct desired *d, const struct document *doc, const char *thing, bool *loaded)
{
    bool apart = speaks_apart(doc, thing), more = false;

    for (const struct index_entry *at = index_find(d->by_thing, thing); at; at = at->next) {
        const struct document *other = at->thing;

        if (loaded[other->index] || joins_nothing(other) || (apart && speaks_apart(other, thing)))
            continue;
        mark_with_references(other, loaded);
        more = true;
    }
    return more;
}

static bool mark_referrers(const struct document *doc, bool *loaded)
{
    bool more = false;

    for (size_t k = 0; k < doc->n_referrers; k++) {
        const struct document *referrer = doc->referrers[k];

        if (loaded[referrer->index] || joins_nothing(referrer))
            continue;
        mark_with_references(referrer, loaded);
        more = true;
    }
    return more;
}

/* The chosen ones and all that is tied to them through a store, a key, a set or a machine; then the orders of these. */
static bool *with_bearing(struct arena *a, const struct desired *d, const bool *chosen)
{
    bool *loaded = arena_array(a, bool, d->count + 1);
    bool more = true;

    for (size_t i = 0; i < d->count; i++)
        if (chosen[i] && !str_eq(d->documents[i]->kind, "Activation"))
            mark_with_references(d->documents[i], loaded);
    while (more) {
        more = false;
        for (size_t i = 0; i < d->count; i++) {
            const struct document *doc = d->documents[i];

            if (!loaded[i] || joins_nothing(doc))
                continue;
            more = mark_referrers(doc, loaded) || more;
            more = mark_of_thing(d, doc, doc->stands_for, loaded) || more;
            for (size_t k = 0; k < doc->n_speaks_of; k++)
                more = mark_of_thing(d, doc, doc->speaks_of[k].thing, loaded) || more;
        }
    }
    for (size_t i = 0; i < d->count; i++)
        loaded[i] = loaded[i] || chosen[i] ||
                    (str_eq(d->documents[i]->kind, "Activation") && references_marked(d->documents[i], loaded));
    return loaded;
}

/* Resolved again from the raw documents, so that the numbers of the documents have no gaps. */
const struct desired *selection_make(struct arena *a, const struct schemas *schemas, const struct naming *naming,
                                     const struct desired *all, const struct options *o, struct diags *diags)
{
    const struct selection *selection;
    const bool *chosen, *loaded;
    struct value *raw = value_list(a);
    const struct desired *part;
    bool *beside;
    struct err err;
    size_t n = 0, before = diags->n_errors;

    if (selection_read(a, o, &selection, &err) < 0)
        diags_add(diags, SEVERITY_ERROR, &nowhere, NULL, "--selector: %s", err.text);
    targets_check(a, all, &o->targets, diags);
    if (diags->n_errors > before)
        return NULL;
    chosen = choose(a, all, selection);
    loaded = with_bearing(a, all, chosen);
    for (size_t i = 0; i < value_count(all->raw); i++) {
        struct value *one = value_item(all->raw, i);
        const struct document *doc = desired_find(all, value_str_at(one, "kind"), value_str_at(one, "metadata.name"));

        if (!doc || !loaded[doc->index])
            continue;
        value_push(a, raw, str_eq(doc->kind, "Activation") ? order_part(a, one, all, loaded) : one);
        n += chosen[doc->index] && !str_eq(doc->kind, "Policy");
    }
    if (!n) {
        diags_add(diags, SEVERITY_ERROR, &nowhere, "labels stand under metadata.labels",
                  "no document %s", selection_words(a, o));
        return NULL;
    }
    part = desired_resolve(a, schemas, naming, raw, diags);
    beside = arena_array(a, bool, part->count + 1);
    for (size_t i = 0; i < part->count; i++) {
        const struct document *doc = part->documents[i], *was = desired_find(all, doc->kind, doc->name);

        beside[i] = was && !chosen[was->index];
    }
    return desired_with_beside(a, part, beside);
}
