// Knows both forms of an exchange: a line of reinstate's --record, and the pair Microsoft's validator takes. Must not
// know what is right.
//   node convert.mjs RECORD.jsonl...     the pairs, a line each, on standard output
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Which service a host belongs to: the names differ from cloud to cloud, their first or second label does not. */
export function serviceOf(url) {
    const labels = new URL(url).hostname.toLowerCase().split('.');

    if (labels[0] === 'management') return 'arm';
    if (labels[0].startsWith('login')) return 'entra';
    if (['oidc', 'metadata'].includes(labels[0])) return labels[0];
    if (labels[0].endsWith('graph')) return 'graph';
    // An account in a DNS zone: ACCOUNT.zNN.blob….
    if (/^z[0-9]+$/.test(labels[1]) && labels[2] === 'blob') return 'blob';
    return ['vault', 'managedhsm', 'blob'].includes(labels[1]) ? labels[1] : 'unknown';
}

const lowerNames = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k.toLowerCase(), String(v)]));

/** A body as the validator wants it: JSON as a value, none at all as undefined. */
function bodyOf(body, headers) {
    if (body === null || body === undefined || body === '') return undefined;
    if (typeof body === 'string' && /json/i.test(headers['content-type'] ?? '')) {
        try {
            return JSON.parse(body);
        } catch {
            return body;
        }
    }
    return body;
}

/** Status 0 in a record: no answer came. The request was sent all the same, and is judged. */
export function pairOf(exchange, source) {
    const asked = lowerNames(exchange.request_headers), answered = lowerNames(exchange.response_headers);
    const pair = {
        source,
        service: serviceOf(exchange.uri),
        scripted: 'x-reinstate-fault' in answered,
        liveRequest: { method: exchange.method, url: exchange.uri, headers: asked, body: bodyOf(exchange.request_body, asked) },
    };

    if (exchange.status)
        pair.liveResponse = {
            statusCode: String(exchange.status), headers: answered, body: bodyOf(exchange.response_body, answered),
        };
    return pair;
}

export function* pairsOf(files) {
    for (const file of files) {
        const lines = fs.readFileSync(file, 'utf8').split('\n');

        for (const [i, line] of lines.entries())
            if (line) yield pairOf(JSON.parse(line), `${path.basename(file)}:${i + 1}`);
    }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
    for (const pair of pairsOf(process.argv.slice(2))) process.stdout.write(`${JSON.stringify(pair)}\n`);
