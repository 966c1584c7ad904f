/* Knows how facts, outcomes and remedies of the scenario table are worded. Must not know how a row is found. */
#include "diagnosis.h"

#include "../../reconciler/base/text.h"

const char *dx_outcome_words(enum dx_outcome outcome)
{
    static const char *const words[] = {
        [DX_SUCCEEDS] = "a restore succeeds",
        [DX_FAILS] = "a restore fails",
        [DX_FAILS_AND_EXPORTS] = "a restore fails and leaves the key in the staging account",
        [DX_DISKS_ONLY] = "the disks come back, the VM does not start",
        [DX_OUTCOME_UNKNOWN] = "the outcome of a restore is unknown",
    };

    return words[outcome];
}

const char *dx_confidence_words(enum dx_confidence confidence)
{
    static const char *const words[] = {
        [DX_DOCUMENTED] = "documented by Microsoft",
        [DX_FIELD] = "seen in the field, not documented",
        [DX_INFERRED] = "inferred, unverified on Azure",
    };

    return words[confidence];
}

static const struct {
    char letter;
    const char *words;
} remedies[DX_REMEDY_COUNT] = {
    [DX_REMEDY_NONE] = {'-', "nothing to mend"},
    [DX_GRANT] = {'P', "grant what is missing and wait until it acts"},
    [DX_OPEN_TO_AZURE] = {'W', "whoever manages the key store's network rules lets Azure's trusted services in (its "
                               "firewall's bypass, or the rules of its network security perimeter); a grant would "
                               "not help"},
    [DX_OPEN_TO_GUEST] = {'L', "give the VM's guest a private path to the key store, or open the store's firewall to "
                               "it; a grant would not help"},
    [DX_REPEAT_UPDATE] = {'U', "repeat the update of the disk encryption set that failed: its autoKeyRotationError "
                               "says for what"},
    [DX_ENABLE_KEY] = {'E', "enable the key version, or move its expiry"},
    [DX_RECOVER_KEY] = {'C', "recover the soft-deleted key"},
    [DX_RECOVER_STORE] = {'D', "recover the soft-deleted vault or HSM, then grant anew"},
    [DX_NEW_SET] = {'F', "a new disk encryption set on the existing key"},
    [DX_OWN_COPY] = {'G', "restore the key from your own key backup"},
    [DX_EXPORT_PASS] = {'T', "a restore that fails and exports the key, then restore the key, then restore the VM"},
    [DX_VAULT_POINT] = {'V', "choose a recovery point that has reached the vault tier"},
    [DX_ANOTHER_WAY] = {'N', "restore as a new VM or as disks"},
    [DX_NO_SET] = {'O', "name no disk encryption set"},
    [DX_ROTATED_SET] = {'R', "name another disk encryption set, on the rotated key, in the restore"},
    [DX_KEY_VALID] = {'B', "wait until the key version is valid, or move its start"},
    [DX_OTHER_KEY] = {'K', "order a recovery point whose disk another key wraps, or name a set on a new key where "
                           "policy allows row R-08"},
    [DX_PERSON] = {'H', "a person decides"},
};

const char *dx_remedy_words(enum dx_remedy remedy)
{
    return remedies[remedy].words;
}

char *dx_letters(struct arena *a, const enum dx_remedy *list)
{
    char *letters = arena_array(a, char, dx_count(list) + 1);

    for (size_t i = 0; list[i]; i++)
        letters[i] = remedies[list[i]].letter;
    return letters;
}

size_t dx_count(const enum dx_remedy *list)
{
    size_t n = 0;

    while (list[n])
        n++;
    return n;
}

bool dx_has(const enum dx_remedy *list, enum dx_remedy remedy)
{
    for (size_t i = 0; list[i]; i++)
        if (list[i] == remedy)
            return true;
    return false;
}

static const char *const tier_words[] = {[DX_SNAPSHOT_ONLY] = "snapshot only",
                                         [DX_VAULT] = "vault tier",
                                         [DX_NO_TIER] = "no usable tier",
                                         [DX_TIER_UNKNOWN] = "the archive, or a tier that is not told or not known"};
static const char *const home_words[] = {
    [DX_HOME_VAULT] = "key vault", [DX_HOME_HSM] = "managed HSM", [DX_HOME_UNKNOWN] = "key store of unknown kind"};
static const char *const store_words[] = {[DX_STORE_PRESENT] = "present",
                                          [DX_STORE_DELETED] = "soft-deleted",
                                          [DX_STORE_PURGED] = "purged",
                                          [DX_STORE_DOMAIN_LOST] = "purged, its security domain lost",
                                          [DX_STORE_UNKNOWN] = "not to be seen"};
static const char *const des_words[] = {[DX_DES_INTACT] = "intact",
                                        [DX_DES_ROTATED] = "on another version of the key",
                                        [DX_DES_REPOINTED] = "on another key of the same store",
                                        [DX_DES_MOVED] = "on the same key in another store",
                                        [DX_DES_FOREIGN] = "on another key in another store",
                                        [DX_DES_GONE] = "gone",
                                        [DX_DES_LIVES] = "there, on the key",
                                        [DX_DES_UNKNOWN] = "not known"};
static const char *const key_words[] = {
    [DX_KEY_PRESENT] = "present",     [DX_KEY_DISABLED] = "disabled",
    [DX_KEY_EXPIRED] = "expired",     [DX_KEY_DELETED] = "soft-deleted",
    [DX_KEY_PURGED] = "purged",       [DX_KEY_REPLACED] = "replaced by a new key of its name",
    [DX_KEY_EARLY] = "not valid yet", [DX_KEY_REVOKED] = "revoked",
    [DX_KEY_UNKNOWN] = "not known"};
static const char *const grants_words[] = {
    [DX_GRANTS_OK] = "there",
    [DX_GRANTS_BACKUP_LACKS] = "lacking for the Backup Management Service",
    [DX_GRANTS_DES_LACKS] = "lacking for the set's identity",
    [DX_GRANTS_ORCHESTRATOR_LACKS] = "lacking for the Confidential VM Orchestrator",
    [DX_GRANTS_FIREWALL] = "behind a firewall that keeps the services out",
    [DX_GRANTS_ORCHESTRATOR_SHUT] = "there, behind a firewall that keeps the Confidential VM Orchestrator out",
    [DX_GRANTS_ORCHESTRATOR_UNSURE] = "there, behind a firewall that may keep the Confidential VM Orchestrator out",
    [DX_GRANTS_UNKNOWN] = "not known"};
static const char *const given_words[] = {
    [DX_GIVEN_NOTHING] = "no set named",
    [DX_GIVEN_EMPTY] = "an empty set named",
    [DX_GIVEN_ORIGINAL] = "the original set named",
    [DX_GIVEN_SAME_KEY] = "another set on the original key named",
    [DX_GIVEN_SAME_KEY_MOVED] = "a set on the original key in another store named",
    [DX_GIVEN_NEWER_VERSION] = "a set on a newer version of the key named",
    [DX_GIVEN_OTHER_KEY] = "a set on another key of the same store named",
    [DX_GIVEN_FOREIGN_KEY] = "a set on another key in another store named",
    [DX_GIVEN_FOREIGN_WITH_ORIGINAL] = "a set on another key beside the restored original named",
    [DX_GIVEN_PLAIN_SET] = "a set for ordinary disks named",
    [DX_GIVEN_UNKNOWN] = "a set on a key that cannot be told named"};
static const char *const fault_words[] = {
    [DX_FAULT_NONE] = "none",
    [DX_FAULT_MISSING] = "that set does not exist",
    [DX_FAULT_UNMAKEABLE] = "that set cannot be made: its key has no release policy",
    [DX_FAULT_WRONG_TYPE] = "that set is of the wrong type",
    [DX_FAULT_ELSEWHERE] = "that set is in another region or subscription than the target",
    [DX_FAULT_KEY] = "that set's own key cannot be used"};
static const char *const data_words[] = {[DX_DATA_NONE] = "none",
                                         [DX_DATA_ORDINARY] = "ordinary data disks",
                                         [DX_DATA_CONFIDENTIAL] = "confidential data disks",
                                         [DX_DATA_CRASH_CONSISTENT] = "a multi-disk crash-consistent point"};

static const char *const encryption_words[] = {[DX_PMK] = "platform-managed key",
                                               [DX_CMK] = "customer-managed key",
                                               [DX_ENCRYPTION_UNKNOWN] = "whose key cannot be told"};
static const char *const restore_words[] = {
    [DX_NEW_VM] = "a new VM", [DX_DISKS] = "disks", [DX_REPLACE] = "disks replaced in place"};
static const char *const snapshot_words[] = {
    [DX_SNAPSHOT_NONE] = "none beside the vault tier", [DX_SNAPSHOT_TOO] = "there as well"};
static const char *const source_words[] = {
    [DX_SOURCE_THERE] = "there", [DX_SOURCE_GONE] = "gone", [DX_SOURCE_UNKNOWN] = "not to be seen"};
static const char *const rotation_words[] = {[DX_ROTATION_FINE] = "fine", [DX_ROTATION_STUCK] = "the last one failed"};

char *dx_facts_words(struct arena *a, const struct dx_facts *f)
{
    const char *fault = f->fault == DX_FAULT_NONE ? NULL : fault_words[f->fault];
    const char *data = f->data_disks == DX_DATA_NONE ? NULL : data_words[f->data_disks];

    if (f->encryption == DX_PMK)
        return arena_printf(a, "%s from a platform-managed key's point, %s; %s", restore_words[f->restore],
                            tier_words[f->tier], given_words[f->given]);
    return arena_printf(a, "%s, %s; %s %s; key %s; set %s; grants %s; %s%s%s%s%s%s%s", restore_words[f->restore],
                        tier_words[f->tier], home_words[f->home], store_words[f->store],
                        f->store == DX_STORE_PRESENT ? key_words[f->key] : "not to be looked at", des_words[f->des],
                        grants_words[f->grants], given_words[f->given], fault ? ": " : "", fault ? fault : "",
                        f->source_vm == DX_SOURCE_GONE ? "; source VM gone" : "",
                        f->rotation == DX_ROTATION_STUCK ? "; the set's last rotation failed" : "", data ? "; " : "",
                        data ? data : "");
}

struct value *dx_row_facts(struct arena *a, const struct dx_row *r)
{
    const struct {
        const char *name;
        unsigned set;
        const char *const *words;
        size_t n;
    } facts[] = {
        {"key management", r->encryption, encryption_words, COUNT(encryption_words)},
        {"restored as", r->restore, restore_words, COUNT(restore_words)},
        {"recovery point", r->tier, tier_words, COUNT(tier_words)},
        {"snapshot", r->snapshot, snapshot_words, COUNT(snapshot_words)},
        {"key store", r->home, home_words, COUNT(home_words)},
        {"the store is", r->store, store_words, COUNT(store_words)},
        {"original set", r->des, des_words, COUNT(des_words)},
        {"original key", r->key, key_words, COUNT(key_words)},
        {"grants", r->grants, grants_words, COUNT(grants_words)},
        {"request", r->given, given_words, COUNT(given_words)},
        {"fault of the set named", r->fault, fault_words, COUNT(fault_words)},
        {"source VM", r->source_vm, source_words, COUNT(source_words)},
        {"rotation", r->rotation, rotation_words, COUNT(rotation_words)},
        {"data disks", r->data_disks, data_words, COUNT(data_words)},
    };
    struct value *list = value_list(a);

    for (size_t i = 0; i < COUNT(facts); i++) {
        struct value *fact = value_map(a), *words = value_list(a);
        bool most = (size_t)__builtin_popcount(facts[i].set) * 2 > facts[i].n;

        if (!facts[i].set)
            continue;
        for (size_t j = 0; j < facts[i].n; j++)
            if (!(facts[i].set & (1u << j)) == most)
                value_push(a, words, value_string(a, facts[i].words[j]));
        value_set_string(a, fact, "fact", facts[i].name);
        value_set(a, fact, most ? "noneOf" : "anyOf", words);
        value_push(a, list, fact);
    }
    return list;
}
