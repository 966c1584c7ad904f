// Runs one suite in a process of its own, so that Node trusts the simulator's certificate authority from the start.
//   node --import ./loopback.mjs suite.mjs NAME      REINSTATE_CLOUD_FILE says where the simulator is
import { counts } from './check.mjs';

const suite = await import(`./${process.argv[2]}.mjs`);

try {
    await suite.default();
} catch (problem) {
    counts.failed++;
    console.error(`FAILED: ${process.argv[2]} did not get to its end: ${problem.stack}`);
}
console.log(JSON.stringify(counts));
