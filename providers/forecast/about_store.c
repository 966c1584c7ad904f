/* Knows what the disk encryption set and the key's store say: F6 to F10, F23 and F25. Must not know the key itself. */
#include "questions.h"

#include "../../reconciler/format/json.h"
#include "../azure/vault.h"
#include "../keys/store_name.h"

#define CVM_SET "ConfidentialVmEncryptedWithCustomerKey"

bool outlook_platform_key(const struct outlook *o)
{
    return o->situation->now.encryption == DX_PMK;
}

/* --- F6, F7 ------------------------------------------------------------------------------------------------------- */

static const char *set_state(const struct outlook *o)
{
    const char *source = value_str_at(view_facts(o->view, o->pvm), "source.set.state");

    return source ? source : o->situation->des ? view_state(o->view, o->situation->des) : NULL;
}

static void judge_set(struct outlook *o, const struct value *live)
{
    const char *type = value_str_at(live, "properties.encryptionType"),
               *url = value_str_at(live, "properties.activeKey.keyUrl");
    const struct value *stuck = value_at(live, "properties.autoKeyRotationError");
    const char *name = value_str_at(live, "name");
    bool fit = str_eq_nocase(type, CVM_SET);

    obs_set(o, F6, fit ? OBS_GOOD : OBS_BAD,
            arena_printf(o->arena, "%s, %s", obs_member(o->arena, live, "properties.encryptionType"),
                         obs_member(o->arena, live, "properties.activeKey.keyUrl")),
            "%s is there, %s", name, fit ? "for confidential VMs" : "not for confidential VMs");
    if (!fit)
        obs_risk(o, F6, "set-unfit", RISK_WARN, TIME_NONE,
                 "make a set of type " CVM_SET "; the type of a set cannot be changed", "%s is of type %s", name,
                 type ? type : "unknown");
    if (value_bool_at(live, "properties.rotationToLatestKeyVersionEnabled", false))
        obs_risk(o, F6, "rotation", RISK_WARN, TIME_NONE,
                 "switch rotation to the latest version off: it is not supported for confidential VMs",
                 "%s follows the newest key version", name);
    if (stuck && stuck->type != VALUE_NULL)
        obs_risk(o, F6, "rotation", RISK_WARN, TIME_NONE,
                 "give its identity the rights on the key, then repeat the same update of the set",
                 "the rotation of %s is stuck: %s", name,
                 value_str_at(stuck, "message") ? value_str_at(stuck, "message")
                                                : json_string(o->arena, stuck, JSON_COMPACT));
    if (url && !vault_kid_version(url))
        obs_risk(o, F6, "rotation", RISK_WARN, TIME_NONE, "point the set to a version of the key",
                 "%s names its key without a version", name);
}

static void observe_users(struct outlook *o)
{
    const char *id = value_str_at(outlook_set(o), "id");
    const struct value *extra = outlook_extra(o, "sets", id), *users = value_get(extra, "users");
    int64_t limit = o->limits.disks_per_set;
    size_t n;

    if (!users)
        users = value_get(view_facts(o->view, o->situation->des), "associatedResources");
    if (!id || str_eq(value_str_at(extra, "state"), "unseen") ||
        (value_count(users) == 1 && str_starts(value_str(value_item(users, 0)), "("))) {
        obs_set(o, F7, id ? OBS_UNSEEN : OBS_NOT_LOOKED, NULL, "%s",
                id ? "who uses the set cannot be listed" : "there is no set");
        return;
    }
    if (!users)
        return;
    n = value_count(users);
    obs_set(o, F7,
            (int64_t)n >= limit            ? OBS_BAD
            : (int64_t)n * 10 >= limit * 8 ? OBS_WARN
                                           : OBS_GOOD,
            arena_printf(o->arena, "associatedResources: %zu", n),
            "%zu of %lld disks, snapshots or restore points use it", n, (long long)limit);
    if (o->items[F7].state != OBS_GOOD)
        obs_risk(o, F7, "set-full", RISK_WARN, TIME_NONE,
                 "put further VMs on another set. Documents name 40 (January 2026) and 6,000 (July 2026): "
                 "--disks-per-set says which counts",
                 "%zu of %lld disks, snapshots or restore points use %s", n, (long long)limit, arm_id_name(id));
}

void observe_set(struct outlook *o)
{
    const struct value *live = outlook_set(o);
    const char *state = set_state(o), *why;

    if (outlook_platform_key(o)) {
        obs_set(o, F6, OBS_NOT_LOOKED, NULL, "the key is the platform's: there is no set");
        obs_set(o, F7, OBS_NOT_LOOKED, NULL, "the key is the platform's: there is no set");
        return;
    }
    if (live) {
        judge_set(o, live);
    } else if (str_eq(state, "absent")) {
        obs_set(o, F6, OBS_BAD, "diskEncryptionSets: 404", "the set does not exist");
        obs_risk(o, F6, "set-gone", RISK_WARN, TIME_NONE,
                 o->situation->revoked ? "a person decides: none is made on a revoked key"
                                       : "reinstate apply makes it anew on the same key",
                 value_str_at(view_facts(o->view, o->pvm), "source.set.state")
                     ? "the disk encryption set of the VM is gone"
                     : "the declared disk encryption set does not exist");
    } else {
        const struct value *unseen = value_at(view_facts(o->view, o->pvm), "source.set");

        unseen = unseen ? unseen : view_facts(o->view, o->situation->des);
        why = value_str_at(unseen, "why");
        obs_set(o, F6, state ? OBS_UNSEEN : OBS_NOT_LOOKED, NULL, "%s",
                why     ? why
                : state ? "the set cannot be read"
                        : "neither the source VM nor a document names the set");
        if (state)
            obs_risk(o, F6, "cannot-see", RISK_UNSEEN, TIME_NONE,
                     unseen_fix(unseen, "Reader on the set's resource group shows it"), "%s", o->items[F6].text);
    }
    observe_users(o);
}

/* --- F8, F9, F10, F23, F25 ---------------------------------------------------------------------------------------- */

static void judge_firewall(struct outlook *o, const struct value *live)
{
    const char *action = value_str_at(live, "properties.networkAcls.defaultAction"),
               *bypass = value_str_at(live, "properties.networkAcls.bypass");
    const char *public = value_str_at(live, "properties.publicNetworkAccess");
    const char *evidence =
        arena_printf(o->arena, "%s, %s, %s", obs_member(o->arena, live, "properties.networkAcls.defaultAction"),
                     obs_member(o->arena, live, "properties.networkAcls.bypass"),
                     obs_member(o->arena, live, "properties.publicNetworkAccess"));
    bool closed = str_eq_nocase(action, "Deny") || str_eq_nocase(public, "Disabled");

    if (str_eq_nocase(public, "SecuredByPerimeter")) {
        obs_set(o, F23, OBS_WARN, evidence, "a network security perimeter decides, which this look does not read");
        obs_risk(o, F23, "firewall", RISK_STOPS, TIME_NONE,
                 "see that the perimeter's rules let Azure Backup, Compute and the VM's guest in",
                 "the store is behind a network security perimeter, which overrides the bypass for Azure services");
    } else if (closed && bypass && !str_find_nocase(bypass, "AzureServices")) {
        obs_set(o, F23, OBS_BAD, evidence, "its network rules keep Azure's services out");
        obs_risk(o, F23, "firewall", RISK_STOPS, TIME_NONE,
                 "let trusted Azure services pass (networkAcls.bypass: AzureServices)",
                 "the store's network rules keep Azure Backup and the set's identity out");
    } else if (closed) {
        obs_set(o, F23, OBS_WARN, evidence,
                "closed but for Azure's trusted services; the Orchestrator is not on their published list");
        obs_risk(o, F23, "firewall", RISK_WARN, TIME_NONE,
                 "give the VM's guest a private path to the store, and try a restore",
                 value_count(value_at(live, "properties.privateEndpointConnections"))
                     ? "the Confidential VM Orchestrator is not one of the trusted services; "
                       "whether it comes by the store's private endpoint is not documented"
                     : "the store's firewall lets trusted services in, and "
                       "the Confidential VM Orchestrator is not one of them: a restored VM would not start");
    } else {
        obs_set(o, F23, OBS_GOOD, evidence, "open to Azure's services");
    }
}

static void judge_store(struct outlook *o, const struct value *live)
{
    const struct value *protection = value_at(live, "properties.enablePurgeProtection");
    int64_t days = value_int_at(live, "properties.softDeleteRetentionInDays", 0);
    const char *word = key_store_word(o->store),
               *status = value_str_at(live, "properties.securityDomainProperties.activationStatus");
    bool hsm = key_store_is_hsm(o->store), kept = protection && value_is(protection, VALUE_BOOL) && protection->b;

    obs_set(o, F9, kept ? OBS_GOOD : OBS_WARN,
            arena_printf(o->arena, "%s, %s", obs_member(o->arena, live, "properties.enablePurgeProtection"),
                         obs_member(o->arena, live, "properties.softDeleteRetentionInDays")),
            "the %s is there; purge protection %s, deleted things are kept %lld days", word, kept ? "on" : "off",
            (long long)days);
    if (!kept)
        obs_risk(o, F9, "purge-protection", RISK_WARN, TIME_NONE,
                 "turn purge protection on (it cannot be turned off again)",
                 "purge protection of %s is off: whoever may purge can destroy the key for good", o->store->name);
    else if (days > 0 && days < 30)
        obs_risk(o, F9, "purge-protection", RISK_NOTE, TIME_NONE,
                 "it is fixed when the store is made; keep a backup of the key of your own",
                 "a deleted key of %s is kept %lld days only: that is the time there is to notice", o->store->name,
                 (long long)days);
    obs_set(o, F10, OBS_GOOD, NULL, "not soft-deleted");
    judge_firewall(o, live);
    if (!hsm) {
        obs_set(o, F25, OBS_NOT_LOOKED, NULL, "the key is in a key vault");
        return;
    }
    obs_set(o, F25, str_eq_nocase(status, "Active") ? OBS_GOOD : OBS_BAD,
            obs_member(o->arena, live, "properties.securityDomainProperties.activationStatus"),
            "activation status is %s", status ? status : "not told");
    if (!str_eq_nocase(status, "Active"))
        obs_risk(o, F25, "hsm-inactive", RISK_STOPS, TIME_NONE, "a quorum activates the HSM with its security domain",
                 "the managed HSM is not activated: no key in it can be used");
}

static void observe_store_gone(struct outlook *o, const struct value *facts)
{
    const char *word = key_store_word(o->store), *state = view_state(o->view, o->store),
               *why = value_str_at(facts, "why");
    const char *purge = value_str_at(facts, "deleted.properties.scheduledPurgeDate");
    bool lost = value_bool_at(facts, "domainLost", false);
    const char *next = NULL, *held = str_eq(state, "unseen") ? NULL : store_held_up(o->view, o->store, &next);

    if (str_eq(state, "deleted")) {
        obs_set(o, F9, OBS_BAD, NULL, "the %s is soft-deleted", word);
        obs_set(o, F10, OBS_BAD,
                purge ? arena_printf(o->arena, "properties.scheduledPurgeDate=%s", purge) : "deletedVaults",
                "soft-deleted; %s", purge_words(o->arena, time_parse(purge)));
        obs_risk(o, F10, "store-deleted", held ? RISK_STOPS : RISK_WARN, time_parse(purge),
                 held ? next : "recover it before: reinstate apply does, and grants anew what got lost",
                 "the %s %s is soft-deleted; %s%s%s", word, o->store->name,
                 purge_words(o->arena, time_parse(purge)), held ? ": " : "", held ? held : "");
    } else if (held) {
        obs_set(o, F9, OBS_BAD, "404", "the %s does not exist", word);
        obs_set(o, F10, OBS_BAD, NULL, "%s", held);
        obs_risk(o, F10, "store-held", RISK_STOPS, TIME_NONE, next, "%s", held);
    } else if (str_eq(state, "absent")) {
        obs_set(o, F9, OBS_BAD, "404", "the %s does not exist", word);
        obs_set(o, F10, OBS_GOOD, "404 among the deleted ones", "not soft-deleted: purged, or never there");
        obs_risk(o, F9, "store-gone", RISK_WARN, TIME_NONE,
                 lost ? "declare the loss; nobody brings its keys back"
                 : key_store_is_hsm(o->store)
                     ? "a person activates a new HSM with the same security domain"
                     : "a key vault in the same subscription and geography, then the key from a backup",
                 "the %s %s does not exist%s", word, o->store->name,
                 lost ? ", and its security domain is declared lost" : "");
    } else {
        obs_set(o, F9, OBS_UNSEEN, NULL, "%s", why ? why : arena_printf(o->arena, "the %s cannot be read", word));
        obs_set(o, F10, OBS_UNSEEN, NULL, "%s", o->items[F9].text);
        obs_set(o, F23, OBS_UNSEEN, NULL, "%s", o->items[F9].text);
        obs_risk(
            o, F9, "cannot-see", RISK_UNSEEN, TIME_NONE,
            unseen_fix(facts, "Key Vault Reader on the store shows it, and deletedVaults/read whether it is deleted"),
            "%s", o->items[F9].text);
    }
}

void observe_store(struct outlook *o)
{
    const struct value *facts = view_facts(o->view, o->store);
    const char *url = value_str_at(outlook_set(o), "properties.activeKey.keyUrl");

    if (outlook_platform_key(o)) {
        obs_set(o, F8, OBS_NOT_LOOKED, NULL, "the key is the platform's");
        return;
    }
    if (o->key)
        obs_set(o, F8, OBS_GOOD, value_str_at(view_facts(o->view, o->key), "base"), "the key is in a %s",
                key_store_word(o->key));
    else if (url)
        obs_set(o, F8, OBS_GOOD, url, "the key is in a %s",
                str_find_nocase(url, ".managedhsm.") ? "managed HSM" : "key vault");
    if (!o->store) {
        obs_set(o, F9, OBS_NOT_LOOKED, NULL, "no document declares the key's store");
        obs_risk(o, F9, "cannot-see", RISK_UNSEEN, TIME_NONE,
                 url ? "declare Key and KeyVault or ManagedHsm: reinstate export writes them"
                     : "nothing that can be read names the key, so export cannot write it either: old manifests, a "
                       "history, the "
                       "activity log of disk encryption sets (90 days) or the key's audit log tell it; then declare "
                       "Key, its store and "
                       "DiskEncryptionSet",
                 "no document declares the key and its store, so they are not looked at");
        return;
    }
    if (value_get(facts, "live") && str_eq(view_state(o->view, o->store), "present"))
        judge_store(o, value_get(facts, "live"));
    else
        observe_store_gone(o, facts);
}
