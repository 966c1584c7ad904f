/* Kind ManagedHsm: the managed HSM as it must be. Recovers a soft-deleted one and turns purge protection on; one that
 * is purged or was never activated is for people, who hold its security domain. Never made, never deleted, never
 * purged.
 *
 * Facts: state, id, live (ARM body), deleted (deletedManagedHSMs body, when soft-deleted), base (data-plane URL),
 * active (whether its data plane answers), domainLost (declared: the security domain is in nobody's hands). */
#include "../documents/names.h"
#include "../documents/places.h"
#include "../keys/store.h"
#include "../restore/platform.h"
#include "requests.h"

#define SOURCE_DISASTER "Microsoft Learn, Managed HSM disaster recovery"

static const struct store_words words = {
    .noun = "managed HSM",
    .deleted_type = "deletedManagedHSMs",
    .live_type = "managedHSMs",
    .write_action = "Microsoft.KeyVault/managedHSMs/write",
    .role = "Managed HSM contributor",
    .source = "Microsoft Learn, Managed HSM soft delete and purge protection",
    .scenario = "N-21",
    .lost = "whether its local role assignments come back with it is documented nowhere: they are looked at "
            "afterwards, and what is declared "
            "and missing is granted",
};

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct value *facts;

    TRY(store_observe(c, o, &words, &facts, err));
    if (value_get(facts, "live"))
        value_set_bool(
            o->arena, facts, "active",
            !value_bool_at(facts, "settling", false) &&
                str_eq_nocase(value_str_at(facts, "live.properties.securityDomainProperties.activationStatus"),
                              "Active"));
    value_set_bool(o->arena, facts, "domainLost", !value_bool_at(o->document->spec, "securityDomain.held", true));
    *ret = facts;
    return 0;
}

static const struct store_assertion asserted[] = {
    {"retentionDays", "properties.softDeleteRetentionInDays",
     "the retention is fixed when a managed HSM is created; declare what it is"},
    {"location", "location", "a managed HSM does not move; declare where it is"},
    {"network.defaultAction", "properties.networkAcls.defaultAction",
     "a person changes the HSM's firewall, or the declaration"},
    {"network.bypass", "properties.networkAcls.bypass",
     "without the bypass AzureServices the backup service is kept out"},
    {"network.publicNetworkAccess", "properties.publicNetworkAccess",
     "a person changes the HSM's network, or the declaration"},
};

/* Gone for good. Who holds the security domain can have the keys again, in another HSM; nobody else can. */
static void steps_purged(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *name = arm_id_name(value_str_at(view_facts(v, doc), "id"));

    if (value_get(view_facts(v, doc), "taken") && store_block_held(v, doc, NULL, out))
        return;
    if (value_bool_at(view_facts(v, doc), "domainLost", false)) {
        steps_block(
            out, doc, NULL,
            "declare the loss of what was wrapped with its keys; no step of anybody brings it back (" SOURCE_DISASTER
            ")",
            "the managed HSM is gone, deleted ones included, and its security domain is declared lost: Azure Backup's "
            "copies of its "
            "keys open in no other HSM")
            ->scenario = "N-23";
        return;
    }
    steps_block(out, doc, NULL,
                arena_printf(v->arena,
                             "people with the security domain of %s and a quorum of its keys make a new managed HSM, "
                             "in the region of the disks, "
                             "and activate it by uploading that security domain; then declare it as the store of the "
                             "key (" SOURCE_DISASTER ")",
                             name),
                "the managed HSM is gone, deleted ones included: purged, or never there under this name; it is not "
                "made anew here, since "
                "without the old security domain it would open no copy of a key")
        ->scenario = "N-22";
}

static void steps_inactive(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *live = value_get(view_facts(v, doc), "live");
    const char *status = value_str_at(live, "properties.securityDomainProperties.activationStatus");
    const char *message = value_str_at(live, "properties.securityDomainProperties.activationStatusMessage");
    struct step *step;

    if (!message)
        message = value_str_at(live, "properties.statusMessage");
    step = steps_block(out, doc, "activation",
                       "people activate it: az keyvault security-domain upload with the security domain of the HSM the "
                       "keys come from and a "
                       "quorum of its keys; a freshly downloaded domain would open no old backup",
                       "the managed HSM is not activated (%s%s%s), so it answers no request about keys",
                       status ? status : "no activation status", message ? ": " : "", message ? message : "");
    step->scenario = "N-22";
    step_change(out, step, "live.properties.securityDomainProperties.activationStatus",
                value_at(live, "properties.securityDomainProperties.activationStatus"),
                value_string(v->arena, "Active"), NULL);
}

/* A pool is extended to further regions; each has a name in `regions`. */
static void steps_regions(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *want = value_get(doc->spec, "regions"),
                       *have = value_at(view_facts(v, doc), "live.properties.regions");

    for (size_t i = 0; i < value_count(want); i++) {
        bool found =
            diff_same(value_item(want, i), value_at(view_facts(v, doc), "live.location"), DIFF_LOCATION | DIFF_NOCASE);

        for (size_t k = 0; k < value_count(have) && !found; k++)
            found = diff_same(value_item(want, i), value_get(value_item(have, k), "name"), DIFF_LOCATION | DIFF_NOCASE);
        if (!found)
            steps_finding(out, doc, arena_printf(v->arena, "regions.%zu", i),
                          "a person extends the HSM: az keyvault region add", "the managed HSM is not extended to %s",
                          value_str(value_item(want, i)));
    }
}

static void steps_due(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *attested = value_str_at(doc->spec, "securityDomain.attested");
    size_t before = out->count;

    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(view_state(v, doc), "deleted")) {
        store_recover(v, doc, out, &words);
        return;
    }
    if (!str_eq(view_state(v, doc), "present")) {
        steps_purged(v, doc, out);
        return;
    }
    if (store_settle(v, doc, out, &words))
        return;
    if (!value_bool_at(view_facts(v, doc), "active", false)) {
        steps_inactive(v, doc, out);
        return;
    }
    store_assert(v, doc, out, asserted, COUNT(asserted));
    steps_regions(v, doc, out);
    store_protect(v, doc, out, &words);
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, "as declared%s",
                  attested && time_parse(attested) + 365 * DAY_MS < v->now_ms
                      ? "; but nobody has attested for more than a year that security domain and quorum are at hand"
                      : "");
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;

    steps_due(v, doc, out);
    platform_hold_shut(v, out, before);
}

struct value *managed_hsm_body(struct arena *a, const struct step *step)
{
    struct value *body = value_map(a), *properties = value_map(a), *sku = value_map(a);

    if (step->action == ACTION_UPDATE)
        return store_protect_body(a);
    /* With createMode recover everything but location, sku and tenant is ignored; the sku is not changed by it. */
    value_set_string(a, body, "location", store_step_location(step));
    value_set_string(a, sku, "family", "B");
    value_set_string(a, sku, "name", "Standard_B1");
    value_set(a, body, "sku", sku);
    value_set(a, body, "properties", properties);
    value_set_string(a, properties, "tenantId", value_str_at(step->document->connection->spec, "tenant"));
    value_set_string(a, properties, "createMode", "recover");
    return body;
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    return store_act(c, actor, &words, managed_hsm_body(actor->arena, actor->step), err);
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

const struct kind managed_hsm_kind = {
    .name = "ManagedHsm",
    .summary = "The managed HSM as it must be: activation, purge protection, network. A soft-deleted one can be "
               "recovered, an absent one "
               "is never made.",
    .identity = key_store_identity,
    .check = check,
    .observe = observe,
    .steps = steps,
    .act = act,
    .deadlines = deadlines,
};
