/* Knows the forms in which Azure shows the identity of a disk encryption set. Must not know what it is granted. */
#include "set_identity.h"

#include "../azure/shared.h"

static const struct value *assigned_first(const struct value *live, const char **ret_id)
{
    const struct value *all = value_at(live, "identity.userAssignedIdentities");

    if (!value_is(all, VALUE_MAP) || !all->map.count)
        return NULL;
    *ret_id = all->map.members[0].key;
    return all->map.members[0].value;
}

static bool has_system(const struct value *live)
{
    const char *type = value_str_at(live, "identity.type");

    return type ? str_find_nocase(type, "SystemAssigned") != NULL : value_str_at(live, "identity.principalId") != NULL;
}

const char *set_principal(const struct value *live)
{
    const char *id;

    return has_system(live) ? value_str_at(live, "identity.principalId")
                            : value_str_at(assigned_first(live, &id), "principalId");
}

bool set_acts_by_user_assigned(const struct document *doc, const struct value *live)
{
    const char *type = live  ? value_str_at(live, "identity.type")
                       : doc ? value_str_at(doc->spec, "identity.type")
                             : NULL;

    return type && str_find_nocase(type, "UserAssigned") && !str_find_nocase(type, "SystemAssigned");
}

static bool declares_system(const struct document *doc)
{
    const char *want = doc ? value_str_at(doc->spec, "identity.type") : NULL;

    return want && str_find_nocase(want, "SystemAssigned");
}

/* The user-assigned identity that is declared to act where no system-assigned one does: the first; NULL: none is. */
static const char *assigned_declared(const struct document *doc)
{
    return doc && set_acts_by_user_assigned(doc, NULL)
               ? value_str(value_item(value_at(doc->spec, "identity.userAssigned"), 0))
               : NULL;
}

/* By whom the set will act once its own steps are done: what it has is never taken away, and a system-assigned identity
 * comes before the user-assigned ones. */
static bool will_act_by_assigned(const struct document *doc, const struct value *live)
{
    if (has_system(live) || declares_system(doc))
        return false;
    return assigned_declared(doc) || set_acts_by_user_assigned(doc, live);
}

bool set_identity_comes(const struct document *doc, const struct value *live)
{
    return live && declares_system(doc) && !has_system(live);
}

struct value *set_identity_body(struct arena *a, const struct document *doc)
{
    struct value *identity = value_map(a);
    const struct value *assigned = value_at(doc->spec, "identity.userAssigned");
    const char *type = value_str_at(doc->spec, "identity.type");

    value_set_string(a, identity, "type", type ? type : "SystemAssigned");
    if (value_count(assigned)) {
        struct value *map = value_set(a, identity, "userAssignedIdentities", value_map(a));

        for (size_t i = 0; i < value_count(assigned); i++)
            value_set(a, map, value_str(value_item(assigned, i)), value_map(a));
    }
    return identity;
}

static bool holds(const struct value *live, const char *id)
{
    const struct value *all = value_at(live, "identity.userAssignedIdentities");

    for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.count; i++)
        if (arm_id_equal(all->map.members[i].key, id))
            return true;
    return false;
}

struct value *set_identity_wanted(struct arena *a, const struct document *doc, const struct value *live)
{
    const char *want = value_str_at(doc->spec, "identity.type"), *have = value_str_at(live, "identity.type");
    const struct value *assigned = value_at(doc->spec, "identity.userAssigned");
    bool system = have && str_find_nocase(have, "SystemAssigned"), user = have && str_find_nocase(have, "UserAssigned");
    bool lacks = want && str_find_nocase(want, "SystemAssigned") && !system;
    struct value *identity = value_map(a), *map = value_map(a);

    for (size_t i = 0; i < value_count(assigned); i++)
        if (!holds(live, value_str(value_item(assigned, i))))
            value_set(a, map, value_str(value_item(assigned, i)), value_map(a));
    if (!want || (!lacks && !value_count(map)))
        return NULL;
    system = system || lacks;
    user = user || value_count(map);
    value_set_string(a, identity, "type",
                     system && user ? "SystemAssigned, UserAssigned"
                     : system       ? "SystemAssigned"
                                    : "UserAssigned");
    if (value_count(map))
        value_set(a, identity, "userAssignedIdentities", map);
    return identity;
}

/* --- observing ---------------------------------------------------------------------------------------------------- */

static int read_assigned(struct call *c, struct azure *az, struct arena *a, const char *id, const char **ret,
                         struct value *facts, struct err *err)
{
    struct value *live, *seen;

    *ret = NULL;
    if (arm_get(az, c, a, id, API_IDENTITY, &live, err) == 0) {
        *ret = value_str_at(live, "properties.principalId");
        return 0;
    }
    value_set_string(a, facts, "identityId", id);
    /* If Azure refuses this question, only this set is affected. */
    if (err->http_status >= 400 && err->http_status < 500 && err->class != ERR_NOT_FOUND && err->http_status != 403) {
        value_set_string(a, facts, "identityState", "unseen");
        value_set_string(a, facts, "identityWhy", err->text);
        return 0;
    }
    TRY(facts_from_error(a, "reading the managed identity", err, &seen));
    value_set_string(a, facts, "identityState", value_str_at(seen, "state"));
    value_set_string(a, facts, "identityWhy", value_str_at(seen, "why"));
    value_set_string(a, facts, "identityFix", value_str_at(seen, "fix"));
    return 0;
}

/* A set still names an identity that somebody has deleted, and its grants outlive it: only the identity's own resource
 * tells. One that cannot be read proves nothing, and is told. */
static int look_whether_there(struct call *c, struct azure *az, struct arena *a, const char *id, struct value *facts,
                              struct err *err)
{
    const struct value *live;
    struct value *seen;

    if (arm_get_shared(az, c, a, &(struct arm_wanted){.path = id, .api = API_IDENTITY, .since_ms = call_span_ms(c)},
                       &live, err) == 0)
        return 0;
    TRY(facts_from_error(a, "reading the managed identity", err, &seen));
    value_set_string(a, facts, str_eq(value_str_at(seen, "state"), "absent") ? "identityGone" : "identityUntold", id);
    if (!str_eq(value_str_at(seen, "state"), "absent"))
        value_set_string(a, facts, "identityUntoldWhy", value_str_at(seen, "why"));
    return 0;
}

/* The principal of an identity as the body of the set shows it; NULL: it does not hold it, or does not tell. */
static const char *principal_in(const struct value *live, const char *id)
{
    const struct value *all = value_at(live, "identity.userAssignedIdentities");

    for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.count; i++)
        if (arm_id_equal(all->map.members[i].key, id))
            return value_str_at(all->map.members[i].value, "principalId");
    return NULL;
}

/* The first that is known is by whom the set acts, as far as anybody can tell; `second`: that will be another one. */
static void add_principal(struct arena *a, struct value *facts, const char *principal, bool second)
{
    struct value *further = value_get(facts, "further");

    if (!principal)
        return;
    if (!second && !value_get(facts, "principalId")) {
        value_set_string(a, facts, "principalId", principal);
        return;
    }
    further = further ? further : value_set(a, facts, "further", value_list(a));
    value_push(a, further, value_string(a, principal));
}

static bool among(const struct value *list, const char *id)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (arm_id_equal(value_str(value_item(list, i)), id))
            return true;
    return false;
}

/* One that the set keeps: without a principal nobody can ask what it may do, so one that is deleted or cannot be read
 * is told as such. */
static int observe_kept(struct call *c, struct azure *az, struct arena *a, const char *id, const char *principal,
                        struct value *facts, struct err *err)
{
    struct value *one = value_map(a), *unread = value_map(a);
    const char *state;

    if (!value_get(facts, "kept"))
        value_set(a, facts, "kept", value_list(a));
    value_push(a, value_get(facts, "kept"), one);
    value_set_string(a, one, "identity", id);
    if (principal)
        TRY(look_whether_there(c, az, a, id, facts, err));
    else
        TRY(read_assigned(c, az, a, id, &principal, unread, err));
    state = value_str_at(unread, "identityState");
    if (state)
        value_set_string(a, facts, str_eq(state, "absent") ? "identityGone" : "identityUntold", id);
    if (state && !str_eq(state, "absent"))
        value_set_string(a, facts, "identityUntoldWhy", value_str_at(unread, "identityWhy"));
    value_set_string(a, one, "principalId", principal);
    return 0;
}

/* Those that the set has: all of them are its own where none is declared; else what is not declared stays beside. */
static int observe_had(struct call *c, struct azure *az, struct arena *a, const struct value *declared, bool own,
                       struct value *facts, struct err *err)
{
    const struct value *live = value_get(facts, "live"), *all = value_at(live, "identity.userAssignedIdentities");

    for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.count; i++) {
        const char *id = all->map.members[i].key, *principal = principal_in(live, id);

        if (among(declared, id))
            continue;
        if (!own) {
            TRY(observe_kept(c, az, a, id, principal, facts, err));
            continue;
        }
        if (!principal)
            TRY(read_assigned(c, az, a, id, &principal, facts, err));
        else
            TRY(look_whether_there(c, az, a, id, facts, err));
        add_principal(a, facts, principal, false);
    }
    return 0;
}

int set_identity_observe(struct call *c, struct azure *az, struct arena *a, const struct document *doc,
                         struct value *facts, struct err *err)
{
    const struct value *live = value_get(facts, "live"),
                       *declared = doc ? value_at(doc->spec, "identity.userAssigned") : NULL;
    bool unmade = !live && declares_system(doc);

    /* Beside a system-assigned identity a user-assigned one is a second: which of the two Azure uses nobody says. */
    if (has_system(live) || !set_acts_by_user_assigned(doc, live))
        add_principal(a, facts, set_principal(live), false);
    for (size_t i = 0; i < value_count(declared); i++) {
        const char *id = value_str(value_item(declared, i)), *principal = principal_in(live, id);

        if (!principal)
            TRY(read_assigned(c, az, a, id, &principal, facts, err));
        else
            TRY(look_whether_there(c, az, a, id, facts, err));
        add_principal(a, facts, principal, unmade);
    }
    return live && (has_system(live) || set_acts_by_user_assigned(doc, live))
               ? observe_had(c, az, a, declared, !declared && !(declares_system(doc) && has_system(live)), facts, err)
               : 0;
}

bool set_keeps_identity(const struct value *facts, const char *id)
{
    const struct value *kept = value_get(facts, "kept");

    for (size_t i = 0; i < value_count(kept); i++)
        if (arm_id_equal(value_str_at(value_item(kept, i), "identity"), id))
            return true;
    return false;
}

/* --- the order ---------------------------------------------------------------------------------------------------- */

/* Its identity is there whatever becomes of the set, so the grant does not wait for the set. */
bool set_grants_first(const struct document *des, const struct value *facts)
{
    const struct value *live = value_get(facts, "live");

    return des && (value_count(value_get(facts, "further")) || will_act_by_assigned(des, live) ||
                   (has_system(live) && value_count(value_get(facts, "kept"))));
}

static bool acts_by(const struct view *v, const struct document *des, const char *object_id)
{
    const struct value *facts = view_facts(v, des);

    const struct value *further = value_get(facts, "further"), *kept = value_get(facts, "kept");
    bool found = str_eq_nocase(value_str_at(facts, "principalId"), object_id);

    for (size_t i = 0; !found && i < value_count(further); i++)
        found = str_eq_nocase(value_str(value_item(further, i)), object_id);
    for (size_t i = 0; !found && i < value_count(kept); i++)
        found = str_eq_nocase(value_str_at(value_item(kept, i), "principalId"), object_id);
    return found;
}

/* Who grants what to the set or to a principal. */
static void put_granted(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc), *principals = value_get(facts, "principals");
    (void)a;

    if (str_eq(doc->kind, "DiskEncryptionSet") || str_eq(doc->kind, "RestoredVirtualMachine"))
        return;
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target && str_eq(doc->references[i].target->kind, "DiskEncryptionSet"))
            index_put(x, doc->references[i].target->address, doc);
    index_put(x, value_str_at(facts, "objectId"), doc);
    index_put(x, value_str_at(doc->spec, "objectId"), doc);
    for (size_t i = 0; i < value_count(principals); i++)
        index_put(x, value_str_at(value_item(principals, i), "objectId"), doc);
}

static const struct view_names by_granted = {.put = put_granted};

static void grants_beside(const struct view *v, const char *name)
{
    const struct index_entry *at = NULL;
    const struct document *doc;

    while (name && (doc = view_next(v, &by_granted, name, &at)))
        view_beside(v, doc);
}

void set_with_grants(const struct view *v, const struct document *des)
{
    const struct value *facts = view_facts(v, des), *further = value_get(facts, "further"),
                       *kept = value_get(facts, "kept");

    if (!v->demand || !set_grants_first(des, facts))
        return;
    grants_beside(v, des->address);
    grants_beside(v, value_str_at(facts, "principalId"));
    for (size_t i = 0; i < value_count(further); i++)
        grants_beside(v, value_str(value_item(further, i)));
    for (size_t i = 0; i < value_count(kept); i++)
        grants_beside(v, value_str_at(value_item(kept, i), "principalId"));
}

void set_after_grant(const struct view *v, struct steps *out, const char *object_id, const struct step *step)
{
    for (size_t i = 0; object_id && i < out->count; i++) {
        struct step *one = out->items[i];

        if (str_eq(one->document->kind, "DiskEncryptionSet") &&
            (one->action == ACTION_CREATE || one->action == ACTION_UPDATE) &&
            set_grants_first(one->document, view_facts(v, one->document)) && acts_by(v, one->document, object_id))
            step_need(out, one, step->id);
    }
}

void grant_for_set(const struct view *v, struct steps *out, struct step *grant, const struct document *des,
                   const char *object_id)
{
    if (set_grants_first(des, view_facts(v, des)) && object_id)
        step_serves(out, grant, des);
    else
        view_need(v, out, grant, des);
    set_after_grant(v, out, object_id, grant);
}
