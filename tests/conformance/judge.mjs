// Judges recorded exchanges by Microsoft's validator and its specifications. Must not know our code: what the validator
// cannot judge stands in unjudgeable.json, one narrow line each; whatever else it cannot judge is a violation.
//   node judge.mjs [--closed] [--all-used|--own-used] SPECS RECORD.jsonl...
//   --closed     every enumeration is taken for complete (a copy of the specifications is made for that)
//   --all-used   an exemption that no exchange needed is a failure
//   --own-used   so is one that speaks of the records given, and no other
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pairsOf } from './convert.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const say = console.log;
console.log = () => {}; // the validator talks on standard output

const { LiveValidator, parseValidationRequest } = createRequire(import.meta.url)('oav/dist/lib/liveValidation/liveValidator.js');

/* --- the specifications ----------------------------------------------------------------------------------------- */

function specFiles(folder) {
    return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const at = path.join(folder, entry.name);

        if (entry.isDirectory()) return ['examples', 'common-types'].includes(entry.name) ? [] : specFiles(at);
        return entry.name.endsWith('.json') ? [at] : [];
    });
}

/** A copy in which an enumeration allows what it lists and nothing else. */
export function closedCopy(specs) {
    const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'reinstate-closed-'));

    process.on('exit', () => fs.rmSync(copy, { recursive: true, force: true }));
    fs.cpSync(path.join(specs, 'specification'), path.join(copy, 'specification'), {
        recursive: true, filter: (from) => path.basename(from) !== 'examples',
    });
    for (const name of fs.readdirSync(copy, { recursive: true }).filter((n) => n.endsWith('.json'))) {
        const file = path.join(copy, name);

        fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(/"modelAsString":\s*true/g, '"modelAsString": false'));
    }
    return copy;
}

export async function validatorOf(specs) {
    const validator = new LiveValidator({
        directory: specs, git: { shouldClone: false }, swaggerPaths: specFiles(path.join(specs, 'specification')),
        swaggerPathsPattern: [], excludedSwaggerPathsPattern: [], isPathCaseSensitive: false,
        loadValidatorInInitialize: false, isArmCall: true, // switches the checks of resource ids and operation headers on
    }, () => {});

    await validator.initialize();
    return validator;
}

/* --- exemptions ------------------------------------------------------------------------------------------------- */

const whole = (pattern) => new RegExp(`^(?:${pattern})$`, 'i');

export function exemptionsOf(file, closed) {
    const { exchanges, findings } = JSON.parse(fs.readFileSync(file, 'utf8'));
    const root = path.join(here, '..', '..');

    for (const e of [...exchanges, ...findings]) {
        e.used = 0;
        for (const needed of ['id', 'reason', 'covered'])
            if (!e[needed]) throw new Error(`unjudgeable.json: an entry without ${needed}: ${JSON.stringify(e)}`);
        for (const check of [e.covered].flat())
            if (!fs.existsSync(path.join(root, check.split(': ')[0]))) throw new Error(`unjudgeable.json: ${e.id}: no file ${check}`);
    }
    return { exchanges, findings: findings.filter((e) => closed || !e.closed) };
}

/** An entry with 'records' speaks of the exchanges of these records only, and is not missed where none of them is judged. */
function ofRecord(e, source) {
    return !e.records || whole(e.records).test(source.split(':')[0]);
}

function exchangeExempt(exemptions, pair, url) {
    return exemptions.exchanges.find((e) => ofRecord(e, pair.source) && e.service === pair.service &&
        e.method === pair.liveRequest.method && whole(e.url).test(url));
}

function findingExempt(exemptions, finding, source) {
    return exemptions.findings.find((e) => ofRecord(e, source) && e.operation === finding.operation && e.side === finding.side &&
        e.code === finding.code && (!e.status || whole(e.status).test(finding.status)) && whole(e.at).test(finding.at) &&
        (!e.text || whole(e.text).test(finding.text)));
}

/* --- judging ---------------------------------------------------------------------------------------------------- */

/** Path and query, in the spelling the specifications have: no host, no "%2D" in a parameter's name, no empty segment where
 *  they have a parameter ("/keys/NAME/" for the newest version; a resource without a parent). */
function specUrl(url) {
    const { pathname, search } = new URL(url);

    return (pathname.replace(/^\/\/+/, '/') + search).replace('api%2Dversion', 'api-version')
        .replace(/^\/(keys\/[^/?]+)\/\?/, '/$1/latest?')
        .replace(/^\/(keys\/[^/?]+)\/release\?/, '/$1/latest/release?')
        .replace(/(\/providers\/[^/]+)\/?(\/[^/]+\/[^/]+\/providers\/Microsoft\.Authorization\/permissions\?)/i, '$1/none$2');
}

function findingsOf(side, result, pair) {
    return result.errors.map((e) => ({
        operation: result.operationInfo.operationId, side, status: pair.liveResponse?.statusCode ?? '0', code: e.code,
        at: [...new Set(e.pathsInPayload ?? [])].join(','), text: e.message.replaceAll(/\s+/g, ' '),
    }));
}

/** Two templates can fit ("/keys/k/versions" looks like a version too): the one with fewer parameters is meant, as in OpenAPI. */
function operationMeant(validator, method, url) {
    const asked = parseValidationRequest(url, method), { matches, apiVersion } = validator.operationSearcher.getPotentialOperations(asked);
    const holes = (m) => m.operation._path._pathTemplate.split('{').length, least = Math.min(...matches.map(holes));
    const meant = matches.filter((m) => holes(m) === least);

    if (matches.length < 2 || meant.length !== 1) return undefined;
    return { apiVersion, operationId: meant[0].operation.operationId, validationRequest: asked, operationMatch: meant[0] };
}

/** The validator looks for the address to poll only in answers that have a body; an operation is lost without it in any. */
function lostOperation(operation, { statusCode, headers, body }) {
    if (!operation['x-ms-long-running-operation'] || statusCode !== '202' || body !== undefined) return [];
    if (headers.location || headers['azure-asyncoperation']) return [];
    return [{ code: 'LRO_RESPONSE_HEADER', message: 'neither Location nor Azure-AsyncOperation', pathsInPayload: [] }];
}

/** `unjudged` says why there is no verdict: the validator knows no such operation, or failed. */
async function judged(validator, pair, url) {
    const request = { ...structuredClone(pair.liveRequest), url }, meant = () => operationMeant(validator, request.method, url);
    const asked = await validator.validateLiveRequest(request, { includeOperationMatch: true }, meant());

    if (asked.isSuccessful === undefined) return { unjudged: asked.runtimeException?.code ?? 'no verdict' };
    const verdict = {
        operation: asked.operationInfo.operationId, version: asked.operationInfo.apiVersion, findings: findingsOf('request', asked, pair),
    };

    if (!pair.liveResponse || pair.scripted) return verdict; // not an answer of the simulator's services
    const got = await validator.validateLiveResponse(structuredClone(pair.liveResponse), { url, method: request.method }, {}, meant());

    if (got.isSuccessful === undefined) return { unjudged: got.runtimeException?.code ?? 'no verdict' };
    got.errors.push(...lostOperation(asked.operationInfo.operationMatch.operation, pair.liveResponse));
    return { ...verdict, findings: [...verdict.findings, ...findingsOf('response', got, pair)] };
}

const bump = (map, key, n = 1) => map.set(key, (map.get(key) ?? 0) + n);

class Tally {
    exchanges = 0; distinct = 0; judged = 0; exempted = 0; requestOnly = 0; waived = 0;
    operations = new Map(); violations = new Map(); verdicts = new Map();

    violation(text, source) {
        const known = this.violations.get(text) ?? { n: 0, source };

        known.n++;
        this.violations.set(text, known);
    }
}

/** The same exchange twice gets the same verdict: what tells two apart is the message without its own time and number. */
function keyOf(pair) {
    return JSON.stringify([pair.scripted, pair.liveRequest.method, pair.liveRequest.url, pair.liveRequest.body,
        pair.liveResponse?.statusCode, Object.keys(pair.liveResponse?.headers ?? {}), pair.liveResponse?.body]);
}

function account(tally, exemptions, pair, url, verdict) {
    const what = `${pair.liveRequest.method} ${url.slice(0, 180)} -> ${pair.liveResponse?.statusCode ?? 'no answer'}`;
    const exempt = exchangeExempt(exemptions, pair, url);

    for (const e of [...exemptions.exchanges, ...exemptions.findings]) e.met ||= ofRecord(e, pair.source);
    if (exempt) {
        exempt.used++;
        tally.exempted++;
        if (!verdict.unjudged) tally.violation(`exempted as ${exempt.id}, but it can be judged: ${what}`, pair.source);
        return;
    }
    if (verdict.unjudged) {
        tally.violation(`cannot be judged (${verdict.unjudged}) and is not exempted: ${what}`, pair.source);
        return;
    }
    tally.judged++;
    tally.requestOnly += !pair.liveResponse || pair.scripted ? 1 : 0;
    const outcome = pair.scripted ? 'scripted' : pair.liveResponse?.statusCode ?? 'lost';

    bump(tally.operations, `${verdict.operation} ${verdict.version} ${outcome}`);
    for (const finding of verdict.findings) {
        const waiver = findingExempt(exemptions, finding, pair.source);

        if (waiver) {
            waiver.used++;
            tally.waived++;
        } else {
            tally.violation(
                `${finding.side} ${finding.operation} ${finding.status} ${finding.code} ${finding.at}: ${finding.text}`, pair.source);
        }
    }
}

export async function judgeAll(validator, exemptions, pairs) {
    const tally = new Tally();

    for (const pair of pairs) {
        const key = keyOf(pair), url = specUrl(pair.liveRequest.url);

        tally.exchanges++;
        if (!tally.verdicts.has(key)) {
            tally.distinct++;
            tally.verdicts.set(key, await judged(validator, pair, url));
        }
        account(tally, exemptions, pair, url, tally.verdicts.get(key));
    }
    return tally;
}

function report(tally, exemptions, mode) {
    const name = mode.closed ? 'closed enumerations' : 'as published';

    for (const [operation, n] of [...tally.operations].sort()) say(`  ${String(n).padStart(6)}  ${operation}`);
    for (const e of [...exemptions.exchanges, ...exemptions.findings]) {
        if (e.used) say(`  ${String(e.used).padStart(6)}  exempted: ${e.id}`);
        else if (e.met && (mode.allUsed || (mode.ownUsed && e.records))) tally.violation(`exemption ${e.id} was needed by no exchange: take it out`, 'unjudgeable.json');
    }
    for (const [text, { n, source }] of tally.violations) say(`VIOLATION ${n} times, first at ${source}\n    ${text}`);
    say(`${name}: ${tally.exchanges} exchanges (${tally.distinct} distinct), ${tally.judged} judged ` +
        `(${tally.requestOnly} of them the request only), ${tally.exempted} exempted, ${tally.waived} findings waived, ` +
        `${tally.violations.size} violations`);
}

async function main(args) {
    const options = args.filter((a) => a.startsWith('--')), [specs, ...files] = args.filter((a) => !a.startsWith('--'));
    const closed = options.includes('--closed');

    if (!specs || !files.length || options.some((o) => !['--closed', '--all-used', '--own-used'].includes(o))) {
        say('usage: node judge.mjs [--closed] [--all-used|--own-used] SPECS RECORD.jsonl...');
        return 2;
    }
    const exemptions = exemptionsOf(path.join(here, 'unjudgeable.json'), closed);
    const validator = await validatorOf(closed ? closedCopy(path.resolve(specs)) : path.resolve(specs));
    const tally = await judgeAll(validator, exemptions, pairsOf(files));

    report(tally, exemptions, { closed, allUsed: options.includes('--all-used'), ownUsed: options.includes('--own-used') });
    return tally.violations.size || !tally.judged ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
