// Starts a simulated Azure, hands over how to reach it, and ends it again. Knows no SDK.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20000;

// Whatever the shell presets must not redirect the clients: the simulator is on this machine, with an authority of its own.
export function environment(extra = {}) {
    const unwanted = /^(https?|all|no)_proxy$|^(SSL_CERT_FILE|SSL_CERT_DIR|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|AZURE_.*)$/i;
    const own = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
    return { ...Object.fromEntries(own), ...extra };
}

export const scratch = mkdtempSync(join(tmpdir(), 'reinstate-sdk-'));

// Exchanges are kept for the validator when the runner names a folder.
export function recordOptions(name) {
    const folder = process.env.REINSTATE_KEEP_RECORDS;
    return folder ? ['--record', join(folder, `sdk-${name}.jsonl`)] : [];
}

export async function startSim(binary, name, world, speed) {
    const cloudFile = join(scratch, `${name}.json`), worldOut = join(scratch, `${name}-world.yaml`);
    const words = ['sim', '--world', world, '--world-out', worldOut, '--write-cloud', cloudFile, '--speed', String(speed),
                   ...recordOptions(name)];
    const child = spawn(binary, words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    let said = '', announced = false;

    child.stderr.on('data', (bytes) => { said += bytes; });
    child.stdout.on('data', () => { announced = true; });
    for (const end = Date.now() + START_MS; !announced; await sleep(20))
        if (child.exitCode !== null || Date.now() > end)
            throw new Error(`the simulator does not start: ${said}`);
    if (!existsSync(cloudFile))
        throw new Error('the simulator wrote no cloud file');
    return { child, cloudFile, worldOut, said: () => said, cloud: JSON.parse(readFileSync(cloudFile, 'utf8')) };
}

export async function stopSim(sim) {
    if (sim.child.exitCode !== null)
        throw new Error(`the simulator ended before it was told to (${sim.child.exitCode})`);
    const gone = new Promise((done) => sim.child.once('exit', done));
    sim.child.kill('SIGINT');
    return gone;
}

// Runs a program to its end; its output is shown only when asked for.
export async function run(program, words, options = {}) {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(options.env), cwd: options.cwd });
    let out = '', talk = '';

    child.stdout.on('data', (bytes) => { out += bytes; });
    child.stderr.on('data', (bytes) => { talk += bytes; });
    const code = await new Promise((done) => child.once('close', done));
    return { code, out, talk };
}
