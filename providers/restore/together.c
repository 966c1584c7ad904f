/* Knows what the restores of one night take together, and what a set and the places around it must have in common.
 * Pure. Sources: Azure Backup's and Azure Disk Encryption's articles on regions and subscriptions. */
#include <string.h>

#include "checking.h"
#include "platform.h"
#include "../azure/geography.h"
#include "../backup/order.h"
#include "../backup/points.h"
#include "../keys/original.h"

/* --- what restores take together ---------------------------------------------------------------------------------- */

/* The next machine before this one that is ordered and still to be made anew; NULL: none is left. A machine that fits
 * is not held up by one that comes after it. */
static const struct situation *before(const struct checking *c, size_t *at)
{
    while (*at < c->s->doc->index) {
        const struct document *doc = c->view->desired->documents[(*at)++];

        if (str_eq(doc->kind, "RestoredVirtualMachine") && situation_type(doc) == RESTORE_NEW_VM &&
            str_eq(view_state(c->view, doc), "absent") && order_for(c->view, doc).state == ORDER_IN_FORCE)
            return situation_of(c->view, doc);
    }
    return NULL;
}

static bool same_place(const struct checking *c, const struct situation *other)
{
    struct arena *a = c->view->arena;
    const char *region = protected_vm_region(c->view, other->pvm);

    return str_eq_nocase(arm_id_part(a, restored_vm_id(a, other->doc), "subscriptions"),
                         arm_id_part(a, c->target_id, "subscriptions")) &&
           region && c->region && str_eq_nocase(azure_region(a, region), azure_region(a, c->region));
}

void check_quota(struct checking *c, const struct value *usages)
{
    const char *size = value_str_at(c->s->point, "size"), *name, **sizes = NULL;
    const struct situation *other;
    size_t n = 0, at = 0;
    int64_t cores, left;

    arena_push(c->view->arena, sizes, n, size);
    while ((other = before(c, &at)))
        if (same_place(c, other))
            arena_push(c->view->arena, sizes, n, value_str_at(other->point, "size"));
    if (!platform_quota_lacks(c->view, usages, sizes, n, &cores, &name, &left))
        return;
    if (n > 1)
        ADD(c, "quota", true, "raise the quota, or order the machines one after the other",
            "%s and the machines that are ordered before it need %lld cores in %s, quota %s has %lld left", size,
            (long long)cores, c->region, name, (long long)left);
    else
        ADD(c, "quota", true, "raise the quota; while the source VM runs both must fit",
            "%s needs %lld cores in %s, quota %s has %lld left", size, (long long)cores, c->region, name,
            (long long)left);
}

void check_addresses(struct checking *c, const char *subnet, int64_t taken, int64_t room)
{
    struct arena *a = c->view->arena;
    const char *own = reference_id(a, c->s->doc, "spec.target.subnet", NULL);
    const struct situation *other;
    size_t at = 0;
    int64_t n = 0;

    while ((other = before(c, &at)))
        n += arm_id_equal(reference_id(a, other->doc, "spec.target.subnet", NULL), own);
    if (n > 0 && taken < room && taken + n >= room)
        ADD(c, "subnet-full", true, "declare another subnet, or who manages the network gives this one more addresses",
            "subnet %s has %lld addresses left, and %lld machines that are ordered before this one take them", subnet,
            (long long)(room - taken), (long long)n);
}

/* --- what must be one --------------------------------------------------------------------------------------------- */

void check_subscription_of_network(struct checking *c, const char *target)
{
    const char *subnet = reference_id(c->view->arena, c->s->doc, "spec.target.subnet", NULL);
    const char *its = subnet ? arm_id_part(c->view->arena, subnet, "subscriptions") : NULL;

    if (its && situation_type(c->s->doc) == RESTORE_NEW_VM && !str_eq_nocase(its, target))
        ADD(c, "network-subscription", true, "declare a subnet in the target's subscription",
            "the virtual network is in subscription %s, the target in %s: a machine and its network stand in one", its,
            target);
}

/* The tenant of a store is the one in which its grants are looked up; a set's identity of another tenant is granted
 * nothing there. */
void check_tenants(struct checking *c)
{
    const struct document *store = c->s->key ? document_target(c->s->key, "spec.store") : NULL;
    const struct value *set = c->s->des ? value_get(view_facts(c->view, c->s->des), "live") : NULL;
    const char *own = kind_tenant(c->s->doc), *stores, *sets;

    if (c->s->now.encryption == DX_PMK)
        return;
    stores = store ? value_str_at(view_facts(c->view, store), "live.properties.tenantId") : NULL;
    sets = value_str_at(set, "identity.tenantId");
    if (own && stores && !str_eq_nocase(own, stores))
        ADD(c, "store-tenant", true, "declare a store of the tenant of the VM's subscription",
            "%s belongs to tenant %s, the VM to %s: no identity of the one is let into a store of the other",
            store->address, stores, own);
    if (own && sets && !str_eq_nocase(own, sets))
        ADD(c, "set-tenant", true,
            "give the set an identity of its subscription's tenant: az disk-encryption-set identity assign",
            "the identity of %s is of tenant %s, not of %s: the subscription was moved, and the identity is dead",
            c->s->des->address, sets, own);
}

/* Where the key was is not seen any more; a copy of it opens in the subscription of its vault alone. */
void check_copy_home(struct checking *c)
{
    struct arena *a = c->view->arena;
    const struct document *store = c->s->key ? document_target(c->s->key, "spec.store") : NULL;
    const char *its = store ? kind_subscription(store) : NULL;
    const char *vms = arm_id_part(a, value_str_at(c->facts, "source.id"), "subscriptions");

    if (c->s->now.encryption == DX_PMK || !its || !vms || str_eq_nocase(its, vms) || key_store_is_hsm(c->s->key) ||
        str_eq(view_state(c->view, c->s->key), "present") || c->s->original_des)
        return;
    ADD(c, "copy-subscription", false, NULL,
        "%s is in subscription %s, the VM was in %s: Azure Backup's copy of a key opens in the subscription of the "
        "vault "
        "it was taken in only, and whether that was this one cannot be seen",
        store->address, its, vms);
}

/* --- the set ------------------------------------------------------------------------------------------------------ */

/* What a failed write has left of a set that the request names is not known; and a snapshot is bound to the set that
 * its VM was on, which one that is made tonight can never be. */
void check_set(struct checking *c)
{
    const struct value *facts = c->s->des ? view_facts(c->view, c->s->des) : NULL;
    const char *state = value_str_at(facts, "live.properties.provisioningState");
    int64_t made = time_parse(value_str_at(facts, "created")), point = time_parse(value_str_at(c->s->point, "time"));
    bool absent = facts && str_eq(value_str_at(facts, "state"), "absent");

    if (c->s->now.encryption != DX_CMK || !facts)
        return;
    if (c->s->given != DX_GIVEN_NOTHING && (str_eq_nocase(state, "Failed") || str_eq_nocase(state, "Canceled")))
        ADD(c, "set-failed", true, "look at the set's activity log, and repeat the update that did not succeed",
            "%s, on which the machine is to run, is in the provisioning state %s: which key it is on is not certain",
            c->s->des->address, state);
    if (c->s->now.tier == DX_SNAPSHOT_ONLY && situation_type(c->s->doc) != RESTORE_REPLACE &&
        (absent || (made != TIME_NONE && point != TIME_NONE && made > point)))
        ADD(c, "set-snapshot", true, "order a point with a vault tier, or declare the set that the VM was on",
            "the point is in the snapshot tier only and comes back on the set that its VM was on; %s %s (N-14, R-06)",
            c->s->des->address, absent ? "is absent, and one made now is another" : "was made after the point");
}

/* A set may rightly stay on an older version than the newest, so a declared version is not refused for it. */
void check_version(struct checking *c)
{
    const struct original_key *original = &c->s->original;
    const struct value *newest = version_at(value_get(view_facts(c->view, c->s->original_key), "versions"),
                                            time_parse(value_str_at(c->s->point, "time")));
    const char *version = value_str_at(newest, "version");

    if (c->s->now.encryption != DX_CMK || c->s->given == DX_GIVEN_NOTHING || !version ||
        original->evidence != KEY_EVIDENCE_DECLARED || str_eq_nocase(version, original->version))
        return;
    ADD(c, "version-older", false, NULL,
        "version %s is declared, and the key had a newer one when the point was taken: %s (created %s). Only the set "
        "that "
        "the VM was on knew which of them its disk was wrapped with; if it was the newer one, the restore is refused "
        "(R-07), and that version is to be declared",
        original->version, version, time_format(c->view->arena, value_int_at(newest, "created", 0) * SECOND_MS));
}

/* --- locks on the machine ----------------------------------------------------------------------------------------- */

void check_locks_of_machine(struct checking *c)
{
    const struct value *live = value_at(c->facts, "source.live"),
                       *nics = value_at(live, "properties.networkProfile.networkInterfaces");
    const char *scopes[] = {c->target_id, value_str_at(live, "properties.storageProfile.osDisk.managedDisk.id"),
                            value_str_at(value_item(nics, 0), "id")};
    const char *group = platform_lock(c->view, arm_id_parent(c->view->arena, c->target_id, 4));

    for (size_t i = 0; situation_type(c->s->doc) == RESTORE_REPLACE && i < COUNT(scopes); i++) {
        const char *lock = scopes[i] ? platform_lock(c->view, scopes[i]) : NULL;

        if (lock && !str_eq(lock, group))
            ADD(c, arena_printf(c->view->arena, "lock-machine-%zu", i), true,
                "a person who may removes the lock: az lock list shows it, az lock delete --ids ID removes it",
                "%s: the disks of the machine cannot be replaced", lock);
    }
}
