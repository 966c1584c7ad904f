/* Knows where grants that are declared act, and until when they may not act yet. Must not know what a restore makes of
 * them. */
#include "grants.h"

#include <string.h>

#include "../documents/found.h"
#include "rights.h"
#include "set_identity.h"

#define SOURCE_ROLES "Microsoft Learn, troubleshoot Azure RBAC: role assignments take up to 10 minutes"
#define SOURCE_POLICIES                                                                                                \
    "Microsoft Learn, Key Vault common error codes: access policies act almost at once, allow minutes"
#define SOURCE_LOCAL "until it acts in every region of the HSM: Microsoft Learn, Managed HSM multi-region replication"

/* --- where they act ----------------------------------------------------------------------------------------------- */

static const char *const single[] = {"KeyVaultAccessPolicy", "RoleAssignment", "ManagedHsmRoleAssignment"};

bool grant_is_single(const struct document *doc)
{
    for (size_t i = 0; i < COUNT(single); i++)
        if (str_eq(doc->kind, single[i]))
            return true;
    return false;
}

/* The narrowest thing that a field names: of a key in a store, the key. */
static const char *named_at(const struct document *doc, const char *path)
{
    const struct document *target = document_target(doc, path);
    const char *found = NULL;

    for (size_t i = 0; i < doc->n_speaks_of; i++)
        if (str_eq(doc->speaks_of[i].path, path))
            found = doc->speaks_of[i].thing;
    return target ? target->stands_for : found;
}

static const char *place_of(const struct document *doc)
{
    const char *scope;

    if (str_eq(doc->kind, "KeyAccess"))
        return named_at(doc, "spec.key");
    if (str_eq(doc->kind, "KeyVaultAccessPolicy"))
        return named_at(doc, "spec.vault");
    scope = named_at(doc, "spec.scope");
    return scope || !str_eq(doc->kind, "ManagedHsmRoleAssignment") ? scope : named_at(doc, "spec.hsm");
}

bool grant_is_wide(const struct document *doc)
{
    return str_eq(doc->kind, "RoleAssignment") && !str_find_nocase(value_str_at(doc->spec, "scope"), "/providers/");
}

#define WIDE "wide"

static void put_place(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    (void)v;
    (void)a;
    if (str_eq(doc->kind, "KeyAccess") || grant_is_single(doc))
        index_put(x, grant_is_wide(doc) ? WIDE : place_of(doc), doc);
}

static const struct view_names by_place = {.declared = true, .put = put_place};

static bool lies_under(const char *id, const char *scope)
{
    size_t n = scope ? strlen(scope) : 0;

    n -= n && scope[n - 1] == '/';
    return id && n && strlen(id) > n && str_eq_nocase_n(id, scope, n) && id[n] == '/';
}

const struct document *const *grants_at(const struct view *v, const struct grant_place *place, size_t *ret_count)
{
    const char *const names[] = {place->key, place->store, place->account, place->store_id ? WIDE : NULL};
    const struct document **all = NULL;

    *ret_count = 0;
    for (size_t i = 0; i < COUNT(names); i++)
        for (const struct index_entry *at = view_find(v, &by_place, names[i]); at; at = at->next) {
            const struct document *doc = at->thing;

            if (!grant_is_wide(doc) || lies_under(place->store_id, value_str_at(doc->spec, "scope")))
                arena_push(v->arena, all, *ret_count, doc);
        }
    return all;
}

bool grant_is_of_keys(const struct view *v, const struct document *doc)
{
    const char *declared = value_str_at(doc->spec, "role"), *scope = value_str_at(doc->spec, "scope");
    const struct index_entry *at = NULL;

    return role_by_name(declared) || role_by_id(declared) || restored_through_next(v, scope, &at) ||
           (!grant_is_wide(doc) && str_find_nocase(scope, "/providers/Microsoft.KeyVault/"));
}

/* --- until they act ----------------------------------------------------------------------------------------------- */

int64_t grant_delay_ms(const struct view *v, enum grant_model model)
{
    return model == GRANT_LOCAL  ? v->settings->hsm_role_delay_ms
           : model == GRANT_ROLE ? v->settings->role_delay_ms
                                 : v->settings->policy_delay_ms;
}

struct step *grant_wait(const struct view *v, const struct document *doc, struct steps *out, enum grant_model model,
                        bool granting, int64_t since)
{
    int64_t delay = grant_delay_ms(v, model), left;
    struct step *step;

    /* A time to come is no time at which a grant was made: it is counted from now. */
    since = since > v->now_ms ? v->now_ms : since;
    left = since == TIME_NONE ? 0 : since + delay - v->now_ms;
    if (!granting && left <= 0)
        return NULL;
    step = steps_add(out, doc, ACTION_WAIT, NULL,
                     granting ? "a grant acts up to %s after it was made%s"
                              : "the newest grant acts by %s at the latest%s",
                     duration_format(v->arena, granting ? delay : left), granting ? "" : " from now");
    step->precondition = "the grants were read back";
    step->postcondition = "the documented propagation time has passed since the newest grant";
    step->estimate_ms = granting ? delay : left;
    step->estimate_source = model == GRANT_LOCAL ? SOURCE_LOCAL : model == GRANT_ROLE ? SOURCE_ROLES : SOURCE_POLICIES;
    step->unverified = "that the grants act by then: reading back proves them for ourselves only";
    return step;
}

void grant_wait_single(const struct view *v, const struct document *doc, struct steps *out, enum grant_model model,
                       const struct step *grant, const char *object_id, int64_t since)
{
    struct step *wait = grant_wait(v, doc, out, model, grant != NULL, since);

    if (!wait)
        return;
    if (grant)
        step_need(out, wait, grant->id);
    set_after_grant(v, out, object_id, wait);
}

int grant_wait_act(struct call *c, const struct actor *actor, struct err *err)
{
    if (actor->step->estimate_ms <= 0)
        return 0;
    actor_say(actor, "waiting %s until the grants act, by %s",
              duration_format(actor->arena, actor->step->estimate_ms),
              time_format(actor->arena, (call_now_ms(c) + actor->step->estimate_ms) / SECOND_MS * SECOND_MS));
    return actor_wait(actor, c, actor->step->estimate_ms, "grants to act", err);
}

/* --- what they rely on -------------------------------------------------------------------------------------------- */

/* Of several documents of one thing one that is not blocked will do: they are versions of one key. */
static const struct document *declared_as(const struct view *v, const struct document *grant, const char *thing)
{
    const struct document *found = NULL;

    for (const struct index_entry *at = index_find(v->desired->by_thing, thing); at; at = at->next) {
        const struct document *doc = at->thing;

        if (!str_eq_nocase(doc->stands_for, thing) || doc->index >= grant->index)
            continue;
        if (!found || view_prospect(v, found) == PROSPECT_BLOCKED)
            found = doc;
    }
    return found;
}

void grant_needs_place(const struct view *v, struct steps *out, struct step *grant)
{
    const struct document *doc = grant->document;

    for (size_t i = 0; i < doc->n_speaks_of; i++)
        if (!str_ends_nocase(doc->speaks_of[i].path, "diskEncryptionSet"))
            view_need(v, out, grant, declared_as(v, doc, doc->speaks_of[i].thing));
}
