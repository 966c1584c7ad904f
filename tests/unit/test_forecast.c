/* Observations and forecasts on views made by hand: every fact in its states, every danger with its date, what cannot
 * be seen, and the verdicts that follow. */
#include "forecast_rows.h"

#include "../../providers/keys/key_facts.h"

/* --- everything in order ------------------------------------------------------------------------------------------ */

static void test_green(void)
{
    struct hand_view h;
    struct forecast_options options;
    struct forecast f;

    view_make(&h, false, NULL, NULL, NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK_STR(forecast_verdict_word(f.verdict), "green");
    CHECK_STR(restorable_word(f.restorable), "now");
    CHECK_STR(f.scenario, "N-02");
    CHECK(
        strstr(f.path, "a plain restore from point 2 of 2026-11-22T20:00:00Z (both tiers; Azure takes the snapshot)"));
    CHECK(f.estimate_ms == 5 * MINUTE_MS && f.estimate_source);
    for (size_t i = 0; i < OBSERVATION_COUNT; i++) {
        const struct observation *item = &f.outlook.items[i];

        CHECK_ROW(item->id, item->state == (i == F25 ? OBS_NOT_LOOKED : OBS_GOOD));
        CHECK_ROW(item->id, item->question && item->text);
    }
    view_free(&h);
}

static void test_words(void)
{
    static const char *const ids[] = {"backup-failed", "cannot-see", "key-expiry", "orphaned-grant", "validation"};

    for (size_t i = 0; i < COUNT(ids); i++)
        CHECK_ROW(ids[i], risk_words(ids[i]) != NULL);
    CHECK(risk_words("nonsense") == NULL);
}

/* --- one thing out of order --------------------------------------------------------------------------------------- */

static const struct row rows[] = {
    /* F1 */
    {"protection stopped while the VM lives", PVM "{live: {properties: {protectionState: ProtectionStopped}}}", NULL,
     F1, OBS_BAD, "protection", NULL, "at-risk", "now"},
    {"an item in soft delete restores nothing", PVM "{live: {properties: {isScheduledForDeferredDelete: true}}}", NULL,
     F1, OBS_GOOD, "item-deleted", NULL, "at-risk", "after-remedy"},
    {"the last backup failed", PVM "{live: {properties: {lastBackupStatus: Failed}}}", NULL, F1, OBS_GOOD,
     "backup-failed", NULL, "at-risk", "now"},
    {"unhealthy", PVM "{live: {properties: {healthStatus: ActionRequired, healthDetails: [{title: IaasVmHealthRed}]}}}",
     NULL, F1, OBS_GOOD, "unhealthy", NULL, "at-risk", "now"},
    {"no enhanced policy", PVM "{live: {properties: {policyType: V1}}}", NULL, F1, OBS_GOOD, "policy", NULL, "at-risk",
     "now"},
    {"the item cannot be seen", PVM "{state: unseen, why: " WHY ", points: null, live: null}", NULL, F1, OBS_UNSEEN,
     "cannot-see", NULL, "at-risk", "unknown"},
    {"no item at all", PVM "{state: absent, points: null, live: null}", NULL, F1, OBS_BAD, "no-point", NULL, "at-risk",
     "no"},
    {"no item, and no VM either",
     PVM "{state: absent, points: null, live: null, source: {state: absent, des: null, set: null}}", NULL, F1, OBS_BAD,
     "no-point", NULL, "lost", "no"},
    {"no item, and nobody sees whether the VM lives",
     PVM "{state: absent, points: null, live: null, source: {state: unseen, why: " WHY ", des: null, set: null}}", NULL,
     F1, OBS_BAD, "no-point", NULL, "at-risk", "no"},
    /* F2 */
    {"no points yet", PVM "{points: []}", NULL, F2, OBS_BAD, "no-point", NULL, "at-risk", "no"},
    {"no points, and none to come", PVM "{points: [], source: {state: absent, des: null, set: null}}", NULL, F2,
     OBS_BAD, "no-point", NULL, "lost", "no"},
    {"no vault tier", POINTS("snapshot: valid, vault: absent"), NULL, F2, OBS_WARN, "no-vault-point", NULL, "at-risk",
     "now"},
    {"points too old",
     PVM "{points: [{id: '1', time: 2026-11-20T20:00:00Z, confidential: true, customerKey: true, snapshot: valid, "
         "vault: valid}]}",
     NULL, F2, OBS_GOOD, "stale-point", NULL, "at-risk", "now"},
    /* F3 */
    {"not said to be confidential",
     PVM "{points: [{id: '2', time: 2026-11-22T20:00:00Z, snapshot: valid, vault: valid}]}", NULL, F3, OBS_WARN, NULL,
     NULL, "green", "now"},
    /* F4 */
    {"the point expires, and newer ones will come",
     POINTS("snapshot: valid, vault: valid, expires: 2026-12-01T00:00:00Z"), NULL, F4, OBS_GOOD, "point-expires",
     "2026-12-01T00:00:00Z", "green", "now"},
    {"a soft-deleted point", POINTS("snapshot: valid, vault: valid, softDeleted: true"), NULL, F4, OBS_BAD,
     "item-deleted", NULL, "at-risk", "after-remedy"},
    /* F5 */
    {"the source VM cannot be seen", PVM "{source: {state: unseen, why: " WHY ", des: null, set: null}}", NULL, F5,
     OBS_UNSEEN, "cannot-see", NULL, "at-risk", "unknown"},
    {"the source VM is gone", PVM "{source: {state: absent, des: null, set: null}}", NULL, F5, OBS_WARN, NULL, NULL,
     NULL, NULL},
    /* F6 */
    {"the set is gone",
     PVM "{source: {set: {state: absent, live: null}}}\nDiskEncryptionSet/des: {state: absent, live: null, "
         "associatedResources: null}",
     NULL, F6, OBS_BAD, "set-gone", NULL, "at-risk", "after-remedy"},
    {"the set cannot be seen",
     PVM "{source: {set: {state: unseen, live: null, why: " WHY
         "}}}\nDiskEncryptionSet/des: {state: unseen, live: null}",
     NULL, F6, OBS_UNSEEN, "cannot-see", NULL, "at-risk", "unknown"},
    {"a set of another type",
     PVM "{source: {set: {live: {properties: {encryptionType: EncryptionAtRestWithCustomerKey}}}}}", NULL, F6, OBS_BAD,
     "set-unfit", NULL, "at-risk", NULL},
    {"the set follows the newest version",
     PVM "{source: {set: {live: {properties: {rotationToLatestKeyVersionEnabled: true}}}}}", NULL, F6, OBS_GOOD,
     "rotation", NULL, "at-risk", NULL},
    {"a stuck rotation", PVM "{source: {set: {live: {properties: {autoKeyRotationError: {code: X, message: no}}}}}}",
     NULL, F6, OBS_GOOD, "rotation", NULL, "at-risk", NULL},
    /* F7 */
    {"users that cannot be listed", "DiskEncryptionSet/des: {associatedResources: ['(cannot be listed)']}", NULL, F7,
     OBS_UNSEEN, NULL, NULL, "green", "now"},
    /* F9, F10 */
    {"no purge protection", VAULT "{live: {properties: {enablePurgeProtection: null}}}", NULL, F9, OBS_WARN,
     "purge-protection", NULL, "at-risk", "now"},
    {"short retention is only a note", VAULT "{live: {properties: {softDeleteRetentionInDays: 7}}}", NULL, F9, OBS_GOOD,
     "purge-protection", NULL, "green", "now"},
    {"the vault is soft-deleted, with its purge date",
     VAULT "{state: deleted, live: null, deleted: {properties: {scheduledPurgeDate: 2026-12-01T00:00:00Z}}}\n" KEY
           "{state: absent, storeState: deleted, live: null}",
     NULL, F10, OBS_BAD, "store-deleted", "2026-12-01T00:00:00Z", "at-risk", "after-remedy"},
    {"the vault is gone", VAULT "{state: absent, live: null}\n" KEY "{state: absent, storeState: absent, live: null}",
     NULL, F9, OBS_BAD, "store-gone", NULL, "at-risk", "after-remedy"},
    {"the vault cannot be seen", VAULT "{state: unseen, live: null, why: " WHY "}", NULL, F9, OBS_UNSEEN, "cannot-see",
     NULL, "at-risk", "unknown"},
    /* F11 */
    {"the name is taken by another key", KEY "{newest: ffffffffffffffffffffffffffffffff, versions: [], live: null}",
     NULL, F11, OBS_BAD, "key-gone", NULL, "at-risk", NULL},
    {"the key is purged", KEY "{state: absent, live: null, versions: null, newest: null}", NULL, F11, OBS_BAD,
     "key-gone", NULL, "at-risk", "after-remedy"},
    {"the key cannot be seen", KEY "{state: unseen, live: null, why: " WHY "}", NULL, F11, OBS_UNSEEN, "cannot-see",
     NULL, "at-risk", "unknown"},
    /* F12 */
    {"disabled", KEY "{live: {attributes: {enabled: false}}}", NULL, F12, OBS_BAD, "key-disabled", NULL, "at-risk",
     "after-remedy"},
    {"expires within the horizon", KEY "{live: {attributes: {exp: 1796083200}}}", NULL, F12, OBS_GOOD, "key-expiry",
     "2026-12-01T00:00:00Z", "at-risk", "now"},
    {"expires far away", KEY "{live: {attributes: {exp: 1830000000}}}", NULL, F12, OBS_GOOD, "key-expiry",
     "2027-12-28T13:20:00Z", "green", "now"},
    {"expired", KEY "{live: {attributes: {exp: 1790000000}}}", NULL, F12, OBS_BAD, "key-expiry", NULL, "at-risk",
     "after-remedy"},
    {"not valid yet", KEY "{live: {attributes: {nbf: 1830000000}}}", NULL, F12, OBS_BAD, "key-disabled", NULL,
     "at-risk", NULL},
    /* F13, F14 */
    {"not exportable", KEY "{live: {attributes: {exportable: false}}}", NULL, F13, OBS_BAD, "key-unfit", NULL, "lost",
     "no"},
    {"no HSM key", KEY "{live: {key: {kty: RSA}}}", NULL, F13, OBS_BAD, "key-unfit", NULL, "lost", "no"},
    {"no release policy", KEY "{live: {release_policy: null}}", NULL, F13, OBS_BAD, "key-unfit", NULL, "lost", "no"},
    {"another region attests", NULL,
     "attestation: {" SUB "/uaenorth: {uri: 'https://sharedweu.weu.attest.azure.net/'}}", F13, OBS_BAD,
     "release-region", NULL, "at-risk", "after-remedy"},
    {"who attests cannot be seen", NULL, "attestation: {" SUB "/uaenorth: {state: unseen, uri: null, why: " WHY "}}",
     F13, OBS_UNSEEN, "cannot-see", NULL, "at-risk", "now"},
    {"purgeable", KEY "{live: {attributes: {recoveryLevel: Recoverable+Purgeable}}}", NULL, F14, OBS_WARN, NULL, NULL,
     "green", "now"},
    {"an escrow behind the key", "Key/os-key: {escrow: {state: present, blobs: []}}", NULL, F14, OBS_GOOD, NULL, NULL,
     "green", "now"},
    /* F15 */
    {"soft-deleted, with its purge date",
     KEY "{state: deleted, live: null, versions: null, newest: null, deleted: {scheduledPurgeDate: 1796083200}}", NULL,
     F15, OBS_BAD, "key-deleted", "2026-12-01T00:00:00Z", "at-risk", "after-remedy"},
    /* F16 to F18 */
    {"the set's identity lacks", PRINCIPALS("missing: [unwrap]", "missing: []", "missing: []"), NULL, F16, OBS_BAD,
     "des-lacks", NULL, "at-risk", "after-remedy"},
    {"Backup lacks", PRINCIPALS("missing: []", "missing: []", "missing: [backup]"), NULL, F17, OBS_BAD, "backup-lacks",
     NULL, "at-risk", "after-remedy"},
    {"the Orchestrator lacks", PRINCIPALS("missing: []", "missing: [release]", "missing: []"), NULL, F18, OBS_BAD,
     "orchestrator-lacks", NULL, "at-risk", "after-remedy"},
    {"the tenant has no Orchestrator",
     PRINCIPALS("missing: []", "why: 'the tenant has no service principal of application bf7b'", "missing: []"), NULL,
     F18, OBS_BAD, "orchestrator-lacks", NULL, "at-risk", NULL},
    {"the directory is closed", PRINCIPALS("missing: []", "why: 'the directory cannot be read (403)'", "missing: []"),
     NULL, F18, OBS_UNSEEN, "cannot-see", NULL, "at-risk", "unknown"},
    {"the grants cannot be read", USERS "{state: unseen, why: " WHY ", principals: null}", NULL, F16, OBS_UNSEEN,
     "cannot-see", NULL, "at-risk", "unknown"},
    {"a grant of a principal that was the set's",
     USERS
     "{assignments: [{principalId: p-old, roleDefinitionId: /x/e147488a-f6f5-4113-8e2d-b22465e65bf6}], principals:"
     " [{label: des, user: 0, objectId: p-des, missing: [unwrap]}, {label: o, user: 1, objectId: p-orch, missing: []},"
     " {label: b, user: 2, objectId: p-backup, missing: []}]}",
     NULL, F16, OBS_BAD, "orphaned-grant", NULL, "at-risk", "after-remedy"},
    {"an old grant beside a good one is a note",
     USERS "{assignments: [{principalId: p-old, scope: /v/keys/os, roleDefinitionId: "
           "/x/e147488a-f6f5-4113-8e2d-b22465e65bf6}]}",
     NULL, F16, OBS_GOOD, "orphaned-grant", NULL, "green", "now"},
    {"a grant of the set's own is none",
     USERS "{assignments: [{principalId: p-des, roleDefinitionId: /x/e147488a-f6f5-4113-8e2d-b22465e65bf6}]}", NULL,
     F16, OBS_GOOD, NULL, NULL, "green", "now"},
    /* F19 */
    {"the feature that backups need is missing", NULL,
     "features: {" SUB "/restorepointsupportforconfidentialvmv2: {feature: NotRegistered}}", F19, OBS_BAD, "feature",
     NULL, "at-risk", "after-remedy"},
    {"the feature that fails restores is on", NULL,
     "features: {" SUB "/disableconfidentialvmmetadatablob: {feature: Registered}}", F19, OBS_BAD, "feature", NULL,
     "at-risk", "after-remedy"},
    {"features that cannot be seen", NULL,
     "features: {" SUB "/restorepointsupportforconfidentialvmv2: {state: unseen, feature: null, why: " WHY "}}", F19,
     OBS_UNSEEN, "cannot-see", NULL, "at-risk", "now"},
    /* F20, F21 */
    {"a key lies exported", PVM "{exports: [{job: j1, account: stdr}]}", NULL, F20, OBS_WARN, "export-left", NULL,
     "green", "now"},
    {"a restore is running", PVM "{jobs: [{job: j2, state: running}]}", NULL, F21, OBS_WARN, "restore-running", NULL,
     "green", "now"},
    /* F22 */
    {"no such account", STAGED("{state: absent, live: null}"), NULL, F22, OBS_BAD, "staging", NULL, "at-risk",
     "after-remedy"},
    {"an account elsewhere", STAGED("{live: {location: westeurope}}"), NULL, F22, OBS_BAD, "staging", NULL, "at-risk",
     "after-remedy"},
    {"zone-redundant", STAGED("{live: {sku: {name: Standard_ZRS}}}"), NULL, F22, OBS_BAD, "staging", NULL, "at-risk",
     "after-remedy"},
    {"blobs only", STAGED("{live: {kind: BlobStorage}}"), NULL, F22, OBS_BAD, "staging", NULL, "at-risk",
     "after-remedy"},
    {"shut", STAGED("{live: {properties: {networkAcls: {defaultAction: Deny, bypass: None}}}}"), NULL, F22, OBS_BAD,
     "staging", NULL, "at-risk", "after-remedy"},
    {"premium is a note", STAGED("{live: {sku: {name: Premium_LRS}}}"), NULL, F22, OBS_GOOD, "staging", NULL, "green",
     "now"},
    {"an account that cannot be seen", STAGED("{state: unseen, live: null, why: " WHY "}"), NULL, F22, OBS_UNSEEN,
     "cannot-see", NULL, "at-risk", "unknown"},
    {"a network that cannot be seen", "RestoredVirtualMachine/vm-dr: {place: {network: {state: unseen, why: " WHY "}}}",
     NULL, F27, OBS_GOOD, "cannot-see", NULL, "at-risk", "unknown"},
    {"a target that cannot be seen", "RestoredVirtualMachine/vm-dr: {state: unseen, why: " WHY "}", NULL, F27, OBS_GOOD,
     "cannot-see", NULL, "at-risk", "unknown"},
    {"the network is not there", "RestoredVirtualMachine/vm-dr: {place: {network: {state: absent}}}", NULL, F27,
     OBS_GOOD, "place", NULL, "at-risk", "after-remedy"},
    /* F23 */
    {"the firewall keeps services out",
     VAULT "{live: {properties: {networkAcls: {defaultAction: Deny, bypass: None}}}}", NULL, F23, OBS_BAD, "firewall",
     NULL, "at-risk", "after-remedy"},
    {"a firewall with the bypass",
     VAULT "{live: {properties: {networkAcls: {defaultAction: Deny, bypass: AzureServices}}}}", NULL, F23, OBS_WARN,
     "firewall", NULL, "at-risk", "after-remedy"},
    {"a perimeter", VAULT "{live: {properties: {publicNetworkAccess: SecuredByPerimeter}}}", NULL, F23, OBS_WARN,
     "firewall", NULL, "at-risk", NULL},
    /* F24 */
    {"an older series", PVM "{source: {live: {properties: {hardwareProfile: {vmSize: Standard_DC4as_v5}}}}}", NULL, F24,
     OBS_WARN, "size", NULL, "green", "now"},
    {"no confidential size", PVM "{source: {live: {properties: {hardwareProfile: {vmSize: Standard_D4s_v5}}}}}", NULL,
     F24, OBS_WARN, "size", NULL, "at-risk", "now"},
    {"no quota left", NULL,
     "usages: {" SUB "/uaenorth: {items: [{name: {value: cores}, currentValue: 98, limit: 100}]}}", F24, OBS_BAD,
     "quota", NULL, "at-risk", "after-remedy"},
    {"no quota of the family", NULL,
     "usages: {" SUB "/uaenorth: {items: [{name: {value: StandardDCadsv6Family}, currentValue: 8, limit: 10}]}}", F24,
     OBS_BAD, "quota", NULL, "at-risk", "after-remedy"},
    {"quota of another family", NULL,
     "usages: {" SUB "/uaenorth: {items: [{name: {value: standardDSv5Family}, currentValue: 8, limit: 10}]}}", F24,
     OBS_GOOD, NULL, NULL, "green", "now"},
    /* F26 */
    {"a lock on the snapshots' group", NULL,
     "locks: {" SUB ": {items: [{id: /subscriptions/" SUB
     "/resourceGroups/AzureBackupRG_uaenorth_1/providers/Microsoft.Authorization/locks/l,"
     " name: l, properties: {level: CanNotDelete}}]}}",
     F26, OBS_BAD, "lock", NULL, "at-risk", "now"},
    {"a read-only target", NULL,
     "locks: {" SUB ": {items: [{id: /subscriptions/" SUB
     "/resourceGroups/rg-dr/providers/Microsoft.Authorization/locks/l, name: l,"
     " properties: {level: ReadOnly}}]}}",
     F26, OBS_BAD, "lock", NULL, "at-risk", "after-remedy"},
    {"a lock elsewhere", NULL,
     "locks: {" SUB ": {items: [{id: /subscriptions/" SUB
     "/resourceGroups/rg-x/providers/Microsoft.Authorization/locks/l, name: l,"
     " properties: {level: ReadOnly}}]}}",
     F26, OBS_GOOD, NULL, NULL, "green", "now"},
    {"locks that cannot be seen", NULL, "locks: {" SUB ": {state: unseen, items: null, why: " WHY "}}", F26, OBS_UNSEEN,
     "cannot-see", NULL, "at-risk", "now"},
    {"a quota that cannot be seen", NULL, "usages: {" SUB "/uaenorth: {state: unseen, items: null, why: " WHY "}}", F24,
     OBS_UNSEEN, "cannot-see", NULL, "at-risk", "now"},
    /* F27 */
    {"the service objects", NULL,
     "validations: {VALIDATED: {results: [{code: UserErrorX, message: no, recommendations: [do]}]}}", F27, OBS_BAD,
     "validation", NULL, "at-risk", "after-remedy"},
    {"the service cannot be asked", NULL, "validations: {VALIDATED: {state: unseen, results: null, why: " WHY "}}", F27,
     OBS_UNSEEN, NULL, NULL, "green", "now"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        struct arena *a cleanup(arena_freep) = arena_new();
        const char *extras = r->extras ? view_replaced(a, r->extras, "VALIDATED", str_lower(a, ITEM)) : NULL;
        struct forecast_options options;
        struct hand_view h;
        struct forecast f;

        view_make(&h, false, NULL, r->facts, extras);
        options = options_of(&h);
        f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
        check_row(r, &f);
        view_free(&h);
    }
}

/* --- limits, horizon, other keys ---------------------------------------------------------------------------------- */

static void test_limits(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text users cleanup(text_release) = {0}, versions cleanup(text_release) = {0};
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    text_init(&users, TEXT_CEILING);
    text_init(&versions, TEXT_CEILING);
    for (int i = 0; i < 32; i++)
        text_printf(&users, "%sdisk%d", i ? ", " : "", i);
    for (int i = 0; i < 401; i++)
        text_printf(&versions, ", {version: v%d, created: 1, enabled: true}", i);
    view_make(
        &h, false, NULL,
        arena_printf(a,
                     "DiskEncryptionSet/des: {associatedResources: [%s]}\nKey/os-key: {versions: [{version: " VERSION
                     ", created: 1772438400, enabled: true}%s]}",
                     text_str(&users), text_str(&versions)),
        NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK(f.outlook.items[F7].state == OBS_WARN && risk_of(&f, "set-full") && risk_of(&f, "key-versions"));
    options.limits.disks_per_set = 6000;
    options.limits.key_versions = 500;
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK(f.outlook.items[F7].state == OBS_GOOD && !risk_of(&f, "set-full") && !risk_of(&f, "key-versions"));
    options.limits.disks_per_set = 32;
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK(f.outlook.items[F7].state == OBS_BAD);
    view_free(&h);
}

/* A point that has left the vault tier was there once. */
static void test_vault_tier_gone(void)
{
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    view_make(&h, false, NULL, POINTS("snapshot: valid, vault: gone"), NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK(risk_of(&f, "no-vault-point") && strstr(risk_of(&f, "no-vault-point")->text, "was in the vault tier"));
    view_free(&h);
}

static void test_horizon(void)
{
    struct forecast_options options;
    struct hand_view h;
    struct forecasts all;

    view_make(&h, false, NULL, KEY "{live: {attributes: {exp: 1796083200}}}", NULL);
    options = options_of(&h);
    all = forecast_all(&h.view, &options);
    CHECK_STR(forecast_line(h.arena, &all), "1 of 1 restorable, 1 at risk before 2026-12-23, 0 lost");
    options.horizon_ms = 7 * DAY_MS;
    all = forecast_all(&h.view, &options);
    CHECK_STR(forecast_line(h.arena, &all), "1 of 1 restorable, 0 at risk before 2026-11-30, 0 lost");
    CHECK(all.items[0].at_ms == time_parse("2026-12-01T00:00:00Z"));
    view_free(&h);
}

/* Gone source, expiring point: nothing newer will come. */
static void test_last_point(void)
{
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    view_make(&h, true, NULL,
              PVM "{source: {state: absent, des: null, set: null, live: null}, points: [{id: '2', time: "
                  "2026-11-22T20:00:00Z, confidential: true,"
                  " customerKey: true, snapshot: gone, vault: valid, expires: 2026-12-01T00:00:00Z}]}",
              NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, NULL, NULL);
    CHECK(risk_of(&f, "point-expires") && risk_of(&f, "point-expires")->weight == RISK_WARN);
    CHECK(f.verdict == FORECAST_AT_RISK && f.at_ms == time_parse("2026-12-01T00:00:00Z"));
    view_free(&h);
}

/* --- lost, and not lost ------------------------------------------------------------------------------------------- */

static void test_lost(void)
{
    static const char snapshot_and_purged[] =
        POINTS("snapshot: valid, vault: absent") "\n" KEY "{state: absent, live: null, versions: null, newest: null}";
    struct forecast_options options;
    struct hand_view h;
    struct forecasts all;

    view_make(&h, false, NULL, snapshot_and_purged, NULL);
    options = options_of(&h);
    all = forecast_all(&h.view, &options);
    CHECK_STR(all.items[0].scenario, "N-18");
    CHECK(all.items[0].verdict == FORECAST_LOST && !all.items[0].path);
    CHECK_STR(forecast_line(h.arena, &all), "0 of 1 restorable, 0 at risk before 2026-12-23, 1 lost");
    view_free(&h);
    /* The key may be there, unseen: nobody may say lost. */
    view_make(&h, false, NULL,
              POINTS("snapshot: valid, vault: absent") "\n" KEY "{state: unseen, live: null, why: " WHY "}", NULL);
    options = options_of(&h);
    all = forecast_all(&h.view, &options);
    CHECK(all.items[0].verdict == FORECAST_AT_RISK && all.n_unseen == 1);
    CHECK_STR(forecast_line(h.arena, &all),
              "0 of 1 restorable, 1 at risk before 2026-12-23 (1 of them cannot be told), 0 lost");
    view_free(&h);
}

/* Without any declared restore: what a plain one would meet. */
static void test_bare(void)
{
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    view_make(&h, true, NULL, NULL, NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, NULL, NULL);
    CHECK_STR(forecast_verdict_word(f.verdict), "green");
    CHECK_STR(f.scenario, "N-02");
    CHECK(f.outlook.items[F22].state == OBS_NOT_LOOKED);
    view_free(&h);
}

/* Nothing read besides the look: what only a forecast asks is "not looked", and no verdict hangs on it. */
static void test_without_extras(void)
{
    struct forecast_options options = forecast_options_default;
    struct hand_view h;
    struct forecast f;

    view_make(&h, false, NULL, NULL, NULL);
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK(f.verdict == FORECAST_GREEN);
    CHECK(f.outlook.items[F19].state == OBS_NOT_LOOKED && f.outlook.items[F26].state == OBS_NOT_LOOKED);
    CHECK(f.outlook.items[F13].state == OBS_GOOD && f.outlook.items[F27].state == OBS_NOT_LOOKED);
    view_free(&h);
}

/* --- order and value ---------------------------------------------------------------------------------------------- */

static void test_order(void)
{
    static const char more[] =
        "---\napiVersion: reinstate/v1\nkind: ProtectedVirtualMachine\nmetadata: {name: gone}\nspec: {vault: rsv, "
        "source: {resourceGroup: r, name: gone}}\n"
        "---\napiVersion: reinstate/v1\nkind: ProtectedVirtualMachine\nmetadata: {name: dark}\nspec: {vault: rsv, "
        "source: {resourceGroup: r, name: dark}}\n";
    struct forecast_options options;
    struct hand_view h;
    struct forecasts all;
    struct diags diags;
    struct value *v;

    view_make(&h, false, more,
              "ProtectedVirtualMachine/gone: {state: absent, source: {state: absent}}\nProtectedVirtualMachine/dark: "
              "{state: unseen,"
              " why: " WHY ", source: {state: unseen}}",
              NULL);
    options = options_of(&h);
    all = forecast_all(&h.view, &options);
    CHECK(all.count == 3 && all.n_lost == 1 && all.n_at_risk == 1 && all.n_unseen == 1 && all.n_restorable == 1);
    CHECK_STR(all.items[0].outlook.pvm->name, "gone");
    CHECK_STR(all.items[1].outlook.pvm->name, "dark");
    CHECK_STR(all.items[2].outlook.pvm->name, "vm");
    CHECK_STR(forecast_line(h.arena, &all),
              "1 of 3 restorable, 1 at risk before 2026-12-23 (1 of them cannot be told), 1 lost");
    v = value_map(h.arena);
    value_set_int(h.arena, v, "formatVersion", 1);
    value_set_string(h.arena, v, "command", "forecast");
    value_set_string(h.arena, v, "made", NOW);
    value_set_int(h.arena, v, "exitCode", 2);
    forecasts_to_value(h.arena, &all, v);
    diags_init(&diags, h.arena);
    schema_check(h.schemas, "forecast.json", v, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%s\n", diag_format(h.arena, &diags.items[i]));
    CHECK(diags.count == 0);
    CHECK_STR(value_str_at(v, "forecasts.2.verdict"), "green");
    CHECK(value_count(value_at(v, "forecasts.2.observations")) == 27);
    CHECK_STR(value_str_at(v, "forecasts.2.observations.26.id"), "F27");
    CHECK_STR(value_str_at(v, "forecasts.2.recoveryPoint.id"), "2");
    view_free(&h);
}

int main(void)
{
    test_green();
    test_words();
    test_rows();
    test_limits();
    test_vault_tier_gone();
    test_horizon();
    test_last_point();
    test_lost();
    test_bare();
    test_without_extras();
    test_order();
    HARNESS_END();
}
