/* Knows where the rights of a set's identities on its key are read, and what they need. Must not know when the set is
 * written. */
#include "set_rights.h"

#include "../azure/defaults.h"
#include "grant.h"
#include "hsm_rights.h"
#include "seen.h"
#include "set_identity.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

/* What one store tells of who may use the key. */
struct holders {
    const struct value *vault, *assignments; /* vault: one that lives by access policies; else NULL */
    const char *local_scope;                 /* of a managed HSM; NULL: a vault */
};

static const char *name_of(const struct document *key)
{
    const char *name = value_str_at(key->spec, "keyName");

    return name ? name : key->name;
}

static int read_vault(struct call *c, const struct observer *o, struct azure *az, const struct document *key,
                      struct holders *ret, struct err *err)
{
    const struct document *store = document_target(key, "spec.store");
    const char *id = key_store_of(o->arena, key);
    const struct value *live = store ? value_get(view_facts(o->view, store), "live") : NULL;
    struct value *body;

    if (!store) {
        TRY(arm_get(az, c, o->arena, id, API_KEYVAULT, &body, err));
        live = body;
    }
    if (!live)
        return err_set(err, ERR_NOT_FOUND, "the key's vault is not there");
    if (!azure_vault_checks_roles(live)) {
        ret->vault = live;
        return 0;
    }
    return role_assignments_read(az, c, o->arena, arena_printf(o->arena, "%s/keys/%s", id, name_of(key)),
                                 &ret->assignments, err);
}

static int read_hsm(struct call *c, const struct observer *o, struct azure *az, const struct document *key,
                    struct holders *ret, struct err *err)
{
    const struct document *store = document_target(key, "spec.store");
    const char *base = key_store_base(o->arena, azure_cloud(az), key);
    struct local_assignments all = {0};

    if (store &&
        (!str_eq(view_state(o->view, store), "present") || !value_bool_at(view_facts(o->view, store), "active", false)))
        return err_set(err, ERR_NOT_FOUND, "the key's managed HSM is not there, or not activated");
    ret->local_scope = hsm_key_scope(o->arena, name_of(key));
    TRY(local_assignments_read(az, c, o->arena, base, ret->local_scope, &all, err));
    if (value_count(all.unseen))
        return err_set(err, ERR_DENIED, "local role assignments above the key may not be listed");
    ret->assignments = all.list;
    return 0;
}

/* What it lacks; NULL: that cannot be told, as a group or a condition may give it. */
static const struct value *lacks(struct arena *a, const struct holders *h, const char *object_id)
{
    const struct key_rights *need = &key_rights[KEY_USER_DES];
    const struct value *missing;
    int64_t since;

    if (h->vault)
        return policy_missing(a, h->vault, object_id, need->policy);
    if (h->local_scope)
        return hsm_missing(a, h->assignments, object_id, h->local_scope, hsm_key_rights[KEY_USER_DES].data_actions);
    missing = rbac_missing(a, h->assignments, object_id, need->data_actions, &since);
    return value_count(missing) && (rbac_conditioned(a, h->assignments, object_id) ||
                                    rbac_groups_may_give(a, h->assignments, object_id, need->data_actions))
               ? NULL
               : missing;
}

static void add_right(struct arena *a, const struct holders *h, struct value *facts, const char *identity,
                      const char *principal)
{
    const struct value *missing = principal ? lacks(a, h, principal) : NULL;
    struct value *one = value_map(a), *rights = value_get(facts, "rights");

    if (!principal)
        return;
    rights = rights ? rights : value_set(a, facts, "rights", value_list(a));
    value_set_string(a, one, "principalId", principal);
    value_set_string(a, one, "identity", identity);
    if (missing)
        value_set(a, one, "missing", value_copy(a, missing));
    value_push(a, rights, one);
}

int set_rights_observe(struct call *c, const struct observer *o, struct azure *az, const struct document *key,
                       struct value *facts, struct err *err)
{
    const struct value *further = value_get(facts, "further"), *kept = value_get(facts, "kept");
    struct arena *a = o->arena;
    struct holders h = {0};
    int rc;

    if (!key || !key_store_of(a, key)) {
        if (kept)
            value_set_string(a, facts, "rightsWhy", "no document tells in which store the set's key is");
        return 0;
    }
    rc = key_store_is_hsm(key) ? read_hsm(c, o, az, key, &h, err) : read_vault(c, o, az, key, &h, err);
    if (rc < 0 && err->class == ERR_CANCELLED)
        return rc;
    if (rc < 0) {
        value_set_string(a, facts, "rightsWhy", err->text);
        return 0;
    }
    add_right(a, &h, facts, NULL, value_str_at(facts, "principalId"));
    for (size_t i = 0; i < value_count(further); i++)
        add_right(a, &h, facts, NULL, value_str(value_item(further, i)));
    for (size_t i = 0; i < value_count(kept); i++)
        add_right(a, &h, facts, value_str_at(value_item(kept, i), "identity"),
                  value_str_at(value_item(kept, i), "principalId"));
    return 0;
}

int set_rights_observe_own(struct call *c, const struct observer *o, struct azure *az, const struct document *key,
                           struct value *facts, struct err *err)
{
    const struct value *live = value_get(facts, "live"), *missing;
    const char *own = value_str_at(facts, "principalId"), *principal = own ? own : live ? set_principal(live) : NULL;
    struct holders h = {0};
    struct value *one;
    int rc;

    if (!live || !principal || !key || !key_store_of(o->arena, key) ||
        right_declared_to(o->view, key, KEY_USER_DES, o->document, principal))
        return 0;
    rc = key_store_is_hsm(key) ? read_hsm(c, o, az, key, &h, err) : read_vault(c, o, az, key, &h, err);
    if (rc < 0)
        return err->class == ERR_CANCELLED ? rc : 0;
    missing = lacks(o->arena, &h, principal);
    if (!missing)
        return 0;
    one = value_set(o->arena, facts, "own", value_map(o->arena));
    value_set_string(o->arena, one, "principalId", principal);
    value_set_string(o->arena, one, "key", key->address);
    value_set(o->arena, one, "missing", value_copy(o->arena, missing));
    return 0;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* Who gives the right by hand says it so. */
static const char *grant_words(const struct view *v, const struct document *key, const char *principal)
{
    const struct document *store = document_target(key, "spec.store");
    const char *id = key_store_of(v->arena, key), *name = name_of(key);
    const struct value *live = value_get(view_facts(v, store), "live");

    if (key_store_is_hsm(key))
        return arena_printf(v->arena,
                            "az keyvault role assignment create --hsm-name '%s' --role '%s' --assignee-object-id '%s' "
                            "--assignee-principal-type ServicePrincipal --scope '%s'",
                            arm_id_name(id), hsm_key_rights[KEY_USER_DES].working, principal,
                            hsm_key_scope(v->arena, name));
    if (live && !azure_vault_checks_roles(live))
        return arena_printf(v->arena,
                            "az keyvault set-policy --name '%s' --object-id '%s' --key-permissions get wrapKey "
                            "unwrapKey",
                            arm_id_name(id), principal);
    return arena_printf(v->arena,
                        "az role assignment create --role '%s' --assignee-object-id '%s' --assignee-principal-type "
                        "ServicePrincipal --scope '%s/keys/%s'",
                        key_rights[KEY_USER_DES].role, principal, id, name);
}

static const char *join(struct arena *a, const struct value *list)
{
    const char *words = "";

    for (size_t i = 0; i < value_count(list); i++)
        words = arena_printf(a, "%s%s%s", words, i ? ", " : "", value_str(value_item(list, i)));
    return words;
}

bool set_rights_block(const struct view *v, const struct document *set, const struct document *key, struct steps *out)
{
    const struct value *rights = value_get(view_facts(v, set), "rights");
    bool blocked = false;

    for (size_t i = 0; key && i < value_count(rights); i++) {
        const struct value *one = value_item(rights, i), *missing = value_get(one, "missing");
        const char *principal = value_str_at(one, "principalId"), *kept = value_str_at(one, "identity");

        /* A grant to the set is one to the identities that it is declared with. */
        if (!value_count(missing) || right_declared_to(v, key, KEY_USER_DES, kept ? NULL : set, principal))
            continue;
        steps_block(out, set, arena_printf(v->arena, "rights.%s", principal),
                    arena_printf(v->arena, "%s; or give it the right and wait until it acts: %s",
                                 kept ? arena_printf(v->arena,
                                                     "declare {objectId: %s, as: diskEncryptionSet} in a KeyAccess "
                                                     "of %s, or take the identity off the set",
                                                     principal, key->address)
                                      : arena_printf(v->arena, "declare {diskEncryptionSet: %s} in a KeyAccess of %s",
                                                     set->name, key->address),
                                 grant_words(v, key, principal)),
                    "%s (object id %s) lacks %s on %s, and no document grants it: Azure refuses a set by such an "
                    "identity (KeyVaultAccessForbidden)%s",
                    kept ? arena_printf(v->arena, "the identity %s, which the set keeps,", arm_id_name(kept))
                         : "the identity by which the set acts",
                    principal, join(v->arena, missing), key->address,
                    kept || value_count(rights) > 1 ? "; nobody says by which of several identities a set acts" : "");
        blocked = true;
    }
    return blocked;
}

const char *set_rights_untold(const struct view *v, const struct document *set)
{
    const struct value *facts = view_facts(v, set), *rights = value_get(facts, "rights"),
                       *kept = value_get(facts, "kept");
    const char *why = value_str_at(facts, "rightsWhy");

    if (value_count(kept) && why)
        return why;
    for (size_t i = 0; i < value_count(kept); i++)
        if (!value_str_at(value_item(kept, i), "principalId"))
            return arena_printf(v->arena, "the principal of %s, which the set keeps, is not told",
                                arm_id_name(value_str_at(value_item(kept, i), "identity")));
    for (size_t i = 0; i < value_count(rights); i++)
        if (value_str_at(value_item(rights, i), "identity") && !value_get(value_item(rights, i), "missing"))
            return arena_printf(v->arena,
                                "a group or a condition may give it to %s, which the set keeps, and that cannot be "
                                "told",
                                arm_id_name(value_str_at(value_item(rights, i), "identity")));
    return NULL;
}

void set_rights_note(const struct view *v, const struct document *set, struct steps *out, struct step *step)
{
    const char *why = value_str_at(view_facts(v, set), "rightsWhy");

    if (why)
        step_note(out, step,
                  "whether its identities may use the key cannot be seen, and Azure refuses the set if one may not: %s",
                  why);
}
