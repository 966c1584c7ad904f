// @azure/identity signs in by client secret, certificate, other issuers' tokens and the machine's identity: what it gets, and what it is told when the secret, the application, the tenant or
// the audience is wrong.
import { writeFileSync } from 'node:fs';
import {
    AzurePipelinesCredential, ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential,
} from '@azure/identity';
import { check } from './check.mjs';
import { authority, cloud, OPERATOR, TENANT } from './clients.mjs';

const HOUR_S = 3600;

function claims(token) {
    return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString('utf8'));
}

async function signIn(tenant, app, secret, audience) {
    return new ClientSecretCredential(tenant, app, secret, authority).getToken(`${audience}/.default`);
}

async function refused(name, pattern, ...who) {
    let problem = null;
    try {
        await signIn(...who);
    } catch (refusal) {
        problem = refusal;
    }
    check.holds(`${name}: refused`, problem !== null);
    check.matches(`${name}: by Entra's number`, problem?.message, pattern);
}

// Each of them gets what the secret gets.
async function otherWays() {
    const pod = `${process.env.REINSTATE_PEM}.pod`, who = [TENANT, OPERATOR.appId];
    const written = await fetch(`${cloud.authority.replace('login.', 'oidc.')}/kubernetes/token`);

    writeFileSync(pod, await written.text());
    const found = {
        'a certificate': new ClientCertificateCredential(...who, { certificatePath: process.env.REINSTATE_PEM }, authority),
        'with its chain': new ClientCertificateCredential(...who, { certificatePath: process.env.REINSTATE_PEM }, { ...authority, sendCertificateChain: true }),
        'a pod': new WorkloadIdentityCredential({ tenantId: TENANT, clientId: OPERATOR.appId, tokenFilePath: pod, ...authority }),
        'a pipeline': new AzurePipelinesCredential(...who, '4711', 'sim-job-token', authority),
        'the machine': new ManagedIdentityCredential(),
        'an identity of the machine by its id': new ManagedIdentityCredential({ clientId: OPERATOR.appId }),
    };
    for (const [name, credential] of Object.entries(found)) {
        const token = await credential.getToken(`${cloud.armAudience}/.default`).catch((problem) => ({ problem }));

        check.equal(`${name}: signs in`, token.problem?.message, undefined);
        check.equal(`${name}: as whom`, token.token && claims(token.token).oid, OPERATOR.objectId);
    }
    check.holds('a job with another token is refused', await new AzurePipelinesCredential(...who, '4711', 'other-job-token', authority)
        .getToken(`${cloud.armAudience}/.default`).then(() => false, () => true));
}

export default async function () {
    const audiences = [cloud.armAudience, cloud.vaultAudience, cloud.storageAudience, cloud.hsmAudience];

    for (const audience of audiences) {
        const token = await signIn(TENANT, OPERATOR.appId, OPERATOR.secret, audience), said = claims(token.token);
        check.equal(`audience ${audience}`, said.aud.replace(/\/$/, ''), audience);
        check.equal('the token says who', said.oid, OPERATOR.objectId);
        check.equal('and of which application', said.appid ?? said.azp, OPERATOR.appId);
        check.equal('and of which tenant', said.tid, TENANT);
        check.holds('it lasts an hour', Math.abs(token.expiresOnTimestamp - Date.now() - HOUR_S * 1000) < 60 * 1000);
    }
    await refused('a wrong secret', /AADSTS7000215/, TENANT, OPERATOR.appId, 'not-the-secret', cloud.armAudience);
    await refused('an unknown application', /AADSTS700016/, TENANT, OPERATOR.objectId, OPERATOR.secret, cloud.armAudience);
    await refused('an unknown resource', /AADSTS500011/, TENANT, OPERATOR.appId, OPERATOR.secret, 'https://other.localhost');
    await refused('an unknown tenant', /AADSTS90002|endpoints_resolution_error/, OPERATOR.objectId, OPERATOR.appId, OPERATOR.secret,
        cloud.armAudience);
    await otherWays();
}
