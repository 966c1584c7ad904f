/* Knows what the restores of one night take together, and what a set and the places around it must have in common.
 * Pure. Sources: Azure Backup's and Azure Disk Encryption's articles on regions and subscriptions. */
#include <string.h>

#include "checking.h"
#include "platform.h"
#include "../azure/geography.h"
#include "../documents/concluded.h"
#include "../backup/order.h"
#include "../backup/points.h"
#include "../keys/key_facts.h"
#include "../keys/original.h"

#define ALL_ABSENT "absent"

/* --- what restores take together ---------------------------------------------------------------------------------- */

/* How many machines of each size. */
struct tally {
    const char **sizes;
    int64_t *counts;
    size_t n;
};

static bool tally_has(const struct tally *t, const char *size)
{
    size_t at = 0;

    while (at < t->n && !str_eq(t->sizes[at], size))
        at++;
    return at < t->n;
}

static void tally_add_many(struct arena *a, struct tally *t, const char *size, int64_t count)
{
    size_t at = 0, n_counts = t->n;

    while (at < t->n && !str_eq(t->sizes[at], size))
        at++;
    if (at == t->n) {
        arena_push(a, t->sizes, t->n, size);
        arena_push(a, t->counts, n_counts, 0);
    }
    t->counts[at] += count;
}

static void tally_add(struct arena *a, struct tally *t, const char *size)
{
    tally_add_many(a, t, size, 1);
}

/* NULL: it is not known. */
static const char *region_of(const struct view *near, const struct document *doc)
{
    const struct document *pvm = document_target(doc, "spec.from");
    const char *region = pvm ? protected_vm_region(near, pvm) : NULL;

    return region ? azure_region(near->arena, region) : NULL;
}

/* It is ordered and still to be made anew. */
static bool comes(const struct view *v, const struct document *doc)
{
    return situation_type(doc) == RESTORE_NEW_VM && str_eq(view_state(v, doc), "absent") &&
           order_for(v, doc).state == ORDER_IN_FORCE;
}

/* Whose quota it takes. */
static const char *subscription_of(struct arena *a, const struct document *doc)
{
    return arm_id_part(a, restored_vm_id(a, doc), "subscriptions");
}

static void put_subscription(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    (void)v;
    index_put(x, subscription_of(a, doc), doc);
}

/* Each size that a point of the machine has, once. */
static void put_sizes(const struct view *v, const struct document *pvm, struct arena *a, struct index *x)
{
    const struct value *points = value_get(view_facts(v, pvm), "points");
    struct tally own = {0};

    for (size_t i = 0; i < value_count(points); i++)
        if (value_str_at(value_item(points, i), "size"))
            tally_add(a, &own, value_str_at(value_item(points, i), "size"));
    for (size_t i = 0; i < own.n; i++)
        index_put(x, pvm->address, own.sizes[i]);
}

/* All that are absent are counted into the first one's. Sizes are copied, since the backups that told them may be
 * looked at again. */
struct tally_of_all {
    struct tally tally;
    struct arena *arena;
};

static void put_absent(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    static const struct view_names sizes = {.kind = "ProtectedVirtualMachine", .put = put_sizes};
    const struct document *pvm = document_target(doc, "spec.from");
    struct tally_of_all *all = index_get(x, ALL_ABSENT);
    const struct index_entry *at = NULL;
    const char *size;

    if (!pvm || !str_eq(view_state(v, doc), "absent"))
        return;
    if (!all) {
        all = arena_new_of(a, struct tally_of_all);
        *all = (struct tally_of_all){.arena = a};
        index_put(x, ALL_ABSENT, all);
    }
    while ((size = view_next(v, &sizes, pvm->address, &at)))
        tally_add(all->arena, &all->tally,
                  tally_has(&all->tally, size) ? size : arena_strdup(all->arena, size));
}

/* No fewer of any size than could come, wherever they go and whether they are ordered or not: what there is room for
 * then, there is room for. Those that are back take their cores already. */
static void tally_all(const struct view *v, struct tally *t)
{
    static const struct view_names absent = {
        .kind = "RestoredVirtualMachine", .whole = true, .put = put_absent};
    const struct index_entry *at = NULL;
    const struct tally_of_all *all = view_next(v, &absent, ALL_ABSENT, &at);

    for (size_t i = 0; all && i < all->tally.n; i++)
        tally_add_many(v->arena, t, all->tally.sizes[i], all->tally.counts[i]);
}

/* The machines before this one that are ordered and still to be made anew. A machine that fits is not held up by one
 * that comes after it. */
static void tally_before(const struct view *v, const struct document *of, struct tally *t)
{
    static const struct view_names subscriptions = {
        .kind = "RestoredVirtualMachine", .declared = true, .put = put_subscription};
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct view near = *v;
    const char *subscription = subscription_of(scratch, of), *region;
    const struct index_entry *at = NULL;
    const struct document *doc;

    near.arena = scratch;
    region = region_of(&near, of);
    while (region && (doc = view_next(v, &subscriptions, subscription, &at)) && doc != of)
        if (comes(v, doc) && str_eq_nocase(region_of(&near, doc), region))
            tally_add(v->arena, t,
                      value_str_at(protected_vm_point(v, document_target(doc, "spec.from"), order_for(v, doc).point),
                                   "size"));
}

void check_quota(struct checking *c, const struct value *usages)
{
    const char *size = value_str_at(c->s->point, "size");
    struct arena *a = c->view->arena;
    struct tally all = {0};
    struct quota_lack lack;
    size_t n;

    for (int exact = 0; exact < 2; exact++) {
        all = (struct tally){0};
        tally_add(a, &all, size);
        all.counts[0] = 0;
        if (exact)
            tally_before(c->view, c->s->doc, &all);
        else
            tally_all(c->view, &all);
        all.counts[0]++;
        if (!platform_quota_lacks(c->view, usages, &(struct quota_wanted){all.sizes, all.counts, all.n}, &lack))
            return;
    }
    n = all.n > 1 || all.counts[0] > 1;
    if (n > 0)
        ADD(c, "quota", true, "raise the quota, or order the machines one after the other",
            "%s and the machines that are ordered before it need %lld cores in %s, quota %s has %lld left", size,
            (long long)lack.cores, c->region, lack.name, (long long)lack.left);
    else
        ADD(c, "quota", true, "raise the quota; while the source VM runs both must fit",
            "%s needs %lld cores in %s, quota %s has %lld left", size, (long long)lack.cores, c->region,
            lack.name, (long long)lack.left);
}

static void put_subnet(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    (void)v;
    index_put(x, arm_id_bare(a, reference_id(a, doc, "spec.target.subnet", NULL)), doc);
}

/* The machines before this one on its subnet: all that are declared, or those that will come. */
static int64_t on_subnet_before(const struct view *v, const struct document *of, bool all)
{
    static const struct view_names subnets = {
        .kind = "RestoredVirtualMachine", .declared = true, .put = put_subnet};
    const char *subnet = arm_id_bare(v->arena, reference_id(v->arena, of, "spec.target.subnet", NULL));
    const struct index_entry *at = NULL;
    const struct document *doc;
    int64_t n = 0;

    while ((doc = view_next(v, &subnets, subnet, &at)) && doc != of)
        n += all || comes(v, doc);
    return n;
}

void check_addresses(struct checking *c, const char *subnet, int64_t taken, int64_t room)
{
    int64_t n = 0;

    if (taken < room && taken + on_subnet_before(c->view, c->s->doc, true) >= room)
        n = on_subnet_before(c->view, c->s->doc, false);
    if (n > 0 && taken + n >= room)
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

/* What a failed write has left of a set is not known, whether the request names it or the machine comes back on it
 * unnamed; and a snapshot is bound to the set that its VM was on, which one that is made tonight can never be. */
void check_set(struct checking *c)
{
    const struct value *facts = c->s->des ? view_facts(c->view, c->s->des) : NULL;
    const char *state = value_str_at(facts, "live.properties.provisioningState");
    int64_t made = time_parse(value_str_at(facts, "created")), point = time_parse(value_str_at(c->s->point, "time"));
    bool absent = facts && str_eq(value_str_at(facts, "state"), "absent");

    if (c->s->now.encryption != DX_CMK || !facts)
        return;
    if (str_eq_nocase(state, "Failed") || str_eq_nocase(state, "Canceled"))
        ADD(c, "set-failed", true, "look at the set's activity log, and repeat the update that did not succeed",
            "%s, on which the machine is to run, is in the provisioning state %s: which key it is on is not certain",
            c->s->des->address, state);
    if (c->s->now.tier == DX_SNAPSHOT_ONLY && situation_type(c->s->doc) != RESTORE_REPLACE &&
        (absent || (made != TIME_NONE && point != TIME_NONE && made > point)))
        ADD(c, "set-snapshot", true, "order a point with a vault tier, or declare the set that the VM was on",
            "the point is in the snapshot tier only and comes back on the set that its VM was on; %s %s (N-14, R-06)",
            c->s->des->address, absent ? "is absent, and one made now is another" : "was made after the point");
}

/* What speaks for another version than the declared one: the set that the VM was seen on, else that a newer version was
 * there when the point was taken. NULL: nothing. */
static const char *version_instead(const struct checking *c, const char **ret_words)
{
    const struct view *v = c->view;
    struct original_key seen = original_key_of(v, c->s->pvm, NULL, c->s->point);
    const struct value *facts = view_facts(v, c->s->original_key), *item;

    if (seen.version && str_eq_nocase(seen.name, c->s->original.name)) {
        *ret_words = arena_printf(v->arena, "needed is version %s by %s", seen.version, seen.words);
        return seen.version;
    }
    item = version_at(value_get(facts, "versions"), time_parse(value_str_at(c->s->point, "time")));
    *ret_words = arena_printf(v->arena, "the key had a newer one when the point was taken: %s (created %s)",
                              value_str_at(item, "version") ? value_str_at(item, "version") : "",
                              time_format(v->arena, value_int_at(item, "created", 0) * SECOND_MS));
    return value_str_at(item, "version");
}

/* A set on another version than the disk's is refused by the edition that risks less, and the restore leaves a copy of
 * the key behind. Only the later edition lets the set be on either version. */
void check_version(struct checking *c)
{
    const struct original_key *original = &c->s->original;
    const char *words, *version;
    bool there;

    if (c->s->now.encryption != DX_CMK || c->s->given == DX_GIVEN_NOTHING ||
        original->evidence != KEY_EVIDENCE_DECLARED)
        return;
    version = version_instead(c, &words);
    if (!version || str_eq_nocase(version, original->version))
        return;
    there = key_attributes(c->view, c->s->original_key, version) != NULL;
    ADD(c, "version-older", c->s->article != DX_ARTICLE_2026_07,
        arena_printf(
            c->view->arena,
            "declare spec.version: %s in %s, and its set follows; or, where somebody knows that the disk is on "
            "%s, follow the edition that takes either (Policy.spec.article: \"2026-07\")",
            version, c->s->original_key->address, original->version),
        "version %s is declared, and %s; %s%s. On the declared one the restore is refused if the disk was wrapped with "
        "the other (R-07)",
        original->version, words, there ? "it is in " : "whether it is there cannot be seen",
        there ? value_str_at(view_facts(c->view, c->s->original_key), "base") : "");
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
