// @azure/keyvault-keys: a key's whole life in two vaults, one by roles and one by access policies. The client checks by itself
// that the vault's challenge names an audience of its own domain.
import { all, check } from './check.mjs';
import { keys } from './clients.mjs';
import { place } from './places.mjs';

const POLL = { intervalInMs: 60 }, client = keys(place.keyVault), other = keys('kv-policies');
const AUTHORITY = 'https://shareduaen.uaen.attest.azure.net';
const POLICY = { version: '1.0.0', anyOf: [{ authority: AUTHORITY, allOf: [{ claim: 'x-ms-compliance-status', equals: 'azure-compliant-cvm' }] }] };

async function create() {
    const made = await client.createRsaKey('sdk-key', { hsm: true, keySize: 3072, exportable: true, tags: { app: 'sdk' },
        releasePolicy: { encodedPolicy: Buffer.from(JSON.stringify(POLICY)) }, keyOps: ['wrapKey', 'unwrapKey'] });
    check.equal('a key: its name', made.name, 'sdk-key');
    check.equal('a key: its type', made.keyType, 'RSA-HSM');
    check.same('a key: its uses', made.keyOperations, ['wrapKey', 'unwrapKey']);
    check.equal('a key: may be released', made.properties.exportable, true);
    check.same('a key: its policy as it was given', JSON.parse(Buffer.from(made.properties.releasePolicy.encodedPolicy).toString()), POLICY);
    check.equal('a key: 3072 bits', made.key.n.length, 384);
    check.equal('a key: retention', made.properties.recoverableDays, 7);
    check.equal('a key: how it comes back', made.properties.recoveryLevel, 'CustomizedRecoverable');
    const read = await client.getKey('sdk-key');
    check.equal('read without a version', read.id, made.id);
    check.same('its tags', read.properties.tags, { app: 'sdk' });
    check.equal('read by version', (await client.getKey('sdk-key', { version: made.properties.version })).id, made.id);
    await check.refused('exportable without a policy', 400, 'BadParameter', () => client.createRsaKey('bad', { hsm: true, exportable: true }));
    await check.refused('no such key', 404, 'KeyNotFound', () => client.getKey('none'));
    await check.refused('no such version', 404, 'KeyNotFound', () => client.getKey('sdk-key', { version: '0'.repeat(32) }));
    return made;
}

async function versions(first) {
    const second = await client.createRsaKey('sdk-key', { hsm: true, exportable: true,
        releasePolicy: { encodedPolicy: Buffer.from(JSON.stringify(POLICY)) } });
    const off = await client.updateKeyProperties('sdk-key', first.properties.version, { enabled: false, expiresOn: new Date('2030-01-01T00:00:00Z') });
    check.equal('disabled', off.properties.enabled, false);
    check.equal('with an end', off.properties.expiresOn?.toISOString(), '2030-01-01T00:00:00.000Z');
    const list = await all(client.listPropertiesOfKeyVersions('sdk-key'));
    check.same('its versions', list.map((v) => v.version).sort(), [first.properties.version, second.properties.version].sort());
    check.same('the disabled one', list.filter((v) => !v.enabled).map((v) => v.version), [first.properties.version]);
    for (let i = 0; i < 5; i++)
        await client.createRsaKey(`page-${i}`, { hsm: true });
    const sizes = [];
    for await (const page of client.listPropertiesOfKeys().byPage({ maxPageSize: 3 }))
        sizes.push(page.length);
    check.same('seven keys in pages of three', sizes, [3, 3, 1]);
}

async function rotation() {
    const unset = await client.getKeyRotationPolicy('sdk-key');
    check.matches('a rotation policy there is always', unset.id, /\/keys\/sdk-key\/rotationpolicy$/);
    check.same('it announces the expiry', unset.lifetimeActions.map((a) => [a.action, a.timeBeforeExpiry]), [['Notify', 'P30D']]);
    const set = await client.updateKeyRotationPolicy('sdk-key', { expiresIn: 'P90D',
        lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P60D' }, { action: 'Notify', timeBeforeExpiry: 'P10D' }] });
    check.equal('set: the life of a version', set.expiresIn, 'P90D');
    check.holds('set: when', set.createdOn instanceof Date && set.updatedOn instanceof Date);
    const read = await client.getKeyRotationPolicy('sdk-key');
    check.same('read back', read.lifetimeActions.map((a) => [a.action, a.timeAfterCreate, a.timeBeforeExpiry]),
        [['Rotate', 'P60D', undefined], ['Notify', undefined, 'P10D']]);
    const before = await client.getKey('sdk-key'), rotated = await client.rotateKey('sdk-key');
    check.holds('rotated: another version', rotated.properties.version !== before.properties.version);
    check.equal('rotated: it is the newest', (await client.getKey('sdk-key')).id, rotated.id);
    check.equal('rotated: with the policy\'s end', rotated.properties.expiresOn - rotated.properties.createdOn, 90 * 24 * 3600 * 1000);
    await check.refused('too short a life', 400, 'BadParameter', () => client.updateKeyRotationPolicy('sdk-key', { expiresIn: 'P7D', lifetimeActions: [] }));
}

const attestation = (claims) => [{ alg: 'RS256' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.c2ln';

async function release() {
    const fit = attestation({ iss: AUTHORITY, 'x-ms-compliance-status': 'azure-compliant-cvm' });
    const released = await client.releaseKey('sdk-key', fit);
    const content = JSON.parse(Buffer.from(released.value.split('.')[1], 'base64url').toString());
    check.matches('released: which key', content.response.key.key.kid, /\/keys\/sdk-key\//);
    await check.refused('another authority', 403, 'Forbidden',
        () => client.releaseKey('sdk-key', attestation({ iss: 'https://other.attest.azure.net', 'x-ms-compliance-status': 'azure-compliant-cvm' })));
    await check.refused('a guest that does not comply', 403, 'Forbidden', () => client.releaseKey('sdk-key', attestation({ iss: AUTHORITY })));
    await check.refused('a key without a policy', 403, 'Forbidden', () => client.releaseKey('page-0', fit));
    const old = await client.getKey(place.key), policy = JSON.parse(Buffer.from(old.properties.releasePolicy.encodedPolicy).toString());
    check.equal('the usual policy names its region\'s authority', policy.anyOf[0].authority.replace(/\/$/, ''), AUTHORITY);
}

async function loss() {
    const blob = await client.backupKey('sdk-key'), version = (await client.getKey('sdk-key')).properties.version;
    check.holds('a backup is a few thousand bytes', blob.length > 1000);
    await check.refused('no restore over a living key', 409, 'Conflict', () => client.restoreKeyBackup(blob));
    const poller = await client.beginDeleteKey('sdk-key', POLL), gone = await poller.pollUntilDone();
    check.holds('deleted: until when', gone.properties.scheduledPurgeDate - gone.properties.deletedOn === 7 * 24 * 3600 * 1000);
    check.equal('read among the deleted', (await client.getDeletedKey('sdk-key')).name, 'sdk-key');
    check.same('listed among the deleted', (await all(client.listDeletedKeys())).map((key) => key.name), ['sdk-key']);
    await check.refused('not readable', 404, 'KeyNotFound', () => client.getKey('sdk-key'));
    await check.refused('its name is not free', 409, 'Conflict', () => client.createRsaKey('sdk-key', { hsm: true }));
    await check.refused('a protected vault purges nothing', 403, 'Forbidden', () => client.purgeDeletedKey('sdk-key'));
    const back = await (await client.beginRecoverDeletedKey('sdk-key', POLL)).pollUntilDone();
    check.equal('recovered', back.name, 'sdk-key');
    check.equal('with its newest version', (await client.getKey('sdk-key')).properties.version, version);
}

// The other vault purges, so that a key can be restored there from its backup alone.
async function restore() {
    const made = await other.createRsaKey('plain', { keySize: 2048 });
    const blob = await other.backupKey('plain');
    check.equal('a software key', made.keyType, 'RSA');
    check.equal('that can be purged', made.properties.recoveryLevel, 'Recoverable+Purgeable');
    await (await other.beginDeleteKey('plain', POLL)).pollUntilDone();
    await other.purgeDeletedKey('plain');
    await check.refused('purged', 404, 'KeyNotFound', () => other.getDeletedKey('plain'));
    const restored = await other.restoreKeyBackup(blob);
    check.equal('restored: the same version', restored.id, made.id);
    check.same('restored: the same key', Buffer.from(restored.key.n).toString('hex'), Buffer.from(made.key.n).toString('hex'));
    blob[blob.length - 1] ^= 1;
    await check.refused('a damaged backup', 400, 'BadParameter', () => other.restoreKeyBackup(blob));
    await check.refused('HSM keys need a premium vault', 400, 'BadParameter', () => other.createRsaKey('hsm', { hsm: true }));
}

export default async function () {
    await versions(await create());
    await rotation();
    await release();
    await loss();
    await restore();
}
