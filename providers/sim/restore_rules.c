/* Knows how a restore of a confidential VM ends, from facts: the rows that `reinstate explain scenarios` lists
 * (N-01…N-30, R-01…R-19), one function for "no disk encryption set given", one for "one is given". Must not know
 * jobs, requests or anybody's diagnosis.
 *
 * Where several things are broken, the first of these speaks; each is what Azure Backup must have before it can see the
 * next: 1 the set that is to be used: is it there, and may a point of this tier use it at all (no set, another set for
 * a snapshot) 2 its kind and place, when it is given: a disk cannot be made with it 3 the original key: before rights
 * on it, because rights on a purged key are gone with it and the documents still name the key 4 whether the set's key
 * is the original one, for a set that is given only after Azure Backup may look at it 5 Azure Backup's rights; a
 * snapshot does not need them 6 the identity's rights, when the disk is made; behind all else, and only then the
 * orchestrator's, when the VM starts Rows that name no code get the nearest code there is. N-21 and N-22 stand for N-23
 * too: whether a security domain is lost shows when somebody restores the key, not here. */
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

static bool key_fine(const struct restore_facts *f)
{
    return f->original_key == KEY_USABLE || (f->original_key == KEY_EXPIRED && f->readings.expired_restores);
}

/* The original key cannot be used where the point expects it. The vault tier has the service's own copy and leaves it
 * behind; the snapshot tier has nothing to leave. */
static struct restore_outcome key_lost(const struct restore_facts *f)
{
    static const struct { const char *vault, *hsm, *snapshot; } rows[] = {
        [KEY_USABLE] = {"", "", ""},
        [KEY_DISABLED] = {"N-05", "N-05", "N-05"},
        [KEY_EXPIRED] = {"N-06", "N-06", "N-06"},
        [KEY_SOFT_DELETED] = {"N-15", "N-15", "N-16"},
        [KEY_PURGED] = {"N-17", "N-17", "N-18"},
        [KEY_REPLACED] = {"N-07", "N-07", "N-18"},
        [KEY_STORE_DELETED] = {"N-19", "N-21", "N-16"},
        [KEY_STORE_PURGED] = {"N-20", "N-22", "N-18"},
    };
    bool gone = f->original_key == KEY_SOFT_DELETED || f->original_key == KEY_PURGED;
    bool re_pointed = gone && f->original.exists && !f->original.same_name;
    const char *row = f->in_hsm ? rows[f->original_key].hsm : rows[f->original_key].vault;

    if (!f->vault_tier)
        return fails(rows[f->original_key].snapshot, NO_KEY, false);
    if (re_pointed)
        row = f->original.same_store ? "N-10" : "N-12";
    return fails(row, NO_KEY, true);
}

/* Who has to be let at the key behind `set`. Only the vault tier needs the service itself. */
static bool denied(const struct restore_facts *f, const struct set_facts *set, const char *service_row,
                   const char *identity_row, bool service_exports, struct restore_outcome *ret)
{
    if (f->vault_tier && !set->service_may) {
        *ret = fails(service_row, SERVICE_DENIED, service_exports);
        return true;
    }
    if (!set->identity_may) {
        *ret = fails(identity_row, f->readings.rights_code ? f->readings.rights_code : IDENTITY_DENIED, false);
        return true;
    }
    return false;
}

/* A snapshot is bound to the very set, key and version it was taken with; what time has changed of them has to be
 * known to it. */
static bool snapshot_refuses(const struct restore_facts *f, bool moved, struct restore_outcome *ret)
{
    const struct set_facts *set = &f->original;

    if (f->vault_tier)
        return false;
    if (set->recreated && !f->readings.recreated_set_is_original)
        *ret = fails("N-14", SNAPSHOT_ONLY, false);
    else if (moved || (!set->same_name && f->readings.article != ARTICLE_2026_02))
        *ret = fails("N-09", SNAPSHOT_ONLY, false);
    else if (set->same_name && !set->same_version && f->readings.snapshots_miss_rotation)
        *ret = fails("N-03", SNAPSHOT_ONLY, false);
    else if (f->key_was_restored && !f->readings.restored_key_opens_snapshots)
        *ret = fails("N-18", NO_KEY, false);
    else
        return false;
    return true;
}

/* Table A: the service uses the original set as it is now. */
static struct restore_outcome none_given(const struct restore_facts *f)
{
    const struct set_facts *set = &f->original;
    bool fine = key_fine(f), moved = set->same_name && set->same_version && !set->same_store && set->holds_original;
    struct restore_outcome ret;

    /* N-30 (set and key gone) reports the set and leaves the key. */
    if (!set->exists)
        return fails(f->vault_tier ? (fine ? "N-13" : "N-30") : "N-14", NO_SET, f->vault_tier && !fine);
    if (!fine && !moved)
        return key_lost(f);
    if (!set->same_store && !moved)
        return fails("N-12", MISMATCH, false);
    if (snapshot_refuses(f, moved, &ret))
        return ret;
    if (f->vault_tier && set->same_name && !set->same_version && f->readings.article != ARTICLE_2026_02)
        return fails("N-04", NO_KEY, true);
    /* The disk is wrapped with the key that the set is on now. */
    if (set->key_unusable)
        return fails(set->same_name ? "N-04" : "N-08", NO_KEY, false);
    if (denied(f, set, "N-24", "N-25", false, &ret))
        return ret;
    if (set->rotation_stuck)
        return f->readings.stuck_rotation_fails ? fails("N-29", NO_KEY, false) : succeeds("N-29", !f->vault_tier);
    if (moved)
        return succeeds("N-11", false);
    if (!set->same_name)
        return succeeds("N-08", !f->vault_tier);
    return succeeds(set->same_version ? "N-02" : f->vault_tier ? "N-04" : "N-03", !f->vault_tier);
}

/* Another version, another key, or another key elsewhere. The later edition wraps anew when the set's
 * vault holds the original. */
static struct restore_outcome foreign_given(const struct restore_facts *f)
{
    const struct set_facts *set = &f->given;
    const char *row = set->same_name && set->same_store ? "R-07"
                      : set->same_store                 ? (key_fine(f) ? "R-08" : "R-09")
                      : set->holds_original             ? "R-11"
                                                        : "R-10";
    struct restore_outcome ret;

    if (f->readings.article != ARTICLE_2026_07 || !(set->same_store ? key_fine(f) : set->holds_original))
        return fails(row, MISMATCH, true);
    if (set->key_unusable)
        return fails(row, NO_KEY, false);
    return denied(f, set, "R-12", "R-13", true, &ret) ? ret : succeeds(row, false);
}

/* Table B: another set than the original one; always from the vault tier. */
static struct restore_outcome other_given(const struct restore_facts *f)
{
    const struct set_facts *set = &f->given;
    struct restore_outcome ret;

    if (!set->exists)
        return fails("R-16", NO_SET, false);
    if (!f->vault_tier)
        return fails("R-06", SNAPSHOT_ONLY, false);
    if (!set->confidential)
        return fails("R-14", WRONG_SET, false);
    if (!set->beside_target)
        return fails("R-15", WRONG_SET, false);
    if (set->same_name && set->same_version && set->same_store && !key_fine(f))
        return key_lost(f);
    if (!set->service_may)
        return fails("R-12", SERVICE_DENIED, true);
    if (!set->same_name || !set->same_version)
        return foreign_given(f);
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
    ret->exports = ret->exports && !f->export_withheld;
}

/* --- facts from the world ----------------------------------------------------------------------------------------- */

static bool service_may(struct sim *s, const struct value *vault, const char *key)
{
    static const char *const needs[] = {"get", "list", "backup"};
    const char *who = well_known(s, "BackupManagementService"), *id = value_str_at(vault, "id");
    size_t n = knob_is(s, "backupNeeds", "get-list") ? 2 : COUNT(needs);

    for (size_t i = 0; i < n; i++)
        if (!access_key(s, who, vault, key, needs[i]))
            return false;
    /* Of the built-in roles with rights on keys only Key Vault Administrator has this one too. */
    return !knob_is(s, "backupRole", "administrator") || hsm_is(vault) ||
           !value_bool_at(vault, "properties.enableRbacAuthorization", false) ||
           access_rbac(s, who, arena_printf(s->arena, "%s/keys/%s", id, key),
                       "Microsoft.KeyVault/vaults/secrets/backup/action", true);
}

static bool made_after(struct sim *s, const char *set_id, int64_t time_ms)
{
    const struct value *made = state_list(s, "setsMade");

    for (size_t i = 0; i < value_count(made); i++)
        if (str_eq_nocase(value_str_at(value_item(made, i), "id"), set_id) &&
            time_parse(value_str_at(value_item(made, i), "at")) > time_ms)
            return true;
    return false;
}

static void gather_set(struct sim *s, const char *set_id, const struct restore_wish *wish, const char *subscription,
                       struct set_facts *ret)
{
    const struct value *set = resource_find(s, set_id),
                       *key = value_get(item_wrapped_with(wish->backup, wish->point), "key");
    const char *wanted = value_str_at(key, "version"), *store = NULL, *name = NULL, *version = NULL, *problem;
    char ignored[256];

    *ret = (struct set_facts){.exists = set != NULL};
    if (!set)
        return;
    ret->confidential =
        str_eq(value_str_at(set, "properties.encryptionType"), "ConfidentialVmEncryptedWithCustomerKey");
    ret->beside_target =
        region_is(value_str_at(set, "location"), wish->location) &&
        (!subscription || str_eq_nocase(world_id_part(s->arena, set_id, "/subscriptions/"), subscription));
    ret->recreated = made_after(s, set_id, time_parse(value_str_at(wish->point, "time")));
    ret->rotation_stuck = value_at(set, "properties.autoKeyRotationError") != NULL;
    if (!key_url_parse(s, s->arena, value_str_at(set, "properties.activeKey.keyUrl"), &store, &name, &version))
        return;
    ret->same_store = str_eq_nocase(store, value_str_at(key, "store"));
    ret->same_name = str_eq_nocase(name, value_str_at(key, "name"));
    ret->same_version = ret->same_name && (!wanted || str_eq_nocase(version, wanted));
    ret->holds_original = key_state(s, store, value_str_at(key, "name"), wanted) == KEY_USABLE;
    ret->service_may = service_may(s, vault_by_name(s, store), name);
    problem = compute_des_problem(s, set, ignored, sizeof(ignored));
    ret->identity_may = !problem || !str_eq(problem, IDENTITY_DENIED);
    ret->key_unusable = problem && ret->identity_may;
}

static const char *rights_code(const struct sim *s)
{
    static const char *const codes[][2] = {
        {"permissions-code", SERVICE_DENIED}, {"key-code", NO_KEY}, {"unnamed", "RestoreOperationFailed"},
    };

    for (size_t i = 0; i < COUNT(codes); i++)
        if (knob_is(s, "rightsError", codes[i][0]))
            return codes[i][1];
    return NULL;
}

static struct restore_readings readings_of(const struct sim *s)
{
    const char *article = knob(s, "article");

    return (struct restore_readings){
        .article = str_eq(article, "2026-02")   ? ARTICLE_2026_02
                   : str_eq(article, "2026-07") ? ARTICLE_2026_07
                                                : ARTICLE_STRICTEST,
        .expired_restores = knob_is(s, "expiredVersion", "restores"),
        .snapshots_miss_rotation = knob_is(s, "rotationReachesSnapshots", "no"),
        .recreated_set_is_original = knob_is(s, "recreatedSet", "original"),
        .restored_key_opens_snapshots = knob_is(s, "restoredKeyOpensSnapshots", "yes"),
        .stuck_rotation_fails = knob_is(s, "stuckRotation", "fails"),
        .rights_code = rights_code(s),
    };
}

/* Whether a failing restore leaves no export: there is no copy of the key, or requests of this kind do not export. */
static bool export_withheld(struct sim *s, const struct restore_wish *wish, const struct value *key)
{
    enum { VERSIONS_MAX = 500 };
    const char *with = knob(s, "exportsWith"), *store = value_str_at(key, "store"), *name = value_str_at(key, "name");
    bool named = wish->set && *wish->set;
    const struct value *vault = vault_by_name(s, store),
                       *known = key_of_version(s, store, name, value_str_at(key, "version"));

    return (str_eq(wish->type, "OriginalLocation") && knob_is(s, "replaceExports", "no")) ||
           (str_eq(with, "no-set") && named) || (str_eq(with, "a-set") && !named) ||
           (vault && knob_is(s, "exportedFrom", "live-copy") && !service_may(s, vault, name)) ||
           (value_count(value_get(known, "versions")) > VERSIONS_MAX && knob_is(s, "manyVersions", "not-exported")) ||
           (value_bool_at(wish->backup, "undeleted", false) && knob_is(s, "undeletedItemKeepsKey", "no"));
}

void rules_gather(struct sim *s, const struct restore_wish *wish, struct restore_facts *ret)
{
    const struct value *with = item_wrapped_with(wish->backup, wish->point), *key = value_get(with, "key");
    const char *original = value_str_at(with, "diskEncryptionSet"), *store = value_str_at(key, "store"),
               *name = value_str_at(key, "name");
    int64_t restored;

    keys_advance(s);
    *ret = (struct restore_facts){.readings = readings_of(s), .customer_key = key != NULL};
    ret->snapshot_tier = item_tier_valid(wish->point, "InstantRP") || item_tier_valid(wish->point, "IASnapshotRP");
    ret->vault_tier = item_tier_valid(wish->point, "HardenedRP") || item_tier_valid(wish->point, "ArchivedRP");
    if (!key)
        return;
    restored = time_parse(value_str_at(key_find(s, store, name), "restored"));
    ret->in_hsm = store_is_hsm(s, store);
    ret->set_given = wish->set && *wish->set;
    ret->given_is_original = ret->set_given && str_eq_nocase(wish->set, original);
    ret->original_key = key_state(s, store, name, value_str_at(key, "version"));
    ret->key_was_restored = restored != TIME_NONE && restored > time_parse(value_str_at(wish->point, "time"));
    ret->export_withheld = export_withheld(s, wish, key);
    gather_set(s, original, wish, NULL, &ret->original);
    if (ret->set_given)
        gather_set(s, wish->set, wish, wish->subscription, &ret->given);
}

bool rules_may_boot(struct sim *s, const char *set_id)
{
    const struct value *set = resource_find(s, set_id);
    char ignored[256];

    return set && compute_boot_problem(s, set, ignored, sizeof(ignored)) == NULL;
}
