// @azure/arm-recoveryservicesbackup: items, containers, points and policies read; a restore checked both ways, ordered, watched
// and cancelled; jobs by filter and in pages.
import { setTimeout as sleep } from 'node:timers/promises';
import { all, check } from './check.mjs';
import { backup, poll } from './clients.mjs';
import { disksRequest, machineRequest, place, pointArguments } from './places.mjs';

const VAULT = [place.backupVault, place.backupGroup], ITEM = [...VAULT, 'Azure', place.container, place.item];
const LIMIT_MS = 60 * 1000, LOOK_MS = 100;

async function pageSizes(pages) {
    const sizes = [];
    for await (const page of pages.byPage())
        sizes.push(page.length);
    return sizes;
}

async function items() {
    const vms = { filter: "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'" };
    const list = await all(backup.backupProtectedItems.list(...VAULT, vms));
    check.same('items', list.map((item) => item.properties.friendlyName).sort(), ['payroll-01', 'payroll-02', 'payroll-03']);
    check.same('in pages of two', await pageSizes(backup.backupProtectedItems.list(...VAULT, vms)), [2, 1]);
    const item = await backup.protectedItems.get(...ITEM);
    check.equal('an item: its kind', item.properties.protectedItemType, 'Microsoft.Compute/virtualMachines');
    check.equal('an item: whose', item.properties.sourceResourceId, place.sourceId);
    check.equal('an item: protected', item.properties.protectionState, 'Protected');
    check.equal('an item: its last point', item.properties.lastBackupTime?.toISOString(), '2026-11-22T20:01:07.000Z');
    const stopped = list.find((entry) => entry.properties.friendlyName === 'payroll-02');
    check.equal('stopped, with its points kept', stopped.properties.protectionState, 'ProtectionStopped');
    const containers = await all(backup.backupProtectionContainers.list(...VAULT, { filter: "backupManagementType eq 'AzureIaasVM'" }));
    check.equal('containers', containers.length, 3);
    check.holds('of machines', containers.every((c) => c.properties.containerType === 'Microsoft.Compute/virtualMachines'));
    await check.refused('no such item', 404, 'ResourceNotFound', () => backup.protectedItems.get(...VAULT, 'Azure', place.container, 'VM;none'));
}

async function points() {
    const list = await all(backup.recoveryPoints.list(...ITEM));
    check.same('points, newest first', list.map((p) => p.name), ['805440551948210', '805440465632125', '805440379213870']);
    const point = await backup.recoveryPoints.get(...pointArguments);
    check.equal('a point: its kind', point.properties.objectType, 'IaasVMRecoveryPoint');
    check.equal('a point: when', point.properties.recoveryPointTime.toISOString(), '2026-11-21T20:01:03.000Z');
    check.same('a point: its tiers', point.properties.recoveryPointTierDetails.map((t) => [t.type, t.status]),
        [['InstantRP', 'Valid'], ['HardenedRP', 'Valid']]);
    check.equal('a point: its security', point.properties.securityType, 'ConfidentialVMDiskEncryptedWithCustomerKey');
    await check.refused('no such point', 404, 'ResourceNotFound', () => backup.recoveryPoints.get(...ITEM, '1'));
    const policies = await all(backup.backupPolicies.list(...VAULT));
    check.equal('a policy', policies[0]?.properties.backupManagementType, 'AzureIaasVM');
    check.equal('read alone', (await backup.protectionPolicies.get(...VAULT, policies[0].name)).name, policies[0].name);
}

const checked = (restoreRequest) => ({
    id: `${place.vaultId}/backupFabrics/Azure/protectionContainers/${place.container}/protectedItems/${place.item}/recoveryPoints/${place.point}`,
    properties: { objectType: 'ValidateIaasVMRestoreOperationRequest', restoreRequest },
});
const noAccount = () => ({ ...disksRequest(), storageAccountId: `${place.accountId}none` });

async function validation() {
    const codes = async (request) =>
        (await backup.operation.validate(...VAULT, checked(request))).validateOperationResponse.validationResults.map((found) => found.code);

    check.same('a good request', await codes(disksRequest()), []);
    check.same('no such staging account', await codes(noAccount()), ['UserErrorBCMRestoreStorageAccountNotFound']);
    check.same('no such set', await codes(machineRequest(place.setId)), ['UserErrorDiskEncryptionSetDoesNotExist']);
    let id = null;
    const note = (raw) => { id ??= raw.headers.get('azure-asyncoperation')?.match(/backupValidateOperationsStatuses\/([^?]+)/)?.[1]; };
    await backup.validateOperation.beginTriggerAndWait(...VAULT, checked(noAccount()), { ...poll, onResponse: note });
    check.matches('checked in the background: its operation', id, /^[0-9a-f-]{36}$/);
    const status = await backup.validateOperationStatuses.get(...VAULT, id), result = await backup.validateOperationResults.get(...VAULT, id);
    check.equal('its status', status.status, 'Succeeded');
    check.equal('what the status found', status.properties.validateOperationResponse.validationResults[0]?.code, 'UserErrorBCMRestoreStorageAccountNotFound');
    check.equal('what the result found', result.validateOperationResponse.validationResults[0]?.code, 'UserErrorBCMRestoreStorageAccountNotFound');
}

const jobs = (filter) => all(backup.backupJobs.list(...VAULT, { filter }));

async function until(name, look) {
    for (const end = Date.now() + LIMIT_MS; Date.now() < end; await sleep(LOOK_MS)) {
        const found = await look();
        if (found)
            return found;
    }
    throw new Error(`it did not come to this: ${name}`);
}

const ended = (id, status) => until(`job ${id} ${status}`, async () => {
    const job = await backup.jobDetails.get(...VAULT, id).catch((problem) => {
        if (problem.statusCode !== 404)
            throw problem;
        return null;
    });
    return job?.properties.status === status ? job : null;
});

async function order(request) {
    let id = null;
    const note = (raw) => { id ??= raw.headers.get('azure-asyncoperation')?.match(/operationsStatus\/([^?]+)/)?.[1]; };
    await backup.restores.beginTriggerAndWait(...pointArguments, { properties: request }, { ...poll, onResponse: note });
    const operation = await backup.protectedItemOperationStatuses.get(...ITEM, id);
    check.equal('an order: its operation succeeded', operation.status, 'Succeeded');
    return operation.properties.jobId;
}

async function restores() {
    await check.refused('a bad order', 400, 'UserErrorBCMRestoreStorageAccountNotFound',
        () => backup.restores.beginTriggerAndWait(...pointArguments, { properties: noAccount() }, poll));
    // Azure restores an item once at a time.
    const third = await order(disksRequest());
    await check.refused('another beside it', 400, 'UserErrorRestoreOperationInProgress',
        () => backup.restores.beginTriggerAndWait(...pointArguments, { properties: disksRequest() }, poll));
    await backup.jobCancellations.trigger(...VAULT, third);
    check.equal('cancelled', (await ended(third, 'Cancelled')).properties.operation, 'Restore');
    const first = await order(disksRequest()), done = await ended(first, 'Completed');
    check.equal('done: of which machine', done.properties.entityFriendlyName, 'payroll-01');
    check.equal('done: all of it', done.properties.extendedInfo.progressPercentage, 100);
    check.equal('done: where to', done.properties.extendedInfo.propertyBag['Target Storage Account Name'], place.account);
    check.holds('done: its tasks', done.properties.extendedInfo.tasksList.length > 0);
    check.holds('done: from when until when', done.properties.endTime > done.properties.startTime);
    const second = await order(disksRequest());
    await ended(second, 'Completed');
    await check.refused('too late to cancel', 400, 'BMSUserErrorInvalidInput', () => backup.jobCancellations.trigger(...VAULT, second));
    return { first, second, third };
}

async function jobLists({ first, second, third }) {
    const RESTORES = "operation eq 'Restore'", names = (list) => list.map((job) => job.name).sort();
    check.same('all jobs', names(await jobs(undefined)), [first, second, third].sort());
    check.same('by status', names(await jobs(`status eq 'Cancelled' and ${RESTORES}`)), [third]);
    check.same('by operation', await jobs("operation eq 'Backup'"), []);
    check.same('by management type', (await jobs(`backupManagementType eq 'AzureIaasVM' and ${RESTORES}`)).length, 3);
    check.same('before all of them', await jobs("startTime eq '2026-11-20 01:00:00 AM' and endTime eq '2026-11-21 01:00:00 PM'"), []);
    check.same('in their time', (await jobs("startTime eq '2026-11-23 01:00:00 AM' and endTime eq '2026-11-25 01:00:00 PM'")).length, 3);
    check.same('in pages of two', await pageSizes(backup.backupJobs.list(...VAULT, { filter: RESTORES })), [2, 1]);
    check.holds('briefly', (await jobs(RESTORES)).every((job) => job.properties.extendedInfo === undefined));
    await check.refused('a filter that is none', 400, 'BMSUserErrorInvalidInput', () => jobs('status is Failed'));
    await check.refused('no such job', 404, 'ResourceNotFound', () => backup.jobDetails.get(...VAULT, place.point));
}

export default async function () {
    await items();
    await points();
    await validation();
    await jobLists(await restores());
}
