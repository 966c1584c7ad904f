/* A view made by hand, for tests of observations and forecasts: one VM with everything in order, and edits of what was
 * observed. Texts are YAML. */
#ifndef REINSTATE_TEST_FORECAST_VIEW_H
#define REINSTATE_TEST_FORECAST_VIEW_H

#include "../../cmd/load.h"
#include "../../providers/forecast/forecast.h"
#include "../../providers/kinds/registry.h"
#include "../../reconciler/format/manifest.h"
#include "harness.h"

#define SUB "0f0f0f0f-0000-4000-8000-000000000002"
#define VERSION "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5"
#define KV "/subscriptions/" SUB "/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv"
#define DES "/subscriptions/" SUB "/resourceGroups/rg-vm/providers/Microsoft.Compute/diskEncryptionSets/des"
#define RSV "/subscriptions/" SUB "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv"
#define STAGING "/subscriptions/" SUB "/resourceGroups/rg-dr/providers/Microsoft.Storage/storageAccounts/stdr"
#define ITEM RSV "/backupFabrics/Azure/protectionContainers/c/protectedItems/i"
#define NOW "2026-11-23T03:00:00Z"

static const char view_manifests[] =
    "apiVersion: reinstate/v1\nkind: Azure\nmetadata: {name: prod}\n"
    "spec: {tenant: 0f0f0f0f-0000-4000-8000-000000000001, subscription: " SUB ", location: uaenorth}\n"
    "---\napiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {name: kv}\nspec: {resourceGroup: rg-keys}\n"
    "---\napiVersion: reinstate/v1\nkind: Key\nmetadata: {name: os-key}\n"
    "spec: {store: kv, keyName: os, version: " VERSION ", sources: [{recover: {}}, {azureBackup: {from: [vm]}}]}\n"
    "---\napiVersion: reinstate/v1\nkind: DiskEncryptionSet\nmetadata: {name: des}\n"
    "spec: {resourceGroup: rg-vm, encryptionType: ConfidentialVmEncryptedWithCustomerKey, key: os-key}\n"
    "---\napiVersion: reinstate/v1\nkind: KeyAccess\nmetadata: {name: users}\n"
    "spec: {key: os-key, purpose: confidential-vm, principals: [{diskEncryptionSet: des}, {wellKnown: "
    "ConfidentialVmOrchestrator},"
    " {wellKnown: BackupManagementService}]}\n"
    "---\napiVersion: reinstate/v1\nkind: RecoveryServicesVault\nmetadata: {name: rsv}\nspec: {resourceGroup: "
    "rg-backup}\n"
    "---\napiVersion: reinstate/v1\nkind: ProtectedVirtualMachine\nmetadata: {name: vm}\n"
    "spec: {vault: rsv, source: {resourceGroup: rg-vm, name: vm}, readiness: {newestPoint: 24h, newestVaultPoint: "
    "48h}}\n";

static const char view_restore[] =
    "---\napiVersion: reinstate/v1\nkind: RestoredVirtualMachine\nmetadata: {name: vm-dr}\n"
    "spec: {from: vm, restore: new-vm, diskEncryptionSet: des, target: {resourceGroup: rg-dr, name: vm-r,"
    " subnet: {id: /subscriptions/" SUB
    "/resourceGroups/rg-dr/providers/Microsoft.Network/virtualNetworks/v/subnets/s},"
    " stagingAccount: {id: " STAGING "}}}\n";

static const char view_facts_base[] =
    "Azure/prod: {state: present}\n"
    "KeyVault/kv: {state: present, id: " KV
    ", base: 'https://kv.vault.azure.net', live: {location: uaenorth, properties:"
    " {enableRbacAuthorization: true, enablePurgeProtection: true, softDeleteRetentionInDays: 90}}}\n"
    "RecoveryServicesVault/rsv: {state: present, id: " RSV ", live: {location: uaenorth}, jobs: []}\n"
    "ProtectedVirtualMachine/vm:\n"
    "  state: present\n  vaultId: " RSV "\n  itemId: " ITEM "\n"
    "  live: {properties: {protectionState: Protected, healthStatus: Passed, policyType: V2, lastBackupStatus: "
    "Completed}}\n"
    "  points:\n"
    "    - {id: '2', time: 2026-11-22T20:00:00Z, snapshot: valid, vault: valid, confidential: true, customerKey: true, "
    "softDeleted: false,"
    " securityType: ConfidentialVMDiskEncryptedWithCustomerKey, size: Standard_DC4ads_v6, expires: "
    "2027-06-01T00:00:00Z}\n"
    "  source: {state: present, id: /subscriptions/" SUB
    "/resourceGroups/rg-vm/providers/Microsoft.Compute/virtualMachines/vm,"
    " power: running, des: " DES ", live: {properties: {hardwareProfile: {vmSize: Standard_DC4ads_v6}}},"
    " set: {state: present, live: {id: " DES
    ", name: des, identity: {type: SystemAssigned, principalId: p-des}, properties:"
    " {encryptionType: ConfidentialVmEncryptedWithCustomerKey, activeKey: {keyUrl: "
    "'https://kv.vault.azure.net/keys/os/" VERSION "'}}}}}\n"
    "  jobs: []\n  exports: []\n"
    "Key/os-key: {state: present, storeState: present, base: 'https://kv.vault.azure.net', name: os, newest: " VERSION
    ","
    " versions: [{version: " VERSION ", created: 1772438400, enabled: true}],"
    " live: {key: {kid: 'https://kv.vault.azure.net/keys/os/" VERSION
    "', kty: RSA-HSM}, attributes: {enabled: true, exportable: true,"
    " created: 1772438400, recoveryLevel: Recoverable}, release_policy: {data: POLICY}}}\n"
    "DiskEncryptionSet/des: {state: present, id: " DES ", principalId: p-des, live: {id: " DES
    ", name: des, identity: {type: SystemAssigned,"
    " principalId: p-des}, properties: {encryptionType: ConfidentialVmEncryptedWithCustomerKey, activeKey:"
    " {keyUrl: 'https://kv.vault.azure.net/keys/os/" VERSION "'}}}, associatedResources: [a, b]}\n"
    "KeyAccess/users: {state: present, model: azure-rbac, scope: " KV "/keys/os, vaultId: " KV
    ", assignments: [], principals:"
    " [{label: des, user: 0, objectId: p-des, missing: []}, {label: ConfidentialVmOrchestrator, user: 1, objectId: "
    "p-orch, missing: []},"
    " {label: BackupManagementService, user: 2, objectId: p-backup, missing: []}]}\n"
    "RestoredVirtualMachine/vm-dr: {state: absent, place: {staging: {state: present, live: {location: uaenorth, kind: "
    "StorageV2,"
    " sku: {name: Standard_LRS}}}}}\n";

static const char view_extras_base[] =
    "features: {" SUB "/restorepointsupportforconfidentialvmv2: {state: present, feature: Registered},"
    " " SUB "/disableconfidentialvmmetadatablob: {state: present, feature: NotRegistered}}\n"
    "locks: {" SUB ": {state: present, items: []}}\n"
    "usages: {" SUB "/uaenorth: {state: present, items: [{name: {value: cores}, currentValue: 4, limit: 100}]}}\n"
    "attestation: {" SUB "/uaenorth: {state: present, uri: 'https://shareduaen.uaen.attest.azure.net'}}\n"
    "validations: {VALIDATED: {state: present, results: []}}\n";

struct hand_view {
    struct arena *arena;
    struct schemas *schemas;
    struct settings settings;
    struct view view;
    const struct value *extras;
    const char *policy; /* a release policy that names the region's authority */
    const struct document *pvm, *rvm;
};

static struct value *view_yaml(struct arena *a, const char *text)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read(a, "view", text, strlen(text), &manifest_default_limits, docs, &diags);
    if (diags.n_errors) {
        fprintf(stderr, "%s\n", diag_format(a, &diags.items[0]));
        exit(1);
    }
    return docs;
}

/* Maps are merged, null removes, everything else replaces. */
static struct value *view_merge(struct arena *a, const struct value *base, const struct value *over)
{
    struct value *out;

    if (!value_is(base, VALUE_MAP) || !value_is(over, VALUE_MAP))
        return value_copy(a, over);
    out = value_copy(a, base);
    for (size_t i = 0; i < value_count(over); i++) {
        const struct member *m = &over->map.members[i];

        if (value_is(m->value, VALUE_NULL))
            value_remove(out, m->key);
        else
            value_set(a, out, m->key, view_merge(a, value_get(out, m->key), m->value));
    }
    return out;
}

static const char *view_replaced(struct arena *a, const char *text, const char *word, const char *with)
{
    const char *at = strstr(text, word);

    return at ? arena_printf(a, "%.*s%s%s", (int)(at - text), text, with, at + strlen(word)) : text;
}

static struct value *view_observed(struct arena *a, const char *base, const char *edit)
{
    const struct value *whole = value_item(view_yaml(a, base), 0);

    return edit ? view_merge(a, whole, value_item(view_yaml(a, edit), 0)) : value_copy(a, whole);
}

/* `manifests` are added; NULL: none. `facts` and `extras` are merged in; NULL: nothing. With `bare`
 * no restore is declared. */
static void view_make(struct hand_view *h, bool bare, const char *manifests, const char *facts, const char *extras)
{
    static const char authority[] =
        "{\"version\":\"1.0.0\",\"anyOf\":[{\"authority\":\"https://shareduaen.uaen.attest.azure.net/\"}]}";
    struct arena *a = h->arena = arena_new();
    struct text policy cleanup(text_release) = {0};
    const struct value **all;
    const char *base = view_extras_base;
    struct value *observed;
    struct diags diags;
    struct err err;

    if (load_schemas(&h->schemas, &err) < 0)
        exit(1);
    diags_init(&diags, a);
    h->settings = settings_default;
    h->view = (struct view){.arena = a, .settings = &h->settings, .now_ms = time_parse(NOW)};
    h->view.desired = desired_resolve(
        a, h->schemas, &all_naming,
        view_yaml(a, arena_printf(a, "%s%s%s", view_manifests, bare ? "" : view_restore, manifests ? manifests : "")),
        &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%s\n", diag_format(a, &diags.items[i]));
    if (diags.n_errors)
        exit(1);
    text_init(&policy, TEXT_CEILING);
    crypt_base64_encode(&policy, authority, strlen(authority), BASE64_URL);
    h->policy = arena_strdup(a, text_str(&policy));
    observed = view_observed(a, view_replaced(a, view_facts_base, "POLICY", h->policy), facts);
    all = arena_array(a, const struct value *, h->view.desired->count + 1);
    for (size_t i = 0; i < h->view.desired->count; i++)
        all[i] = value_get(observed, h->view.desired->documents[i]->address);
    h->view.facts = all;
    base = view_replaced(a, base, "VALIDATED", str_lower(a, ITEM));
    h->extras = view_observed(a, base, extras);
    h->pvm = desired_find(h->view.desired, "ProtectedVirtualMachine", "vm");
    h->rvm = desired_find(h->view.desired, "RestoredVirtualMachine", "vm-dr");
}

/* Merges observed facts in: YAML of a map by address; NULL: nothing. */
static inline void view_edit(struct hand_view *h, const char *facts)
{
    const struct value *edits = facts ? value_item(view_yaml(h->arena, facts), 0) : NULL;
    const struct value **all = (const struct value **)h->view.facts;

    for (size_t i = 0; edits && i < h->view.desired->count; i++) {
        const struct value *over = value_get(edits, h->view.desired->documents[i]->address);

        if (over)
            all[i] = all[i] ? view_merge(h->arena, all[i], over) : over;
    }
}

static void view_free(struct hand_view *h)
{
    schemas_freep(&h->schemas);
    arena_free(h->arena);
}

#endif
