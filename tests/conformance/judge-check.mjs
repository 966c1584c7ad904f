// The judge judged: good exchanges of a record are spoilt one by one, and each must be found guilty of what was done to it.
//   node judge-check.mjs SPECS RECORD.jsonl...
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pairsOf } from './convert.mjs';
import { closedCopy, exemptionsOf, judgeAll, say, validatorOf } from './judge.mjs';

const list = path.join(path.dirname(fileURLToPath(import.meta.url)), 'unjudgeable.json');
const set = 'Microsoft.Compute/diskEncryptionSets/', restore = '/recoveryPoints/', job = '/backupJobs/';

const respell = (from, to) => (p) => { p.liveRequest.url = p.liveRequest.url.replace(from, to); };

// [what is done, METHOD, part of the URL, how, what the verdict must say, closed enumerations only]
const spoils = [
    ['a member nobody knows is sent', 'PUT', set, (p) => { p.liveRequest.body.properties.keyUrl = 'x'; },
        /^request .*ADDITIONAL_PROPERTIES/],
    ['a number is sent for a text', 'PUT', set, (p) => { p.liveRequest.body.location = 7; }, /^request .*INVALID_TYPE/],
    ['what must be there is not sent', 'PUT', set, (p) => { delete p.liveRequest.body.location; }, /^request .*MISSING_REQUIRED/],
    ['a resource type is misspelt', 'PUT', set, respell('EncryptionSets', 'EncryptionSet'), /^cannot be judged/],
    ['another api-version', 'PUT', set, respell(/api-version=[0-9-]+/, 'api-version=2019-07-01'), /^cannot be judged/],
    ['no api-version', 'PUT', set, respell(/\?.*/, ''), /^cannot be judged/],
    ['a status nobody declared', 'PUT', set, (p) => { p.liveResponse.statusCode = '207'; }, /^response .*INVALID_RESPONSE_CODE/],
    ['an operation without its address', 'POST', restore, (p) => {
        delete p.liveResponse.headers.location;
        delete p.liveResponse.headers['azure-asyncoperation'];
    }, /^response .*LRO_RESPONSE_HEADER/],
    ['a job with a number for a status', 'GET', job, (p) => { p.liveResponse.body.properties.status = 3; }, /^response .*INVALID_TYPE/],
    ['a restore of an unknown kind', 'POST', restore, (p) => { p.liveRequest.body.properties.objectType = 'Wish'; }, /^request /],
    ['a type of set that is none', 'PUT', set, (p) => { p.liveRequest.body.properties.encryptionType = 'ConfidentialVM'; },
        /^request .*ENUM_MISMATCH/, true],
    ['a fault\'s own answer is not judged', 'PUT', set, (p) => { p.scripted = true; p.liveResponse.statusCode = '207'; }, null],
    ['an unspoilt exchange', 'PUT', set, () => {}, null],
];

async function main(specs, files) {
    const pairs = [...pairsOf(files)].filter((p) => !p.scripted && p.liveResponse), root = path.resolve(specs);
    const judges = new Map([[false, await validatorOf(root)], [true, await validatorOf(closedCopy(root))]]);
    let failed = 0;

    for (const [what, method, part, spoil, verdict, closed = false] of spoils) {
        const pair = structuredClone(pairs.find((p) => p.liveRequest.method === method && p.liveRequest.url.includes(part)));

        spoil(pair);
        const { violations } = await judgeAll(judges.get(closed), exemptionsOf(list, closed), [pair]), said = [...violations.keys()];

        if (verdict ? !said.some((s) => verdict.test(s)) : said.length) {
            failed++;
            say(`FAILED: ${what}: the verdict was ${said.length ? said.join('; ') : 'good'}`);
        }
    }
    say(`judge-check: ${spoils.length - failed} passed, ${failed} failed`);
    return failed ? 1 : 0;
}

process.exitCode = await main(process.argv[2], process.argv.slice(3));
