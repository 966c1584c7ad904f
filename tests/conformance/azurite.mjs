// Azurite, Microsoft's emulator of Azure Storage, as a judge of blobs: of our client, which reads an exported key from it
// (azurite.c), and of the simulator, which must answer the same requests alike. Signs with node's own HMAC and knows nothing of
// reinstate's code.   azurite.mjs BINARY PROGRAM RACERS
import { spawn, execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [binary, program, racers] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'reinstate-azurite-'));
const ACCOUNT = 'stpayrolldr', CONTAINER = 'vm-payroll-01', BULK = 'vm-large', VERSION = '2021-06-08', PAGE = 512, LARGE = 1 << 20;
const TENANT = '0f0f0f0f-0000-4000-8000-000000000001', SUBSCRIPTION = '0f0f0f0f-0000-4000-8000-000000000002';
const OPERATOR = '0f0f0f0f-0000-4000-8000-00000000000b', SECRET = 'sim-client-secret', STRANGER = '0f0f0f0f-0000-4000-8000-0000000000bb';
const STORAGE_ID = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-payroll-dr/providers/Microsoft.Storage/storageAccounts/${ACCOUNT}`;
const children = [];
let passed = 0, failed = 0;

function check(what, problems) {
    if (problems.length) {
        failed++;
        console.log(`FAILED  ${what}`);
        problems.forEach((p) => console.log(`        ${p}`));
    } else {
        passed++;
    }
}

// --- what is served ------------------------------------------------------------------------------------------------------

// The same bytes in every run, so that their digests can be listed.
const noise = Buffer.concat(Array.from({ length: 94 }, (_, n) => createHash('sha256').update(`export ${n}`).digest()));
const backup = Buffer.concat([Buffer.from('&AzureKeyVaultKeyBackupV1.microsoft.com'), noise]);
const exported = JSON.stringify({
    OsDiskEncryptionDetails: { KeyBackupData: backup.toString('base64url'), KeyVaultResourceType: 'Microsoft.KeyVault/vaults' },
});
const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(exported)]);
const padded = Buffer.concat([marked, Buffer.alloc((PAGE - marked.length % PAGE) % PAGE)]);
const blobs = [
    { name: 'page.json', type: 'PageBlob', content: padded, metadata: { configblobsize: String(marked.length) } },
    { name: 'block.json', type: 'BlockBlob', content: Buffer.from(exported), metadata: {} },
    { name: 'folder/é b+c;d (1)\'.json', type: 'BlockBlob', content: Buffer.from(exported), metadata: {} },
];

// --- servers ----------------------------------------------------------------------------------------------------------------

// Whatever the shell presets must not redirect anybody: both servers are on this machine.
function environment(extra) {
    const unwanted = /_proxy$|^(SSL_CERT_FILE|SSL_CERT_DIR|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|NODE_OPTIONS|AZURITE_.*)$/i;
    return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name))), ...extra };
}

// Resolves to the first match of `ready` in what the program prints.
function start(words, ready, extra = {}) {
    const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: environment(extra), cwd: dir });
    children.push(child);
    return new Promise((done, refuse) => {
        let said = '';
        const timer = setTimeout(() => refuse(new Error(`${words[0]} does not get ready: ${said}`)), 30000);
        const hear = (bytes) => {
            said += bytes;
            const match = said.match(ready);
            if (match) {
                clearTimeout(timer);
                done(match);
            }
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.on('error', refuse);
        child.on('exit', (code) => refuse(new Error(`${words[0]} ended with ${code}: ${said}`)));
    });
}

// `clock`: what azurite_clock.cjs makes of its time.
async function startAzurite(name, accounts, clock) {
    const files = { ca: join(dir, `${name}-ca.pem`), key: join(dir, `${name}.key`) };
    // Its own authority: a certificate that signs itself and may be trusted as one.
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
        '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:*.localhost,DNS:*.blob.localhost,IP:127.0.0.1',
        '-keyout', files.key, '-out', files.ca], { stdio: 'ignore' });
    const found = await start([process.execPath, ...(clock ? ['--require', join(here, 'azurite_clock.cjs')] : []),
        join(here, 'node_modules/azurite/dist/src/blob/main.js'), '--disableTelemetry',
        '--blobHost', '127.0.0.1', '--blobPort', '0', '--inMemoryPersistence', '--cert', files.ca, '--key', files.key, '--oauth', 'basic'],
    /successfully listen\w* on https:\/\/127\.0\.0\.1:(\d+)/i, { AZURITE_ACCOUNTS: accounts, REINSTATE_CLOCK: clock ?? '' });
    return { name, port: Number(found[1]), ca: readFileSync(files.ca), caFile: files.ca };
}

async function startSim(name, speed) {
    const cloudFile = join(dir, `${name}.json`);
    await start([binary, 'sim', '--world', join(dir, 'world.yaml'), '--write-cloud', cloudFile, '--speed', String(speed)], /^https:.*\n/m);
    const cloud = JSON.parse(readFileSync(cloudFile, 'utf8'));
    return { name: 'simulator', port: Number(new URL(cloud.arm).port), ca: readFileSync(cloud.caFile), cloud };
}

// The example's world with our blobs in it, an operator who may write blobs too, and somebody who may do nothing.
function writeWorld() {
    const world = readFileSync(join(here, '../../examples/01-lost-key/world.yaml'), 'utf8')
        .replace('Storage Blob Data Reader', 'Storage Blob Data Contributor');
    const items = blobs.map((b) => ({ account: ACCOUNT, container: CONTAINER, name: b.name, type: b.type, metadata: b.metadata,
        created: '2026-11-22T20:00:00Z', content: b.content.toString('base64') }));
    const stranger = { name: 'stranger', objectId: '0f0f0f0f-0000-4000-8000-0000000000ba', appId: STRANGER, secret: SECRET };
    writeFileSync(join(dir, 'world.yaml'), `${world.replace('  principals:\n', `  principals:\n    - ${JSON.stringify(stranger)}\n`)}
  blobs: ${JSON.stringify(items)}\n`);
}

// --- requests ---------------------------------------------------------------------------------------------------------------------

function send(server, host, { method = 'GET', path, headers = {}, body = '' }) {
    return new Promise((done, refuse) => {
        const request = https.request({ host: '127.0.0.1', port: server.port, servername: host.split(':')[0], ca: server.ca, agent: false,
            method, path, headers: { Host: host, ...headers } }, (answer) => {
            const parts = [];
            answer.on('data', (part) => parts.push(part));
            answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
        });
        request.on('error', refuse);
        request.end(body);
    });
}

function lower(headers) {
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function signature(key, method, path, headers) {
    const sent = lower(headers), [plain, query = ''] = path.split('?');
    const standard = ['content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date', 'if-modified-since',
        'if-match', 'if-none-match', 'if-unmodified-since', 'range'].map((n) => (sent[n] === '0' ? '' : sent[n] ?? ''));
    const own = Object.keys(sent).filter((n) => n.startsWith('x-ms-')).sort().map((n) => `${n}:${sent[n]}`);
    const parameters = query.split('&').filter(Boolean).sort().map((p) => p.replace('=', ':'));
    const text = [method, ...standard, ...own, [`/${ACCOUNT}${plain}`, ...parameters].join('\n')].join('\n');
    return `SharedKey ${ACCOUNT}:${createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')}`;
}

const onBlobs = (server, request) => send(server, `${ACCOUNT}.blob.localhost:${server.port}`, request);

async function token(sim, app, audience) {
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: app, client_secret: SECRET, scope: `${audience}/.default` });
    const answer = await send(sim, new URL(sim.cloud.authority).host, { method: 'POST', path: `/${TENANT}/oauth2/v2.0/token`,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: form.toString() });
    return JSON.parse(answer.body).access_token;
}

async function accountKeys(sim) {
    const bearer = await token(sim, OPERATOR, sim.cloud.armAudience);
    const answer = await send(sim, new URL(sim.cloud.arm).host, { method: 'POST', path: `${STORAGE_ID}/listKeys?api-version=2025-01-01`,
        headers: { Authorization: `Bearer ${bearer}`, 'Content-Length': '0' } });
    return JSON.parse(answer.body).keys.map((k) => k.value);
}

// Azurite checks times, audience and issuer of a token, not its signature.
function azuriteToken(audience, seconds) {
    const now = Math.floor(Date.now() / 1000), part = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');
    return `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ aud: audience, iss: `https://sts.windows.net/${TENANT}/`, iat: now - 7200,
        nbf: now - 7200, exp: now + seconds, oid: OPERATOR, tid: TENANT })}.c2ln`;
}

const encoded = (name) => name.split('/').map((part) => encodeURIComponent(part).replaceAll('\'', '%27')).join('/');

async function upload(azurite, key) {
    const put = async (path, headers, body) => {
        const all = { 'x-ms-version': VERSION, 'x-ms-date': new Date().toUTCString(), 'Content-Length': String(body.length), ...headers };
        const answer = await onBlobs(azurite, { method: 'PUT', path, headers: { ...all, Authorization: signature(key, 'PUT', path, all) }, body });
        if (answer.status !== 201)
            throw new Error(`Azurite does not take ${path}: ${answer.status} ${answer.body}`);
    };
    const large = { container: BULK, name: 'large.bin', type: 'BlockBlob', content: Buffer.alloc(LARGE, 'x'), metadata: {} };
    for (const container of [CONTAINER, BULK])
        await put(`/${container}?restype=container`, {}, '');
    for (const blob of [...blobs, large]) {
        const path = `/${blob.container ?? CONTAINER}/${encoded(blob.name)}`, page = blob.type === 'PageBlob';
        const headers = { 'x-ms-blob-type': blob.type, ...(page ? { 'x-ms-blob-content-length': String(blob.content.length) } : {}) };
        for (const [name, value] of Object.entries(blob.metadata))
            headers[`x-ms-meta-${name}`] = value;
        await put(path, headers, page ? '' : blob.content);
        if (page)
            await put(`${path}?comp=page`, { 'x-ms-page-write': 'update', 'x-ms-range': `bytes=0-${blob.content.length - 1}` }, blob.content);
    }
}

// --- the same request to both ------------------------------------------------------------------------------------------------------

// Where both have one, but no two servers have the same.
const VOLATILE = new Set(['etag', 'last-modified', 'x-ms-creation-time', 'x-ms-request-id', 'date', 'x-ms-access-tier-change-time']);
// Of the connection, not of the answer.
const TRANSPORT = new Set(['connection', 'keep-alive', 'server']);

// A claim as our client writes it; LAST: the state of that blob that the same server told last.
const LAST = 'LAST', claims = '/reinstate-claims?restype=container', claim = '/reinstate-claims/c0ffee-0';
const put = (condition, job) => ({ method: 'PUT', body: JSON.stringify({ order: 'inc-1', job }),
    headers: { 'x-ms-blob-type': 'BlockBlob', 'Content-Type': 'application/json', ...condition } });

const page = `/${CONTAINER}/page.json`, block = `/${CONTAINER}/block.json`, list = `/${CONTAINER}?comp=list&restype=container`;
const cases = [
    { name: 'page blob, token', path: page },
    { name: 'page blob, key', path: page, by: 'key' },
    { name: 'page blob, second key', path: page, by: 'key2' },
    { name: 'block blob, token', path: block },
    { name: 'block blob, key', path: block, by: 'key' },
    { name: 'blob with a difficult name, key', path: `/${CONTAINER}/${encoded(blobs[2].name)}`, by: 'key' },
    { name: 'HEAD page blob, token', path: page, method: 'HEAD' },
    { name: 'HEAD block blob, key', path: block, method: 'HEAD', by: 'key' },
    { name: 'Range', path: block, headers: { Range: 'bytes=10-99' }, by: 'key' },
    { name: 'x-ms-range', path: block, headers: { 'x-ms-range': 'bytes=10-' } },
    { name: 'range over the end', path: block, headers: { 'x-ms-range': 'bytes=4000-999999' } },
    { name: 'range behind the end', path: block, headers: { 'x-ms-range': 'bytes=999999-' } },
    { name: 'missing blob, token', path: `/${CONTAINER}/none.json` },
    { name: 'missing blob, key', path: `/${CONTAINER}/none.json`, by: 'key' },
    { name: 'HEAD missing blob', path: `/${CONTAINER}/none.json`, method: 'HEAD' },
    { name: 'wrong container, token', path: '/no-such-container/page.json' },
    { name: 'wrong container, key', path: '/no-such-container/page.json', by: 'key' },
    { name: 'expired token', path: page, by: 'expired' },
    { name: 'token for another audience', path: page, by: 'audience' },
    { name: 'token of somebody without rights', path: page, by: 'stranger' },
    { name: 'no token at all', path: page, by: 'garbage' },
    { name: 'wrong key', path: page, by: 'wrong' },
    { name: 'nobody', path: page, by: 'nobody' },
    { name: 'client request id', path: block, headers: { 'x-ms-client-request-id': '0f0f0f0f-1111-4000-8000-000000000001' } },
    { name: 'list', path: list },
    { name: 'list, key', path: list, by: 'key' },
    { name: 'list with a prefix', path: `${list}&prefix=pa` },
    { name: 'list with a prefix that fits nothing', path: `${list}&prefix=zz` },
    { name: 'list of a missing container', path: '/no-such-container?comp=list&restype=container' },
    { name: 'claim without its container', path: claim, ...put({ 'If-None-Match': '*' }) },
    { name: 'container of a name that none may have', method: 'PUT', path: '/Not-A-Name?restype=container', by: 'key' },
    { name: 'container made', method: 'PUT', path: claims, by: 'key' },
    { name: 'container made again', method: 'PUT', path: claims },
    { name: 'container made again, key', method: 'PUT', path: claims, by: 'key' },
    { name: 'note where there is no claim', path: claim, by: 'key', ...put({ 'If-Match': '"0x8D0000000000001"' }, 'job-1') },
    { name: 'claim taken', path: claim, by: 'key', ...put({ 'If-None-Match': '*' }) },
    { name: 'claim taken twice', path: claim, ...put({ 'If-None-Match': '*' }) },
    { name: 'claim taken twice, key', path: claim, by: 'key', ...put({ 'If-None-Match': '*' }) },
    { name: 'claim noted', path: claim, by: 'key', ...put({ 'If-Match': LAST }, 'job-1') },
    { name: 'claim noted over another state', path: claim, ...put({ 'If-Match': '"0x8D0000000000001"' }, 'job-2') },
    { name: 'claim noted over another state, key', path: claim, by: 'key', ...put({ 'If-Match': '"0x8D0000000000001"' }, 'job-2') },
    { name: 'claim read', path: claim },
    { name: 'claim noted again', path: claim, ...put({ 'If-Match': LAST }, 'job-1') },
    { name: 'list of claims', path: `${claims}&comp=list&include=metadata&prefix=c0ffee` },
];

async function ask(server, c) {
    const headers = { 'x-ms-version': VERSION, 'x-ms-date': new Date().toUTCString(), ...c.headers }, by = c.by ?? 'token';
    if (c.method === 'PUT')
        headers['Content-Length'] = String(c.body?.length ?? 0);
    if (headers['If-Match'] === LAST)
        headers['If-Match'] = server.states[c.path];
    const keys = { key: server.keys[0], key2: server.keys[1], wrong: Buffer.alloc(64, 7).toString('base64') };
    const target = (by === 'expired' && server.late) || server;
    if (by in keys)
        headers.Authorization = signature(keys[by], c.method ?? 'GET', c.path, headers);
    else if (by !== 'nobody')
        headers.Authorization = `Bearer ${target.tokens[by]}`;
    const answer = await onBlobs(target, { method: c.method, path: c.path, headers, body: c.body });
    server.states[c.path] = answer.headers.etag ?? server.states[c.path];
    return answer;
}

// XML as [element, text] in its order; times and tags of its own are only there or not.
function elements(xml) {
    const found = [...xml.toString().replace(/^\uFEFF/, '').matchAll(/<([A-Za-z-]+)(?:\s[^>]*?)?(?:\/>|>([^<]*))/g)];
    return found.map(([, name, text = '']) => [name, /^(Creation-Time|Last-Modified|Etag|AccessTierChangeTime)$/.test(name) ? 'present' : text]);
}

// What an answer says, as a flat table.
function described(answer) {
    const table = { status: String(answer.status) }, xml = /<\?xml/.test(answer.body.subarray(0, 16));
    for (const [name, value] of Object.entries(answer.headers))
        if (!TRANSPORT.has(name) && !(xml && /^(content-length|transfer-encoding)$/.test(name)))
            table[`header ${name}`] = VOLATILE.has(name) ? 'present' : value;
    if (!xml)
        table.body = answer.body.length ? answer.body.toString('base64') : '';
    else if (/<Error>/.test(answer.body))
        table['error code'] = String(answer.body.toString().match(/<Code>(\w+)<\/Code>/)?.[1]);
    else
        for (const [i, part] of answer.body.toString().replace(/<\/?Blobs>|<Blobs\/>/g, '').split(/<Blob>|<\/Blob>(?!.*<Blob>)/).entries())
            for (const [name, text] of elements(part))
                table[`list, part ${i}, ${name}`] = text;
    return table;
}

// Answers of different outcome have little in common: these say what the outcome is.
const OUTCOME = ['status', 'error code', 'header x-ms-error-code', 'header www-authenticate'];

async function compare(servers, listed) {
    const used = new Set(), mine = (text) => text?.replace(/localhost:\d+/g, 'localhost:PORT');
    for (const c of cases) {
        const [sim, azurite] = await Promise.all(servers.map(async (s) => described(await ask(s, c))));
        const problems = [];
        for (const what of sim.status === azurite.status ? new Set([...Object.keys(sim), ...Object.keys(azurite)]) : OUTCOME) {
            const s = mine(sim[what]) ?? null, z = mine(azurite[what]) ?? null;
            if (s === z)
                continue;
            const at = listed.findIndex((d) => d.cases.includes(c.name) && d.what.includes(what) && d.simulator === s && d.azurite === z);
            if (at < 0)
                problems.push(`${what}: the simulator says ${JSON.stringify(s)}, Azurite ${JSON.stringify(z)}`);
            else
                used.add(`${c.name}: ${what}`);
        }
        check(`both answer alike: ${c.name}`, problems);
    }
    // What is listed and no longer so hides the next fault.
    for (const d of listed) {
        const gone = d.cases.flatMap((name) => d.what.map((what) => `${name}: ${what}`)).filter((one) => !used.has(one));
        check(`listed: ${d.why}`, [...gone.map((one) => `no longer so: ${one}`), ...(d.why && d.cases.length ? [] : ['no reason or no case'])]);
    }
}

// --- all of it ------------------------------------------------------------------------------------------------------------------------

// A program of ours that prints "N checks, N failed".
function runOurs(words) {
    return new Promise((done, refuse) => {
        const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'], env: environment({}) });
        children.push(child);
        let said = '';
        child.on('error', refuse);
        child.stdout.on('data', (bytes) => { said += bytes; });
        child.on('close', (code) => {
            const counts = said.match(/(\d+) checks, (\d+) failed/);
            process.stdout.write(said);
            passed += counts ? counts[1] - counts[2] : 0;
            failed += counts ? Number(counts[2]) : 1;
            if (code !== 0 && !(counts && Number(counts[2])))
                failed++;
            done();
        });
    });
}

function ourClient(azurite, keys) {
    const files = join(dir, 'client');
    mkdirSync(files);
    writeFileSync(join(files, 'exported.json'), exported);
    writeFileSync(join(files, 'backup.bin'), backup);
    return runOurs([program, azurite.caFile, String(azurite.port), ACCOUNT, keys[1], files]);
}

// Each round has an account of its own, so that the container for claims is raced for as well.
async function ourClaims() {
    const rounds = Number(process.env.ROUNDS ?? 40), speed = 600, epoch = Date.now(), key = Buffer.from('race').toString('base64');
    const names = ['claims', ...Array.from({ length: rounds + 20 }, (_, i) => `race${String(i + 1).padStart(4, '0')}`)];
    const azurite = await startAzurite('race', names.map((name) => `${name}:${key}`).join(';'), `${epoch} ${speed}`);
    await runOurs([racers, azurite.caFile, String(azurite.port), key, String(epoch), String(speed), String(rounds), process.env.SEED ?? '8']);
}

async function main() {
    if (process.env.ONLY === 'claims')
        return ourClaims();
    writeWorld();
    const sim = await startSim('cloud', 1), fast = await startSim('fast', 7200);
    const keys = await accountKeys(sim), azurite = await startAzurite('azurite', `${ACCOUNT}:${keys.join(':')}`);
    const storage = sim.cloud.storageAudience;
    await upload(azurite, keys[0]);
    await ourClient(azurite, keys);
    Object.assign(sim, { keys, states: {}, tokens: { token: await token(sim, OPERATOR, storage), audience: await token(sim, OPERATOR, sim.cloud.armAudience),
        stranger: await token(sim, STRANGER, storage), garbage: 'none' } });
    const right = 'https://storage.azure.com';
    Object.assign(azurite, { keys, states: {}, tokens: { token: azuriteToken(right, 3600), audience: azuriteToken('https://management.azure.com', 3600),
        stranger: azuriteToken(right, 3600), expired: azuriteToken(right, -3600), garbage: 'none' } });
    // The same world, but an hour passes in half a second: its token has ended by the time it is shown.
    const first = await token(fast, OPERATOR, fast.cloud.storageAudience);
    await new Promise((done) => setTimeout(done, 1000));
    fast.tokens = { expired: first };
    Object.assign(sim, { late: fast });
    await ourClaims();
    await compare([sim, azurite], JSON.parse(readFileSync(join(here, 'azurite-differences.json'), 'utf8')));
}

// However this ends, nothing is left running.
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => process.exit(1));

try {
    await main();
} catch (error) {
    check('the run', [error.stack]);
}
rmSync(dir, { recursive: true, force: true });
console.log(`azurite: ${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
