// @azure/arm-keyvault: vaults read, listed, made, changed, deleted and brought back; access policies added, replaced, removed.
import { all, byName, check } from './check.mjs';
import { OPERATOR, poll, TENANT, vaults as client } from './clients.mjs';
import { place } from './places.mjs';

const { vaults } = client, GROUP = place.keyGroup, SOMEBODY = '0f0f0f0f-0000-4000-8000-00000000001a';
const wanted = (more = {}) => ({
    location: place.location, tags: { app: 'sdk' },
    properties: { tenantId: TENANT, sku: { family: 'A', name: 'standard' }, enableRbacAuthorization: true, softDeleteRetentionInDays: 7, ...more },
});

async function read() {
    const vault = await vaults.get(GROUP, place.keyVault);
    check.equal('a vault: its kind', vault.properties.sku.name, 'premium');
    check.equal('a vault: purge protection', vault.properties.enablePurgeProtection, true);
    check.equal('a vault: roles', vault.properties.enableRbacAuthorization, true);
    check.equal('a vault: retention', vault.properties.softDeleteRetentionInDays, 7);
    check.matches('a vault: its address', vault.properties.vaultUri, /^https:\/\/kv-payroll\.vault\.localhost:\d+\/$/);
    const here = await all(vaults.listByResourceGroup(GROUP)), everywhere = await all(vaults.listBySubscription());
    check.same('vaults of the group', here.map((v) => v.name).sort(), ['kv-payroll', 'kv-policies', 'kv-third']);
    check.equal('vaults of the subscription', everywhere.length, here.length);
    const brief = await all(vaults.list());
    check.same('vaults by the generic list', brief.map((v) => v.name).sort(), ['kv-payroll', 'kv-policies', 'kv-third']);
    await check.refused('no such vault', 404, 'ResourceNotFound', () => vaults.get(GROUP, 'kv-none'));
}

async function deleted() {
    const gone = await vaults.getDeleted('kv-gone', place.location), list = await all(vaults.listDeleted());
    check.matches('a deleted vault: what it was', gone.properties.vaultId, /\/vaults\/kv-gone$/);
    check.equal('a deleted vault: until when', gone.properties.scheduledPurgeDate?.toISOString(), '2027-02-18T03:00:00.000Z');
    check.same('deleted vaults', list.map((v) => v.name), ['kv-gone']);
    await check.refused('not deleted', 404, 'DeletedVaultNotFound', () => vaults.getDeleted('kv-payroll', place.location));
    await check.refused('its name is taken', 409, 'VaultAlreadyExists', () => vaults.createOrUpdate(GROUP, 'kv-gone', wanted(), poll));
    const back = await vaults.createOrUpdate(GROUP, 'kv-gone', wanted({ createMode: 'recover' }), poll);
    check.equal('recovered', back.name, 'kv-gone');
    check.equal('with its own retention', back.properties.softDeleteRetentionInDays, 90);
    check.same('and deleted no more', await all(vaults.listDeleted()), []);
}

async function make() {
    const made = await vaults.createOrUpdate(GROUP, 'kv-made', wanted(), poll);
    check.equal('a new vault: provisioned', made.properties.provisioningState, 'Succeeded');
    check.same('a new vault: tags', made.tags, { app: 'sdk' });
    check.equal('a new vault: soft delete', made.properties.enableSoftDelete, true);
    const changed = await vaults.update(GROUP, 'kv-made', { properties: { enablePurgeProtection: true } });
    check.equal('purge protection is turned on', changed.properties.enablePurgeProtection, true);
    await check.refused('and never off', 400, 'BadRequest', () => vaults.update(GROUP, 'kv-made', { properties: { enablePurgeProtection: false } }));
    await vaults.delete(GROUP, 'kv-made');
    await check.refused('a deleted vault is not there', 404, 'ResourceNotFound', () => vaults.get(GROUP, 'kv-made'));
    check.holds('it is among the deleted', Boolean(byName(await all(vaults.listDeleted()), 'kv-made')));
}

async function policies() {
    const entry = (...keys) => ({ properties: { accessPolicies: [{ tenantId: TENANT, objectId: SOMEBODY, permissions: { keys } }] } });
    const held = async () => (await vaults.get(GROUP, 'kv-policies')).properties.accessPolicies;
    const of = (list, id) => list.find((policy) => policy.objectId === id)?.permissions.keys;

    const added = await vaults.updateAccessPolicy(GROUP, 'kv-policies', 'add', entry('get', 'wrapKey'));
    check.same('added: as answered', of(added.properties.accessPolicies, SOMEBODY), ['get', 'wrapKey']);
    await vaults.updateAccessPolicy(GROUP, 'kv-policies', 'add', entry('unwrapKey'));
    check.same('added to what there was', of(await held(), SOMEBODY), ['get', 'wrapKey', 'unwrapKey']);
    await vaults.updateAccessPolicy(GROUP, 'kv-policies', 'replace', entry('list'));
    check.same('replaced', of(await held(), SOMEBODY), ['list']);
    await vaults.updateAccessPolicy(GROUP, 'kv-policies', 'remove', entry('list'));
    check.holds('removed', !of(await held(), SOMEBODY)?.length);
    check.same('the others keep theirs', of(await held(), OPERATOR.objectId), ['all', 'purge']);
    await check.refused('another tenant', 400, 'BadRequest', () => vaults.updateAccessPolicy(GROUP, 'kv-policies', 'add',
        { properties: { accessPolicies: [{ tenantId: SOMEBODY, objectId: SOMEBODY, permissions: { keys: ['get'] } }] } }));
}

export default async function () {
    await read();
    await deleted();
    await make();
    await policies();
}
