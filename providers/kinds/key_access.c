/* Kind KeyAccess: these principals may use this key for this purpose, by the permission model its store lives by.
 * Compared by effective rights: inherited roles and `all` count; nothing is ever taken away.
 *
 * Facts: state, model ("azure-rbac" | "access-policies" | "local-rbac"), scope (what roles are granted on), vaultId,
 * vault (its ARM body, where no document stands for it), assignments, principals [{label, user, objectId?, missing
 * [..], since?, why?, further? (more identities of a set), lacking? [{objectId, at, grants?}] (which of its identities
 * lacks something: the at-th)}] in the order declared; more for a managed HSM, see key_access_local.h. */
#include "key_access.h"
#include "../azure/defaults.h"
#include "../documents/id_fields.h"
#include "../access/grant.h"
#include "../access/grants.h"
#include "../access/orphans.h"
#include "../access/room.h"
#include "../restore/access_needed.h"
#include "../restore/platform.h"
#include "key_access_local.h"
#include "../access/rights.h"
#include "../access/set_identity.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

static const char *vault_id_of(struct arena *a, const struct document *doc)
{
    return key_store_of(a, document_target(doc, "spec.key"));
}

static int observe_principal(struct call *c, const struct observer *o, size_t i, struct value *p, struct err *err)
{
    const struct value *declared = value_item(value_get(o->document->spec, "principals"), i);
    const char *known = value_str_at(declared, "wellKnown"), *object_id = value_str_at(declared, "objectId"),
               *as = value_str_at(declared, "as"), *path = arena_printf(o->arena, "spec.principals.%zu", i);
    const struct reference *des = document_reference(o->document, arena_printf(o->arena, "%s.diskEncryptionSet", path));
    enum key_user user = KEY_USER_DES;

    if (known)
        user = str_eq(known, "BackupManagementService") ? KEY_USER_BACKUP : KEY_USER_ORCHESTRATOR;
    else if (as)
        user = str_eq(as, "backup")         ? KEY_USER_BACKUP
               : str_eq(as, "orchestrator") ? KEY_USER_ORCHESTRATOR
                                            : KEY_USER_DES;
    value_set_int(o->arena, p, "user", user);
    value_set_string(o->arena, p, "label",
                     known                ? known
                     : object_id          ? object_id
                     : des && des->target ? des->target->name
                     : des && des->id     ? arm_id_name(des->id)
                                          : "?");
    return grant_principal(c, o, path, p, err);
}

/* What is declared by name is asked for itself: a service may look for a role, and not for what it allows. */
static void judge_role(const struct observer *o, const struct value *facts, struct value *p, size_t i,
                       struct value *missing, int64_t *since)
{
    const char *declared = value_str_at(value_item(value_get(o->document->spec, "principals"), i), "role");
    const struct role_facts *role = declared ? key_access_role(o->document, i, KEY_USER_DES) : NULL;
    int64_t held = TIME_NONE;

    if (declared && !role)
        value_set(o->arena, p, "why",
                  value_format(o->arena, "the role %s is none of the built-in ones with rights on keys", declared));
    if (!declared)
        return;
    if (!role || !rbac_role_held(value_get(facts, "assignments"), value_str_at(p, "objectId"), role->id, &held))
        value_push(o->arena, missing, value_format(o->arena, "the role %s", declared));
    if (held > *since)
        *since = held;
}

static void judge_principal(const struct observer *o, struct value *facts, struct value *p, size_t i)
{
    const struct key_rights *need = &key_rights[value_int_at(p, "user", 0)];
    const char *object_id = value_str_at(p, "objectId");
    int64_t since = TIME_NONE;

    if (str_eq(value_str_at(facts, "model"), "local-rbac")) {
        local_access_judge(o, facts, p, i);
        return;
    }
    if (!object_id) {
        if (str_eq(value_str_at(facts, "model"), "access-policies"))
            room_observe_policies(o->arena, key_access_vault(o->view, o->document, facts), NULL, facts, p);
        return;
    }
    if (str_eq(value_str_at(facts, "model"), "azure-rbac")) {
        value_set_string(o->arena, p, "idle", rbac_conditioned(o->arena, value_get(facts, "assignments"), object_id));
        judge_role(
            o, facts, p, i,
            value_set(o->arena, p, "missing",
                      rbac_missing(o->arena, value_get(facts, "assignments"), object_id, need->data_actions, &since)),
            &since);
    } else {
        value_set_string(o->arena, p, "idle",
                         policy_idle(o->arena, key_access_vault(o->view, o->document, facts), object_id));
        value_set(o->arena, p, "missing",
                  policy_missing(o->arena, key_access_vault(o->view, o->document, facts), object_id, need->policy));
        if (key_access_vault(o->view, o->document, facts))
            room_observe_policies(o->arena, key_access_vault(o->view, o->document, facts), object_id, facts, p);
        /* Policies have no time of their own; the vault's last change is the latest it can be. */
        since = time_parse(value_str_at(key_access_vault(o->view, o->document, facts), "systemData.lastModifiedAt"));
    }
    if (since != TIME_NONE)
        value_set_string(o->arena, p, "since", time_format(o->arena, since));
}

/* The k-th of the other identities of the same set. What one of them lacks is lacking. */
static void judge_further(const struct observer *o, struct value *facts, struct value *p, size_t i, size_t k)
{
    static const char *const lists[] = {"missing", "grants"};
    struct value *second = value_map(o->arena);

    value_set(o->arena, second, "user", value_get(p, "user"));
    value_set_string(o->arena, second, "objectId", value_str(value_item(value_get(p, "further"), k)));
    judge_principal(o, facts, second, i);
    key_access_lacking(o->arena, p, second, k + 1);
    /* Of one that is yet to be made nobody knows what it will lack. */
    for (k = 0; value_str_at(p, "objectId") && k < COUNT(lists); k++)
        if (value_count(value_get(p, lists[k])) == 0 && value_get(second, lists[k]))
            value_set(o->arena, p, lists[k], value_get(second, lists[k]));
    if (!value_str_at(p, "idle"))
        value_set_string(o->arena, p, "idle", value_str_at(second, "idle"));
    if (time_parse(value_str_at(second, "since")) > time_parse(value_str_at(p, "since")))
        value_set_string(o->arena, p, "since", value_str_at(second, "since"));
}

static struct value *vault_unseen(const struct observer *o, const struct document *store)
{
    const struct value *seen = view_facts(o->view, store);
    struct value *facts = facts_new(o->arena, "unseen");

    value_set(o->arena, facts, "why",
              value_format(o->arena, "the key vault cannot be seen, and neither can who may use the key (%s)",
                           value_str_at(seen, "why") ? value_str_at(seen, "why") : "it was not looked at"));
    value_set_string(o->arena, facts, "fix", value_str_at(seen, "fix"));
    return facts;
}

/* The vault as a state, and its body: what its document has seen, or a look of our own at one that only an id names. */
static int observe_vault(struct call *c, const struct observer *o, struct azure *az, const struct document *store,
                         const char *vault, struct value **ret, struct err *err)
{
    struct value *live;

    if (store) {
        bool there = key_access_vault(o->view, o->document, NULL) != NULL;

        *ret = str_eq(view_state(o->view, store), "unseen") ? vault_unseen(o, store)
                                                            : facts_new(o->arena, there ? "present" : "absent");
        return 0;
    }
    if (arm_get(az, c, o->arena, vault, API_KEYVAULT, &live, err) < 0)
        return facts_from_error(o->arena, "reading the key's vault, which says by what permission model it lives,", err,
                                ret);
    *ret = facts_new(o->arena, "present");
    value_set(o->arena, *ret, "vault", live);
    return 0;
}

/* *by_list: in, whether a list of the whole subscription will do; out, whether it did. */
static int observe_model(struct call *c, const struct observer *o, struct azure *az, bool *by_list, struct value **ret,
                         struct err *err)
{
    const struct document *key = document_target(o->document, "spec.key");
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const char *vault = vault_id_of(o->arena, o->document), *key_name = key ? value_str_at(key->spec, "keyName") : NULL;
    const struct value *live, *assignments = NULL;
    struct value *facts, *unread;
    bool lists = *by_list;
    const char *scope;

    *by_list = false;
    if (vault && key_store_is_hsm(key))
        return local_access_observe(c, o, az, ret, err);
    if (!vault) {
        *ret = facts_new(o->arena, "unseen");
        value_set_string(o->arena, *ret, "why",
                         "no document declares the key, and its address does not tell the group of its vault: by which "
                         "permission model to grant cannot be read");
        value_set_string(o->arena, *ret, "fix", "declare the Key with its store");
        return 0;
    }
    TRY(observe_vault(c, o, az, store, vault, &facts, err));
    *ret = facts;
    live = key_access_vault(o->view, o->document, facts);
    value_set_string(o->arena, facts, "vaultId", vault);
    scope = !str_eq(value_str_at(o->document->spec, "scope"), "key")
                ? vault
                : arena_printf(o->arena, "%s/keys/%s", vault, key_name ? key_name : key->name);
    value_set_string(o->arena, facts, "scope", scope);
    if (!live)
        return 0;
    value_set_string(o->arena, facts, "model", azure_vault_checks_roles(live) ? "azure-rbac" : "access-policies");
    if (!str_eq(value_str_at(facts, "model"), "azure-rbac"))
        return 0;
    if (lists)
        TRY(role_assignments_listed(az, c, o->arena, scope, &assignments, err));
    *by_list = assignments != NULL;
    if (assignments || role_assignments_read(az, c, o->arena, scope, &assignments, err) == 0) {
        value_link(o->arena, facts, "assignments", assignments);
        return 0;
    }
    TRY(facts_of_part(o->arena, "reading role assignments on the key", err, &unread));
    value_set(o->arena, facts, "state", value_get(unread, "state"));
    value_set(o->arena, facts, "why", value_get(unread, "why"));
    if (value_get(unread, "fix"))
        value_set(o->arena, facts, "fix", value_get(unread, "fix"));
    if (value_get(unread, "failed"))
        value_set(o->arena, facts, "failed", value_get(unread, "failed"));
    return 0;
}

/* The services that every confidential VM needs and this document does not name: whether they hold their rights already
 * decides whether a restore is in vain. What the directory does not tell is left out. */
static int observe_others(struct call *c, const struct observer *o, struct value *facts, bool *lacking,
                          struct err *err)
{
    const struct value *declared = value_get(facts, "principals");
    struct value *others = value_list(o->arena);
    int64_t since = TIME_NONE;

    for (enum key_user user = KEY_USER_DES; user < KEY_USER_COUNT; user++) {
        struct value *p = value_map(o->arena);
        bool named = user == KEY_USER_DES;

        for (size_t i = 0; i < value_count(declared); i++)
            named = named || value_int_at(value_item(declared, i), "user", -1) == (int64_t)user;
        if (named)
            continue;
        if (grant_service(c, o, user == KEY_USER_BACKUP ? "BackupManagementService" : "ConfidentialVmOrchestrator", p,
                          err) < 0) {
            if (err->class == ERR_CANCELLED)
                return -(int)err->class;
            continue;
        }
        value_set_int(o->arena, p, "user", user);
        value_push(o->arena, others, p);
        *lacking = *lacking || value_count(rbac_missing(o->arena, value_get(facts, "assignments"),
                                                        value_str_at(p, "objectId"), key_rights[user].data_actions,
                                                        &since));
    }
    if (value_count(others))
        value_set(o->arena, facts, "others", others);
    return 0;
}

static int observe_by(struct call *c, const struct observer *o, bool by_list, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    struct value *facts = NULL, *principals;
    bool lacking = false, others_lack = false;

    TRY(observe_model(c, o, az, &by_list, &facts, err));
    if (!str_eq(value_str_at(facts, "state"), "unseen")) {
        principals = value_set(o->arena, facts, "principals", value_list(o->arena));
        for (size_t i = 0; i < value_count(value_get(o->document->spec, "principals")); i++) {
            struct value *p = value_map(o->arena);

            TRY(observe_principal(c, o, i, p, err));
            judge_principal(o, facts, p, i);
            key_access_lacking(o->arena, p, p, 0);
            for (size_t k = 0; k < value_count(value_get(p, "further")); k++)
                judge_further(o, facts, p, i, k);
            value_push(o->arena, principals, p);
            lacking = lacking || !value_get(p, "missing") || value_count(value_get(p, "missing")) > 0;
        }
        TRY(observe_others(c, o, facts, &others_lack, err));
        /* What a list lacks is looked for where it belongs. */
        if (by_list && (lacking || others_lack))
            return observe_by(c, o, false, ret, err);
        if (lacking && str_eq(value_str_at(facts, "model"), "azure-rbac"))
            TRY(room_observe_roles(c, az, o->arena, value_str_at(facts, "scope"), facts, err));
    }
    *ret = facts;
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    return observe_by(c, o, true, ret, err);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* true: a step was added. */
static bool block_untold(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct document *key = document_target(doc, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL;
    const char *vault = value_str_at(view_facts(v, doc), "vaultId");

    if (key_access_model(v, doc))
        return false;
    if (store)
        steps_block(
            out, doc, NULL,
            arena_printf(v->arena, "declare spec.permissionModel of %s, or run again when it is back", store->address),
            "%s %s, so its permission model cannot be told, and "
            "a grant by the wrong one has no effect",
            store->address, missing_words(v, store));
    else
        steps_block(out, doc, NULL, "declare a KeyVault, by which it is recovered or made; or another store of the key",
                    "the key's vault %s does not exist, and no document declares it: by which permission model to "
                    "grant cannot be told",
                    vault ? arm_id_name(vault) : "");
    return true;
}

/* Every write of the set waits for what its identities are granted, or for the block that withholds it. */
static void set_after_grants(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                             const struct step *step)
{
    const struct value *p = value_item(value_get(view_facts(v, doc), "principals"), i),
                       *further = value_get(p, "further");

    if (key_access_after_set(v, doc, i))
        return;
    set_after_grant(v, out, value_str_at(p, "objectId"), step);
    for (size_t k = 0; k < value_count(further); k++)
        set_after_grant(v, out, value_str(value_item(further, k)), step);
}

/* A set that is to act by an identity which gets no rights is not written: Azure refuses it. */
static void hold_sets(const struct view *v, const struct document *doc, struct steps *out, size_t from)
{
    const struct value *principals = value_get(view_facts(v, doc), "principals");

    for (size_t i = from; i < out->count; i++) {
        int64_t of = access_principal_of(v, doc, out->items[i]);

        for (size_t k = 0; out->items[i]->action == ACTION_BLOCKED && k < value_count(principals); k++)
            if ((of < 0 || of == (int64_t)k) && value_count(value_get(value_item(principals, k), "missing")))
                set_after_grants(v, doc, out, k, out->items[i]);
    }
}

static void steps_wait(const struct view *v, const struct document *doc, struct steps *out, struct step *const *grants,
                       size_t n_grants)
{
    const struct value *principals = value_at(view_facts(v, doc), "principals");
    enum grant_model model = key_access_by_hsm(doc)         ? GRANT_LOCAL
                             : key_access_by_rbac(v, doc) ? GRANT_ROLE
                                                          : GRANT_POLICY;
    int64_t since = TIME_NONE;
    struct step *step;

    for (size_t i = 0; i < value_count(principals); i++) {
        int64_t t = time_parse(value_str_at(value_item(principals, i), "since"));

        t = t > v->now_ms ? v->now_ms : t;
        since = t > since ? t : since;
    }
    step = grant_wait(v, doc, out, model, n_grants > 0, since);
    if (!step)
        return;
    for (size_t i = 0; i < n_grants; i++)
        step_need(out, step, grants[i]->id);
    step->needs_any = true;
    for (size_t i = 0; i < value_count(principals); i++)
        set_after_grants(v, doc, out, i, step);
}

/* The rights that a replaced identity still holds. While a grant is due they are shown wherever they stand, because
 * people may have taken them for the grant. */
static void note_orphans(const struct view *v, const struct document *doc, struct steps *out, size_t first, bool due)
{
    const struct value *all = orphaned_grants(v, doc);

    for (size_t i = 0; out->count > first && i < value_count(all); i++)
        if (due || value_bool_at(value_item(all, i), "onKey", false))
            step_note(out, out->items[first], "%s; nothing is deleted here: a person removes it, if nobody needs it",
                      orphaned_grant_words(v->arena, value_item(all, i)));
}

static void steps_due(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t n = value_count(value_get(doc->spec, "principals")), before = out->count, n_grants = 0, shared = 0;
    struct step **grants = arena_array(v->arena, struct step *, n + 1);
    const struct document *key = document_target(doc, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL;

    if (steps_unseen(v, doc, out))
        return;
    /* A store that has come since this document was looked at is no obstacle: the grants are looked at again before
     * they are made. */
    if (str_eq(view_state(v, doc), "absent") && store && view_prospect(v, store) == PROSPECT_BLOCKED) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", store->address), "the key's %s %s",
                    key_store_word(key), missing_words(v, store));
        return;
    }
    if (!key_access_by_hsm(doc) && block_untold(v, doc, out))
        return;
    /* Rights on a key that nobody may bring back yet would act on whatever key takes its name. */
    if (key && str_eq(view_state(v, key), "absent") && view_prospect(v, key) == PROSPECT_BLOCKED) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", key->address), "its key is not there");
        return;
    }
    if (key_access_by_hsm(doc) ? local_access_full(v, doc, out) : room_lacks(v, doc, out))
        return;
    for (size_t i = 0; i < n; i++)
        key_access_principal_steps(v, doc, out, i, grants, &n_grants);
    /* An HSM's assignments show no time, so a later run could not tell how long to wait: each grant does its own
     * waiting, except a shared one. */
    for (size_t i = 0; i < n_grants; i++)
        shared += grants[i]->document != doc;
    if (!key_access_by_hsm(doc) || shared)
        steps_wait(v, doc, out, grants, n_grants);
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, "all %zu principals have what %s%s", n,
                  key_access_by_hsm(doc) ? local_access_asked(doc) : "they need",
                  key_access_by_hsm(doc) ? local_access_warning(v, doc) : "");
    note_orphans(v, doc, out, before, n_grants > 0);
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;

    steps_due(v, doc, out);
    platform_hold_shut(v, out, before);
    hold_sets(v, doc, out, before);
}

/* --- acting
 * ------------------------------------------------------------------------------------------------------- */

/* One grant, to one principal. */
static int act_grant(struct call *c, const struct actor *actor, const struct value *p, size_t which,
                     const char *object_id, struct err *err)
{
    const struct document *doc = actor->step->document;
    struct azure *az = kind_azure(actor->provider, doc);
    struct value *permissions = value_list(actor->arena);

    if (key_access_by_rbac(actor->view, doc))
        return role_assignment_put(az, c, actor->arena, actor->step->scope, object_id,
                                   key_access_role(doc, which, (enum key_user)value_int_at(p, "user", 0))->id, err);
    for (const char *const *q = key_rights[value_int_at(p, "user", 0)].policy; *q; q++)
        value_push(actor->arena, permissions, value_string(actor->arena, *q));
    return access_policy_add(az, c, actor->arena, value_str_at(view_facts(actor->view, doc), "vaultId"),
                             object_id, permissions, err);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct value *facts = view_facts(actor->view, doc), *principals = value_get(facts, "principals"), *p = NULL;
    size_t which = 0;

    if (actor->step->action == ACTION_WAIT)
        return grant_wait_act(c, actor, err);
    for (size_t i = 0; i < value_count(principals) && !p; i++)
        if (str_ends_nocase(actor->step->id,
                            arena_printf(actor->arena, "#grant.%s", value_str_at(value_item(principals, i), "label"))))
            p = value_item(principals, which = i);
    if (!p || !value_str_at(p, "objectId"))
        return err_set(err, ERR_CONFLICT, "the principal's object id is not known yet");
    if (key_access_by_hsm(doc))
        return local_access_act(c, actor, p, err);
    for (size_t k = 0; k < value_count(value_get(p, "lacking")); k++)
        TRY(act_grant(c, actor, p, which, value_str_at(value_item(value_get(p, "lacking"), k), "objectId"), err));
    /* If the vault does not show when it was changed, a later run could not tell how long to wait, so
     * the wait is here. */
    if (key_access_by_rbac(actor->view, doc) || value_get(key_access_vault(actor->view, doc, facts), "systemData"))
        return 0;
    return actor_wait(actor, c, actor->view->settings->policy_delay_ms, "the access policy to act", err);
}

const struct kind key_access_kind = {
    .name = "KeyAccess",
    .summary = "Who may use a key, and for what: granted by its store's own permission model, compared by "
               "effective rights.",
    .check = id_fields_check,
    .observe = observe,
    .steps = steps,
    .act = act,
};
