/* Kind KeyVault: the vault as it must be. Recovers a soft-deleted one, creates an absent one, turns purge protection on;
 * everything else that differs is for a person. Never deletes, never purges.
 *
 * Facts: state, id, live (ARM body), deleted (deletedVaults body, when soft-deleted), base (data-plane URL). */
#include "requests.h"

#define SOURCE_RECOVERY "Microsoft Learn, Key Vault recovery management"

static int observe_deleted(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err)
{
    const struct document *doc = o->document;
    const char *name = value_str_at(doc->spec, "vaultName");
    const char *location = kind_location(doc);
    struct value *deleted;
    char *id;

    if (!location)
        return 0;
    id = arena_printf(o->arena, "/subscriptions/%s/providers/Microsoft.KeyVault/locations/%s/deletedVaults/%s", kind_subscription(doc),
                      location, name ? name : doc->name);
    if (arm_get(az, c, o->arena, id, API_KEYVAULT, &deleted, err) < 0) {
        /* Without the right to look among deleted vaults an absent one may be a deleted one. */
        if (err->http_status == 403) {
            value_set_string(o->arena, facts, "state", "unseen");
            value_set(o->arena, facts, "why", value_format(o->arena, "whether the vault is soft-deleted cannot be seen: %s", err->text));
            return 0;
        }
        return err->class == ERR_NOT_FOUND ? 0 : -(int)err->class;
    }
    value_set_string(o->arena, facts, "state", "deleted");
    value_set(o->arena, facts, "deleted", deleted);
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    char *id = key_vault_id(o->arena, o->document);
    struct value *facts, *live;

    if (arm_get(az, c, o->arena, id, API_KEYVAULT, &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the key vault", err, &facts));
        if (str_eq(value_str_at(facts, "state"), "absent"))
            TRY(observe_deleted(c, o, az, facts, err));
    } else {
        facts = facts_new(o->arena, "present");
        value_set(o->arena, facts, "live", live);
    }
    value_set_string(o->arena, facts, "id", id);
    value_set_string(o->arena, facts, "base", cloud_store_base(o->arena, azure_cloud(az), STORE_VAULT, arm_id_name(id)));
    *ret = facts;
    return 0;
}

static const char *model_of(const struct value *live)
{
    return value_bool_at(live, "properties.enableRbacAuthorization", false) ? "azure-rbac" : "access-policies";
}

static void steps_recover(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const char *purge = value_str_at(facts, "deleted.properties.scheduledPurgeDate");
    const char *id = value_str_at(facts, "id");
    struct step *step = steps_add(out, doc, ACTION_RECOVER, NULL, "the vault is soft-deleted%s%s; with it every key in it is unusable",
                                  purge ? " and is purged at " : "", purge ? purge : "");

    step->scope = id;
    if (value_at(facts, "deleted.properties.purgeProtectionEnabled"))
        step_change(out, step, "properties.enablePurgeProtection", NULL, value_at(facts, "deleted.properties.purgeProtectionEnabled"),
                    "as it was when it was deleted");
    step->precondition = "the vault is listed among the deleted vaults";
    step->postcondition = "the vault answers a GET";
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = SOURCE_RECOVERY;
    step->foretold = "role assignments of the vault do not come back with it (" SOURCE_RECOVERY
                     "); they are granted anew by the documents that declare them";
    step_writes(out, step, "PUT", "%s", id);
    step_right(out, step, arm_id_parent(v->arena, id, 4), "Microsoft.KeyVault/vaults/write", false, "Key Vault Contributor");
}

static struct value *create_body(struct arena *a, const struct document *doc)
{
    struct value *body = value_map(a), *properties = value_map(a), *sku = value_map(a);
    const char *days = "retentionDays";

    value_set_string(a, body, "location", kind_location(doc));
    value_set(a, body, "properties", properties);
    value_set_string(a, properties, "tenantId", value_str_at(doc->azure->spec, "tenant"));
    /* A confidential VM's key is an HSM key, which only the premium tier holds. */
    value_set_string(a, sku, "family", "A");
    value_set_string(a, sku, "name", "premium");
    value_set(a, properties, "sku", sku);
    value_set_bool(a, properties, "enableRbacAuthorization", !str_eq(value_str_at(doc->spec, "permissionModel"), "access-policies"));
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
    step = steps_add(out, doc, ACTION_CREATE, NULL, "the vault is absent and not among the deleted ones");
    step->scope = id;
    step_change(out, step, "properties", NULL, value_get(create_body(v->arena, doc), "properties"), NULL);
    step->postcondition = "the vault answers a GET with provisioningState Succeeded";
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = "recorded vault creations";
    step_writes(out, step, "PUT", "%s", id);
    step_right(out, step, arm_id_parent(v->arena, id, 4), "Microsoft.KeyVault/vaults/write", false, "Key Vault Contributor");
}

/* Fields that are looked at, never changed, and where ARM shows them. */
static const struct {
    const char *field, *live_path, *advice;
} asserted[] = {
    {"retentionDays", "properties.softDeleteRetentionInDays", "the retention is fixed when a vault is created; declare what it is"},
    {"softDelete", "properties.enableSoftDelete", "a vault without soft delete loses keys at once; a person turns it on"},
    {"location", "location", "a vault does not move; declare where it is"},
    {"network.defaultAction", "properties.networkAcls.defaultAction", "a person changes the vault's firewall, or the declaration"},
    {"network.bypass", "properties.networkAcls.bypass", "without the bypass AzureServices the backup service is kept out"},
    {"network.publicNetworkAccess", "properties.publicNetworkAccess", "a person changes the vault's network, or the declaration"},
};

static void steps_assert(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *live = value_get(view_facts(v, doc), "live");

    for (size_t i = 0; i < COUNT(asserted); i++) {
        const struct value *want = value_at(doc->spec, asserted[i].field), *have = value_at(live, asserted[i].live_path);
        struct step *step;

        if (!want || diff_same(want, have, DIFF_LOCATION | DIFF_NOCASE))
            continue;
        step = steps_block(out, doc, asserted[i].field, asserted[i].advice, "%s is not as declared; it is asserted, not enforced",
                           asserted[i].field);
        step_change(out, step, arena_printf(v->arena, "live.%s", asserted[i].live_path), have, want, NULL);
    }
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc), *live = value_get(facts, "live");
    size_t before = out->count;
    const char *model = value_str_at(doc->spec, "permissionModel");

    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(view_state(v, doc), "deleted")) {
        steps_recover(v, doc, out);
        return;
    }
    if (!str_eq(view_state(v, doc), "present")) {
        steps_create(v, doc, out);
        return;
    }
    if (model && !str_eq(model, model_of(live)))
        step_change(out,
                    steps_block(out, doc, "permissionModel",
                                "a person decides: changing the model voids every access policy, or every role, at once",
                                "the vault's permission model is %s, declared is %s", model_of(live), model),
                    "live.properties.enableRbacAuthorization", value_at(live, "properties.enableRbacAuthorization"),
                    value_bool(v->arena, str_eq(model, "azure-rbac")), NULL);
    steps_assert(v, doc, out);
    if (value_bool_at(doc->spec, "purgeProtection", false) && !value_bool_at(live, "properties.enablePurgeProtection", false)) {
        struct step *step = steps_add(out, doc, ACTION_UPDATE, NULL,
                                      "purge protection is off: a deleted key could be purged at once, and confidential VM keys need it");

        step->scope = value_str_at(facts, "id");
        step_change(out, step, "properties.enablePurgeProtection", value_at(live, "properties.enablePurgeProtection"),
                    value_bool(v->arena, true), "cannot be turned off again");
        step_writes(out, step, "PATCH", "%s", step->scope);
        step_right(out, step, step->scope, "Microsoft.KeyVault/vaults/write", false, "Key Vault Contributor");
    }
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, "as declared");
}

struct value *key_vault_body(struct arena *a, const struct step *step)
{
    struct value *body;

    if (step->action == ACTION_UPDATE) {
        body = value_map(a);
        value_set_bool(a, value_set(a, body, "properties", value_map(a)), "enablePurgeProtection", true);
        return body;
    }
    body = create_body(a, step->document);
    /* With createMode recover the other properties are ignored; only sku and tenant must be there. */
    if (step->action == ACTION_RECOVER)
        value_set_string(a, value_get(body, "properties"), "createMode", "recover");
    return body;
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    struct azure *az = kind_azure(actor->provider, actor->step->document);
    struct arena *a = actor->arena;
    struct arm_operation op;
    struct value *body;

    body = key_vault_body(a, actor->step);
    if (actor->step->action == ACTION_UPDATE) {
        TRY(arm_send(az, c, a, HTTP_PATCH, actor->step->scope, API_KEYVAULT, body, ARM_REPEATABLE, &op, err));
        return arm_follow(az, c, a, &op, actor->view->settings->poll_bound_ms, NULL, err);
    }
    actor_say(actor, "%s vault %s", actor->step->action == ACTION_RECOVER ? "recovering" : "creating", arm_id_name(actor->step->scope));
    return arm_put(az, c, a, actor->step->scope, API_KEYVAULT, body, actor->view->settings->poll_bound_ms, NULL, err);
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items, size_t *count)
{
    int64_t at = time_parse(value_str_at(view_facts(v, doc), "deleted.properties.scheduledPurgeDate"));
    struct deadline d = {.at_ms = at, .what = arena_printf(a, "key vault %s is purged, with every key in it", doc->name)};

    if (at != TIME_NONE)
        arena_push(a, *items, *count, d);
}

const struct kind key_vault_kind = {
    .name = "KeyVault",
    .summary = "The key vault as it must be: permission model, purge protection, soft delete. A soft-deleted one can be recovered.",
    .observe = observe,
    .steps = steps,
    .act = act,
    .deadlines = deadlines,
};
