// The published way out of a lost key, gone by hand with Microsoft's clients alone, in the article's order: a restore that
// fails and leaves the key behind, the failed job and its details, the configuration blob, the key, a set, the grants, and
// the restore again with the set.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { all, check } from './check.mjs';
import { authorization, backup, blobs, cloud, compute, keys, poll, recovery, speed } from './clients.mjs';
import { disksRequest, ENCRYPTION_USER, machineRequest, place, pointArguments, RELEASE_USER, role } from './places.mjs';

// New role assignments may take ten minutes to act.
const GRANTS_ACT_MS = 10 * 60 * 1000, DAY_MS = 24 * 3600 * 1000, JOB_LIMIT_MS = 120 * 1000, LOOK_MS = 400;

// Backup's own form of a time in a filter: "2026-11-23 03:00:00 AM".
function filterTime(date) {
    const two = (n) => String(n).padStart(2, '0'), hour = date.getUTCHours();
    return `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())} ` +
        `${two(hour % 12 || 12)}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hour < 12 ? 'AM' : 'PM'}`;
}

async function restoreJobs(status, filter = '') {
    const wanted = `status eq '${status}' and operation eq 'Restore' and backupManagementType eq 'AzureIaasVM'${filter}`;
    return all(backup.backupJobs.list(place.backupVault, place.backupGroup, { filter: wanted }));
}

// A job comes late into the list, and ends when it ends.
async function jobThatEnded(status) {
    for (const end = Date.now() + JOB_LIMIT_MS; Date.now() < end; await sleep(LOOK_MS)) {
        const found = await restoreJobs(status);
        if (found.length)
            return found[0];
    }
    throw new Error(`no restore job became ${status}`);
}

async function firstRestore() {
    const vault = await recovery.vaults.get(place.backupGroup, place.backupVault);
    check.equal('the vault that protects the machine', vault.id, place.vaultId);
    const point = await backup.recoveryPoints.get(...pointArguments);
    check.equal('its point is of a confidential machine under a customer key', point.properties.securityType,
        'ConfidentialVMDiskEncryptedWithCustomerKey');
    const poller = await backup.restores.beginTrigger(...pointArguments, { properties: disksRequest() }, poll);
    await poller.pollUntilDone();
    check.equal('the operation only says that the job was queued', poller.getOperationState().status, 'succeeded');
    await jobThatEnded('Failed');
}

async function failedJob() {
    const night = Date.parse(cloud.clock.start), from = filterTime(new Date(night - 7 * DAY_MS)), to = filterTime(new Date(night + DAY_MS));
    const jobs = await restoreJobs('Failed', ` and startTime eq '${from}' and endTime eq '${to}'`);
    check.equal('one failed restore in the last seven days', jobs.length, 1);
    const details = await backup.jobDetails.get(place.backupVault, place.backupGroup, jobs[0].name);
    check.equal('it is a machine\'s job', details.properties.jobType, 'AzureIaaSVMJob');
    check.equal('it failed', details.properties.status, 'Failed');
    check.holds('it names its error', details.properties.errorDetails?.[0]?.errorCode > 0);
    return details.properties.extendedInfo.propertyBag;
}

async function lostKey(bag) {
    const container = blobs(bag['Target Storage Account Name']).getContainerClient(bag['Config Blob Container Name']);
    const names = (await all(container.listBlobsFlat())).map((blob) => blob.name), name = bag['Secured Encryption Info Blob Name'];
    check.holds('the container holds the blob that the job names', names.includes(name));
    const bytes = await container.getBlobClient(name).downloadToBuffer();
    const text = bytes.toString('utf8').replace(/^\uFEFF/, '').replace(/\0+$/, '');
    const encoded = JSON.parse(text).OsDiskEncryptionDetails.KeyBackupData;
    check.holds('the configuration holds a key backup', encoded.length > 1000);
    return Buffer.from(encoded, 'base64');
}

async function restoredKey(blob) {
    const client = keys(place.keyVault);
    await check.refused('the key is gone for good', 404, 'KeyNotFound', () => client.getDeletedKey(place.key));
    const key = await client.restoreKeyBackup(blob);
    check.equal('the key has its old version', key.properties.version, place.keyVersion);
    check.equal('the key may be released', key.properties.exportable, true);
    check.holds('the key has its release policy', key.properties.releasePolicy?.encodedPolicy?.length > 100);
    return key;
}

async function newSet(key) {
    const set = await compute.diskEncryptionSets.beginCreateOrUpdateAndWait(place.targetGroup, place.set, {
        location: place.location, identity: { type: 'SystemAssigned' },
        encryptionType: 'ConfidentialVmEncryptedWithCustomerKey', activeKey: { keyUrl: key.id },
    }, poll);
    check.equal('the set points at the restored key', set.activeKey.keyUrl, key.id);
    check.matches('the set has an identity', set.identity.principalId, /^[0-9a-f-]{36}$/);
    return set;
}

async function grant(principalId, guid) {
    const made = await authorization.roleAssignments.create(place.keyScope, randomUUID(),
        { principalId, principalType: 'ServicePrincipal', roleDefinitionId: role(guid) });
    check.equal('the grant is at the key', made.scope, place.keyScope);
}

async function secondRestore(set) {
    await backup.restores.beginTriggerAndWait(...pointArguments, { properties: machineRequest(set.id) }, poll);
    const done = await jobThatEnded('Completed');
    check.equal('the machine\'s job is about the source', done.properties.entityFriendlyName, 'payroll-01');
    const vm = await compute.virtualMachines.get(place.targetGroup, place.targetName, { expand: 'instanceView' });
    check.equal('the machine is confidential', vm.securityProfile.securityType, 'ConfidentialVM');
    check.equal('its disk is under the new set',
        vm.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id.toLowerCase(), set.id.toLowerCase());
    check.holds('it runs', vm.instanceView.statuses.some((status) => status.code === 'PowerState/running'));
}

export default async function () {
    await firstRestore();
    const key = await restoredKey(await lostKey(await failedJob()));
    const set = await newSet(key);
    await grant(set.identity.principalId, ENCRYPTION_USER);
    await grant(place.orchestrator, RELEASE_USER);
    await sleep(GRANTS_ACT_MS / speed);
    await secondRestore(set);
}
