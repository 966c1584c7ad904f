// @azure/arm-resourcegraph: resources of several types found by one query, in pages, with the few words of its language that
// finding things takes.
import { check } from './check.mjs';
import { graph, SUBSCRIPTION } from './clients.mjs';

const ask = (query, options = {}, subscriptions = [SUBSCRIPTION]) =>
    graph.resources({ subscriptions, query, options: { resultFormat: 'objectArray', ...options } });
const names = (answer) => answer.data.map((row) => row.name);

async function conditions() {
    const vaults = await ask("Resources | where type =~ 'Microsoft.KeyVault/vaults' | order by name asc");
    check.same('by type', names(vaults), ['kv-payroll', 'kv-policies', 'kv-third']);
    check.equal('how many', vaults.count, 3);
    check.equal('of how many', vaults.totalRecords, 3);
    check.equal('all of them', vaults.resultTruncated, 'false');
    check.equal('types are in small letters', vaults.data[0].type, 'microsoft.keyvault/vaults');
    check.equal('with their group', vaults.data[0].resourceGroup, 'rg-payroll-keys');
    check.equal('and their properties', vaults.data[0].properties.enablePurgeProtection, true);
    const both = await ask("resources | where type in~ ('microsoft.compute/disks', 'Microsoft.Compute/virtualMachines') | sort by name desc");
    check.same('by types', names(both), ['payroll-01_OsDisk', 'payroll-01']);
    check.same('by name and group', names(await ask("Resources | where name == 'kv-third' and resourceGroup =~ 'RG-PAYROLL-KEYS'")), ['kv-third']);
    check.same('in one of two stages', names(await ask("Resources | where resourceGroup =~ 'rg-payroll' | where name contains 'osdisk'")), ['payroll-01_OsDisk']);
    check.same('by a property', names(await ask("Resources | where properties.encryptionType == 'ConfidentialVmEncryptedWithCustomerKey'")), ['des-payroll']);
    check.same('nothing', names(await ask("Resources | where name == 'KV-THIRD'")), []);
}

async function shapes() {
    const columns = await ask("Resources | where type =~ 'microsoft.keyvault/vaults' | project name, location | order by name asc | limit 2");
    check.same('projected', columns.data, [{ name: 'kv-payroll', location: 'uaenorth' }, { name: 'kv-policies', location: 'uaenorth' }]);
    const counted = await ask('Resources | count');
    check.equal('counted', counted.data[0].Count, 9);
    const named = await ask('Resources | project name', { top: 5 });
    check.same('without ids there is no way on', [named.count, named.skipToken, named.resultTruncated], [5, undefined, 'true']);
    const first = await ask('Resources | project id, name | order by name asc', { top: 5 });
    check.equal('a page', first.count, 5);
    check.equal('of more', first.totalRecords, 9);
    check.equal('with a way on', typeof first.skipToken, 'string');
    const second = await ask('Resources | project id, name | order by name asc', { skipToken: first.skipToken });
    check.equal('the rest', second.count, 4);
    check.equal('no way on', second.skipToken, undefined);
    check.equal('nothing twice', new Set([...names(first), ...names(second)]).size, 9);
    check.same('another subscription has none', names(await ask('Resources', {}, ['0f0f0f0f-0000-4000-8000-0000000000ff'])), []);
}

export default async function () {
    await conditions();
    await shapes();
    await check.refused('a word it does not know', 400, 'BadRequest', () => ask('Resources | mv-expand properties'));
    await check.refused('a table it does not know', 400, 'BadRequest', () => ask('SecurityResources | count'));
}
