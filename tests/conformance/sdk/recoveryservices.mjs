// @azure/arm-recoveryservices: the vault that holds backups, as a resource.
import { all, check } from './check.mjs';
import { recovery } from './clients.mjs';
import { place } from './places.mjs';

export default async function () {
    const vault = await recovery.vaults.get(place.backupGroup, place.backupVault);

    check.equal('its id', vault.id, place.vaultId);
    check.equal('its place', vault.location, place.location);
    check.equal('its kind', vault.sku.name, 'RS0');
    check.equal('its redundancy', vault.properties.redundancySettings.standardTierStorageRedundancy, 'GeoRedundant');
    check.equal('restores across regions', vault.properties.redundancySettings.crossRegionRestore, 'Enabled');
    check.equal('its soft delete', vault.properties.securitySettings.softDeleteSettings.softDeleteState, 'Enabled');
    check.equal('its immutability', vault.properties.securitySettings.immutabilitySettings.state, 'Disabled');
    check.same('of the group', (await all(recovery.vaults.listByResourceGroup(place.backupGroup))).map((v) => v.name), [place.backupVault]);
    check.same('of the subscription', (await all(recovery.vaults.listBySubscriptionId())).map((v) => v.name), [place.backupVault]);
    check.same('none in another group', await all(recovery.vaults.listByResourceGroup(place.keyGroup)), []);
    await check.refused('no such vault', 404, 'ResourceNotFound', () => recovery.vaults.get(place.backupGroup, 'rsv-none'));
    await check.refused('no such group', 404, 'ResourceGroupNotFound', () => recovery.vaults.get('rg-none', place.backupVault));
}
