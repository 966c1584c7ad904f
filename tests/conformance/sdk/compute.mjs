// @azure/arm-compute: disk encryption sets through their long operations, lists in pages, what uses a set, machines and their
// state, starting one, and the refusals.
import { all, byName, check } from './check.mjs';
import { cloud, compute, poll, speed, vaults } from './clients.mjs';
import { place } from './places.mjs';

const GROUP = 'rg-payroll', KEY_URL = `https://${place.keyVault}${cloud.vaultSuffix}/keys/${place.key}/${place.keyVersion}`;
const CONFIDENTIAL = 'ConfidentialVmEncryptedWithCustomerKey';

function setOf(keyUrl, more = {}) {
    return { location: place.location, identity: { type: 'SystemAssigned' }, encryptionType: CONFIDENTIAL, activeKey: { keyUrl }, ...more };
}

async function create() {
    const poller = await compute.diskEncryptionSets.beginCreateOrUpdate(GROUP, 'des-new', setOf(KEY_URL, { tags: { app: 'sdk' } }), poll);
    const made = await poller.pollUntilDone();

    check.equal('a new set: the operation succeeded', poller.getOperationState().status, 'succeeded');
    check.equal('a new set: provisioned', made.provisioningState, 'Succeeded');
    check.equal('a new set: its kind', made.encryptionType, CONFIDENTIAL);
    check.equal('a new set: its key', made.activeKey.keyUrl, KEY_URL);
    check.same('a new set: its tags', made.tags, { app: 'sdk' });
    check.matches('a new set: its identity', made.identity.principalId, /^[0-9a-f]{8}-/);
    const read = await compute.diskEncryptionSets.get(GROUP, 'des-new');
    check.equal('a new set: read back', read.id, made.id);
    check.equal('a new set: the identity is the same', read.identity.principalId, made.identity.principalId);
    const again = await compute.diskEncryptionSets.beginCreateOrUpdateAndWait(GROUP, 'des-new', setOf(KEY_URL), poll);
    check.equal('the same once more: the identity stays', again.identity.principalId, made.identity.principalId);
}

async function update() {
    const changed = await compute.diskEncryptionSets.beginUpdateAndWait(GROUP, 'des-new', { tags: { app: 'sdk', level: '2' } }, poll);
    check.same('an update: the tags', changed.tags, { app: 'sdk', level: '2' });
    check.equal('an update: the key stays', changed.activeKey.keyUrl, KEY_URL);
    const follows = await compute.diskEncryptionSets.beginUpdateAndWait(GROUP, 'des-new', { rotationToLatestKeyVersionEnabled: true }, poll);
    check.equal('an update: rotation', follows.rotationToLatestKeyVersionEnabled, true);
}

async function lists() {
    await compute.diskEncryptionSets.beginCreateOrUpdateAndWait('rg-payroll-dr', 'des-dr', setOf(KEY_URL), poll);
    const everywhere = await all(compute.diskEncryptionSets.list()), here = await all(compute.diskEncryptionSets.listByResourceGroup(GROUP));
    check.same('sets of the subscription', everywhere.map((set) => set.name).sort(), ['des-dr', 'des-new', 'des-payroll']);
    check.same('sets of the group', here.map((set) => set.name).sort(), ['des-new', 'des-payroll']);
    const sizes = [];
    for await (const page of compute.diskEncryptionSets.list().byPage())
        sizes.push(page.length);
    check.same('in pages of two', sizes, [2, 1]);
    const users = await all(compute.diskEncryptionSets.listAssociatedResources(GROUP, 'des-payroll'));
    check.equal('what uses the set', users.length, 1);
    check.matches('is the machine\'s disk', users[0], /\/disks\/payroll-01_OsDisk$/i);
    check.same('nothing uses the new set', await all(compute.diskEncryptionSets.listAssociatedResources(GROUP, 'des-new')), []);
}

async function refusals() {
    const create = (name, set) => compute.diskEncryptionSets.beginCreateOrUpdateAndWait(GROUP, name, set, poll);
    const noVersion = KEY_URL.slice(0, KEY_URL.lastIndexOf('/'));

    await check.refused('no such set', 404, 'ResourceNotFound', () => compute.diskEncryptionSets.get(GROUP, 'des-none'));
    await check.refused('no such group', 404, 'ResourceGroupNotFound', () => compute.diskEncryptionSets.get('rg-none', 'des-none'));
    await check.refused('a key without version', 400, 'InvalidParameter', () => create('des-bad', setOf(noVersion)));
    await check.refused('a key that is not there', 400, 'InvalidParameter', () => create('des-bad', setOf(`${KEY_URL.slice(0, -1)}0`)));
    await check.refused('a kind that changes', 409, 'PropertyChangeNotAllowed',
        () => create('des-new', setOf(KEY_URL, { encryptionType: 'EncryptionAtRestWithCustomerKey' })));
    await check.refused('a region that changes', 409, 'InvalidResourceLocation', () => create('des-new', setOf(KEY_URL, { location: 'westeurope' })));
    await check.refused('no such machine', 404, 'ResourceNotFound', () => compute.virtualMachines.get(GROUP, 'vm-none'));
}

function power(view) {
    return view.statuses.map((status) => status.code).find((code) => code.startsWith('PowerState/'));
}

async function machines() {
    const plain = await compute.virtualMachines.get(GROUP, 'payroll-01');
    check.equal('a machine: confidential', plain.securityProfile.securityType, 'ConfidentialVM');
    check.equal('a machine: its size', plain.hardwareProfile.vmSize, 'Standard_DC4ads_v6');
    check.equal('a machine: its set', plain.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id.split('/').pop(), 'des-payroll');
    check.equal('a machine: no state unless asked', plain.instanceView, undefined);
    const full = await compute.virtualMachines.get(GROUP, 'payroll-01', { expand: 'instanceView' });
    check.equal('its state beside it', power(full.instanceView), 'PowerState/deallocated');
    check.equal('its state alone', power(await compute.virtualMachines.instanceView(GROUP, 'payroll-01')), 'PowerState/deallocated');
    await compute.virtualMachines.beginStartAndWait(GROUP, 'payroll-01', poll);
    check.equal('started', power(await compute.virtualMachines.instanceView(GROUP, 'payroll-01')), 'PowerState/running');
    check.same('machines of the group', (await all(compute.virtualMachines.list(GROUP))).map((vm) => vm.name), ['payroll-01']);
    const disk = byName(await all(compute.disks.listByResourceGroup(GROUP)), 'payroll-01_OsDisk');
    check.equal('its disk: security', disk?.securityProfile.securityType, 'ConfidentialVM_DiskEncryptedWithCustomerKey');
    check.equal('its disk: read alone', (await compute.disks.get(GROUP, 'payroll-01_OsDisk')).diskSizeGB, 30);
}

export default async function () {
    check.holds('the world runs fast', speed > 1);
    await create();
    await update();
    await lists();
    await refusals();
    await machines();
    check.equal('the sets left the vault alone', (await vaults.vaults.get(place.keyGroup, place.keyVault)).properties.enablePurgeProtection, true);
}
