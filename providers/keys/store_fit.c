/* Knows why a key could not be used in the store that is declared for it. Pure. A disk encryption set takes keys of its own region
 * only (Microsoft Learn, Server-side encryption of managed disks, restrictions); keys in hardware need the Premium tier (About
 * keys); a backup of a key opens in the subscription and geography it was taken in, and for an HSM in the same security domain
 * (Key Vault backup). */
#include "store_fit.h"

static bool same_region(struct arena *a, const char *x, const char *y)
{
    return !x || !y || !*x || !*y || diff_same(value_string(a, x), value_string(a, y), DIFF_LOCATION | DIFF_NOCASE);
}

/* Where it is, or would come to be. */
static const char *store_region(const struct view *v, const struct document *store)
{
    const struct value *facts = view_facts(v, store);
    const char *live = value_str_at(facts, "live.location"), *gone = value_str_at(facts, "deleted.properties.location");

    return live ? live : gone ? gone : kind_location(store);
}

/* A managed HSM may be extended to other regions. */
static bool store_reaches(const struct view *v, const struct document *store, const char *region)
{
    const struct value *regions = value_at(view_facts(v, store), "live.properties.regions");

    if (same_region(v->arena, store_region(v, store), region))
        return true;
    for (size_t i = 0; i < value_count(regions); i++)
        if (same_region(v->arena, value_str_at(value_item(regions, i), "name"), region))
            return true;
    return false;
}

static const char *set_region(const struct view *v, const struct document *set)
{
    const char *live = value_str_at(view_facts(v, set), "live.location");

    return live ? live : kind_location(set);
}

/* The first region that wants the key and which its store does not reach; NULL. */
static const char *unreached(const struct view *v, const struct document *key, const struct document *store, const char **ret_by)
{
    const struct document *set;
    size_t at = 0;

    while ((set = referrer_next(key, "DiskEncryptionSet", &at)))
        if (set_region(v, set) && !store_reaches(v, store, set_region(v, set))) {
            *ret_by = set->address;
            return set_region(v, set);
        }
    return NULL;
}

/* Where the copy was taken, as far as the machine's own set still tells. */
static const char *original_store(const struct view *v, const struct document *key)
{
    for (size_t i = 0; i < key->n_references; i++) {
        const struct document *pvm = key->references[i].target;
        const char *id = pvm && str_eq(pvm->kind, "ProtectedVirtualMachine")
                             ? value_str_at(view_facts(v, pvm), "source.set.live.properties.activeKey.sourceVault.id")
                             : NULL;

        if (id)
            return id;
    }
    return NULL;
}

static const char region_next[] = "declare a store in the region of the set and its disks (spec.location of the KeyVault, and another "
                                  "name), in the same subscription and geography";

size_t store_objections(const struct view *v, const struct document *key, const char *region,
                        struct store_objection ret[STORE_OBJECTIONS_MAX])
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const char *by = "the disks", *tier = value_str_at(view_facts(v, store), "live.properties.sku.name"), *from, *here;
    struct arena *a = v->arena;
    size_t n = 0;

    if (!store)
        return 0;
    if (!region)
        region = unreached(v, key, store, &by);
    else if (store_reaches(v, store, region))
        region = NULL;
    if (region && key_store_is_hsm(store))
        ret[n++] = (struct store_objection){
            "store-region",
            arena_printf(a, "%s is in %s and not extended to %s, the region of %s: a set uses keys of its own region only", store->address,
                         store_region(v, store), region, by),
            arena_printf(a, "a person extends it: az keyvault region add --hsm-name %s --region %s",
                         arm_id_name(key_store_of(a, store)), region)};
    else if (region)
        ret[n++] = (struct store_objection){
            "store-region",
            arena_printf(a, "%s is in %s, %s in %s: a disk encryption set's key stands in its region, so a key there is of no use",
                         store->address, store_region(v, store), by, region),
            region_next};
    if (!key_store_is_hsm(store) && str_eq_nocase(tier, "standard"))
        ret[n++] = (struct store_objection){
            "store-tier",
            arena_printf(a, "%s is of the Standard tier, which holds no key in hardware, and a confidential VM's key is one",
                         store->address),
            arena_printf(a, "its owner raises the tier: az keyvault update --name %s --set properties.sku.name=premium; or declare another "
                            "store of the Premium tier", arm_id_name(key_store_of(a, store)))};
    from = arm_id_part(a, original_store(v, key) ? original_store(v, key) : "", "subscriptions");
    here = arm_id_part(a, key_store_of(a, store) ? key_store_of(a, store) : "", "subscriptions");
    if (!key_store_is_hsm(store) && from && here && !str_eq_nocase(from, here))
        ret[n++] = (struct store_objection){
            "store-subscription",
            arena_printf(a, "%s is in subscription %s, and the key was in %s: its copy opens in its own subscription only", store->address,
                         here, from),
            "declare a store in the subscription where the key was"};
    return n;
}

bool store_region_objection(const struct view *v, const struct document *key, struct store_objection *ret)
{
    struct store_objection found[STORE_OBJECTIONS_MAX];
    size_t n = store_objections(v, key, NULL, found);

    for (size_t i = 0; i < n; i++)
        if (str_eq(found[i].id, "store-region")) {
            *ret = found[i];
            return true;
        }
    return false;
}

bool store_block_misplaced(const struct view *v, const struct document *store, struct steps *out)
{
    struct store_objection objection;
    const struct document *key;
    size_t at = 0;

    while ((key = referrer_next(store, "Key", &at)))
        if (store_region_objection(v, key, &objection)) {
            steps_block(out, store, NULL, objection.next, "the %s is not there, and would be of no use there: %s",
                        key_store_word(store), objection.reason);
            return true;
        }
    return false;
}
