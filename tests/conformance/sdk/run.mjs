// Microsoft's SDKs against the simulator: each suite with a fresh simulated Azure, then the recovery by hand and what our own
// program makes of it, then the other way round.
//   node run.mjs BINARY
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environment, recordOptions, run, scratch, startSim, stopSim } from './sim.mjs';

const HERE = dirname(fileURLToPath(import.meta.url)), ROOT = resolve(HERE, '../../..');
const LOST_KEY = join(ROOT, 'examples/01-lost-key'), SERVICES_SPEED = 60, JOBS_SPEED = 600;
const SERVICES = ['identity', 'compute', 'keyvault', 'keys', 'authorization', 'recoveryservices', 'backup', 'storage', 'resourcegraph'];
const binary = resolve(process.argv[2] ?? '');
const total = { passed: 0, failed: 0, requests: 0 };

function add(name, counts) {
    for (const member of Object.keys(total))
        total[member] += counts[member];
    if (counts.passed + counts.failed === 0) {
        total.failed++;
        console.log(`FAILED: ${name} checked nothing`);
    }
    console.log(`  ${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.requests} SDK requests`);
}

function expect(name, holds, detail = '') {
    total[holds ? 'passed' : 'failed']++;
    if (!holds)
        console.log(`FAILED: ${name}\n${detail}`);
}

// A world of this moment, in which the SDK dates what it signs, whose operator may also sign in by a certificate. That is made
// for this run: no private key lies in the repository.
function certified(world) {
    const pem = join(scratch, 'ours.pem'), copy = join(scratch, 'certified.yaml');

    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', pem, '-out', `${pem}.crt`, '-days', '2', '-subj', '/CN=ours'],
        { stdio: 'ignore' });
    const certificate = readFileSync(`${pem}.crt`, 'utf8');
    writeFileSync(pem, readFileSync(pem, 'utf8') + certificate);
    writeFileSync(copy, readFileSync(world, 'utf8').replace(/^  now: .*/m, `  now: ${new Date().toISOString().replace(/\..*/, 'Z')}`)
        .replace('secret: sim-client-secret,', `secret: sim-client-secret, certificate: ${JSON.stringify(certificate)},`));
    return copy;
}

// What the environment of a pipeline, a pod and a machine of Azure says.
function ways(sim) {
    return { REINSTATE_PEM: join(scratch, 'ours.pem'), SYSTEM_OIDCREQUESTURI: `${sim.cloud.authority.replace('login.', 'oidc.')}/pipelines/oidctoken`,
             AZURE_POD_IDENTITY_AUTHORITY_HOST: /AZURE_POD_IDENTITY_AUTHORITY_HOST=(\S+)/.exec(sim.said())?.[1] ?? '' };
}

async function suite(name, sim) {
    const env = { NODE_EXTRA_CA_CERTS: sim.cloud.caFile, REINSTATE_CLOUD_FILE: sim.cloudFile, ...ways(sim) };
    const done = await run(process.execPath, ['--import', join(HERE, 'loopback.mjs'), join(HERE, 'suite.mjs'), name], { env });
    const last = done.out.trim().split('\n').pop();

    process.stdout.write(done.talk);
    add(name, last?.startsWith('{') ? JSON.parse(last) : { passed: 0, failed: 1, requests: 0 });
}

async function withSim(name, world, speed, work) {
    const sim = await startSim(binary, name, world, speed);
    try {
        await work(sim);
    } finally {
        const code = await stopSim(sim);
        expect(`the simulator of ${name} ends in order`, code === 0, `exit code ${code}`);
    }
}

const estate = ['estate', 'policy', 'activation'].flatMap((part) => ['-f', join(LOST_KEY, `${part}.yaml`)]);

async function drift(sim, name, code) {
    const credential = { AZURE_TENANT_ID: '0f0f0f0f-0000-4000-8000-000000000001', AZURE_CLIENT_ID: '0f0f0f0f-0000-4000-8000-00000000000b',
                         AZURE_CLIENT_SECRET: 'sim-client-secret' };
    const done = await run(binary, ['drift', ...estate, '--cloud', sim.cloudFile, ...recordOptions(name)],
        { env: environment(credential), cwd: scratch });
    expect(`reinstate drift, ${name}: exit ${code}`, done.code === code, `exit ${done.code}\n${done.out}\n${done.talk}`);
}

async function byHand(sim) {
    await drift(sim, 'drift-before', 2);
    await suite('recovery', sim);
    await drift(sim, 'drift-after', 0);
}

async function afterApply() {
    const world = join(scratch, 'applied.yaml');
    const done = await run(binary, ['apply', ...estate, '--world', join(LOST_KEY, 'world.yaml'), '--world-out', world, '--auto-approve',
                                    '--journal', 'none', ...recordOptions('apply')], { cwd: scratch });
    expect('reinstate apply: exit 0', done.code === 0, `exit ${done.code}\n${done.out}\n${done.talk}`);
    await withSim('applied', world, SERVICES_SPEED, (sim) => suite('applied', sim));
}

async function main() {
    for (const name of SERVICES)
        await withSim(name, name === 'identity' ? certified(join(HERE, 'world.yaml')) : join(HERE, 'world.yaml'), name === 'backup' ? JOBS_SPEED : SERVICES_SPEED, (sim) => suite(name, sim));
    await withSim('recovery', join(LOST_KEY, 'world.yaml'), JOBS_SPEED, byHand);
    await afterApply();
}

try {
    await main();
} catch (problem) {
    total.failed++;
    console.log(`FAILED: ${problem.stack}`);
} finally {
    rmSync(scratch, { recursive: true, force: true });
}
console.log(`sdk: ${total.requests} requests by Microsoft's SDKs`);
console.log(`sdk: ${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed || !total.passed ? 1 : 0;
