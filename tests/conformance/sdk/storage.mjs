// @azure/storage-blob: what an export leaves in the staging account, read with a bearer token and with the account's key.
import { all, check } from './check.mjs';
import { blobs, cloud, credential } from './clients.mjs';
import { place } from './places.mjs';

const CONTAINER = 'payroll01-export', API = '2025-01-01';

// There is no client for storage accounts among these: their keys are fetched plainly.
async function accountKey() {
    const { token } = await credential.getToken(`${cloud.armAudience}/.default`);
    const answer = await fetch(`${cloud.arm}${place.accountId}/listKeys?api-version=${API}`,
        { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    const { keys } = await answer.json();
    check.same('two keys', keys.map((key) => key.keyName), ['key1', 'key2']);
    return keys[1].value;
}

async function reading(who, service) {
    const container = service.getContainerClient(CONTAINER), names = (list) => list.map((blob) => blob.name);
    const list = await all(container.listBlobsFlat());
    check.same(`${who}: the blobs`, names(list), ['config-a.json', 'config-b.json', 'deep/er & odd.json']);
    check.equal(`${who}: their length`, list[0].properties.contentLength, 7);
    check.equal(`${who}: their kind`, list[0].properties.blobType, 'BlockBlob');
    check.equal(`${who}: since when`, list[0].properties.createdOn?.toISOString(), '2026-11-22T20:00:00.000Z');
    check.same(`${who}: by prefix`, names(await all(container.listBlobsFlat({ prefix: 'deep/' }))), ['deep/er & odd.json']);
    const sizes = [];
    for await (const page of container.listBlobsFlat().byPage({ maxPageSize: 2 }))
        sizes.push(page.segment.blobItems.length);
    check.same(`${who}: in pages of two`, sizes, [2, 1]);
    check.equal(`${who}: whole`, (await container.getBlobClient('config-a.json').downloadToBuffer()).toString(), '{"a":1}');
    check.equal(`${who}: a name with everything in it`, (await container.getBlobClient('deep/er & odd.json').downloadToBuffer()).toString(), '{}');
    const part = await container.getBlobClient('config-b.json').download(1, 3);
    check.equal(`${who}: a part`, part._response.status, 206);
    check.equal(`${who}: where it was`, part.contentRange, 'bytes 1-3/9');
    check.same(`${who}: its metadata`, part.metadata, { configblobsize: '7' });
    const properties = await container.getBlobClient('config-b.json').getProperties();
    check.equal(`${who}: asked for its length only`, properties.contentLength, 9);
    check.equal(`${who}: there`, await container.getBlobClient('config-b.json').exists(), true);
    check.equal(`${who}: not there`, await container.getBlobClient('config-c.json').exists(), false);
    await check.refused(`${who}: no such blob`, 404, 'BlobNotFound', () => container.getBlobClient('config-c.json').download());
    await check.refused(`${who}: no such container`, 404, 'ContainerNotFound', () => all(service.getContainerClient('none-such').listBlobsFlat()));
}

export default async function () {
    await reading('bearer token', blobs(place.account));
    const key = await accountKey();
    await reading('account key', blobs(place.account, key));
    const wrong = blobs(place.account, Buffer.alloc(64, 7).toString('base64')).getContainerClient(CONTAINER);
    await check.refused('a wrong key', 403, 'AuthenticationFailed', () => wrong.getBlobClient('config-a.json').download());
}
