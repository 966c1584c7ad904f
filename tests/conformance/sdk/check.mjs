// node:assert with a counter: a suite that asserted nothing has not passed.
import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';

export const counts = { passed: 0, failed: 0, requests: 0 };

subscribe('http.client.request.start', () => { counts.requests++; });

function counted(name, assertion) {
    try {
        assertion();
        counts.passed++;
    } catch (problem) {
        counts.failed++;
        console.error(`FAILED: ${name}: ${String(problem.message).split('\n').slice(0, 12).join('\n  ')}`);
    }
}

export const check = {
    equal: (name, actual, expected) => counted(name, () => assert.equal(actual, expected)),
    same: (name, actual, expected) => counted(name, () => assert.deepEqual(actual, expected)),
    matches: (name, actual, pattern) => counted(name, () => assert.match(String(actual), pattern)),
    holds: (name, truth) => counted(name, () => assert.ok(truth)),
};

// The call must fail with this status and code; a call that succeeds is the failure.
check.refused = async (name, status, code, call) => {
    let problem = null;
    try {
        await call();
    } catch (refusal) {
        problem = refusal;
    }
    const inner = problem?.details?.error?.code ?? problem?.details?.errorCode;
    check.same(name, { status: problem?.statusCode, code: problem?.code ?? inner }, { status, code });
    return problem;
};

export async function all(pages) {
    const items = [];
    for await (const item of pages)
        items.push(item);
    return items;
}

export function byName(items, name) {
    return items.find((item) => item.name === name);
}
