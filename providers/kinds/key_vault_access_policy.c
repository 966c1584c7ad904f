/* Kind KeyVaultAccessPolicy: one principal's key permissions in a vault that lives by access policies, spelled out.
 * Added to what is there; surplus stays.
 *
 * Facts: state, vaultId, missing [permission], since (the vault's last change: the latest time at which it can have
 * been granted; left out where the vault tells none). */
#include "../azure/defaults.h"
#include "../documents/id_fields.h"
#include "../access/grant.h"
#include "../access/grants.h"
#include "../access/room.h"
#include "../keys/standing.h"
#include "../access/rights.h"
#include "../access/set_identity.h"

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    const struct document *doc = o->document, *vault = document_target(doc, "spec.vault");
    const char *id = reference_id(o->arena, doc, "spec.vault", key_vault_id);
    const struct value *wanted = value_get(doc->spec, "keyPermissions");
    const char **needed = arena_array(o->arena, const char *, value_count(wanted) + 1);
    struct value *live = NULL, *facts;

    for (size_t i = 0; i < value_count(wanted); i++)
        needed[i] = value_str(value_item(wanted, i));
    if (vault) {
        live = value_get(view_facts(o->view, vault), "live");
        facts = facts_new(o->arena, live ? "present" : view_state(o->view, vault));
    } else if (arm_get(kind_azure(o->provider, doc), c, o->arena, id, API_KEYVAULT, &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the key vault", err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
    }
    value_set_string(o->arena, facts, "vaultId", id);
    if (live) {
        value_set_bool(o->arena, facts, "rbac", azure_vault_checks_roles(live));
        value_set(o->arena, facts, "missing",
                  policy_missing(o->arena, live, value_str_at(doc->spec, "objectId"), needed));
        value_set_string(o->arena, facts, "since", value_str_at(live, "systemData.lastModifiedAt"));
        if (!value_bool_at(facts, "rbac", false))
            room_observe_policies(o->arena, live, value_str_at(doc->spec, "objectId"), facts, facts);
    }
    *ret = facts;
    return 0;
}

/* A document before this one that declares the very same entry; other permissions for it are a fault of the manifests.
 */
static const struct document *other_owner(const struct view *v, const struct document *doc)
{
    const char *vault = value_str_at(view_facts(v, doc), "vaultId");
    const struct index_entry *at = NULL;
    const struct document *other;

    while ((other = desired_next(v->desired, doc->kind, &at)) && other->index < doc->index)
        if (str_eq_nocase(value_str_at(other->spec, "objectId"), value_str_at(doc->spec, "objectId")) &&
            str_eq_nocase(value_str_at(view_facts(v, other), "vaultId"), vault))
            return other;
    return NULL;
}

/* It is there: what is left until it acts, of which the other document tells where it declares the grant. */
static void steps_held(const struct view *v, const struct document *doc, struct steps *out,
                       const struct document *other)
{
    size_t before = out->count;

    if (!other)
        grant_wait_single(v, doc, out, GRANT_POLICY, NULL, value_str_at(doc->spec, "objectId"),
                          time_parse(value_str_at(view_facts(v, doc), "since")));
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, other ? "as declared; %s declares the same grant" : "as declared",
                  other ? other->address : "");
}

static void steps_due(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const struct document *vault = document_target(doc, "spec.vault");
    const struct document *other = other_owner(v, doc);
    struct step *step;

    if (steps_unseen(v, doc, out))
        return;
    if (value_bool_at(facts, "rbac", false)) {
        steps_block(out, doc, NULL, "declare a RoleAssignment or a KeyAccess instead",
                    "the vault lives by Azure RBAC, where access policies have no effect");
        return;
    }
    if (!value_get(facts, "missing") && (!vault || view_prospect(v, vault) != PROSPECT_PENDING)) {
        steps_block(out, doc, NULL, vault ? arena_printf(v->arena, "see %s", vault->address) : "check the vault's id",
                    "the vault %s", missing_words(v, vault));
        return;
    }
    if (value_get(facts, "missing") && value_count(value_get(facts, "missing")) == 0) {
        steps_held(v, doc, out, other);
        return;
    }
    if (other && grant_shared(v, doc, out, other, NULL))
        return;
    if (room_lacks(v, doc, out))
        return;
    step = steps_add(out, doc, ACTION_GRANT, NULL, "the principal's access policy lacks permissions");
    step->scope = value_str_at(facts, "vaultId");
    step_change(out, step, "keyPermissions", NULL, value_get(doc->spec, "keyPermissions"),
                "added to what the principal has");
    step_writes(out, step, "PUT", "%s/accessPolicies/add", step->scope);
    step_right(out, step, step->scope, "Microsoft.KeyVault/vaults/accessPolicies/write", false,
               "Key Vault Contributor");
    view_need(v, out, step, vault);
    set_after_grant(v, out, value_str_at(doc->spec, "objectId"), step);
    key_guard_grant(v, out, step, vault, NULL);
    grant_wait_single(v, doc, out, GRANT_POLICY, step, value_str_at(doc->spec, "objectId"), TIME_NONE);
}

/* A set that is to act by an identity which gets no rights is not written: Azure refuses it. */
static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;

    steps_due(v, doc, out);
    for (size_t i = before; i < out->count; i++)
        if (out->items[i]->action == ACTION_BLOCKED)
            set_after_grant(v, out, value_str_at(doc->spec, "objectId"), out->items[i]);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct document *doc = actor->step->document;
    struct azure *az = kind_azure(actor->provider, doc);

    /* Where another document declares the grant it has made it by now, and nothing is waited for. */
    if (actor->step->action == ACTION_WAIT)
        return grant_wait_act(c, actor, err);
    TRY(access_policy_add(az, c, actor->arena, actor->step->scope, value_str_at(doc->spec, "objectId"),
                          value_get(doc->spec, "keyPermissions"), err));
    /* If the vault does not show when it was changed, a later look could not tell how long to wait. */
    if (value_str_at(view_facts(actor->view, doc), "since"))
        return 0;
    return actor_wait(actor, c, grant_delay_ms(actor->view, GRANT_POLICY), "the access policy to act", err);
}

const struct kind key_vault_access_policy_kind = {
    .name = "KeyVaultAccessPolicy",
    .summary = "One principal's key permissions in a vault that lives by access policies, spelled out.",
    .check = id_fields_check,
    .observe = observe,
    .steps = steps,
    .act = act,
};
