/* Knows what the key says: F11 to F15. Must not know its store, backups, nor who may use the key. */
#include "questions.h"

#include "../azure/vault.h"
#include "../keys/key_facts.h"
#include "../keys/standing.h"
#include "../keys/original.h"
#include "../kinds/restored_vm.h"
#include "../keys/copies.h"

/* --- F11, F12 ----------------------------------------------------------------------------------------------------- */

static const struct value *version_item(const struct value *facts, const char *version)
{
    const struct value *versions = value_get(facts, "versions");

    for (size_t i = 0; version && i < value_count(versions); i++)
        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version))
            return value_item(versions, i);
    return NULL;
}

static void judge_times(struct outlook *o, const struct value *facts, const char *version)
{
    const struct value *shown = key_attributes(o->view, o->key, version),
                       *times = shown ? shown : version_item(facts, version);
    const char *wanted = key_wanted_version(o->view, o->key);
    bool is_wanted = !version || !wanted || str_eq_nocase(version, wanted);
    bool enabled = value_bool_at(times, "enabled", true);
    int64_t exp = value_int_at(times, "exp", 0), nbf = value_int_at(times, "nbf", 0),
            now_s = o->view->now_ms / SECOND_MS, declared = key_declared_expiry(o->view, o->key);
    const char *ends = exp ? time_format(o->arena, exp * SECOND_MS) : "never";

    obs_set(o, F12, !enabled || (exp && exp <= now_s) || nbf > now_s ? OBS_BAD : OBS_GOOD,
            arena_printf(o->arena, "attributes.enabled=%s, attributes.exp=%s", enabled ? "true" : "false",
                         exp ? ends : "absent"),
            "%s, %s%s", enabled ? "enabled" : "disabled",
            exp && exp <= now_s ? "expired at "
            : exp               ? "expires at "
                                : "expires ",
            ends);
    if (!enabled)
        obs_risk(o, F12, "key-disabled", RISK_WARN, TIME_NONE,
                 "enable the version: reinstate apply does where Key.spec.enabled says so",
                 "the key version is disabled: running VMs stop within about an hour, and no restore works");
    if (nbf > now_s)
        obs_risk(o, F12, "key-disabled", RISK_WARN, TIME_NONE, "move its start (nbf)",
                 "the key version is not valid before %s", time_format(o->arena, nbf * SECOND_MS));
    if (exp)
        obs_risk(o, F12, "key-expiry", RISK_WARN, exp * SECOND_MS,
                 "move its expiry: Key.spec.expires, then reinstate apply -f ...",
                 "the key version %s %s; a restore is said to fail from then on",
                 exp <= now_s ? "has expired at" : "expires at", ends);
    if (is_wanted && declared && (!exp || declared < exp))
        obs_risk(o, F12, "key-expiry", RISK_WARN, declared * SECOND_MS, "declare a later Key.spec.expires, or none",
                 "the key version is declared to expire earlier, at %s; a restore is said to fail from then on",
                 time_format(o->arena, declared * SECOND_MS));
}

/* Two versions are possible for this point. If the second cannot be used, the forecast must not be green, for the point
 * may need just that one. */
static void judge_second(struct outlook *o, const struct value *facts, const struct original_key *original)
{
    const struct value *item = version_item(facts, original->also);
    int64_t exp = value_int_at(item, "exp", 0);
    const char *second = original->also;

    if (!original->beside || !value_get(facts, "versions"))
        return;
    o->items[F11].text =
        arena_printf(o->arena, "%s; version %s may be needed too: %s", o->items[F11].text, second, original->beside);
    if (!item)
        obs_risk(o, F11, "key-gone", RISK_WARN, TIME_NONE,
                 "restore it from a copy of the key, or declare the version once it is known",
                 "version %s, which the point may need, is not there: %s", second, original->beside);
    else if (!value_bool_at(item, "enabled", true))
        obs_risk(o, F11, "key-disabled", RISK_WARN, TIME_NONE,
                 "a person enables it: old versions are needed while points are wrapped with them",
                 "version %s, which the point may need, is disabled: %s", second, original->beside);
    if (exp)
        obs_risk(o, F11, "key-expiry", RISK_WARN, exp * SECOND_MS,
                 "move its expiry: old versions are needed while points are wrapped with them",
                 "version %s, which the point may need, %s %s: %s", second,
                 exp * SECOND_MS <= o->view->now_ms ? "has expired at" : "expires at",
                 time_format(o->arena, exp * SECOND_MS), original->beside);
}

/* What is declared of a key that may be in good health otherwise. */
static void judge_declaration(struct outlook *o)
{
    struct key_standing standing = key_standing_of(o->view, o->key, NULL);
    const struct document *rvm = o->situation->doc;
    const char *young = rvm ? key_too_young_for(o->view, o->key, rvm) : key_too_young(o->view, o->key, NULL);

    if (standing.stand == KEY_NEVER_SEEN)
        obs_risk(o, F11, "key-declaration", RISK_WARN, TIME_NONE, standing.next, "%s", standing.words);
    else if (young && !restored_vm_before_rotation(o->situation))
        obs_risk(o, F11, "key-declaration", RISK_WARN, TIME_NONE,
                 "declare the version that the point's disk was wrapped with, or order a younger point", "%s", young);
}

/* For a revoked key no advice is given that would bring it back or put it to use. */
static void observe_revoked(struct outlook *o, const char *state)
{
    const struct value *facts = view_facts(o->view, o->key);
    bool active = str_eq(state, "present") && value_bool_at(facts, "live.attributes.enabled", true);

    obs_set(o, F11, OBS_BAD, "Key.spec.revoked", "the key is revoked (%s); now it is %s", o->situation->revoked, state);
    obs_risk(o, F11, "key-revoked", RISK_STOPS, TIME_NONE, dx_remedy_words(DX_OTHER_KEY),
             "the key is revoked (%s): nothing is restored with it", o->situation->revoked);
    if (active)
        obs_risk(o, F12, "key-revoked-active", RISK_WARN, TIME_NONE,
                 "a person disables it in its store, once nothing needs it",
                 "the revoked key is still active: whoever has it can use it");
}

/* The version that the point needs, as far as that is known. */
static const char *version_asked(const struct outlook *o)
{
    const char *version = o->situation->original.version;

    return version ? version : key_wanted_version(o->view, o->key);
}

static void observe_version(struct outlook *o, const struct value *facts)
{
    struct original_key original = o->situation->original;
    const char *version = version_asked(o);
    const char *live = vault_kid_version(value_str_at(facts, "live.key.kid"));
    const struct value *versions = value_get(facts, "versions");
    bool there = version ? str_eq_nocase(version, live) || version_item(facts, version) : live != NULL;
    const char *evidence = original.words ? original.words : "the newest version";

    if (there) {
        obs_set(o, F11, original.conflict ? OBS_WARN : OBS_GOOD, evidence, "version %s is there",
                version ? version : live);
        judge_times(o, facts, version);
        judge_second(o, facts, &original);
    } else if (!versions && !str_eq_nocase(value_str_at(facts, "missing"), version)) {
        obs_set(o, F11, OBS_UNSEEN, evidence, "a key of this name is there; its versions cannot be seen: %s",
                value_str_at(facts, "versionsWhy"));
        obs_risk(o, F11, "cannot-see", RISK_UNSEEN, TIME_NONE, "get and list on the key show it",
                 "whether version %s is there cannot be seen", version ? version : "?");
    } else {
        obs_set(o, F11, OBS_BAD, evidence, "a key of this name is there, version %s is not", version ? version : "?");
        obs_risk(o, F11, "key-gone", RISK_WARN, TIME_NONE, "a person decides: the name is taken by another key",
                 "version %s of the key is not there: another key has taken its name", version ? version : "?");
    }
    judge_declaration(o);
    if (original.conflict)
        obs_risk(o, F11, "cannot-see", RISK_UNSEEN, TIME_NONE,
                 "declare Key.spec.version, once it is known which is right", "%s", original.conflict);
    if ((int64_t)value_count(versions) > o->limits.key_versions)
        obs_risk(o, F11, "key-versions", RISK_WARN, TIME_NONE,
                 "rotate to a new key: a backup of a key holds about 500 versions", "the key has %zu versions",
                 value_count(versions));
}

/* --- F13, F14 ----------------------------------------------------------------------------------------------------- */

static void judge_region(struct outlook *o, const struct value *live)
{
    const char *region = outlook_region(o),
               *key = arena_printf(o->arena, "%s/%s", outlook_subscription(o), region ? region : "?");
    const struct value *extra = outlook_extra(o, "attestation", key);
    const char *uri = value_str_at(extra, "uri");

    if (!uri) {
        obs_set(o, F13, extra ? OBS_UNSEEN : OBS_GOOD, NULL,
                extra ? "RSA-HSM, exportable; who attests in %s cannot be read, so whether its release policy covers "
                        "it is not known"
                      : "RSA-HSM, exportable, with a release policy; not compared with who attests in %s",
                region ? region : "the region");
    } else if (key_releases_to(o->arena, live, uri)) {
        obs_set(o, F13, OBS_GOOD, arena_printf(o->arena, "release_policy names %s", uri),
                "RSA-HSM, exportable, releasable in %s", region);
    } else {
        obs_set(o, F13, OBS_BAD, arena_printf(o->arena, "release_policy does not name %s", uri),
                "its release policy does not name the attestation service of %s", region);
        obs_risk(o, F13, "release-region", RISK_STOPS, TIME_NONE,
                 "restore where the policy allows it; a policy is given when a key is made and cannot be added "
                 "(unverified on Azure)",
                 "the key may not be released in %s: the VM would come back and not start", region);
    }
}

static void observe_fitness(struct outlook *o, const struct value *live)
{
    const char *level = value_str_at(live, "attributes.recoveryLevel"), *unfit = key_unfit(o->view, o->key);

    if (!live)
        return;
    if (unfit) {
        obs_set(o, F13, OBS_BAD,
                arena_printf(o->arena, "%s, %s", obs_member(o->arena, live, "key.kty"),
                             obs_member(o->arena, live, "attributes.exportable")),
                "%s", unfit);
        obs_risk(o, F13, "key-unfit", RISK_STOPS, TIME_NONE, "a person decides: none of it can be added to a key",
                 "the key cannot protect a confidential VM: %s", unfit);
    } else {
        judge_region(o, live);
    }
    if (!level)
        return;
    obs_set(o, F14, str_find_nocase(level, "Purgeable") ? OBS_WARN : OBS_GOOD,
            arena_printf(o->arena, "attributes.recoveryLevel=%s", level),
            str_find_nocase(level, "Purgeable") ? "recoverable, and purgeable before its time"
                                                : "recoverable, not purgeable before its time");
}

/* A backup of the key of one's own saves the failing pass; one that is declared must keep up with the key. */
static void observe_escrow(struct outlook *o, const struct value *facts)
{
    const char *state = value_str_at(facts, "escrow.state"),
               *container = value_str_at(o->key->spec, "escrow.container");

    if (!value_get(o->key->spec, "escrow"))
        return;
    if (str_eq(state, "unseen"))
        obs_risk(o, F14, "escrow", RISK_NOTE, TIME_NONE,
                 unseen_fix(value_get(facts, "escrow"), "Storage Blob Data Reader on the container shows it"),
                 "whether the key's escrow %s is up to date cannot be seen", container);
    else if (!key_escrowed(facts))
        obs_risk(o, F14, "escrow", RISK_WARN, TIME_NONE, "reinstate apply puts a backup there",
                 "the key's escrow %s holds no backup of its newest version", container);
}

static const char *recover_advice(const struct outlook *o)
{
    if (key_unfit(o->view, o->key))
        return "a person decides whether to recover it: such a key protects no confidential VM";
    return key_source_declared(o->key, "recover")
               ? "recover it before: reinstate apply -f ..."
               : "declare `recover: {}` among its sources, then reinstate apply -f ...";
}

/* The manifest names the wrong store: the key is not lost, and where it is, it has a date. */
static void observe_deleted_elsewhere(struct outlook *o, const struct value *elsewhere)
{
    int64_t purge = value_int_at(elsewhere, "purge", 0) * SECOND_MS;
    const char *base = value_str_at(elsewhere, "base"), *at = purge ? time_format(o->arena, purge) : NULL;

    obs_set(o, F11, OBS_BAD, "keys: 404, deletedkeys: 404", "the key is not in its declared store");
    obs_set(o, F15, OBS_BAD, at ? arena_printf(o->arena, "scheduledPurgeDate=%s", at) : "deletedkeys",
            "soft-deleted in %s%s%s", base, at ? "; purged at " : "", at ? at : "");
    obs_risk(o, F15, "key-deleted", RISK_STOPS, purge ? purge : TIME_NONE,
             "declare a Key in that store with the source recover, which is cheaper than any copy",
             "the key is not in its declared store, but soft-deleted in %s%s%s", base,
             at ? " and will be purged at " : "", at ? at : "");
}

/* --- F15 --------------------------------------------------------------------------------------------------------- */

static const char *store_words(const char *state)
{
    return str_eq(state, "deleted") ? "soft-deleted" : str_eq(state, "settling") ? "still in the making" : state;
}

void observe_key(struct outlook *o)
{
    const struct value *facts = view_facts(o->view, o->key);
    int64_t purge = key_purge_ms(o->view, o->key);
    const char *state = o->key ? view_state(o->view, o->key) : NULL, *store = value_str_at(facts, "storeState"),
               *why = value_str_at(facts, "why");
    struct key_standing standing;

    if (outlook_platform_key(o) || !o->key)
        return;
    standing = key_standing_of(o->view, o->key, NULL);
    if (o->situation->revoked) {
        observe_revoked(o, state);
    } else if (standing.stand == KEY_MISNAMED) {
        obs_set(o, F11, OBS_BAD, "Key.spec.keyName", "%s", standing.words);
        obs_risk(o, F11, "key-declaration", RISK_STOPS, TIME_NONE, standing.next, "%s", standing.words);
    } else if (str_eq(state, "present")) {
        observe_version(o, facts);
        observe_fitness(o, key_shown(o->view, o->key));
        observe_escrow(o, facts);
        obs_set(o, F15, OBS_GOOD, NULL, "not soft-deleted");
    } else if (str_eq(state, "deleted")) {
        obs_set(o, F11, OBS_BAD, "keys: 404, deletedkeys: 200", "the key is not there: it is soft-deleted");
        obs_set(o, F15, OBS_BAD,
                purge != TIME_NONE ? arena_printf(o->arena, "scheduledPurgeDate=%s", time_format(o->arena, purge))
                                   : "deletedkeys",
                "soft-deleted; %s", purge_words(o->arena, purge));
        obs_risk(o, F15, "key-deleted", RISK_WARN, purge, recover_advice(o), "the key is soft-deleted; %s",
                 purge_words(o->arena, purge));
        if (key_attributes(o->view, o->key, version_asked(o)))
            judge_times(o, facts, version_asked(o));
        observe_fitness(o, key_shown(o->view, o->key));
    } else if (str_eq(value_str_at(key_elsewhere(o->view, o->key), "state"), "deleted")) {
        observe_deleted_elsewhere(o, key_elsewhere(o->view, o->key));
    } else if (str_eq(state, "absent") && (!store || str_eq(store, "present"))) {
        obs_set(o, F11, OBS_BAD, "keys: 404, deletedkeys: 404", "the key is purged, or never was there");
        obs_set(o, F15, OBS_GOOD, "deletedkeys: 404", "not soft-deleted");
        obs_risk(o, F11, "key-gone", RISK_WARN, TIME_NONE,
                 "order a restore and carry it out; the path says how the key comes back",
                 "the key is purged, or never was there");
    } else if (str_eq(state, "absent")) {
        obs_set(o, F11, OBS_NOT_LOOKED, NULL, "its store is %s", store_words(store));
    } else {
        obs_set(o, F11, OBS_UNSEEN, NULL, "%s", why ? why : "the key cannot be read");
        obs_set(o, F15, OBS_UNSEEN, NULL, "%s", o->items[F11].text);
        obs_risk(
            o, F11, "cannot-see", RISK_UNSEEN, TIME_NONE,
            unseen_fix(facts, key_store_is_hsm(o->key)
                                  ? "Managed HSM Crypto User on the key shows it"
                                  : "Key Vault Reader on the vault, or get and list in its access policy, shows it"),
            "%s", o->items[F11].text);
    }
}
