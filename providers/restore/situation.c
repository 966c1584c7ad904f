/* Knows how observed facts of a key, its store, its set, its grants and its backup become the facts of the scenario
 * table. Must not know what is done about them. */
#include "situation.h"

#include "conclude.h"
#include "../documents/concluded.h"
#include "../documents/found.h"

#include "../azure/geography.h"
#include "../azure/key_id.h"
#include "../azure/vault.h"
#include "../keys/key_facts.h"
#include "../keys/standing.h"
#include "../backup/points.h"
#include "../access/rights.h"
#include "../access/seen.h"
#include "../backup/claim.h"
#include "../backup/order.h"

enum restore_type situation_type(const struct document *doc)
{
    const char *type = doc ? value_str_at(doc->spec, "restore") : NULL;

    return str_eq(type, "disks") ? RESTORE_DISKS : str_eq(type, "replace") ? RESTORE_REPLACE : RESTORE_NEW_VM;
}

/* --- the original key --------------------------------------------------------------------------------------------- */

static bool same_name_and_version(struct arena *a, const char *url, const char *other)
{
    struct key_id x, y;

    return key_id_parse(a, url, &x) && key_id_parse(a, other, &y) && str_eq_nocase(x.name, y.name) && x.version &&
           str_eq_nocase(x.version, y.version);
}

/* Adds the newest version to an address without one; if the newest is not known the address stays as it is. */
static const char *pinned_url(const struct view *v, const char *url)
{
    const char *newest = value_str_at(view_facts(v, key_document_at(v, url)), "newest");
    struct key_id id;

    return newest && key_id_parse(v->arena, url, &id) && !id.version
               ? arena_printf(v->arena, "%s/keys/%s/%s", id.base, id.name, newest)
               : url;
}

static bool same_set(const struct situation *s)
{
    return s->original_des && s->des_id && arm_id_equal(s->original_des, s->des_id);
}

/* The document of the key that this backup carries. It is the declared set's key, unless only other Key documents name
 * this backup as a source: a set may be on another key than the one the disk was wrapped with. */
static const struct document *key_of_backup(const struct situation *s)
{
    const struct document *first = NULL, *key;
    size_t at = 0;

    while ((key = referrer_next(s->pvm, "Key", &at))) {
        if (key == s->key)
            return key;
        first = first ? first : key;
    }
    return first ? first : s->key;
}

/* The declared set was on the original version before its last rotation: where nothing else names the set of the
 * backup, this one is it. */
static bool was_on(const struct view *v, const struct situation *s)
{
    const struct value *previous = value_at(view_facts(v, s->des), "live.properties.previousKeys");

    for (size_t i = 0; s->original_url && i < value_count(previous); i++)
        if (key_same_version(value_str_at(value_item(previous, i), "keyUrl"), s->original_url))
            return true;
    return false;
}

/* A Key document says where its key is looked for; that is where it was, unless evidence of the point's own time says
 * else, or another set than the declared one, which the VM is on. */
static void find_original(const struct view *v, struct situation *s)
{
    struct original_key seen = original_key_of(v, s->pvm, NULL, s->point);
    struct original_key said = original_key_of(v, s->pvm, key_of_backup(s), s->point);
    bool firm =
        said.conflict || seen.evidence == KEY_EVIDENCE_HISTORY || (seen.evidence == KEY_EVIDENCE_SET && !same_set(s));

    s->original = seen.version && firm ? seen : said;
    if (s->original.base && s->original.name && s->original.version)
        s->original_url =
            arena_printf(v->arena, "%s/keys/%s/%s", s->original.base, s->original.name, s->original.version);
    s->original_key = s->original_url ? key_document_at(v, s->original_url) : NULL;
    if (!s->original_key && !s->original_url)
        s->original_key = s->key;
    if (!s->original_des && was_on(v, s))
        s->original_des = s->des_id;
}

static bool version_listed(const struct value *versions, const char *version, const struct value **ret)
{
    for (size_t i = 0; i < value_count(versions); i++)
        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version)) {
            *ret = value_item(versions, i);
            return true;
        }
    return false;
}

static enum dx_key key_usable(const struct view *v, const struct value *attributes)
{
    int64_t exp = value_int_at(attributes, "exp", 0), nbf = value_int_at(attributes, "nbf", 0);

    if (!value_bool_at(attributes, "enabled", true))
        return DX_KEY_DISABLED;
    if (nbf > v->now_ms / SECOND_MS)
        return DX_KEY_EARLY;
    return exp && exp <= v->now_ms / SECOND_MS ? DX_KEY_EXPIRED : DX_KEY_PRESENT;
}

static enum dx_key key_state(const struct view *v, const struct document *key, const char *version)
{
    const struct value *facts = view_facts(v, key), *live = value_get(facts, "live"), *listed;
    const char *state = key ? view_state(v, key) : "unseen", *have = vault_kid_version(value_str_at(live, "key.kid"));

    /* Under a mistyped name nothing was seen of the key. */
    if (key && key_misnamed(v, key, version, NULL))
        return DX_KEY_UNKNOWN;
    if (str_eq(state, "absent"))
        return DX_KEY_PURGED;
    if (str_eq(state, "deleted"))
        return DX_KEY_DELETED;
    if (!str_eq(state, "present") || !version)
        return DX_KEY_UNKNOWN;
    if (str_eq_nocase(have, version))
        return key_usable(v, value_get(live, "attributes"));
    if (version_listed(value_get(facts, "versions"), version, &listed))
        return key_usable(v, listed);
    return value_get(facts, "versions") || str_eq_nocase(value_str_at(facts, "missing"), version) ? DX_KEY_REPLACED
                                                                                                  : DX_KEY_UNKNOWN;
}

static enum dx_home home_of(const struct situation *s)
{
    if (s->original_key)
        return key_store_is_hsm(s->original_key) ? DX_HOME_HSM : DX_HOME_VAULT;
    if (!s->original_url)
        return DX_HOME_UNKNOWN;
    return str_find_nocase(s->original_url, ".managedhsm.") ? DX_HOME_HSM : DX_HOME_VAULT;
}

static enum dx_store store_state(const struct view *v, const struct document *key)
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const char *state = value_str_at(view_facts(v, key), "storeState");
    /* The loss of a security domain is a person's word, and counts once the HSM itself is gone. */
    bool lost = store && key_store_is_hsm(key) && !value_bool_at(store->spec, "securityDomain.held", true);

    if (str_eq(state, "present"))
        return DX_STORE_PRESENT;
    if (str_eq(state, "absent"))
        return lost ? DX_STORE_DOMAIN_LOST : DX_STORE_PURGED;
    return str_eq(state, "deleted") ? DX_STORE_DELETED : DX_STORE_UNKNOWN;
}

/* --- the grants --------------------------------------------------------------------------------------------------- */

static bool lacks(const struct value *principal, bool then)
{
    if (then)
        return value_count(value_get(principal, "lacksAfter")) > 0;
    return !value_get(principal, "missing") || value_count(value_get(principal, "missing")) > 0;
}

/* What an identity lacks that cannot be seen is not known; one that is gone holds nothing. */
static bool rights_unseen(const struct view *v, const struct document *access, size_t i, const struct value *principal)
{
    const struct document *set =
        document_target(access, arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", i));

    return !value_get(principal, "missing") && set && str_eq(view_state(v, set), "unseen");
}

/* How early a restore fails for it: 0 not at all. */
static int grants_rank(enum dx_grants g)
{
    static const int ranks[] = {
        [DX_GRANTS_OK] = 0,
        [DX_GRANTS_UNKNOWN] = 1,
        [DX_GRANTS_ORCHESTRATOR_UNSURE] = 2,
        [DX_GRANTS_ORCHESTRATOR_LACKS] = 3,
        [DX_GRANTS_ORCHESTRATOR_SHUT] = 3,
        [DX_GRANTS_DES_LACKS] = 4,
        [DX_GRANTS_FIREWALL] = 5,
        [DX_GRANTS_BACKUP_LACKS] = 6,
    };

    return ranks[g];
}

static enum dx_grants grants_worse(enum dx_grants x, enum dx_grants y)
{
    return grants_rank(x) >= grants_rank(y) ? x : y;
}

bool situation_of_another_set(const struct view *v, const struct document *access, size_t i, const char *set_id)
{
    const char *path = arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", i);

    return document_reference(access, path) &&
           !arm_id_equal(reference_id(v->arena, access, path, disk_encryption_set_id), set_id);
}

static const enum dx_grants by_user[KEY_USER_COUNT] = {
    [KEY_USER_DES] = DX_GRANTS_DES_LACKS,
    [KEY_USER_ORCHESTRATOR] = DX_GRANTS_ORCHESTRATOR_LACKS,
    [KEY_USER_BACKUP] = DX_GRANTS_BACKUP_LACKS,
};

/* The first principal that lacks rights with a set that no KeyAccess declares, as far as its rights can be seen. */
static enum dx_grants rights_undeclared(const struct view *v, const struct document *key, const struct value *set)
{
    enum dx_grants found = DX_GRANTS_OK;

    for (enum key_user user = KEY_USER_DES; user < KEY_USER_COUNT; user++) {
        enum seen_right seen = right_seen(v, key, user, set);

        if (seen != SEEN_HELD)
            found = grants_worse(found, seen == SEEN_LACKING ? by_user[user] : DX_GRANTS_UNKNOWN);
    }
    return found;
}

/* What is lacking for certain although no document grants it: nobody will. What cannot be seen is left to those who
 * declare nothing of it. `set`: the document of the set that is named, or NULL. */
static enum dx_grants rights_nowhere(const struct view *v, const struct document *key, const struct document *set)
{
    enum dx_grants found = DX_GRANTS_OK;

    for (enum key_user user = KEY_USER_DES; key && user < KEY_USER_COUNT; user++)
        if ((set || user != KEY_USER_DES) && !right_declared(v, key, user, set) &&
            right_seen(v, key, user, view_facts(v, set)) == SEEN_LACKING)
            found = grants_worse(found, by_user[user]);
    return found;
}

const char *situation_grant_advice(const struct view *v, const struct situation *s)
{
    for (enum key_user user = KEY_USER_DES; s->key && s->given != DX_GIVEN_NOTHING && user < KEY_USER_COUNT; user++)
        if (s->then.grants == by_user[user] && (s->des || user != KEY_USER_DES) &&
            !right_declared(v, s->key, user, s->des))
            return arena_printf(v->arena, "no document grants it: declare {%s: %s} in a KeyAccess of %s",
                                user == KEY_USER_DES ? "diskEncryptionSet" : "wellKnown",
                                user == KEY_USER_DES      ? s->des->name
                                : user == KEY_USER_BACKUP ? "BackupManagementService"
                                                          : "ConfidentialVmOrchestrator",
                                s->key->address);
    return NULL;
}

/* The first principal that lacks rights for a restore with that set ("": the set is not known), over every KeyAccess of
 * this key; `then`: once all they declare is granted. Unknown if no KeyAccess speaks of the set. */
static enum dx_grants rights_state(const struct view *v, const struct document *key, const char *set_id, bool then)
{
    enum dx_grants found = DX_GRANTS_OK;
    const struct document *access;
    bool of_set = false;
    size_t at = 0;

    while (key && (access = referrer_next(key, "KeyAccess", &at))) {
        const struct value *principals = value_get(view_facts(v, access), "principals");

        for (size_t i = 0; i < value_count(principals); i++) {
            const struct value *p = value_item(principals, i);

            if (situation_of_another_set(v, access, i, set_id))
                continue;
            of_set |= value_int_at(p, "user", 0) == KEY_USER_DES;
            if (rights_unseen(v, access, i, p))
                found = grants_worse(found, DX_GRANTS_UNKNOWN);
            else
                found = grants_worse(found, lacks(p, then) ? by_user[value_int_at(p, "user", 0)] : DX_GRANTS_OK);
        }
    }
    return of_set ? found : grants_worse(found, DX_GRANTS_UNKNOWN);
}

/* The rights for a restore that names no set: as declared, else as far as they can be seen. */
static enum dx_grants rights_of_original(const struct view *v, const struct document *key, const char *set_id,
                                         const struct value *set)
{
    enum dx_grants declared = rights_state(v, key, set_id, false);

    return declared == DX_GRANTS_UNKNOWN ? rights_undeclared(v, key, set) : declared;
}

static const char *set_named(const struct situation *s)
{
    return s->des_id ? s->des_id : "";
}

/* What the firewall of the key's store makes of the grants. Microsoft's services pass a closed one that bypasses for
 * them; the Confidential VM Orchestrator is not on the list of these (Microsoft Learn, Key Vault network service
 * endpoints, August 2026). */
static enum dx_grants firewall_state(const struct view *v, const struct document *key)
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const struct value *p = value_at(view_facts(v, store), "live.properties");
    const char *bypass = value_str_at(p, "networkAcls.bypass");
    bool closed = str_eq_nocase(value_str_at(p, "networkAcls.defaultAction"), "Deny") ||
                  str_eq_nocase(value_str_at(p, "publicNetworkAccess"), "Disabled");

    /* A perimeter overrides the bypass, and its rules are not seen. */
    if (str_eq_nocase(value_str_at(p, "publicNetworkAccess"), "SecuredByPerimeter"))
        return DX_GRANTS_FIREWALL;
    if (!closed)
        return DX_GRANTS_OK;
    if (bypass && !str_find_nocase(bypass, "AzureServices"))
        return DX_GRANTS_FIREWALL;
    return value_count(value_get(p, "privateEndpointConnections")) ? DX_GRANTS_ORCHESTRATOR_UNSURE
                                                                   : DX_GRANTS_ORCHESTRATOR_SHUT;
}

/* --- the sets ----------------------------------------------------------------------------------------------------- */

/* The look after a lost key has found it in the store of that URL. */
static bool seen_elsewhere(const struct view *v, const struct situation *s, const char *url)
{
    const struct value *elsewhere = value_get(view_facts(v, s->original_key), "elsewhere");
    const char *base = value_str_at(elsewhere, "base");

    return base && str_eq(value_str_at(elsewhere, "state"), "present") &&
           key_same_store(url, arena_printf(v->arena, "%s/keys/any", base)) &&
           str_eq_nocase(key_url_version(v->arena, url), value_str_at(elsewhere, "version"));
}

/* Where a set that points to `url` stands to the original key. */
static enum dx_des des_on(const struct view *v, const struct situation *s, const char *url)
{
    const char *original = s->original_url;
    const struct document *key;

    if (!url || !original)
        return DX_DES_UNKNOWN;
    url = pinned_url(v, url);
    if (key_same_version(url, original))
        return DX_DES_INTACT;
    /* Which version the set is on cannot be told. */
    if (!key_url_version(v->arena, url))
        return DX_DES_UNKNOWN;
    if (key_same_store(url, original))
        return key_same_key(url, original) ? DX_DES_ROTATED : DX_DES_REPOINTED;
    /* No copy of a key goes from a vault to a managed HSM or back. */
    if (!same_name_and_version(v->arena, url, original) ||
        (str_find_nocase(url, ".managedhsm.") != NULL) != (str_find_nocase(original, ".managedhsm.") != NULL))
        return DX_DES_FOREIGN;
    /* The address alone proves no key: it must be seen there. */
    if (seen_elsewhere(v, s, url))
        return DX_DES_MOVED;
    key = key_document_at(v, url);
    return key_state(v, key, key_url_version(v->arena, url)) == DX_KEY_PRESENT ? DX_DES_MOVED : DX_DES_UNKNOWN;
}

/* The facts of the set the VM was backed up with: of its document, else as the source VM's document holds them. */
static const struct value *original_set(const struct view *v, const struct situation *s)
{
    const struct document *doc = set_document_at(v, s->original_des);

    if (doc)
        return view_facts(v, doc);
    return s->original_des ? value_at(view_facts(v, s->pvm), "source.set") : NULL;
}

static enum dx_tier tier_of(const struct value *point)
{
    if (str_eq(value_str_at(point, "vault"), "valid"))
        return DX_VAULT;
    if (str_eq(value_str_at(point, "snapshot"), "valid"))
        return DX_SNAPSHOT_ONLY;
    if (value_get(point, "unknownTier") || protected_vm_tiers_unseen(point) || protected_vm_point_archived(point))
        return DX_TIER_UNKNOWN;
    return DX_NO_TIER;
}

/* A set is seen to be on the original key, whichever version: the one the VM was backed up with, or the declared one
 * where that is not known any more. */
static bool set_lives(const struct view *v, const struct situation *s, const struct value *original)
{
    const struct value *set = s->original_des ? original
                              : s->des        ? view_facts(v, s->des)
                              : s->doc        ? value_get(view_facts(v, s->doc), "set")
                                              : NULL;
    const char *url = value_str_at(set, "live.properties.activeKey.keyUrl");

    return url && s->original.name && key_url_is(url, s->original.base, s->original.name);
}

static enum dx_des des_state(const struct view *v, const struct situation *s)
{
    const struct value *set = original_set(v, s);
    enum dx_des on;

    if (str_eq(value_str_at(set, "state"), "absent"))
        return DX_DES_GONE;
    /* No document tells one made anew to be the original: a snapshot is bound to that one, of the
     * vault tier nobody knows. */
    if (s->made_anew)
        return tier_of(s->point) == DX_SNAPSHOT_ONLY ? DX_DES_GONE : DX_DES_UNKNOWN;
    on = des_on(v, s, value_str_at(set, "live.properties.activeKey.keyUrl"));
    return on == DX_DES_UNKNOWN && set_lives(v, s, set) ? DX_DES_LIVES : on;
}

/* Which key the declared set stands for, once its own steps are done. */
static enum dx_given given_on(const struct view *v, const struct situation *s)
{
    const char *url = s->des ? value_str(key_wanted_url(v, s->des, "spec.key"))
                             : value_str_at(view_facts(v, s->doc), "set.live.properties.activeKey.keyUrl");
    const struct document *key;
    const char *beside;
    struct key_id id;

    url = pinned_url(v, url);
    if (!s->original_url || !key_id_parse(v->arena, url, &id) || !id.version)
        return DX_GIVEN_UNKNOWN;
    if (key_same_version(url, s->original_url))
        return DX_GIVEN_SAME_KEY;
    if (key_same_store(url, s->original_url))
        return key_same_key(url, s->original_url) ? DX_GIVEN_NEWER_VERSION : DX_GIVEN_OTHER_KEY;
    if (same_name_and_version(v->arena, url, s->original_url))
        return DX_GIVEN_SAME_KEY_MOVED;
    beside = arena_printf(v->arena, "%s/keys/%s/%s", id.base, s->original.name, s->original.version);
    key = key_document_at(v, beside);
    if (key && str_eq(view_state(v, key), "unseen"))
        return DX_GIVEN_UNKNOWN;
    return key && key_state(v, key, s->original.version) == DX_KEY_PRESENT ? DX_GIVEN_FOREIGN_WITH_ORIGINAL
                                                                           : DX_GIVEN_FOREIGN_KEY;
}

/* Of a key that cannot be seen we can say that it is the wrong one, but never that it works. */
static enum dx_given given_by(const struct view *v, const struct situation *s)
{
    enum dx_given given = given_on(v, s);
    bool must_work = given == DX_GIVEN_SAME_KEY_MOVED || given == DX_GIVEN_NEWER_VERSION || given == DX_GIVEN_OTHER_KEY;

    return must_work && s->key && str_eq(view_state(v, s->key), "unseen") ? DX_GIVEN_UNKNOWN : given;
}

static bool pending(const struct view *v, const struct document *doc)
{
    return doc && view_prospect(v, doc) == PROSPECT_PENDING;
}

/* Whether the set is a new one under the old id, made by this plan or after the point: then it has another identity
 * than the original. */
static bool made_anew(const struct view *v, const struct situation *s)
{
    const struct value *set = original_set(v, s);
    int64_t made = time_parse(value_str_at(set, "created")), point = time_parse(value_str_at(s->point, "time"));

    if (!same_set(s))
        return false;
    if (str_eq(value_str_at(set, "state"), "absent"))
        return pending(v, s->des);
    return made != TIME_NONE && point != TIME_NONE && made > point;
}

/* securedVMDetails goes with the request only when the point has a vault tier and the declared set is not the original,
 * never for platform-managed keys or a replace. A set known to be another one needs naming from a snapshot too, which
 * row R-06 then refuses; with the original unknown, a snapshot is restored plainly and verified. */
static enum dx_given what_to_give(const struct view *v, const struct situation *s)
{
    if (s->now.encryption != DX_CMK || situation_type(s->doc) == RESTORE_REPLACE || !s->des_id)
        return DX_GIVEN_NOTHING;
    if (same_set(s))
        return s->made_anew && s->now.tier == DX_VAULT ? given_by(v, s) : DX_GIVEN_NOTHING;
    return s->now.tier == DX_VAULT || s->original_des ? given_by(v, s) : DX_GIVEN_NOTHING;
}

static bool elsewhere(const struct view *v, const struct situation *s, const struct value *live)
{
    const char *at = value_str_at(live, "location"), *set = azure_region(v->arena, at       ? at
                                                                                   : s->des ? kind_location(s->des)
                                                                                            : NULL);
    const char *target = protected_vm_region(v, s->pvm), *vm = restored_vm_id(v->arena, s->doc);

    return (set && target && !str_eq_nocase(set, target)) ||
           !str_starts_nocase(s->des_id, arena_printf(v->arena, "%s/", arm_id_parent(v->arena, vm, 6)));
}

/* What is wrong with the set named as things stand, or will be once its own steps are done. */
static enum dx_fault fault_of(const struct view *v, const struct situation *s, bool then)
{
    const struct value *set = s->des ? view_facts(v, s->des) : s->doc ? value_get(view_facts(v, s->doc), "set") : NULL;
    const struct value *live = value_get(set, "live");
    const char *type = s->des ? value_str_at(s->des->spec, "encryptionType") : NULL;
    enum dx_key state;

    if (s->given == DX_GIVEN_NOTHING || !set || str_eq(value_str_at(set, "state"), "unseen"))
        return DX_FAULT_NONE;
    if (!live && key_unfit(v, s->key))
        return DX_FAULT_UNMAKEABLE;
    if (!live && !(then && pending(v, s->des)))
        return DX_FAULT_MISSING;
    /* A set made without a type is for ordinary encryption at rest (DiskRP specification). */
    if (!str_eq_nocase(live ? value_str_at(live, "properties.encryptionType") : type,
                       "ConfidentialVmEncryptedWithCustomerKey"))
        return DX_FAULT_WRONG_TYPE;
    if (elsewhere(v, s, live))
        return DX_FAULT_ELSEWHERE;
    if (!s->key || s->key == s->original_key || s->given == DX_GIVEN_SAME_KEY || (then && pending(v, s->key)))
        return DX_FAULT_NONE;
    state = key_state(v, s->key, key_wanted_version(v, s->key));
    return state == DX_KEY_PRESENT || state == DX_KEY_UNKNOWN ? DX_FAULT_NONE : DX_FAULT_KEY;
}

/* --- the backup --------------------------------------------------------------------------------------------------- */

static enum dx_source source_of(const struct value *backup)
{
    const char *state = value_str_at(backup, "source.state");

    return str_eq(state, "present") ? DX_SOURCE_THERE : str_eq(state, "absent") ? DX_SOURCE_GONE : DX_SOURCE_UNKNOWN;
}

/* The policy of today says nothing of a point that was taken under another one and says so itself. */
static bool crash_consistent(const struct value *backup, const struct value *point)
{
    const char *own = value_str_at(point, "consistency");

    return str_eq_nocase(value_str_at(backup, "policy.live.properties.snapshotConsistencyType"),
                         "OnlyCrashConsistent") &&
           (!own || str_eq_nocase(own, "CrashConsistent"));
}

/* A point that does not say whose key it needs may need the declared one, or the one the source VM's
 * disk is wrapped with. */
static enum dx_encryption encryption_of(const struct value *backup, const struct situation *s)
{
    const struct value *disk =
        value_at(backup, "source.live.properties.storageProfile.osDisk.managedDisk.securityProfile");

    switch (s->point ? protected_vm_point_key(s->point) : POINT_KEY_CUSTOMER) {
    case POINT_KEY_CUSTOMER:
        return DX_CMK;
    case POINT_KEY_PLATFORM:
        return DX_PMK;
    default:
        break;
    }
    if (s->des_id || s->key || s->original_des)
        return DX_CMK;
    return disk ? DX_PMK : DX_ENCRYPTION_UNKNOWN;
}

/* What the point says of its data disks, and the source VM of its own. */
static enum dx_data_disks data_of(const struct value *backup, const struct value *point)
{
    const struct value *disks = value_at(backup, "source.live.properties.storageProfile.dataDisks");

    if (crash_consistent(backup, point))
        return DX_DATA_CRASH_CONSISTENT;
    if (value_count(value_get(point, "encryptedDataDisks")))
        return DX_DATA_CONFIDENTIAL;
    /* Where the point speaks, its VM of today does not: a disk that it got since is in no backup of then. */
    for (size_t i = 0; !value_get(point, "encryptedDataDisks") && i < value_count(disks); i++)
        if (value_at(value_item(disks, i), "managedDisk.securityProfile.securityEncryptionType"))
            return DX_DATA_CONFIDENTIAL;
    return value_count(disks) ? DX_DATA_ORDINARY : DX_DATA_NONE;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool will_be(const struct view *v, const struct document *doc)
{
    return !doc || view_prospect(v, doc) != PROSPECT_BLOCKED;
}

/* The original set after its own steps. One made anew under its id is told by no document to be the original one: from
 * a snapshot it counts as gone, from the vault tier nobody knows. */
static enum dx_des des_then(const struct view *v, const struct situation *s)
{
    if (!same_set(s) || !pending(v, s->des))
        return s->now.des;
    if (s->now.des == DX_DES_GONE)
        return s->now.tier == DX_SNAPSHOT_ONLY ? DX_DES_GONE : DX_DES_UNKNOWN;
    return des_on(v, s, value_str(key_wanted_url(v, s->des, "spec.key")));
}

/* The document of the key that a restore which names no set wraps the new disk with: what the original
 * set is on now. */
static const struct document *key_wrapping(const struct view *v, const struct situation *s)
{
    const char *url = value_str_at(original_set(v, s), "live.properties.activeKey.keyUrl");

    return url ? key_document_at(v, url) : s->key;
}

/* A deleted key comes back with the dates that it had. What is declared of it is set right then, an expiry as well,
 * but no step moves a date that nobody declares. */
static enum dx_key key_then(const struct view *v, const struct document *key, const char *version)
{
    const struct value *attributes = str_eq(view_state(v, key), "deleted") ? key_attributes(v, key, version) : NULL;
    int64_t exp = key_expiry(v, key, version);

    if (!attributes)
        return DX_KEY_PRESENT;
    if (value_int_at(attributes, "nbf", 0) > v->now_ms / SECOND_MS)
        return DX_KEY_EARLY;
    if (!value_bool_at(attributes, "enabled", true) && !value_bool_at(key->spec, "enabled", true))
        return DX_KEY_DISABLED;
    return exp && exp <= v->now_ms / SECOND_MS ? DX_KEY_EXPIRED : DX_KEY_PRESENT;
}

/* How things stand once every other document's steps are done; what is blocked stays as it is. */
static void foresee(const struct view *v, struct situation *s)
{
    const struct document *access;
    enum dx_grants grants = rights_state(v, s->key, set_named(s), true);
    bool granted = true;
    size_t at = 0;

    s->then = s->now;
    s->then.given = s->given;
    s->then.fault = fault_of(v, s, true);
    if (pending(v, s->original_key)) {
        s->then.key = key_then(v, s->original_key, s->original.version);
        s->then.store = DX_STORE_PRESENT;
    }
    while (s->key && (access = referrer_next(s->key, "KeyAccess", &at)))
        granted = granted && will_be(v, access);
    /* Grants that nobody declares are taken to be there: they are not ours to judge, and the
     * restore itself will say. */
    if (!granted)
        grants = rights_state(v, s->key, set_named(s), false);
    else if (grants == DX_GRANTS_UNKNOWN)
        grants = DX_GRANTS_OK;
    if (s->given != DX_GIVEN_NOTHING)
        grants = grants_worse(grants, rights_nowhere(v, s->key, s->des));
    s->then.grants = grants_worse(grants, firewall_state(v, s->key));
    s->then.des = des_then(v, s);
}

static const struct value *point_of(const struct view *v, const struct situation *s)
{
    const struct value *point = protected_vm_newest_vault_point(v, s->pvm);

    if (s->order.point)
        return protected_vm_point(v, s->pvm, s->order.point);
    return point ? point : protected_vm_newest_point(v, s->pvm);
}

/* Without a declared restore: the set the source VM names, if it is declared, and a key that has this
 * backup as a source. */
static void find_documents(const struct view *v, struct situation *s)
{
    size_t at = 0;

    if (!s->doc)
        s->des = set_document_at(v, s->original_des);
    s->key = s->des ? document_target(s->des, "spec.key") : NULL;
    if (!s->doc && !s->key)
        s->key = referrer_next(s->pvm, "Key", &at);
    s->des_id = s->doc   ? reference_id(v->arena, s->doc, "spec.diskEncryptionSet", disk_encryption_set_id)
                : s->des ? s->original_des
                         : NULL;
}

static void find_jobs(const struct view *v, struct situation *s)
{
    enum restore_type type = situation_type(s->doc);

    s->match = protected_vm_match(v, s->pvm);
    s->match.type = type;
    s->match.point_ms = time_parse(value_str_at(s->point, "time"));
    s->match.target_group = value_str_at(s->doc->spec, "target.resourceGroup");
    s->match.target_vm = type == RESTORE_NEW_VM ? value_str_at(s->doc->spec, "target.name") : NULL;
    s->match.not_exports = true;
    s->match.since_ms = s->order.state == ORDER_NONE ? INT64_MAX : s->order.since_ms;
    s->match.own = s->order.activation ? claim_job_of(value_at(view_facts(v, s->doc), "place.claims.restore"),
                                                      s->order.activation->name)
                                       : NULL;
    s->jobs = jobs_matching(v->arena, value_get(view_facts(v, s->pvm), "jobs"), &s->match);
}

/* A revoked key is as good as none, whatever its state. The one way that is left is a new key beside it, which only
 * reads the old one: policy says whether. */
static enum dx_key with_revoked(const struct situation *s, enum dx_given given, enum dx_key key)
{
    bool beside = given == DX_GIVEN_OTHER_KEY && key == DX_KEY_PRESENT && s->article == DX_ARTICLE_2026_07;

    return s->revoked && s->now.encryption == DX_CMK && !beside ? DX_KEY_REVOKED : key;
}

/* The reason counts for the key that the point needs, and for that of the set which would be named. */
static const char *revocation(const struct view *v, const struct situation *s)
{
    const char *reason = s->original_url ? key_revoked_at(v, s->original_url) : NULL;

    /* Another version of the point's key may be revoked: the point does not need that one. */
    reason = reason || !s->original_key || s->original_url ? reason : key_revoked(v, s->original_key);
    return reason || !s->doc ? reason : key_revoked(v, s->key);
}

static struct situation situation_make(const struct view *v, const struct document *pvm, const struct document *doc,
                                       const struct value *point)
{
    static const enum dx_restore restores[] = {
        [RESTORE_NEW_VM] = DX_NEW_VM, [RESTORE_DISKS] = DX_DISKS, [RESTORE_REPLACE] = DX_REPLACE};
    struct situation s = {.doc = doc, .pvm = pvm, .des = doc ? document_target(doc, "spec.diskEncryptionSet") : NULL};
    const struct value *backup = view_facts(v, pvm), *set;

    s.original_des = value_str_at(backup, "source.des");
    find_documents(v, &s);
    if (doc)
        s.order = order_for(v, doc);
    s.point = point ? point : point_of(v, &s);
    if (doc)
        find_jobs(v, &s);
    find_original(v, &s);
    s.revoked = revocation(v, &s);
    s.made_anew = made_anew(v, &s);
    set = original_set(v, &s);
    s.now = (struct dx_facts){
        .encryption = encryption_of(backup, &s),
        .restore = restores[situation_type(doc)],
        .tier = tier_of(s.point),
        .snapshot = str_eq(value_str_at(s.point, "snapshot"), "valid") ? DX_SNAPSHOT_TOO : DX_SNAPSHOT_NONE,
        .store = store_state(v, s.original_key),
        .home = home_of(&s),
        .des = des_state(v, &s),
        .key = key_state(v, s.original_key, s.original.version),
        .grants = grants_worse(rights_of_original(v, key_wrapping(v, &s), s.original_des ? s.original_des : "", set),
                               firewall_state(v, key_wrapping(v, &s))),
        .given = DX_GIVEN_NOTHING,
        .source_vm = source_of(backup),
        .rotation =
            value_str_at(set, "live.properties.autoKeyRotationError.code") ? DX_ROTATION_STUCK : DX_ROTATION_FINE,
        .data_disks = data_of(backup, s.point),
    };
    s.article = dx_article_of(v->settings->article);
    s.given = what_to_give(v, &s);
    foresee(v, &s);
    s.then.key = with_revoked(&s, s.given, s.then.key);
    s.named = s.now;
    if (s.given != DX_GIVEN_NOTHING) {
        s.named.given = s.given;
        s.named.fault = fault_of(v, &s, false);
        s.named.grants =
            grants_worse(grants_worse(rights_state(v, s.key, set_named(&s), false), rights_nowhere(v, s.key, s.des)),
                         firewall_state(v, s.key));
    }
    s.named.key = with_revoked(&s, s.given, s.named.key);
    s.now.key = with_revoked(&s, DX_GIVEN_NOTHING, s.now.key);
    return s;
}

struct situation situation_foreseen(const struct view *v, const struct document *doc)
{
    return situation_make(v, document_target(doc, "spec.from"), doc, NULL);
}

static const struct situation *kept(const struct view *v, struct situation s)
{
    struct situation *copy = arena_new_of(v->arena, struct situation);

    *copy = s;
    return copy;
}

const struct situation *situation_of(const struct view *v, const struct document *doc)
{
    const struct restore_conclusion *own = view_own(v, doc);
    const struct concluded *all = concluded_of(v);

    if (own)
        return &own->situation;
    return all && all->situations ? &all->situations[doc->index] : kept(v, situation_foreseen(v, doc));
}

const struct situation *situation_at(const struct view *v, const struct document *pvm, const struct document *doc,
                                     const struct value *point)
{
    const struct situation *declared = doc && document_target(doc, "spec.from") == pvm ? situation_of(v, doc) : NULL;

    return declared && (!point || point == declared->point) ? declared : kept(v, situation_make(v, pvm, doc, point));
}
