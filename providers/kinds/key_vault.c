/* Kind KeyVault: the vault as it must be. Recovers a soft-deleted one, creates an absent one, turns purge protection
 * on; everything else that differs is for a person. Never deletes, never purges.
 *
 * Facts: state, id, live (ARM body), deleted (deletedVaults body, when soft-deleted), base (data-plane URL). */
#include "../documents/names.h"
#include "../documents/places.h"
#include "../azure/defaults.h"
#include "../keys/store_name.h"
#include "../restore/platform.h"
#include "requests.h"
#include "../keys/store_fit.h"

static const struct store_words words = {
    .noun = "key vault",
    .deleted_type = "deletedVaults",
    .live_type = "vaults",
    .write_action = "Microsoft.KeyVault/vaults/write",
    .role = "Key Vault Contributor",
    .source = "Microsoft Learn, Key Vault recovery management",
    .scenario = "N-19",
    .lost = "role assignments of the vault, ours too, do not come back with it (Microsoft Learn, Key Vault recovery "
            "management); they are "
            "granted anew by the documents that declare them",
};

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    return store_observe(c, o, &words, ret, err);
}

static const char *model_of(const struct value *live)
{
    return azure_vault_checks_roles(live) ? "azure-rbac" : "access-policies";
}

/* What every body must hold. A confidential VM's key is an HSM key, which only the premium tier holds. */
static struct value *bare_body(struct arena *a, const struct document *doc, const char *location)
{
    struct value *body = value_map(a), *properties = value_map(a), *sku = value_map(a);

    value_set_string(a, body, "location", location);
    value_set(a, body, "properties", properties);
    value_set_string(a, properties, "tenantId", value_str_at(doc->connection->spec, "tenant"));
    value_set_string(a, sku, "family", "A");
    value_set_string(a, sku, "name", "premium");
    value_set(a, properties, "sku", sku);
    return body;
}

static struct value *create_body(struct arena *a, const struct document *doc)
{
    struct value *body = bare_body(a, doc, kind_location(doc)), *properties = value_get(body, "properties");
    const char *days = "retentionDays";

    value_set_bool(a, properties, "enableRbacAuthorization",
                   !str_eq(value_str_at(doc->spec, "permissionModel"), "access-policies"));
    value_set(a, properties, "accessPolicies", value_list(a));
    value_set_bool(a, properties, "enableSoftDelete", true);
    value_set_bool(a, properties, "enablePurgeProtection", true);
    if (value_get(doc->spec, days))
        value_set_int(a, properties, "softDeleteRetentionInDays", value_int_at(doc->spec, days, 90));
    return body;
}

static void steps_create(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *id = value_str_at(view_facts(v, doc), "id");
    struct step *step;

    if (!kind_location(doc)) {
        steps_block(out, doc, NULL, "declare spec.location or the Azure document's location",
                    "the vault is absent and no location is declared");
        return;
    }
    if (store_block_held(v, doc, NULL, out) || store_block_misplaced(v, doc, out))
        return;
    step = steps_add(out, doc, ACTION_CREATE, NULL, "the vault is absent and not among the deleted ones");
    store_name_notes(v, doc, out, step);
    step->scope = id;
    step_change(out, step, "properties", NULL, value_get(create_body(v->arena, doc), "properties"), NULL);
    step->postcondition = "the vault answers a GET with provisioningState Succeeded";
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = "recorded vault creations";
    step_writes(out, step, "PUT", "%s", id);
    step_right(out, step, arm_id_parent(v->arena, id, 4), words.write_action, false, words.role);
}

static const struct store_assertion asserted[] = {
    {"retentionDays", "properties.softDeleteRetentionInDays",
     "the retention is fixed when a vault is created; declare what it is"},
    {"softDelete", "properties.enableSoftDelete",
     "a vault without soft delete loses keys at once; a person turns it on"},
    {"location", "location", "a vault does not move; declare where it is"},
    {"network.defaultAction", "properties.networkAcls.defaultAction",
     "a person changes the vault's firewall, or the declaration"},
    {"network.bypass", "properties.networkAcls.bypass",
     "without the bypass AzureServices the backup service is kept out"},
    {"network.publicNetworkAccess", "properties.publicNetworkAccess",
     "a person changes the vault's network, or the declaration"},
};

static void steps_due(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc), *live = value_get(facts, "live");
    size_t before = out->count;
    const char *model = value_str_at(doc->spec, "permissionModel");

    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(view_state(v, doc), "deleted")) {
        store_recover(v, doc, out, &words);
        return;
    }
    if (!str_eq(view_state(v, doc), "present")) {
        steps_create(v, doc, out);
        return;
    }
    if (store_settle(v, doc, out, &words))
        return;
    if (model && !str_eq(model, model_of(live)))
        step_change(
            out,
            steps_finding(out, doc, "permissionModel",
                          "a person decides: changing the model voids every access policy, or every role, at once",
                          "the vault's permission model is %s, declared is %s", model_of(live), model),
            "live.properties.enableRbacAuthorization", value_at(live, "properties.enableRbacAuthorization"),
            value_bool(v->arena, str_eq(model, "azure-rbac")), NULL);
    store_assert(v, doc, out, asserted, COUNT(asserted));
    store_protect(v, doc, out, &words);
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, "as declared");
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;

    steps_due(v, doc, out);
    platform_hold_shut(v, out, before);
}

struct value *key_vault_body(struct arena *a, const struct step *step)
{
    struct value *body;

    if (step->action == ACTION_UPDATE)
        return store_protect_body(a);
    if (step->action != ACTION_RECOVER)
        return create_body(a, step->document);
    /* As azure-cli sends it (recorded). Nothing else is said: should somebody have recovered the vault a moment before,
     * a permission model or an empty list of policies in here would be set on a vault that is in use. */
    body = bare_body(a, step->document, store_step_location(step));
    value_set_string(a, value_get(body, "properties"), "createMode", "recover");
    return body;
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    return store_act(c, actor, &words, key_vault_body(actor->arena, actor->step), err);
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items,
                      size_t *count)
{
    store_deadlines(v, doc, a, &words, items, count);
}

static void check(const struct document *doc, struct diags *faults)
{
    places_check(doc, faults);
    names_check(doc, faults);
}

const struct kind key_vault_kind = {
    .name = "KeyVault",
    .summary = "The key vault as it must be: permission model, purge protection, soft delete. A soft-deleted one can "
               "be recovered.",
    .identity = key_store_identity,
    .check = check,
    .observe = observe,
    .steps = steps,
    .act = act,
    .deadlines = deadlines,
};
