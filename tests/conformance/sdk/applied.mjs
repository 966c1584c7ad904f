// After `reinstate apply` of examples/01-lost-key: what Microsoft's clients see of its work.
import { all, check } from './check.mjs';
import { authorization, backup, compute, keys } from './clients.mjs';
import { ENCRYPTION_USER, place, RELEASE_USER } from './places.mjs';

async function grants(set) {
    const list = await all(authorization.roleAssignments.listForScope(place.keyScope, { filter: 'atScope()' }));
    const made = list.filter((a) => a.scope.toLowerCase() === place.keyScope.toLowerCase())
        .map((a) => `${a.principalId} ${a.roleDefinitionId.split('/').pop()}`).sort();

    check.same('two grants on the key and no more', made,
        [`${set.identity.principalId} ${ENCRYPTION_USER}`, `${place.orchestrator} ${RELEASE_USER}`].sort());
}

async function jobsSeen() {
    const jobs = await all(backup.backupJobs.list(place.backupVault, place.backupGroup, { filter: "operation eq 'Restore'" }));
    check.same('one restore that failed as foretold, one that did not', jobs.map((job) => job.properties.status).sort(), ['Completed', 'Failed']);
    const failed = jobs.find((job) => job.properties.status === 'Failed');
    const details = await backup.jobDetails.get(place.backupVault, place.backupGroup, failed.name);
    check.equal('the failed one exported the key', details.properties.extendedInfo.propertyBag['Target Storage Account Name'], place.account);
}

export default async function () {
    const key = await keys(place.keyVault).getKey(place.key);
    check.equal('the key with its old version', key.properties.version, place.keyVersion);
    check.equal('enabled', key.properties.enabled, true);
    const set = await compute.diskEncryptionSets.get(place.targetGroup, place.set);
    check.equal('the set: its kind', set.encryptionType, 'ConfidentialVmEncryptedWithCustomerKey');
    check.equal('the set: the key\'s version', set.activeKey.keyUrl, key.id);
    check.equal('the set: pinned', Boolean(set.rotationToLatestKeyVersionEnabled), false);
    await grants(set);
    await jobsSeen();
    const vm = await compute.virtualMachines.get(place.targetGroup, place.targetName, { expand: 'instanceView' });
    check.equal('the machine: confidential', vm.securityProfile.securityType, 'ConfidentialVM');
    check.equal('the machine: under the set', vm.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id, set.id);
    check.holds('the machine: running', vm.instanceView.statuses.some((status) => status.code === 'PowerState/running'));
    const users = await all(compute.diskEncryptionSets.listAssociatedResources(place.targetGroup, place.set));
    check.same('its disk is all that uses the set', users.map((id) => id.toLowerCase()), [vm.storageProfile.osDisk.managedDisk.id.toLowerCase()]);
}
