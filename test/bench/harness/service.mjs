/** The demo service as a program under measurement, with the demo's own load on it for a fixed time. */
import assert from 'node:assert';
import { setTimeout } from 'node:timers/promises';
import { loadOurs } from './bundle.mjs';
import { Program } from './program.mjs';

const SETTLE_MILLIS = 1500;

/**
 * Starts it, lets it settle under load, then runs `during` for `seconds` of load. Resolves with what `during` gave and
 * the load's counts; `during` gets the program and a promise of the end of the time.
 */
export async function underLoad({ file, args = [], execArgv, env }, seconds, during) {
  const program = new Program({ file, args, execArgv, env });
  const { Load } = loadOurs();
  const load = new Load(await program.tell('port'));
  load.start();
  try {
    await setTimeout(SETTLE_MILLIS);
    const before = { ...load.counts };
    const figures = await during(program, setTimeout(seconds * 1000));
    const counts = {
      answered: load.counts.answered - before.answered,
      failed: load.counts.failed - before.failed,
    };
    assert.ok(counts.answered > 0, 'the service answered nothing: it was not under load');
    return { figures, counts };
  } finally {
    load.stop();
    await program.stop();
  }
}
