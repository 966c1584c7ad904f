/* Knows the step that gives one principal what it needs of a key, or why there is none. Must not know how long grants
 * take to act. */
#include "key_access.h"

#include "key_access_local.h"
#include "../access/rights.h"
#include "../access/set_identity.h"

static char *join(struct arena *a, const struct value *list)
{
    char *text = arena_strdup(a, "");

    for (size_t i = 0; i < value_count(list); i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", value_str(value_item(list, i)));
    return text;
}

/* `anew`: the set's identity is about to be another one, which holds nothing. */
static struct step *steps_grant(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                                bool anew)
{
    const struct value *facts = view_facts(v, doc), *p = value_item(value_get(facts, "principals"), i);
    const struct key_rights *need = &key_rights[value_int_at(p, "user", 0)];
    const struct value *missing = anew ? NULL : value_get(p, "missing");
    const char *label = value_str_at(p, "label"), *vault = value_str_at(facts, "vaultId");
    bool rbac = key_access_by_rbac(v, doc);
    bool lost = missing && value_count(missing) == 0;
    struct step *step =
        steps_add(out, doc, ACTION_GRANT, label,
                  lost      ? "%s (%s) holds its rights on the key itself, they may not come back with it%s; else: %s"
                  : missing ? "%s (%s) lacks %s: %s"
                            : "%s (%s) will be a new identity without any right%s: %s",
                  need->who, label, missing ? join(v->arena, missing) : "", need->loses);

    step->scope = rbac && value_str_at(facts, "scope") ? value_str_at(facts, "scope") : vault;
    step->postcondition = "read back: the principal's effective rights hold all it needs";
    if (value_str_at(p, "idle"))
        step_note(out, step, "%s; it is left as it is", value_str_at(p, "idle"));
    step->estimate_ms = 5 * SECOND_MS;
    step->estimate_source = "recorded grants";
    key_access_identities(v, out, step, p, anew);
    if (rbac) {
        const struct role_facts *role = key_access_role(doc, i, (enum key_user)value_int_at(p, "user", 0));
        bool own = value_str_at(value_item(value_get(doc->spec, "principals"), i), "role") != NULL;

        step_change(out, step, "role", NULL, value_string(v->arena, role ? role->name : need->role),
                    own                                             ? "the role that is declared for it"
                    : value_int_at(p, "user", 0) == KEY_USER_BACKUP ? "the narrowest built-in role with read and backup"
                                                                    : NULL);
        step_writes(out, step, "PUT", "%s/providers/Microsoft.Authorization/roleAssignments/", step->scope);
        step_right(out, step, vault, "Microsoft.Authorization/roleAssignments/write", false,
                   "Role Based Access Control Administrator");
        if (value_int_at(p, "user", 0) == KEY_USER_BACKUP && !own)
            step->unverified = "that Azure Backup's own permission check accepts Key Vault Crypto User instead of Key "
                               "Vault Administrator";
    } else {
        struct value *permissions = value_list(v->arena);

        for (const char *const *q = need->policy; *q; q++)
            value_push(v->arena, permissions, value_string(v->arena, *q));
        step_change(out, step, "keyPermissions", NULL, permissions, "added to what the principal has");
        step_writes(out, step, "PUT", "%s/accessPolicies/add", vault);
        step_right(out, step, vault, "Microsoft.KeyVault/vaults/accessPolicies/write", false, "Key Vault Contributor");
    }
    return step;
}

static void put_grants(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc), *principals = value_get(facts, "principals");
    const char *scope = value_str_at(facts, "scope"), *id;

    for (size_t i = 0; scope && i < value_count(principals); i++) {
        id = value_str_at(value_item(principals, i), "objectId");
        if (id)
            index_put(x, arena_printf(a, "%s|%s", id, scope), doc);
    }
}

static const struct view_names by_grant = {.kind = "KeyAccess", .put = put_grants};

/* An earlier document that speaks of the same principal and scope. */
static const struct document *other_owner(const struct view *v, const struct document *doc, const char *object_id,
                                          const char *scope)
{
    const struct index_entry *first =
        object_id && scope ? view_find(v, &by_grant, arena_printf(v->arena, "%s|%s", object_id, scope)) : NULL;
    const struct document *d = first ? first->thing : NULL;

    return d && d->index < doc->index ? d : NULL;
}

/* It asks for the very rights that this one asks for: then the two share the grant. */
static bool shares(const struct view *v, const struct document *doc, size_t i, const struct document *other)
{
    const struct value *all = value_get(view_facts(v, other), "principals"),
                       *p = value_item(value_at(view_facts(v, doc), "principals"), i);
    const char *role = value_str_at(value_item(value_get(doc->spec, "principals"), i), "role");

    for (size_t j = 0; j < value_count(all); j++) {
        const struct value *q = value_item(all, j);
        const char *theirs = value_str_at(value_item(value_get(other->spec, "principals"), j), "role");

        if (str_eq_nocase(value_str_at(q, "objectId"), value_str_at(p, "objectId")) &&
            (value_int_at(q, "user", 0) != value_int_at(p, "user", 0) ||
             (role || theirs ? !str_eq_nocase(role, theirs) : false)))
            return false;
    }
    return true;
}

/* The step by which the other document makes the grant that both declare; NULL: none is due there. */
static struct step *shared_grant(const struct view *v, const struct document *other, const char *object_id)
{
    const struct value *all = value_get(view_facts(v, other), "principals");

    for (size_t j = 0; other && v->steps && j < value_count(all); j++)
        if (str_eq_nocase(value_str_at(value_item(all, j), "objectId"), object_id))
            return steps_find(v->steps, arena_printf(v->arena, "%s#grant.%s", other->address,
                                                     value_str_at(value_item(all, j), "label")));
    return NULL;
}

/* Grants on the key itself may not come back with it: whether they do, nobody says. True for a principal whose rights
 * hang on them while the key is about to be brought back. */
static bool may_be_lost(const struct view *v, const struct document *doc, const struct value *p)
{
    const struct document *key = document_target(doc, "spec.key");
    const struct value *facts = view_facts(v, doc), *all = value_get(facts, "assignments");
    const char *scope = value_str_at(facts, "scope");
    struct value *others = value_list(v->arena);
    int64_t ignored;

    if (!key || str_eq(view_state(v, key), "present") || view_prospect(v, key) != PROSPECT_PENDING)
        return false;
    if (key_access_by_hsm(doc))
        return local_access_may_be_lost(v, doc, p);
    if (!key_access_by_rbac(v, doc) || !scope || !str_find_nocase(scope, "/keys/"))
        return false;
    for (size_t i = 0; i < value_count(all); i++)
        if (!str_eq_nocase(value_str_at(value_item(all, i), "scope"), scope))
            value_push(v->arena, others, value_item(all, i));
    return value_count(others) < value_count(all) &&
           value_count(rbac_missing(v->arena, others, value_str_at(p, "objectId"),
                                    key_rights[value_int_at(p, "user", 0)].data_actions, &ignored)) > 0;
}

static bool held_on_condition(const struct view *v, const struct document *doc, const struct value *p, size_t i)
{
    const struct role_facts *role = key_access_role(doc, i, (enum key_user)value_int_at(p, "user", 0));
    const struct value *facts = view_facts(v, doc);

    return role && rbac_held_on_condition(value_get(facts, "assignments"), value_str_at(p, "objectId"), role->id,
                                          value_str_at(facts, "scope"));
}

/* A group holds the very role that is missed. Who is in it is not read here, so nobody can tell whether it is held. */
static const char *held_by_group(const struct view *v, const struct document *doc, const struct value *p, size_t i)
{
    const struct role_facts *role = key_access_role(doc, i, (enum key_user)value_int_at(p, "user", 0));

    return role && value_str_at(p, "objectId") ? rbac_group_with(value_get(view_facts(v, doc), "assignments"), role->id)
                                               : NULL;
}

/* The set's own steps give it a system-assigned identity: what the present one holds is no grant to the next. */
static bool identity_changes(const struct view *v, const struct document *des)
{
    bool comes = des && set_identity_comes(des, value_get(view_facts(v, des), "live"));
    const struct index_entry *at = NULL;
    const struct step *step;

    while (comes && (step = steps_next(v->steps, des, &at)))
        for (size_t k = 0; step->action == ACTION_UPDATE && k < step->n_changes; k++)
            if (str_eq(step->changes[k].path, "identity.type"))
                return true;
    return false;
}

bool key_access_after_set(const struct view *v, const struct document *doc, size_t i)
{
    const struct document *des =
        document_target(doc, arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", i));
    const struct value *p = value_item(value_get(view_facts(v, doc), "principals"), i);

    return des && (!value_str_at(p, "objectId") || identity_changes(v, des));
}

/* It holds what it needs, and keeps it. `anew`: its identity is about to be another one, which holds nothing. */
static bool holds_all(const struct view *v, const struct document *doc, const struct value *p, bool anew)
{
    const struct value *missing = value_get(p, "missing");

    return !anew && (key_access_by_hsm(doc) ? local_access_granted(p) : missing && value_count(missing) == 0) &&
           !may_be_lost(v, doc, p);
}

/* true: a block says why nothing can be granted to it. */
static bool block_unknown(const struct view *v, const struct document *doc, struct steps *out, const struct value *p,
                          const struct document *des)
{
    const char *object_id = value_str_at(p, "objectId"), *label = value_str_at(p, "label");

    if (value_str_at(p, "why") || (!object_id && !des)) {
        steps_block(out, doc, label, value_str_at(p, "why"),
                    object_id ? "what %s is to be granted cannot be found"
                              : "%s is not known here, so nothing can be granted to it",
                    label);
        return true;
    }
    if (object_id || view_prospect(v, des) == PROSPECT_PENDING)
        return false;
    steps_block(out, doc, label, arena_printf(v->arena, "see %s", des->address),
                str_eq(view_state(v, des), "unseen")
                    ? "the identity of %s cannot be seen, and neither can what it may do"
                    : "the identity of %s is not there to be granted anything",
                label);
    return true;
}

/* true: it may hold the role already, in a way that a grant of ours would not mend: a block says so. */
static bool block_held_otherwise(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                                 bool anew)
{
    const struct value *p = value_item(value_get(view_facts(v, doc), "principals"), i);
    const char *label = value_str_at(p, "label"), *who = key_rights[value_int_at(p, "user", 0)].who, *group;

    if (!key_access_by_rbac(v, doc))
        return false;
    if (held_on_condition(v, doc, p, i)) {
        steps_block(out, doc, label, "a person removes the condition, or that assignment", "%s (%s): %s", who, label,
                    value_str_at(p, "idle"));
        return true;
    }
    if (anew || !(group = held_by_group(v, doc, p, i)))
        return false;
    steps_block(out, doc, label,
                arena_printf(v->arena,
                             "look at the group's members: az ad group member check --group '%s' --member-id '%s'; "
                             "if it is none, assign it the role by hand",
                             group, value_str_at(p, "objectId")),
                "%s (%s): group %s holds the role, and whether this principal is in it cannot be told", who, label,
                group);
    return true;
}

/* What it grants on or to is blocked, so that nothing will ever be there to wait for. */
static bool never_made(const struct view *v, const struct step *grant)
{
    for (size_t i = 0; i < grant->n_on; i++)
        if (view_block(v, grant->on[i]))
            return true;
    return grant->action == ACTION_BLOCKED;
}

void key_access_principal_steps(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                                struct step **grants, size_t *n_grants)
{
    const struct value *facts = view_facts(v, doc), *p = value_item(value_get(facts, "principals"), i);
    const struct document *des =
        document_target(doc, arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", i));
    const char *object_id = value_str_at(p, "objectId"), *label = value_str_at(p, "label");
    const struct document *other = other_owner(v, doc, object_id, value_str_at(facts, "scope"));
    bool anew = identity_changes(v, des);
    struct step *step;

    if (other && !shares(v, doc, i, other)) {
        steps_block(out, doc, label, "declare the same for it in both, or keep one of the two",
                    "%s declares other rights for %s on the same scope: a grant has one owner", other->address, label);
        return;
    }
    if (holds_all(v, doc, p, anew) || block_unknown(v, doc, out, p, des) ||
        block_held_otherwise(v, doc, out, i, anew))
        return;
    /* Where the first document is held up by something of its own, the next one that declares the grant makes it. */
    if ((step = shared_grant(v, other, object_id)) && step->action != ACTION_BLOCKED) {
        grants[(*n_grants)++] = step;
        return;
    }
    step = key_access_by_hsm(doc) ? local_access_grant(v, doc, out, i, anew) : steps_grant(v, doc, out, i, anew);
    grant_for_set(v, out, step, des, anew ? NULL : object_id);
    view_need(v, out, step, document_target(doc, "spec.key"));
    if (!never_made(v, step))
        grants[(*n_grants)++] = step;
}
