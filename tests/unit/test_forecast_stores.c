/* Forecasts of managed HSMs, platform-managed keys and keys that nobody declares. */
#include "forecast_rows.h"

#include "../../providers/keys/key_facts.h"

/* --- platform-managed keys, and keys that nobody declares --------------------------------------------------------- */

static void test_platform_key(void)
{
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    view_make(&h, true, NULL,
              PVM "{points: [{id: '2', time: 2026-11-22T20:00:00Z, confidential: true, customerKey: false, snapshot: "
                  "valid, vault: valid}],"
                  " source: {des: null, set: null}}\nKey/os-key: {state: absent, live: null}",
              NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, NULL, NULL);
    CHECK_STR(f.scenario, "N-01");
    CHECK_STR(forecast_verdict_word(f.verdict), "green");
    CHECK(f.outlook.items[F6].state == OBS_NOT_LOOKED && f.outlook.items[F11].state == OBS_NOT_LOOKED);
    view_free(&h);
}

/* A VM of which only the backup is declared: nobody has looked at its key, so it is not green. */
static void test_undeclared_key(void)
{
    static const char more[] = "---\napiVersion: reinstate/v1\nkind: ProtectedVirtualMachine\nmetadata: {name: alone}\n"
                               "spec: {vault: rsv, source: {resourceGroup: r, name: alone}}\n";
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    view_make(&h, true, more,
              "ProtectedVirtualMachine/alone: {state: present, itemId: i, live: {properties: {protectionState: "
              "Protected}}, points:"
              " [{id: '9', time: 2026-11-22T20:00:00Z, confidential: true, customerKey: true, snapshot: valid, vault: "
              "valid}],"
              " source: {state: absent}, jobs: [], exports: []}",
              NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, desired_find(h.view.desired, "ProtectedVirtualMachine", "alone"), NULL, NULL);
    CHECK_STR(forecast_verdict_word(f.verdict), "at-risk");
    CHECK_STR(restorable_word(f.restorable), "unknown");
    CHECK(risk_of(&f, "cannot-see") && strstr(risk_of(&f, "cannot-see")->fix, "export cannot write it either"));
    view_free(&h);
}

/* A newer point that is a snapshot only is told beside the one that counts. */
static void test_newest(void)
{
    struct forecast_options options;
    struct hand_view h;
    struct forecast f;

    view_make(&h, false, NULL,
              PVM "{points: [{id: '2', time: 2026-11-22T01:00:00Z, confidential: true, customerKey: true, snapshot: "
                  "gone, vault: valid},"
                  " {id: '3', time: 2026-11-22T20:00:00Z, confidential: true, customerKey: true, snapshot: valid, "
                  "vault: absent}]}",
              NULL);
    options = options_of(&h);
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, NULL);
    CHECK_STR(value_str_at(f.outlook.point, "id"), "2");
    CHECK_STR(value_str_at(f.newest, "id"), "3");
    CHECK_STR(dx_scenario(&f.newest_prediction), "N-02");
    f = forecast_at(&h.view, &options, h.pvm, h.rvm, f.newest);
    CHECK_STR(value_str_at(f.outlook.point, "id"), "3");
    CHECK(!f.newest && f.estimate_ms < HOUR_MS);
    view_free(&h);
}

/* --- managed HSMs ------------------------------------------------------------------------------------------------- */

#define H_DES "/subscriptions/" SUB "/resourceGroups/rg-vm/providers/Microsoft.Compute/diskEncryptionSets/h-des"
#define HSM_KEY "https://hsm.managedhsm.azure.net/keys/h/" VERSION

static const char hsm_manifests[] =
    "---\napiVersion: reinstate/v1\nkind: ManagedHsm\nmetadata: {name: hsm}\nspec: {resourceGroup: rg-keys}\n"
    "---\napiVersion: reinstate/v1\nkind: Key\nmetadata: {name: h-key}\n"
    "spec: {store: hsm, keyName: h, version: " VERSION ", sources: [{recover: {}}, {azureBackup: {from: [hvm]}}]}\n"
    "---\napiVersion: reinstate/v1\nkind: DiskEncryptionSet\nmetadata: {name: h-des}\n"
    "spec: {resourceGroup: rg-vm, encryptionType: ConfidentialVmEncryptedWithCustomerKey, key: h-key}\n"
    "---\napiVersion: reinstate/v1\nkind: KeyAccess\nmetadata: {name: h-users}\n"
    "spec: {key: h-key, purpose: confidential-vm, principals: [{diskEncryptionSet: h-des}, {wellKnown: "
    "ConfidentialVmOrchestrator},"
    " {wellKnown: BackupManagementService}]}\n"
    "---\napiVersion: reinstate/v1\nkind: ProtectedVirtualMachine\nmetadata: {name: hvm}\n"
    "spec: {vault: rsv, source: {resourceGroup: rg-vm, name: hvm}}\n";

static const char hsm_facts[] =
    "ManagedHsm/hsm: {state: present, base: 'https://hsm.managedhsm.azure.net', active: true, domainLost: false, live: "
    "{location: uaenorth,"
    " properties: {enablePurgeProtection: true, softDeleteRetentionInDays: 90, securityDomainProperties: "
    "{activationStatus: Active}}}}\n"
    "ProtectedVirtualMachine/hvm: {state: present, itemId: hi, live: {properties: {protectionState: Protected, "
    "policyType: V2}}, points:"
    " [{id: '7', time: 2026-11-22T20:00:00Z, confidential: true, customerKey: true, snapshot: valid, vault: valid}], "
    "jobs: [], exports: [],"
    " source: {state: present, power: running, des: H-DES, set: {state: present, live: {id: H-DES, name: h-des, "
    "identity: {principalId:"
    " p-hdes}, properties: {encryptionType: ConfidentialVmEncryptedWithCustomerKey, activeKey: {keyUrl: '" HSM_KEY
    "'}}}}}}\n"
    "Key/h-key: {state: present, storeState: present, base: 'https://hsm.managedhsm.azure.net', name: h, "
    "newest: " VERSION ", versions:"
    " [{version: " VERSION ", created: 1772438400, enabled: true}], live: {key: {kid: '" HSM_KEY
    "', kty: RSA-HSM}, attributes:"
    " {enabled: true, exportable: true, recoveryLevel: Recoverable}, release_policy: {data: POLICY}}}\n"
    "DiskEncryptionSet/h-des: {state: present, id: H-DES, principalId: p-hdes, live: {id: H-DES, name: h-des, "
    "identity: {principalId: "
    "p-hdes},"
    " properties: {encryptionType: ConfidentialVmEncryptedWithCustomerKey, activeKey: {keyUrl: '" HSM_KEY
    "'}}}, associatedResources: []}\n"
    "KeyAccess/h-users: {state: present, model: local-rbac, assignments: [], principals: [{label: d, user: 0, "
    "objectId: p-hdes, missing: "
    "[]},"
    " {label: o, user: 1, objectId: p-orch, missing: []}, {label: b, user: 2, objectId: p-backup, missing: []}]}\n";

static const struct row hsm_rows[] = {
    {"an HSM in order", NULL, NULL, F25, OBS_GOOD, NULL, NULL, "green", "now"},
    {"not activated",
     "ManagedHsm/hsm: {active: false, live: {properties: {securityDomainProperties: {activationStatus: "
     "NotActivated}}}}",
     NULL, F25, OBS_BAD, "hsm-inactive", NULL, "at-risk", NULL},
    {"soft-deleted, with its purge date",
     "ManagedHsm/hsm: {state: deleted, live: null, active: null, deleted: {properties: {scheduledPurgeDate: "
     "2026-12-01T00:00:00Z}}}\n"
     "Key/h-key: {state: absent, storeState: deleted, live: null}",
     NULL, F10, OBS_BAD, "store-deleted", "2026-12-01T00:00:00Z", "at-risk", "after-remedy"},
    {"purged: a person first",
     "ManagedHsm/hsm: {state: absent, live: null, active: null}\nKey/h-key: {state: absent, storeState: absent, "
     "live: null}",
     NULL, F9, OBS_BAD, "store-gone", NULL, "at-risk", NULL},
    {"purged, and its security domain is lost",
     "ManagedHsm/hsm: {state: absent, live: null, active: null, domainLost: true}\nKey/h-key: {state: absent, "
     "storeState: absent, "
     "live: null}",
     NULL, F9, OBS_BAD, "store-gone", NULL, "lost", "no"},
    {"eight assignments on the key",
     "KeyAccess/h-users: {assignments: [{scope: /keys/h}, {scope: /keys/h}, {scope: /keys/h}, {scope: /keys/h}, "
     "{scope: /keys/h},"
     " {scope: /keys/h}, {scope: /keys/h}, {scope: /keys/h}, {scope: /keys}]}",
     NULL, F16, OBS_GOOD, "hsm-assignments", NULL, "at-risk", "now"},
    {"a local grant of an identity that was",
     "KeyAccess/h-users: {assignments: [{scope: /keys/h, principalId: p-old, roleDefinitionId: "
     "x/33413926-3206-4cdd-b39a-83574fe37a17}],"
     " principals: [{label: d, user: 0, objectId: p-hdes, missing: [wrap]}, {label: o, user: 1, objectId: p-orch, "
     "missing: []},"
     " {label: b, user: 2, objectId: p-backup, missing: []}]}",
     NULL, F16, OBS_BAD, "orphaned-grant", NULL, "at-risk", "after-remedy"},
};

static void test_hsm(void)
{
    for (size_t i = 0; i < COUNT(hsm_rows); i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        const char *facts = hsm_facts;
        struct forecast_options options;
        struct hand_view h;
        struct forecast f;

        while (strstr(facts, "H-DES"))
            facts = view_replaced(a, facts, "H-DES", H_DES);
        view_make(&h, true,
                  strstr(hsm_rows[i].reason, "domain is lost")
                      ? view_replaced(a, hsm_manifests, "rg-keys}", "rg-keys, securityDomain: {held: false}}")
                      : hsm_manifests,
                  NULL, NULL);
        view_edit(&h, view_replaced(h.arena, facts, "POLICY", h.policy));
        view_edit(&h, hsm_rows[i].facts);
        options = options_of(&h);
        f = forecast_at(&h.view, &options, desired_find(h.view.desired, "ProtectedVirtualMachine", "hvm"), NULL, NULL);
        check_row(&hsm_rows[i], &f);
        view_free(&h);
    }
}

int main(void)
{
    test_platform_key();
    test_undeclared_key();
    test_newest();
    test_hsm();
    HARNESS_END();
}
