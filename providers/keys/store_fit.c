/* Knows why a key could not be used in the store that is declared for it. Pure. A disk encryption set takes keys of its
 * own region only (Microsoft Learn, Server-side encryption of managed disks, restrictions); keys in hardware need the
 * Premium tier (About keys); a backup of a key opens in the subscription and geography it was taken in, and for an HSM
 * in the same security domain (Key Vault backup). */
#include "store_fit.h"

#include <string.h>

#include "../azure/defaults.h"
#include "../azure/geography.h"
#include "../azure/key_id.h"
#include "../documents/id_fields.h"
#include "../documents/names.h"
#include "copies.h"
#include "original.h"
#include "store.h"

#define SOURCE_WORLDS "Microsoft Learn, Key Vault security worlds and geographic boundaries"

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
static const char *unreached(const struct view *v, const struct document *key, const struct document *store,
                             const char **ret_by)
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

/* --- where a copy of the key was taken ---------------------------------------------------------------------------- */

static const struct document *store_by_id(const struct view *v, const char *id)
{
    for (size_t i = 0; id && i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if ((str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm")) &&
            arm_id_equal(key_store_of(v->arena, doc), id))
            return doc;
    }
    return NULL;
}

static const struct document *store_by_base(const struct view *v, const char *base)
{
    for (size_t i = 0; base && i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if ((str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm")) &&
            str_eq_nocase(value_str_at(view_facts(v, doc), "base"), base))
            return doc;
    }
    return NULL;
}

/* A member is NULL when it is not known. */
struct copy_origin {
    const char *base, *subscription, *region;
    const char *words; /* what shows the region */
};

static void origin_of_store(const struct view *v, const struct document *store, struct copy_origin *ret)
{
    const char *id = store ? key_store_of(v->arena, store) : NULL;

    if (!id)
        return;
    ret->subscription = arm_id_part(v->arena, id, "subscriptions");
    ret->region = store_region(v, store);
    ret->words = arena_printf(v->arena, "%s was in %s", store->address, ret->region);
}

/* Azure Backup's copy. Vault, machine, set and key of a backup stand in one region, so the backup vault's tells where
 * the key's store was, even where another store has its name by now. Its own set, or its history, names the store; a
 * declaration names none. */
static void origin_of_backup(const struct view *v, const struct document *key, const struct document *pvm,
                             struct copy_origin *ret)
{
    const char *id = value_str_at(view_facts(v, pvm), "source.set.live.properties.activeKey.sourceVault.id");
    const struct document *rsv = document_target(pvm, "spec.vault");
    const char *live = value_str_at(view_facts(v, rsv), "live.location"), *there;
    struct original_key original = original_key_of(v, pvm, key, NULL);

    if (original.evidence == KEY_EVIDENCE_SET || original.evidence == KEY_EVIDENCE_HISTORY)
        ret->base = original.base;
    else
        ret->base = value_str_at(key_elsewhere(v, key), "base");
    origin_of_store(v, id ? store_by_id(v, id) : store_by_base(v, ret->base), ret);
    if (!ret->subscription && id)
        ret->subscription = arm_id_part(v->arena, id, "subscriptions");
    there = live ? live : rsv ? value_str_at(rsv->spec, "location") : NULL;
    if (!there)
        return;
    ret->region = there;
    ret->words = arena_printf(v->arena, "%s, whose copy of the key it is, is in %s", rsv->address, there);
}

/* Of the copy that would be used. A file does not say where it comes from. */
static struct copy_origin origin_of(const struct view *v, const struct document *key)
{
    struct key_copy copy = key_own_copy(v, key);
    struct copy_origin ret = {0};

    if (copy.kind == KEY_COPY_FILE)
        return ret;
    if (copy.kind == KEY_COPY_ESCROW) {
        ret.base = value_str_at(copy.blob, "store");
        origin_of_store(v, store_by_base(v, ret.base), &ret);
        return ret;
    }
    for (size_t i = 0; i < key->n_references && !ret.region; i++)
        if (key->references[i].target && str_eq(key->references[i].target->kind, "ProtectedVirtualMachine"))
            origin_of_backup(v, key, key->references[i].target, &ret);
    return ret;
}

static bool base_is_hsm(const char *base)
{
    return str_find_nocase(base ? base : "", ".managedhsm.") != NULL;
}

/* Compares what a copy is bound to, as far as it can be seen. Azure shows no security domain, so
 * that is not compared. */
static size_t origin_objections(const struct view *v, const struct document *key, const struct document *store,
                                struct store_objection *ret)
{
    struct copy_origin from = origin_of(v, key);
    const char *id = key_store_of(v->arena, store), *here = id ? arm_id_part(v->arena, id, "subscriptions") : NULL;
    const char *region = store_region(v, store);
    struct arena *a = v->arena;
    size_t n = 0;

    if (from.base && base_is_hsm(from.base) != key_store_is_hsm(store)) {
        ret[n++] =
            (struct store_objection){"store-kind",
                                     arena_printf(a, "the key was in %s, and %s is a %s: a copy of it opens in none",
                                                  from.base, store->address, key_store_word(store)),
                                     arena_printf(a, "declare a %s as the store of %s",
                                                  base_is_hsm(from.base) ? "ManagedHsm with the old security domain"
                                                                         : "KeyVault of its geography and subscription",
                                                  key->address)};
        return n;
    }
    if (key_store_is_hsm(store))
        return 0;
    if (from.subscription && here && !str_eq_nocase(from.subscription, here))
        ret[n++] = (struct store_objection){
            "store-subscription",
            arena_printf(a,
                         "%s is in subscription %s, and the key was in %s: its copy opens in its own subscription only",
                         store->address, here, from.subscription),
            "declare a store in the subscription where the key was"};
    if (azure_same_geography(from.region, region) == GEOGRAPHY_OTHER)
        ret[n++] = (struct store_objection){
            "store-geography",
            arena_printf(a,
                         "%s is in %s (geography %s), and %s (geography %s): a copy of a key opens in the geography it "
                         "was taken in "
                         "only (" SOURCE_WORLDS ")",
                         store->address, region, azure_geography(region), from.words, azure_geography(from.region)),
            arena_printf(a, "declare a store in a region of geography %s, in the same subscription",
                         azure_geography(from.region))};
    return n;
}

/* The store is there since before the point was taken, under the name that the copy's had: no other
 * has taken that name since. */
static bool still_that_store(const struct view *v, const struct document *key, const struct document *store,
                             const char *base)
{
    const struct value *facts = view_facts(v, store);
    int64_t made = time_parse(value_str_at(facts, "live.systemData.createdAt")), point = key_needed(v, key).point_ms;

    return base && str_eq_nocase(base, value_str_at(facts, "base")) && made != TIME_NONE && point != TIME_NONE &&
           made < point;
}

const char *store_unproved(const struct view *v, const struct document *key)
{
    const struct document *store = document_target(key, "spec.store");
    struct copy_origin from;
    const char *region;

    if (!store)
        return NULL;
    from = origin_of(v, key);
    region = store_region(v, store);
    if (still_that_store(v, key, store, from.base))
        return NULL;
    if (key_store_is_hsm(store))
        return arena_printf(
            v->arena, "that %s has the security domain under which the copy was made: Azure shows no security domain",
            store->address);
    if (!from.region || azure_same_geography(from.region, region) == GEOGRAPHY_UNKNOWN)
        return arena_printf(v->arena, "that the copy opens in %s: whether %s is of the geography of %s cannot be told",
                            store->address, region ? region : "its region",
                            from.region ? from.region : "the store it was taken of");
    return NULL;
}

/* --- objections --------------------------------------------------------------------------------------------------- */

static const char region_next[] =
    "declare a store in the region of the set and its disks (spec.location of the KeyVault, and another "
    "name), in the same subscription and geography";

size_t store_objections(const struct view *v, const struct document *key, const char *region,
                        struct store_objection ret[STORE_OBJECTIONS_MAX])
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const char *by = "the disks", *tier = value_str_at(view_facts(v, store), "live.properties.sku.name");
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
            arena_printf(a,
                         "%s is in %s and not extended to %s, the region of %s: a set uses keys of its own region only",
                         store->address, store_region(v, store), region, by),
            arena_printf(a, "a person extends it: az keyvault region add --hsm-name %s --region %s",
                         arm_id_name(key_store_of(a, store)), region)};
    else if (region)
        ret[n++] = (struct store_objection){
            "store-region",
            arena_printf(
                a,
                "%s is in %s, %s in %s: a disk encryption set's key stands in its region, so a key there is of no use",
                store->address, store_region(v, store), by, region),
            region_next};
    if (!key_store_is_hsm(store) && str_eq_nocase(tier, "standard"))
        ret[n++] = (struct store_objection){
            "store-tier",
            arena_printf(
                a, "%s is of the Standard tier, which holds no key in hardware, and a confidential VM's key is one",
                store->address),
            arena_printf(a,
                         "its owner raises the tier: az keyvault update --name %s --set properties.sku.name=premium; "
                         "or declare another "
                         "store of the Premium tier",
                         arm_id_name(key_store_of(a, store)))};
    n += origin_objections(v, key, store, ret + n);
    return n;
}

bool store_unreached(const struct view *v, const struct document *key, const char *region, struct store_objection *ret)
{
    struct store_objection found[STORE_OBJECTIONS_MAX];
    size_t n = store_objections(v, key, region, found);

    for (size_t i = 0; i < n; i++)
        if (str_eq(found[i].id, "store-region")) {
            *ret = found[i];
            return true;
        }
    return false;
}

/* Of a store that only an id names, what a KeyAccess of the key has read of it; NULL. */
static const struct value *vault_by_id(const struct view *v, const struct document *key)
{
    const struct document *access;
    const struct value *found = NULL;
    size_t at = 0;

    while (!found && key && (access = referrer_next(key, "KeyAccess", &at)))
        found = value_get(view_facts(v, access), "vault");
    return found;
}

bool store_refuses_sets(const struct view *v, const struct document *key, struct store_objection *ret)
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const struct value *vault = store ? NULL : vault_by_id(v, key);
    const struct value *on =
        azure_effective(v->arena, "Microsoft.KeyVault/vaults", vault, "properties.enablePurgeProtection");
    const char *id = value_str_at(vault, "id");

    if (store ? !store_unprotected(v, store) || value_bool_at(store->spec, "purgeProtection", false)
              : !id || !value_is(on, VALUE_BOOL) || on->b)
        return false;
    *ret = (struct store_objection){
        "store-unprotected",
        arena_printf(v->arena,
                     "purge protection of %s is off, and Azure makes no disk encryption set on a key of such a %s",
                     store ? store->address : id, store ? key_store_word(store) : "key vault"),
        arena_printf(v->arena,
                     "declare purgeProtection: true in %s, and approve it: --approve built-in/purge-protection=NAME "
                     "(it cannot be turned off again)",
                     store ? store->address : arena_printf(v->arena, "a KeyVault document of %s", id))};
    return true;
}

const struct document *store_to_protect(const struct view *v, const struct document *key)
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;

    return store && store_unprotected(v, store) && value_bool_at(store->spec, "purgeProtection", false) ? store : NULL;
}

bool store_region_objection(const struct view *v, const struct document *key, struct store_objection *ret)
{
    return store_unreached(v, key, NULL, ret);
}

/* A backup of the key goes there, so that another host than a storage account's is refused before anything is asked. */
static void escrow_check(const struct document *key, struct diags *faults)
{
    const struct value *container = value_at(key->spec, "escrow.container");
    const char *url = value_str(container),
               *host = url && str_starts(url, "https://") ? url + strlen("https://") : NULL;
    size_t n = host ? strcspn(host, "/") : 0;
    const char *blob = host ? strstr(host, ".blob.") : NULL, *name = host && host[n] ? host + n + 1 : NULL;

    if (!host)
        return;
    if (blob && blob < host + n && name && *name && !strchr(name, '/'))
        names_check_container("spec.escrow.container", arena_strndup(faults->arena, host, strcspn(host, ".")), name,
                              value_origin(container), faults);
    else
        diags_add(faults, SEVERITY_ERROR, value_origin(container),
                  "write it like https://ACCOUNT.blob.core.windows.net/CONTAINER",
                  "spec.escrow.container is the URL of no blob container");
}

void store_check(const struct document *key, struct diags *faults)
{
    const struct document *store = document_target(key, "spec.store");
    const char *here = store && !key_store_is_hsm(store) ? kind_location(store) : NULL;

    id_fields_check(key, faults);
    escrow_check(key, faults);
    for (size_t i = 0; here && i < key->n_references; i++) {
        const struct document *pvm = key->references[i].target;
        const struct document *rsv =
            pvm && str_eq(pvm->kind, "ProtectedVirtualMachine") ? document_target(pvm, "spec.vault") : NULL;
        const struct value *declared = rsv ? value_get(rsv->spec, "location") : NULL;

        if (azure_same_geography(value_str(declared), here) == GEOGRAPHY_OTHER)
            diags_add(faults, SEVERITY_WARNING, value_origin(value_get(key->spec, "store")), NULL,
                      "%s is in %s (geography %s) and %s in %s (geography %s): the copy of %s that this backup has "
                      "would not open there (" SOURCE_WORLDS ")",
                      store->address, here, azure_geography(here), rsv->address, value_str(declared),
                      azure_geography(value_str(declared)), key->address);
    }
}

bool store_block_misplaced(const struct view *v, const struct document *store, struct steps *out)
{
    struct store_objection found[STORE_OBJECTIONS_MAX];
    const struct document *key;
    size_t at = 0;

    while ((key = referrer_next(store, "Key", &at)))
        if (store_objections(v, key, NULL, found)) {
            steps_block(out, store, NULL, found[0].next, "the %s is absent, and made there it would be of no use: %s",
                        key_store_word(store), found[0].reason);
            return true;
        }
    return false;
}
