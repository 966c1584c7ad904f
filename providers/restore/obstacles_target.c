/* Knows what has to be right at the place a restore goes to: names, network, subscription, store, locks and features.
 * Must not know the point and its key. Pure. */
#include "checking.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "../documents/found.h"
#include "../keys/store_fit.h"

enum { RESERVED_ADDRESSES = 5 };

/* --- the target --------------------------------------------------------------------------------------------------- */

/* Addresses of a range "10.0.0.0/29" that machines can have: Azure keeps five of each subnet. -1: it
 * is none of IPv4. */
static int64_t room_of(const char *range)
{
    const char *slash = range ? strchr(range, '/') : NULL;
    int64_t bits = slash && strchr(range, '.') ? strtol(slash + 1, NULL, 10) : -1;

    return bits < 0 || bits > 32 ? -1 : ((int64_t)1 << (32 - bits)) - RESERVED_ADDRESSES;
}

/* Judges the subnet by what it shows. If it does not list its addresses, it is not called full. */
static void check_subnet(struct checking *c, const struct value *subnet)
{
    const struct value *p = value_get(subnet, "properties"), *delegations = value_get(p, "delegations");
    const struct value *taken = value_get(p, "ipConfigurations"), *ranges = value_get(p, "addressPrefixes");
    const char *name = checking_text(subnet, "name"), *range = value_str_at(p, "addressPrefix");
    int64_t room = value_count(ranges) ? 0 : room_of(range);

    for (size_t i = 0; room >= 0 && i < value_count(ranges); i++) {
        int64_t more = room_of(value_str(value_item(ranges, i)));

        room = more < 0 ? room : room + more;
    }
    if (value_count(delegations))
        ADD(c, "subnet-delegated", true, "declare a subnet that is delegated to no service",
            "subnet %s is delegated to %s: no VM can be put into it", name,
            checking_text(value_item(delegations, 0), "properties.serviceName"));
    if (taken && room >= 0)
        check_addresses(c, name, (int64_t)value_count(taken), room);
    if (taken && room >= 0 && (int64_t)value_count(taken) >= room)
        ADD(c, "subnet-full", true, "declare another subnet, or who manages the network gives this one more addresses",
            "subnet %s is full: %zu of its %lld addresses are taken", name, value_count(taken), (long long)room);
}

static void check_network(struct checking *c)
{
    const struct value *live = value_at(c->place, "network.live"), *subnets = value_at(live, "properties.subnets");
    const char *subnet = reference_id(c->view->arena, c->s->doc, "spec.target.subnet", NULL);
    const struct value *found = NULL;

    if (str_eq(checking_text(c->place, "network.state"), "absent"))
        ADD(c, "network", true, "make it, or declare another subnet", "the virtual network of subnet %s does not exist",
            subnet);
    check_seen(c, "network-unseen", "network",
               arena_printf(c->view->arena, "the virtual network of subnet %s", subnet));
    if (!live)
        return;
    if (checking_elsewhere(c, checking_text(live, "location")))
        ADD(c, "network-region", true, "declare a subnet in the vault's region",
            "the virtual network %s is in %s, the vault in %s", arm_id_name(arm_id_parent(c->view->arena, subnet, 2)),
            checking_text(live, "location"), c->region);
    for (size_t i = 0; i < value_count(subnets); i++)
        if (str_eq_nocase(checking_text(value_item(subnets, i), "name"), arm_id_name(subnet)))
            found = value_item(subnets, i);
    if (found)
        check_subnet(c, found);
    else
        ADD(c, "subnet", true, "make it, or declare another", "the virtual network has no subnet %s",
            arm_id_name(subnet));
}

static void check_names(struct checking *c)
{
    const struct value *items = value_at(c->place, "resources.items");
    static const char *const types[] = {"Microsoft.Network/networkInterfaces", "Microsoft.Compute/disks"};
    const char *name = arm_id_name(c->target_id);
    const struct index_entry *at = NULL;
    const struct document *other;

    for (size_t i = 0; situation_type(c->s->doc) == RESTORE_NEW_VM && i < value_count(items); i++)
        for (size_t k = 0; k < COUNT(types) && str_eq_nocase(checking_text(value_item(items, i), "name"), name); k++)
            if (str_eq_nocase(checking_text(value_item(items, i), "type"), types[k]))
                ADD(c, "name-taken", true,
                    "declare another target name, or remove it if it is a leftover; nothing is deleted here",
                    "the target group holds something of the VM's name: %s", checking_text(value_item(items, i), "id"));
    while (c->s->doc->connection && (other = restored_at_next(c->view, c->target_id, &at)))
        if (other != c->s->doc)
            ADD(c, "same-target", true, "give one of them another target name", "%s declares the same target",
                other->address);
}

static void check_subscriptions(struct checking *c)
{
    struct arena *a = c->view->arena;
    const char *target = arm_id_part(a, c->target_id, "subscriptions"),
               *set = arm_id_part(a, c->s->des_id, "subscriptions");
    const char *source = arm_id_part(a, value_str_at(c->facts, "source.id"), "subscriptions");
    const char *vault = arm_id_part(a, value_str_at(c->facts, "vaultId"), "subscriptions");

    if (set && !str_eq_nocase(set, target))
        ADD(c, "set-subscription", true, "declare a set in the target's subscription",
            "the disk encryption set is in subscription %s, the target in %s: a set and its disks stand in one", set,
            target);
    check_subscription_of_network(c, target);
    if (source && vault && !str_eq_nocase(target, source) && !str_eq_nocase(target, vault))
        ADD(c, "subscription", true, "declare a target in the subscription of the source VM",
            "the target is in subscription %s: restoring encrypted VMs into another subscription is not supported",
            target);
}

void check_target(struct checking *c)
{
    const struct value *set = c->s->des ? value_at(view_facts(c->view, c->s->des), "live") : NULL;
    const char *live = set ? checking_text(set, "location") : "",
               *place = *live || !c->s->des ? live : kind_location(c->s->des);

    if (str_eq(checking_text(c->place, "group.state"), "absent"))
        ADD(c, "group", true, "make it; reinstate makes no resource groups",
            "the target resource group %s does not exist", arm_id_name(arm_id_parent(c->view->arena, c->target_id, 4)));
    check_seen(c, "group-unseen", "group", "the target resource group");
    if (checking_elsewhere(c, place))
        ADD(c, "set-region", true, "declare a set in the vault's region",
            "the disk encryption set is in %s, the vault in %s", place, c->region);
    check_subscriptions(c);
    if (situation_type(c->s->doc) == RESTORE_NEW_VM)
        check_network(c);
    check_names(c);
}

void check_store(struct checking *c)
{
    struct store_objection found[STORE_OBJECTIONS_MAX];
    size_t n = c->s->now.encryption == DX_PMK ? 0 : store_objections(c->view, c->s->key, c->region, found);
    bool there = c->s->key && str_eq(view_state(c->view, c->s->key), "present");
    bool to_make = c->s->des && str_eq(view_state(c->view, c->s->des), "absent");

    for (size_t i = 0; i < n; i++)
        if (!there || str_eq(found[i].id, "store-region"))
            ADD(c, found[i].id, true, found[i].next, "%s", found[i].reason);
    if (c->s->now.encryption != DX_PMK && to_make && store_refuses_sets(c->view, c->s->key, &found[0]))
        ADD(c, found[0].id, true, found[0].next, "%s", found[0].reason);
}

void check_perimeter(struct checking *c)
{
    const struct document *store = c->s->key ? document_target(c->s->key, "spec.store") : NULL;

    if (c->s->now.encryption != DX_PMK && store &&
        str_eq_nocase(value_str_at(view_facts(c->view, store), "live.properties.publicNetworkAccess"),
                      "SecuredByPerimeter"))
        ADD(c, "perimeter", true,
            arena_printf(c->view->arena,
                         "who manages the perimeter looks at its rules (az network perimeter association list), and "
                         "lets Azure Backup, "
                         "Compute and the Orchestrator in, or takes %s out of it",
                         store->name),
            "%s is inside a network security perimeter, which overrides the bypass for Azure's services: whether they "
            "get in cannot be "
            "seen",
            store->address);
}

/* --- the subscription --------------------------------------------------------------------------------------------- */

/* Microsoft's articles do not say whether a machine can join a locked network, so the lock is only mentioned. */
static void check_lock_of_network(struct checking *c)
{
    const char *subnet = reference_id(c->view->arena, c->s->doc, "spec.target.subnet", NULL);
    const char *group = platform_lock(c->view, arm_id_parent(c->view->arena, c->target_id, 4));
    const char *lock = subnet && situation_type(c->s->doc) == RESTORE_NEW_VM ? platform_lock(c->view, subnet) : NULL;

    if (lock && !str_eq(lock, group))
        ADD(c, "lock-network", false, NULL,
            "%s: whether a machine can join a network that is locked is not documented; should the restore fail for "
            "it, a person "
            "removes the lock: az lock list shows it",
            lock);
}

static void check_locks(struct checking *c)
{
    struct arena *a = c->view->arena;
    const struct {
        const char *id, *scope, *harm;
    } places[] = {
        {"lock-target", arm_id_parent(a, c->target_id, 4), "nothing can be restored there"},
        {"lock-staging", reference_id(a, c->s->doc, "spec.target.stagingAccount", NULL),
         "the keys of the staging account cannot be listed and nothing is staged in it"},
        {"lock-vault", value_str_at(c->facts, "vaultId"), "no restore can be triggered there"},
    };

    check_locks_of_machine(c);
    for (size_t i = 0; i < COUNT(places); i++) {
        const char *lock = platform_lock(c->view, places[i].scope);

        if (lock)
            ADD(c, places[i].id, true,
                "a person who may removes the lock: az lock list shows it, az lock delete --ids ID removes it",
                "%s: %s", lock, places[i].harm);
    }
    check_lock_of_network(c);
}

static void check_features(struct checking *c, const char *subscription)
{
    struct arena *a = c->view->arena;
    const struct value *needed =
        platform_fact(c->view, "features", arena_printf(a, "%s/" PLATFORM_NEEDED, subscription));
    const struct value *forbidden =
        platform_fact(c->view, "features", arena_printf(a, "%s/" PLATFORM_FORBIDDEN, subscription));
    const char *state = value_str_at(needed, "feature");

    if (str_eq_nocase(value_str_at(forbidden, "feature"), "Registered"))
        ADD(c, "feature-forbidden", true,
            arena_printf(c->view->arena,
                         "a person unregisters it: az feature unregister --namespace Microsoft.Compute "
                         "--name " PLATFORM_FORBIDDEN " --subscription %s",
                         subscription),
            "feature " PLATFORM_FORBIDDEN " is registered: it fails backup and restore");
    if (state && !str_eq_nocase(state, "Registered"))
        ADD(c, "feature-needed", true, platform_register_advice(a, subscription, state), "%s",
            platform_lacks_words(a, state));
    else if (str_eq(value_str_at(needed, "state"), "absent"))
        ADD(c, "feature-needed", false, NULL,
            "feature " PLATFORM_NEEDED " is not known in this cloud: whether it is needed there cannot be told");
}

void check_platform(struct checking *c)
{
    const char *subscription = arm_id_part(c->view->arena, c->target_id, "subscriptions");
    const char *key = arena_printf(c->view->arena, "%s/%s", subscription, c->region ? c->region : "?");
    const struct value *locks = platform_fact(c->view, "locks", subscription),
                       *usages = platform_fact(c->view, "usages", key);

    check_locks(c);
    if (c->s->now.encryption == DX_PMK || value_bool_at(c->s->point, "confidential", true))
        check_features(c, subscription);
    if (situation_type(c->s->doc) == RESTORE_NEW_VM)
        check_quota(c, usages);
    if (str_eq(value_str_at(locks, "state"), "unseen"))
        ADD(c, "locks-unseen", false, NULL, "whether a lock hinders the restore cannot be seen: %s",
            value_str_at(locks, "why"));
    if (situation_type(c->s->doc) == RESTORE_NEW_VM && str_eq(value_str_at(usages, "state"), "unseen"))
        ADD(c, "quota-unseen", false, NULL, "whether the quota has room for the VM cannot be seen: %s",
            value_str_at(usages, "why"));
}
