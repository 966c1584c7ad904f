/* Knows which documents a selector means, and which bear on them. Must not know what any kind means beyond its name. */
#include "selection.h"

#include "../reconciler/base/text.h"

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
    kept->origin = restores->origin;
    value_set(a, value_get(part, "spec"), "restores", kept);
    return part;
}

static bool is_grant(const struct document *doc)
{
    return str_eq(doc->kind, "KeyAccess") || str_eq(doc->kind, "RoleAssignment") ||
           str_eq(doc->kind, "ManagedHsmRoleAssignment");
}

/* Nothing that is restored refers to its grants, and without them it is refused: they belong to what is selected. Those
 * of another set on the same key do not. */
static bool grant_is_needed(const struct document *grant, const bool *marked)
{
    bool of_sets = false, of_key = false;

    for (size_t i = 0; i < grant->n_references; i++) {
        const struct document *target = grant->references[i].target;

        if (!target)
            continue;
        if (str_eq(target->kind, "DiskEncryptionSet")) {
            of_sets = true;
            if (marked[target->index])
                return true;
        }
        of_key = of_key || (str_eq(target->kind, "Key") && marked[target->index]);
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

static bool *choose(struct arena *a, const struct desired *d, const char *selector)
{
    bool *chosen = arena_array(a, bool, d->count + 1);

    for (size_t i = 0; i < d->count; i++)
        if (!str_eq(d->documents[i]->kind, "Policy") && document_selected(d->documents[i], selector))
            mark_with_references(d->documents[i], chosen);
    for (size_t i = 0; restores_any(d, chosen) && i < d->count; i++)
        if (is_grant(d->documents[i]) && grant_is_needed(d->documents[i], chosen))
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
            for (size_t k = 0; k < doc->n_referrers; k++) {
                const struct document *referrer = doc->referrers[k];

                if (loaded[referrer->index] || joins_nothing(referrer))
                    continue;
                mark_with_references(referrer, loaded);
                more = true;
            }
        }
    }
    for (size_t i = 0; i < d->count; i++)
        loaded[i] = loaded[i] || chosen[i] ||
                    (str_eq(d->documents[i]->kind, "Activation") && references_marked(d->documents[i], loaded));
    return loaded;
}

/* Resolved again from the raw documents, so that the numbers of the documents have no gaps. */
const struct desired *selection_make(struct arena *a, const struct schemas *schemas, const char *const *kinds,
                                     const struct desired *all, const char *selector, struct diags *diags)
{
    const bool *chosen = choose(a, all, selector), *loaded = with_bearing(a, all, chosen);
    struct value *raw = value_list(a);
    const struct desired *part;
    bool *beside;
    size_t n = 0;

    for (size_t i = 0; i < value_count(all->raw); i++) {
        struct value *one = value_item(all->raw, i);
        const struct document *doc = desired_find(all, value_str_at(one, "kind"), value_str_at(one, "metadata.name"));

        if (!doc || !loaded[doc->index])
            continue;
        value_push(a, raw, str_eq(doc->kind, "Activation") ? order_part(a, one, all, loaded) : one);
        n += chosen[doc->index] && !str_eq(doc->kind, "Policy");
    }
    if (!n) {
        const struct origin nowhere = {0};

        diags_add(diags, SEVERITY_ERROR, &nowhere, "labels stand under metadata.labels",
                  "no document has the labels %s", selector);
        return NULL;
    }
    part = desired_resolve(a, schemas, kinds, raw, diags);
    beside = arena_array(a, bool, part->count + 1);
    for (size_t i = 0; i < part->count; i++) {
        const struct document *doc = part->documents[i], *was = desired_find(all, doc->kind, doc->name);

        beside[i] = was && !chosen[was->index];
    }
    return desired_with_beside(a, part, beside);
}
