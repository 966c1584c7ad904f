#!/bin/sh
# usage: generate.sh N DIR [MACHINES-PER-KEY [lost]]
# Writes DIR/estate.yaml and DIR/world.yaml: N healthy confidential VMs of an invented firm, ready to be restored. Every ten share a key,
# a disk encryption set and the grants on it; a key vault holds a hundred keys, a Recovery Services vault a thousand machines.
# lost: the keys are purged and all machines, disks and sets gone; DIR/order.yaml orders all of them back.
set -eu
n=$1 to=$2 per=${3:-10} lost=${4:-}
mkdir -p "$to"
awk -v n="$n" -v per="$per" -v lost="$lost" -v order="$to/order.yaml" -v estate="$to/estate.yaml" -v world="$to/world.yaml" '
function id(group, type, name) { return "/subscriptions/" sub_id "/resourceGroups/" group "/providers/" type "/" name }
function version(k) { return sprintf("77aa%028x", k) }
function oid(kind, k) { return sprintf("a0000000-0000-4000-8%03x-%012x", kind, k) }
function doc(kind, name, spec) { printf "---\napiVersion: reinstate/v1\nkind: %s\nmetadata: {name: %s}\nspec:\n%s", kind, name, spec > estate }
function resource(it, lines) { printf "    - id: %s\n      location: uaenorth\n%s", it, lines > world }
BEGIN {
    sub_id = "a0000000-0000-4000-8000-0000000000aa"; tenant = "a0000000-0000-4000-8000-0000000000bb"
    keys = int((n + per - 1) / per); stores = int((keys + 99) / 100); vaults = int((n + 999) / 1000)
    compute = "Microsoft.Compute"; store = "Microsoft.KeyVault/vaults"; vault = "Microsoft.RecoveryServices/vaults"
    account = id("rg-back", "Microsoft.Storage/storageAccounts", "stgrowth")
    network = id("rg-back", "Microsoft.Network/virtualNetworks", "net")

    printf "apiVersion: reinstate/v1\nkind: World\nmetadata: {name: growth}\nspec:\n  now: 2026-11-20T06:00:00Z\n  seed: 7\n" > world
    printf "  tenant: %s\n  principals:\n", tenant > world
    printf "    - {name: operator, objectId: %s, appId: %s, secret: sim-client-secret}\n", oid(1, 1), oid(1, 2) > world
    printf "    - {wellKnown: ConfidentialVmOrchestrator, objectId: %s}\n", oid(1, 3) > world
    printf "    - {wellKnown: BackupManagementService, objectId: %s}\n", oid(1, 4) > world
    for (k = 0; k < keys; k++)
        printf "    - {name: des-%d, objectId: %s, type: ManagedIdentity}\n", k, oid(2, k) > world
    print "  resources:" > world
    split("rg-work rg-keys rg-back", groups, " ")
    for (g = 1; g <= 3; g++)
        printf "    - {id: /subscriptions/%s/resourceGroups/%s, location: uaenorth}\n", sub_id, groups[g] > world
    for (s = 0; s < stores; s++)
        resource(id("rg-keys", store, "kv-growth-" s), "      properties: {enableRbacAuthorization: true, " \
            "enableSoftDelete: true, softDeleteRetentionInDays: 90, enablePurgeProtection: true, sku: {family: A, name: premium}}\n")
    for (v = 0; v < vaults; v++)
        resource(id("rg-back", vault, "rsv-" v), "      sku: {name: RS0, tier: Standard}\n")
    resource(account, "      kind: StorageV2\n      sku: {name: Standard_LRS, tier: Standard}\n      properties: " \
        "{allowSharedKeyAccess: true, minimumTlsVersion: TLS1_2, supportsHttpsTrafficOnly: true, networkAcls: {defaultAction: Allow, bypass: AzureServices}}\n")
    resource(network, "      properties:\n        addressSpace: {addressPrefixes: [10.8.0.0/16]}\n        subnets:\n" \
        "          - {name: back, properties: {addressPrefix: 10.8.0.0/16, provisioningState: Succeeded}}\n")
    for (k = 0; k < keys && lost == ""; k++)
        resource(id("rg-work", compute "/diskEncryptionSets", "des-" k), sprintf("      identity: {type: SystemAssigned, principalId: %s, tenantId: %s}\n" \
            "      properties:\n        encryptionType: ConfidentialVmEncryptedWithCustomerKey\n        rotationToLatestKeyVersionEnabled: false\n" \
            "        activeKey: {key: {store: kv-growth-%d, name: key-%d, version: %s}}\n", oid(2, k), tenant, int(k / 100), k, version(k)))
    for (m = 0; m < n && lost == ""; m++) {
        set = id("rg-work", compute "/diskEncryptionSets", "des-" int(m / per))
        disk = id("rg-work", compute "/disks", "vm-" m "_os"); machine = id("rg-work", compute "/virtualMachines", "vm-" m)
        resource(disk, sprintf("      sku: {name: Premium_LRS, tier: Premium}\n      managedBy: %s\n      properties:\n" \
            "        {osType: Linux, hyperVGeneration: V2, diskSizeGB: 32, diskState: Attached, encryption: {type: EncryptionAtRestWithPlatformKey},\n" \
            "         securityProfile: {securityType: ConfidentialVM_DiskEncryptedWithCustomerKey, secureVMDiskEncryptionSetId: %s}}\n", machine, set))
        resource(machine, sprintf("      powerState: running\n      properties:\n        hardwareProfile: {vmSize: Standard_DC2as_v5}\n" \
            "        securityProfile: {securityType: ConfidentialVM, uefiSettings: {secureBootEnabled: true, vTpmEnabled: true}}\n" \
            "        osProfile: {computerName: vm-%d}\n        storageProfile:\n          dataDisks: []\n          osDisk:\n" \
            "            {osType: Linux, name: vm-%d_os, createOption: FromImage, managedDisk: {id: %s, storageAccountType: Premium_LRS,\n" \
            "             securityProfile: {securityEncryptionType: DiskWithVMGuestState, diskEncryptionSet: {id: %s}}}}\n", m, m, disk, set))
    }
    print "  roleAssignments:" > world
    split("Owner,Key Vault Administrator,Storage Blob Data Contributor", roles, ",")
    for (r = 1; r <= 3; r++)
        printf "    - {principal: operator, role: %s, scope: /subscriptions/%s}\n", roles[r], sub_id > world
    for (s = 0; s < stores; s++) {
        printf "    - {principal: BackupManagementService, role: Key Vault Crypto User, scope: %s}\n", id("rg-keys", store, "kv-growth-" s) > world
        printf "    - {principal: ConfidentialVmOrchestrator, role: Key Vault Crypto Service Release User, scope: %s}\n", id("rg-keys", store, "kv-growth-" s) > world
    }
    for (k = 0; k < keys && lost == ""; k++)
        printf "    - {principal: des-%d, role: Key Vault Crypto Service Encryption User, scope: %s}\n", k, id("rg-keys", store, "kv-growth-" int(k / 100)) > world
    print "  keys:" > world
    for (k = 0; k < keys; k++)
        printf "    - {store: kv-growth-%d, name: key-%d, state: %s, type: RSA-HSM, releasePolicy: confidential-vm, " \
            "versions: [{id: %s, created: 2026-01-08T09:00:00Z, enabled: true}]}\n", int(k / 100), k, lost == "" ? "active" : "purged", version(k) > world
    print "  backups:" > world
    for (m = 0; m < n; m++)
        printf "    - vault: %s\n      source: {resourceGroup: rg-work, name: vm-%d, size: Standard_DC2as_v5, osType: Linux}\n" \
            "      protection: {state: %s, policyType: V2}\n      wrappedWith: {diskEncryptionSet: %s, key: {store: kv-growth-%d, name: key-%d, version: %s}}\n" \
            "      points: [{id: \"%d\", time: 2026-11-19T22:10:00Z, tiers: {InstantRP: Valid, HardenedRP: Valid}}]\n", id("rg-back", vault, "rsv-" int(m / 1000)), m, \
            lost == "" ? "Protected" : "ProtectionStopped", \
            id(lost == "" ? "rg-work" : "rg-gone", compute "/diskEncryptionSets", "des-" int(m / per)), int(m / per / 100), int(m / per), version(int(m / per)), 880000000 + m > world
    print "  jobs: []\n  faults: []" > world

    printf "apiVersion: reinstate/v1\nkind: Azure\nmetadata: {name: firm}\nspec: {cloud: AzurePublic, tenant: %s, subscription: %s, location: uaenorth}\n", tenant, sub_id > estate
    for (s = 0; s < stores; s++)
        doc("KeyVault", "kv-growth-" s, "  {resourceGroup: rg-keys, permissionModel: azure-rbac, purgeProtection: true}\n")
    for (v = 0; v < vaults; v++)
        doc("RecoveryServicesVault", "rsv-" v, "  resourceGroup: rg-back\n")
    for (k = 0; k < keys; k++) {
        doc("Key", "key-" k, sprintf("  store: kv-growth-%d\n  version: %s\n  enabled: true\n  sources: [{recover: {}}, {azureBackup: {from: [vm-%d]}}]\n", int(k / 100), version(k), k * per))
        doc("DiskEncryptionSet", "des-" k, sprintf("  resourceGroup: rg-work\n  encryptionType: ConfidentialVmEncryptedWithCustomerKey\n  key: key-%d\n  rotation: pinned\n  identity: {type: SystemAssigned}\n", k))
        doc("KeyAccess", "users-" k, sprintf("  key: key-%d\n  purpose: confidential-vm\n  scope: %s\n  principals:\n" \
            "    [{diskEncryptionSet: des-%d}, {wellKnown: ConfidentialVmOrchestrator}, {wellKnown: BackupManagementService}]\n", k, k % 2 ? "key" : "vault", k))
    }
    for (m = 0; m < n; m++) {
        doc("ProtectedVirtualMachine", "vm-" m, sprintf("  vault: rsv-%d\n  source: {resourceGroup: rg-work, name: vm-%d}\n  readiness: {newestPoint: 2d}\n", int(m / 1000), m))
        doc("RestoredVirtualMachine", "vm-" m "-back", sprintf("  from: vm-%d\n  restore: new-vm\n  diskEncryptionSet: des-%d\n  target:\n    resourceGroup: rg-back\n" \
            "    name: vm-%d-back\n    subnet: {id: %s/subnets/back}\n    stagingAccount: {id: %s}\n", m, int(m / per), m, network, account))
    }
    if (lost != "") {
        printf "apiVersion: reinstate/v1\nkind: Policy\nmetadata: {name: budgets}\nspec: {budgets: {changes: %d, restores: %d, exports: %d}}\n", 4 * n + 9 * keys, n, keys > order
        printf "---\napiVersion: reinstate/v1\nkind: Activation\nmetadata: {name: all}\nspec:\n  exports: allowed\n  notBefore: 2026-11-20T05:00:00Z\n" \
            "  notAfter: 2026-11-23T05:00:00Z\n  purpose: recovery\n  incident: INC-1\n  restores:\n" > order
        for (m = 0; m < n; m++)
            printf "    - {virtualMachine: vm-%d-back, recoveryPoint: \"%d\"}\n", m, 880000000 + m > order
    }
}'
