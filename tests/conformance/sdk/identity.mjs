// @azure/identity signs in by client secret: what it gets, and what it is told when the secret, the application, the tenant or
// the audience is wrong.
import { ClientSecretCredential } from '@azure/identity';
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
}
