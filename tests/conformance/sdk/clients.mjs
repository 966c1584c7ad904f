// Microsoft's clients, pointed at the simulated cloud. Knows how to construct them, nothing of what they are asked.
import { readFileSync } from 'node:fs';
import { AuthorizationManagementClient } from '@azure/arm-authorization';
import { ComputeManagementClient } from '@azure/arm-compute';
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { RecoveryServicesClient } from '@azure/arm-recoveryservices';
import { RecoveryServicesBackupClient } from '@azure/arm-recoveryservicesbackup';
import { ResourceGraphClient } from '@azure/arm-resourcegraph';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';

// Of every world these suites use.
export const TENANT = '0f0f0f0f-0000-4000-8000-000000000001';
export const SUBSCRIPTION = '0f0f0f0f-0000-4000-8000-000000000002';
export const OPERATOR = { objectId: '0f0f0f0f-0000-4000-8000-00000000000a', appId: '0f0f0f0f-0000-4000-8000-00000000000b', secret: 'sim-client-secret' };
const POLL_MS = 150;

export const cloud = JSON.parse(readFileSync(process.env.REINSTATE_CLOUD_FILE, 'utf8'));
export const speed = cloud.clock.speed;
export const authority = { authorityHost: cloud.authority, disableInstanceDiscovery: true };
export const poll = { updateIntervalInMs: POLL_MS };

// A simulated second is shorter than ours: what the service wants waited for and how long a token lasts are divided by the
// clock's speed, as a client that lived in that time would experience them.
const inWorldTime = {
    name: 'inWorldTime',
    async sendRequest(request, next) {
        const response = await next(request), wait = Number(response.headers.get('retry-after'));
        if (wait / speed >= 1)
            response.headers.set('retry-after', String(Math.ceil(wait / speed)));
        else if (wait)
            response.headers.delete('retry-after');
        return response;
    },
};

export const credential = {
    async getToken(scopes, options) {
        const fresh = new ClientSecretCredential(TENANT, OPERATOR.appId, OPERATOR.secret, authority);
        const token = await fresh.getToken(scopes, options), left = token.expiresOnTimestamp - Date.now();
        return { token: token.token, expiresOnTimestamp: Date.now() + left / speed };
    },
};

const policies = [{ policy: inWorldTime, position: 'perRetry' }];
const arm = { endpoint: cloud.arm, credentialScopes: [`${cloud.armAudience}/.default`], additionalPolicies: policies };
const vaultVersion = { apiVersion: '2025-02-01' }, backupVersion = { apiVersion: '2026-07-01' };

export const compute = new ComputeManagementClient(credential, SUBSCRIPTION, arm);
export const vaults = new KeyVaultManagementClient(credential, SUBSCRIPTION,
    { ...arm, apiVersion: '2026-02-01', credentials: { scopes: arm.credentialScopes } });
export const authorization = new AuthorizationManagementClient(credential, SUBSCRIPTION, arm);
export const recovery = new RecoveryServicesClient(credential, SUBSCRIPTION, { ...arm, ...vaultVersion });
export const backup = new RecoveryServicesBackupClient(credential, SUBSCRIPTION, { ...arm, ...backupVersion });
// The oldest of the clients asks for the public cloud's audience whatever its address; it is handed the right one.
const armCredential = { getToken: (_, options) => credential.getToken(arm.credentialScopes, options) };
// It also has no option for the version; the specifications at hand are of this one.
const graphVersion = { create: (next) => ({
    sendRequest(request) {
        request.url = request.url.replace('api-version=2021-03-01', 'api-version=2024-04-01');
        return next.sendRequest(request);
    },
}) };
export const graph = new ResourceGraphClient(armCredential,
    { baseUri: cloud.arm, requestPolicyFactories: (usual) => [graphVersion, ...usual] });

export function keys(vault) {
    return new KeyClient(`https://${vault}${cloud.vaultSuffix}`, credential, { additionalPolicies: policies });
}

export function blobs(account, key) {
    const who = key ? new StorageSharedKeyCredential(account, key) : credential;
    return new BlobServiceClient(`https://${account}${cloud.blobSuffix}`, who,
        { audience: `${cloud.storageAudience}/.default`, retryOptions: { maxTries: 2 } });
}
