// @azure/arm-authorization: role definitions by name and id, assignments made, read, listed by scope and person, taken back, and
// what one may do oneself.
import { randomUUID } from 'node:crypto';
import { all, byName, check } from './check.mjs';
import { authorization, OPERATOR, SUBSCRIPTION } from './clients.mjs';
import { ENCRYPTION_USER, place, RELEASE_USER, role } from './places.mjs';

const { roleAssignments, roleDefinitions, permissions } = authorization;
const ROOT = `/subscriptions/${SUBSCRIPTION}`, GROUP = `${ROOT}/resourceGroups/${place.keyGroup}`, ONLOOKER = '0f0f0f0f-0000-4000-8000-00000000001a';

async function definitions() {
    const found = await all(roleDefinitions.list(ROOT, { filter: "roleName eq 'Key Vault Crypto Service Release User'" }));
    check.equal('by name: one', found.length, 1);
    check.equal('by name: its id', found[0].name, RELEASE_USER);
    check.same('its data actions', found[0].permissions[0].dataActions, ['Microsoft.KeyVault/vaults/keys/release/action']);
    check.equal('a built-in one', found[0].roleType, 'BuiltInRole');
    const read = await roleDefinitions.get(ROOT, ENCRYPTION_USER);
    check.equal('by GUID', read.roleName, 'Key Vault Crypto Service Encryption User');
    check.equal('by id', (await roleDefinitions.getById(read.id)).roleName, read.roleName);
    check.holds('there are more', (await all(roleDefinitions.list(ROOT))).length > 10);
    await check.refused('no such role', 404, 'RoleDefinitionDoesNotExist', () => roleDefinitions.get(ROOT, randomUUID()));
}

async function assignments() {
    const name = randomUUID(), wanted = { principalId: ONLOOKER, principalType: 'ServicePrincipal', roleDefinitionId: role(ENCRYPTION_USER) };
    const made = await roleAssignments.create(place.keyScope, name, wanted);
    check.equal('made: its name', made.name, name);
    check.equal('made: its scope', made.scope, place.keyScope);
    check.equal('made: its role', made.roleDefinitionId.split('/').pop(), ENCRYPTION_USER);
    check.equal('made: for whom', made.principalId, ONLOOKER);
    check.holds('made: when', made.createdOn instanceof Date);
    check.equal('read', (await roleAssignments.get(place.keyScope, name)).id, made.id);
    check.equal('read by id', (await roleAssignments.getById(made.id)).principalType, 'ServicePrincipal');
    await check.refused('the same by another name', 409, 'RoleAssignmentExists', () => roleAssignments.create(place.keyScope, randomUUID(), wanted));
    await check.refused('another by the same name', 400, 'RoleAssignmentUpdateNotPermitted',
        () => roleAssignments.create(place.keyScope, name, { ...wanted, roleDefinitionId: role(RELEASE_USER) }));
    await check.refused('no such role', 404, 'RoleDefinitionDoesNotExist',
        () => roleAssignments.create(place.keyScope, randomUUID(), { ...wanted, roleDefinitionId: role(randomUUID()) }));
    await check.refused('nobody of that id', 400, 'PrincipalNotFound',
        () => roleAssignments.create(place.keyScope, randomUUID(), { principalId: randomUUID(), roleDefinitionId: role(ENCRYPTION_USER) }));
    await check.refused('no GUID', 400, 'InvalidRoleAssignmentId', () => roleAssignments.create(place.keyScope, 'mine', wanted));
    return made;
}

async function lists(made) {
    const ofHim = await all(roleAssignments.listForScope(place.keyScope, { filter: `principalId eq '${ONLOOKER}'` }));
    check.holds('for the scope and a person', Boolean(byName(ofHim, made.name)) && ofHim.every((a) => a.principalId === ONLOOKER));
    const at = await all(roleAssignments.listForScope(place.keyScope, { filter: 'atScope()' }));
    check.holds('at the scope and above', Boolean(byName(at, made.name)) && at.some((a) => a.scope === ROOT));
    check.holds('nothing below', at.every((a) => place.keyScope.toLowerCase().startsWith(a.scope.toLowerCase())));
    const mine = await all(roleAssignments.listForSubscription({ filter: `assignedTo('${OPERATOR.objectId}')` }));
    check.holds('assigned to me', mine.length >= 3 && mine.every((a) => a.principalId === OPERATOR.objectId));
    check.holds('in the group', Boolean(byName(await all(roleAssignments.listForResourceGroup(place.keyGroup)), made.name)));
    check.holds('on the vault', Boolean(byName(
        await all(roleAssignments.listForResource(place.keyGroup, 'Microsoft.KeyVault', 'vaults', place.keyVault)), made.name)));
}

async function removal(made) {
    const gone = await roleAssignments.delete(made.scope, made.name);
    check.equal('taken back', gone.name, made.name);
    await check.refused('is gone', 404, 'RoleAssignmentNotFound', () => roleAssignments.get(made.scope, made.name));
    check.equal('once more is no error', (await roleAssignments.delete(made.scope, made.name))?.name, undefined);
}

async function mine() {
    const group = await all(permissions.listForResourceGroup(place.keyGroup));
    check.holds('an owner may do all', group.some((p) => p.actions.includes('*')));
    check.holds('an administrator of keys too', group.some((p) => p.dataActions?.includes('Microsoft.KeyVault/vaults/*')));
    const vault = await all(permissions.listForResource(place.backupGroup, 'Microsoft.RecoveryServices', '', 'vaults', place.backupVault));
    check.holds('on a vault of the other group: no data', vault.length > 0 && vault.every((p) => !p.dataActions?.length));
}

export default async function () {
    await definitions();
    const made = await assignments();
    await lists(made);
    await removal(made);
    await mine();
    check.holds('the group is the vault\'s', place.keyScope.startsWith(GROUP));
}
