// What examples/01-lost-key calls its things, and the waits of its world.
import { SUBSCRIPTION } from './clients.mjs';

const group = (name) => `/subscriptions/${SUBSCRIPTION}/resourceGroups/${name}`;
const DR = group('rg-payroll-dr');

export const place = {
    keyVault: 'kv-payroll', keyGroup: 'rg-payroll-keys', key: 'payroll-os', keyVersion: '3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5',
    backupVault: 'rsv-payroll', backupGroup: 'rg-payroll-backup', location: 'uaenorth',
    point: '805440465632125', set: 'des-payroll', targetGroup: 'rg-payroll-dr', targetName: 'payroll-01-r', account: 'stpayrolldr',
    container: 'IaasVMContainer;iaasvmcontainerv2;rg-payroll;payroll-01', item: 'VM;iaasvmcontainerv2;rg-payroll;payroll-01',
    orchestrator: '0f0f0f0f-0000-4000-8000-00000000000c',
};
place.sourceId = `${group('rg-payroll')}/providers/Microsoft.Compute/virtualMachines/payroll-01`;
place.targetGroupId = DR;
place.targetId = `${DR}/providers/Microsoft.Compute/virtualMachines/${place.targetName}`;
place.setId = `${DR}/providers/Microsoft.Compute/diskEncryptionSets/${place.set}`;
place.accountId = `${DR}/providers/Microsoft.Storage/storageAccounts/${place.account}`;
place.networkId = `${DR}/providers/Microsoft.Network/virtualNetworks/vnet-dr`;
place.vaultId = `${group(place.backupGroup)}/providers/Microsoft.RecoveryServices/vaults/${place.backupVault}`;
place.keyScope = `${group(place.keyGroup)}/providers/Microsoft.KeyVault/vaults/${place.keyVault}/keys/${place.key}`;

export const role = (guid) => `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;
export const ENCRYPTION_USER = 'e147488a-f6f5-4113-8e2d-b22465e65bf6';
export const RELEASE_USER = '08bbd89e-9f13-488c-ac41-acfcb10c90ab';

export const pointArguments = [place.backupVault, place.backupGroup, 'Azure', place.container, place.item, place.point];

export function restoreRequest(more) {
    return {
        objectType: 'IaasVMRestoreRequest', recoveryPointId: place.point, sourceResourceId: place.sourceId,
        targetResourceGroupId: place.targetGroupId, storageAccountId: place.accountId, region: place.location,
        createNewCloudService: false, originalStorageAccountOption: false, ...more,
    };
}

export const disksRequest = () => restoreRequest({ recoveryType: 'RestoreDisks' });
export const machineRequest = (setId) => restoreRequest({
    recoveryType: 'AlternateLocation', targetVirtualMachineId: place.targetId, virtualNetworkId: place.networkId,
    subnetId: `${place.networkId}/subnets/default`, securedVMDetails: { securedVMOsDiskEncryptionSetId: setId },
});
