/* Knows what a restore's staging account must be: there, of the right kind, region and subscription, readable by us,
 * and not too crowded. Pure. Must not know what else stands against a restore. */
#include <string.h>

#include "../backup/points.h"
#include "../documents/found.h"
#include "../keys/key_facts.h"
#include "../keys/lost.h"
#include "checking.h"
#include "claims.h"
#include "conclude.h"
#include "election.h"
#include "platform.h"

enum { PARALLEL_PER_ACCOUNT = 3 };

/* --- staging account ---------------------------------------------------------------------------------------------- */

/* The way in where the account's rules turn us away. */
static const char *way_in(const struct checking *c, const struct value *live, const char *name)
{
    const char *access = checking_text(live, "properties.publicNetworkAccess");

    if (str_eq_nocase(access, "SecuredByPerimeter"))
        return arena_printf(
            c->view->arena,
            "who manages the network security perimeter of %s lets your address in, or run where it is let "
            "in; or declare another staging account",
            name);
    if (str_eq_nocase(access, "Disabled"))
        return arena_printf(c->view->arena,
                            "run where a private endpoint of %s is reached; or declare another staging account", name);
    return arena_printf(c->view->arena,
                        "its owner lets your address in: az storage account network-rule add --account-name %s "
                        "--ip-address YOUR-ADDRESS; or declare another staging account",
                        name);
}

/* Our own look at the account's blobs is the proof; its settings count where there was no such look. */
static void check_staging_read(struct checking *c, const struct value *live, const char *name, bool shut, bool closed)
{
    switch (claims_sight(c->place)) {
    case CLAIMS_SEEN:
        return;
    case CLAIMS_SHUT_OUT:
        ADD(c, "staging-read", true, way_in(c, live, name),
            "the network rules of staging account %s refuse us: the exported key could not be fetched from there",
            name);
        return;
    case CLAIMS_NO_RIGHT:
        ADD(c, "staging-read", true,
            arena_printf(c->view->arena,
                         "have Storage Blob Data Reader assigned to us on %s; or declare another staging account",
                         name),
            "we may not read blobs of staging account %s, neither by our token nor with its keys: the exported key "
            "could not be fetched "
            "from there",
            name);
        return;
    case CLAIMS_UNKNOWN:
        break;
    }
    if (shut)
        ADD(c, "staging-read", true, way_in(c, live, name),
            "the firewall of staging account %s lets no network in: the exported key could not be fetched from there",
            name);
    else if (closed)
        ADD(c, "staging-read", false, NULL,
            "the firewall of staging account %s lets some networks in; whether yours is one cannot be seen, and the "
            "exported key is "
            "fetched from there",
            name);
}

/* Azure Backup comes as a trusted service; whoever fetches an exported key comes over the network. */
static void check_staging_network(struct checking *c, const struct value *live, const char *name)
{
    const char *access = checking_text(live, "properties.publicNetworkAccess");
    bool off = str_eq_nocase(access, "Disabled"), perimeter = str_eq_nocase(access, "SecuredByPerimeter");
    bool closed =
        off || perimeter || str_eq_nocase(checking_text(live, "properties.networkAcls.defaultAction"), "Deny");
    bool trusted = !perimeter && str_find_nocase(checking_text(live, "properties.networkAcls.bypass"), "AzureServices");
    bool doors = !off && (value_count(value_at(live, "properties.networkAcls.ipRules")) ||
                          value_count(value_at(live, "properties.networkAcls.virtualNetworkRules")));

    doors = doors || perimeter || value_count(value_at(live, "properties.privateEndpointConnections"));
    if (perimeter)
        ADD(c, "staging-network", true,
            arena_printf(
                c->view->arena,
                "who manages the perimeter takes %s out of it (az network perimeter association list shows where it is "
                "associated); or declare another staging account",
                name),
            "staging account %s is inside a network security perimeter, which overrides the bypass for trusted "
            "services: Azure Backup "
            "cannot get in",
            name);
    else if (closed && !trusted)
        ADD(c, "staging-network", true,
            arena_printf(c->view->arena,
                         "its owner lets trusted services in: az storage account update --name %s --bypass "
                         "AzureServices; or declare "
                         "another staging account",
                         name),
            "the firewall of staging account %s has no exception for trusted Azure services: Azure Backup cannot get "
            "in",
            name);
    if (c->payer)
        check_staging_read(c, live, name, closed && !doors, closed);
}

void check_staging(struct checking *c)
{
    const struct value *live = value_at(c->place, "staging.live");
    const char *state = checking_text(c->place, "staging.state"), *sku = checking_text(live, "sku.name"),
               *kind = checking_text(live, "kind");
    const char *name = arm_id_name(reference_id(c->view->arena, c->s->doc, "spec.target.stagingAccount", NULL));

    if (str_eq(state, "absent"))
        ADD(c, "staging", true,
            "make it, general purpose, in the vault's region and not zone-redundant, or declare another",
            "the staging account %s does not exist", name);
    check_seen(c, "staging-unseen", "staging", arena_printf(c->view->arena, "the staging account %s", name));
    if (!live)
        return;
    if (checking_elsewhere(c, checking_text(live, "location")))
        ADD(c, "staging-region", true, "declare an account in the vault's region",
            "the staging account %s is in %s, the vault in %s", name, checking_text(live, "location"), c->region);
    if (*kind && !str_eq_nocase(kind, "Storage") && !str_eq_nocase(kind, "StorageV2"))
        ADD(c, "staging-kind", true, "declare a general purpose account (StorageV2)",
            "the staging account %s is of kind %s, which Azure Backup cannot use", name, kind);
    if (str_ends_nocase(sku, "ZRS"))
        ADD(c, "staging-redundancy", true, "declare an account with LRS or GRS",
            "the staging account %s is zone-redundant (%s), which Azure Backup refuses", name, sku);
    if (str_starts_nocase(sku, "Premium"))
        ADD(c, "staging-premium", false, NULL,
            "the staging account %s is a premium one: unsuitable for VMs without premium disks", name);
    check_staging_network(c, live, name);
    if (claims_unwritable(c->place))
        ADD(c, "staging-claims", c->view->settings->claims_required,
            claims_sight(c->place) == CLAIMS_SHUT_OUT
                ? way_in(c, live, name)
                : "have Storage Blob Data Contributor assigned to us on the account",
            "we may not write a claim into %s: two looks, %s apart, are all that keeps another run at the same moment "
            "from triggering too",
            name, duration_format(c->view->arena, c->view->settings->settle_ms));
    if (situation_type(c->s->doc) == RESTORE_DISKS && !value_bool_at(live, "properties.allowSharedKeyAccess", true))
        ADD(c, "staging-keys", false, NULL,
            "the staging account %s allows no shared keys: the template beside the disks cannot be deployed from it",
            name);
}

/* Azure recommends an account for each restore that runs beside others. Said once, not once for each of them. */
void check_crowd(struct checking *c)
{
    const char *mine = reference_id(c->view->arena, c->s->doc, "spec.target.stagingAccount", NULL);
    const struct index_entry *at = NULL;
    const struct document *doc;
    size_t n = 0;

    /* Whoever is ordered and comes first says it; this one, not ordered, need not look at all. */
    while (c->s->order.state == ORDER_IN_FORCE && (doc = restored_through_next(c->view, mine, &at))) {
        if (order_for(c->view, doc).state != ORDER_IN_FORCE)
            continue;
        if (n++ == 0 && doc != c->s->doc)
            return;
    }
    if (n > PARALLEL_PER_ACCOUNT)
        ADD(c, "staging-crowd", false, NULL,
            "%zu ordered restores share staging account %s: Azure recommends one for each that runs at a time", n,
            arm_id_name(mine));
}
