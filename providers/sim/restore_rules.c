/* Knows how a restore of a confidential VM ends, from facts: the rows of domain-facts 2.4 (N-01…N-30, R-01…R-19), one
 * function for "no disk encryption set given", one for "one is given". Must not know jobs, requests or anybody's diagnosis.
 *
 * Where the two editions of Microsoft's article differ, behaviour.article chooses: 2026-02, 2026-07, or by default the one
 * that refuses more (a client that copes with the refusal copes with the success). Rows that name no code get the nearest
 * code there is. */
#include "data.h"

#include <string.h>

#define NO_SET "UserErrorDiskEncryptionSetDoesNotExist"
#define NO_KEY "UserErrorDiskEncryptionSetKeyDoesNotExist"
#define MISMATCH "UserErrorInputDESKeyDoesNotMatchWithOriginalKey"
#define SNAPSHOT_ONLY "UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES"
#define SERVICE_DENIED "UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK"
#define IDENTITY_DENIED "KeyVaultAccessForbidden"
#define WRONG_SET "InvalidParameter"

static struct restore_outcome fails(const char *row, const char *code, bool exports)
{
    return (struct restore_outcome){.row = row, .code = code, .exports = exports};
}

static struct restore_outcome succeeds(const char *row, bool from_snapshot)
{
    return (struct restore_outcome){.row = row, .from_snapshot = from_snapshot};
}

/* The original key cannot be used where the point expects it. The vault tier has the service's own copy and leaves it
 * behind; the snapshot tier has nothing to leave. */
static struct restore_outcome key_lost(const struct restore_facts *f)
{
    static const struct { const char *vault, *snapshot; } rows[] = {
        [KEY_USABLE] = {"", ""},               [KEY_DISABLED] = {"N-05", "N-05"},
        [KEY_EXPIRED] = {"N-06", "N-06"},      [KEY_SOFT_DELETED] = {"N-15", "N-16"},
        [KEY_PURGED] = {"N-17", "N-18"},       [KEY_REPLACED] = {"N-07", "N-18"},
        [KEY_STORE_DELETED] = {"N-19", "N-18"}, [KEY_STORE_PURGED] = {"N-20", "N-18"},
    };
    bool gone = f->original_key == KEY_SOFT_DELETED || f->original_key == KEY_PURGED;
    bool re_pointed = gone && f->original.exists && !f->original.same_name;

    if (!f->vault_tier)
        return fails(rows[f->original_key].snapshot, NO_KEY, false);
    return fails(re_pointed ? "N-10" : rows[f->original_key].vault, NO_KEY, true);
}

/* Who has to be let at the key behind `set`. Only the vault tier needs the service itself. */
static bool denied(const struct restore_facts *f, const struct set_facts *set, const char *service_row, const char *identity_row,
                   bool service_exports, struct restore_outcome *ret)
{
    if (f->vault_tier && !set->service_may) {
        *ret = fails(service_row, SERVICE_DENIED, service_exports);
        return true;
    }
    if (!set->identity_may) {
        *ret = fails(identity_row, IDENTITY_DENIED, false);
        return true;
    }
    return false;
}

/* Table A: the service uses the original set as it is now. */
static struct restore_outcome none_given(const struct restore_facts *f)
{
    const struct set_facts *set = &f->original;
    bool key_fine = f->original_key == KEY_USABLE, moved = set->same_name && set->same_version && !set->same_store && set->holds_original;
    struct restore_outcome ret;

    /* N-30 (set and key gone) reports the set and leaves the key. */
    if (!set->exists)
        return fails(f->vault_tier ? (key_fine ? "N-13" : "N-30") : "N-14", NO_SET, f->vault_tier && !key_fine);
    if (!key_fine && !moved)
        return key_lost(f);
    if (!set->same_store && !moved)
        return fails("N-12", MISMATCH, false);
    if (!f->vault_tier && (moved || (!set->same_name && f->article != ARTICLE_2026_02)))
        return fails("N-09", SNAPSHOT_ONLY, false);
    if (f->vault_tier && set->same_name && !set->same_version && f->article != ARTICLE_2026_02)
        return fails("N-04", NO_KEY, true);
    if (denied(f, set, "N-24", "N-25", false, &ret))
        return ret;
    if (moved)
        return succeeds("N-11", false);
    if (!set->same_name)
        return succeeds("N-08", !f->vault_tier);
    return succeeds(set->same_version ? "N-02" : f->vault_tier ? "N-04" : "N-03", !f->vault_tier);
}

/* Table B: another set than the original one; always from the vault tier. */
static struct restore_outcome other_given(const struct restore_facts *f)
{
    const struct set_facts *set = &f->given;
    bool key_fine = f->original_key == KEY_USABLE, later = f->article == ARTICLE_2026_07;
    struct restore_outcome ret;

    if (!set->exists)
        return fails("R-16", NO_SET, false);
    if (!f->vault_tier)
        return fails("R-06", SNAPSHOT_ONLY, false);
    if (!set->confidential)
        return fails("R-14", WRONG_SET, false);
    if (!set->beside_target)
        return fails("R-15", WRONG_SET, false);
    if (set->same_name && set->same_version && set->same_store && !key_fine)
        return key_lost(f);
    if (!set->service_may)
        return fails("R-12", SERVICE_DENIED, true);
    if (!set->same_name || !set->same_version) {
        /* Another version, another key, or another key elsewhere. The later edition wraps anew when the set's vault holds the original. */
        const char *row = set->same_name && set->same_store ? "R-07" : set->same_store ? (key_fine ? "R-08" : "R-09")
                                                                                       : set->holds_original ? "R-11" : "R-10";
        if (!later || !(set->same_store ? key_fine : set->holds_original))
            return fails(row, MISMATCH, true);
        return denied(f, set, "R-12", "R-13", true, &ret) ? ret : succeeds(row, false);
    }
    if (!set->same_store && !set->holds_original)
        return fails("R-10", MISMATCH, true);
    if (denied(f, set, "R-12", "R-13", true, &ret))
        return ret;
    return succeeds(set->same_store ? "R-03" : "R-04", false);
}

void rules_decide(const struct restore_facts *f, struct restore_outcome *ret)
{
    if (!f->customer_key)
        *ret = succeeds("N-01", !f->vault_tier);
    else if (!f->set_given || f->given_is_original)      /* naming the original is naming none */
        *ret = none_given(f);
    else
        *ret = other_given(f);
}

/* --- facts from the world ------------------------------------------------------------------------------------------------ */

static bool principal_may(struct sim *s, const char *principal, const struct value *vault, const char *key, const char *const *permissions)
{
    for (size_t i = 0; permissions[i]; i++)
        if (!access_key(s, principal, vault, key, permissions[i]))
            return false;
    return true;
}

static void gather_set(struct sim *s, const char *set_id, const struct value *key, const char *location, const char *subscription,
                       struct set_facts *ret)
{
    static const char *const service_needs[] = {"get", "list", NULL};
    const struct value *set = resource_find(s, set_id);
    const char *wanted = value_str_at(key, "version"), *store = NULL, *name = NULL, *version = NULL;
    char ignored[256];

    *ret = (struct set_facts){.exists = set != NULL};
    if (!set)
        return;
    ret->confidential = str_eq(value_str_at(set, "properties.encryptionType"), "ConfidentialVmEncryptedWithCustomerKey");
    ret->beside_target = region_is(value_str_at(set, "location"), location) &&
                         (!subscription || str_eq_nocase(world_id_part(s->arena, set_id, "/subscriptions/"), subscription));
    if (!key_url_parse(s, s->arena, value_str_at(set, "properties.activeKey.keyUrl"), &store, &name, &version))
        return;
    ret->same_store = str_eq_nocase(store, value_str_at(key, "store"));
    ret->same_name = str_eq_nocase(name, value_str_at(key, "name"));
    ret->same_version = ret->same_name && (!wanted || str_eq_nocase(version, wanted));
    ret->holds_original = key_state(s, store, value_str_at(key, "name"), wanted) == KEY_USABLE;
    ret->service_may = principal_may(s, well_known(s, "BackupManagementService"), vault_by_name(s, store), name, service_needs);
    ret->identity_may = compute_des_problem(s, set, ignored, sizeof(ignored)) == NULL;
}

static enum article article_of(const struct sim *s)
{
    const char *text = behaviour(s, "article", "");

    return str_starts(text, "2026-02") ? ARTICLE_2026_02 : str_starts(text, "2026-07") ? ARTICLE_2026_07 : ARTICLE_SAFEST;
}

void rules_gather(struct sim *s, const struct value *backup, const struct value *point, const char *given, const char *target_location,
                    const char *target_subscription, struct restore_facts *ret)
{
    const struct value *with = item_wrapped_with(backup, point), *key = value_get(with, "key");
    const char *original = value_str_at(with, "diskEncryptionSet");

    keys_advance(s);
    *ret = (struct restore_facts){.article = article_of(s), .customer_key = key != NULL};
    ret->snapshot_tier = item_tier_valid(point, "InstantRP");
    ret->vault_tier = item_tier_valid(point, "HardenedRP") || item_tier_valid(point, "ArchivedRP");
    if (!key)
        return;
    ret->set_given = given && *given;
    ret->given_is_original = ret->set_given && str_eq_nocase(given, original);
    ret->original_key = key_state(s, value_str_at(key, "store"), value_str_at(key, "name"), value_str_at(key, "version"));
    gather_set(s, original, key, target_location, NULL, &ret->original);
    if (ret->set_given)
        gather_set(s, given, key, target_location, target_subscription, &ret->given);
}

bool rules_may_boot(struct sim *s, const char *set_id)
{
    const char *store, *name, *version;
    const struct value *set = resource_find(s, set_id);

    if (!set || !key_url_parse(s, s->arena, value_str_at(set, "properties.activeKey.keyUrl"), &store, &name, &version))
        return false;
    return key_state(s, store, name, version) == KEY_USABLE &&
           access_key(s, well_known(s, "ConfidentialVmOrchestrator"), vault_by_name(s, store), name, "release");
}
