/**
 * Alternating rounds in one process. Every contender brings its own loop, so that none meets call sites that another
 * has made polymorphic. Order is ABBA: forwards in even rounds, backwards in odd ones, so drift of the machine falls on
 * all alike. On a busy machine the time that this thread waited for a core is taken off. Warm-up and the choice of the batch size come before and are not counted.
 *
 *   contender: { name, run(count), check?() }    run does `count` operations and may be async; where only a part of it
 *                                                is to be timed, it gives that part's nanoseconds;
 *                                                check throws when the results are wrong
 */
import { createRequire } from 'node:module';
import { settings } from './settings.mjs';

const { waitedMillis } = createRequire(import.meta.url)('../programs/run-delay.cjs');

/** The two clocks are not read at the same moment: at least so much of a run was its own. */
const LEAST_SHARE = 0.02;

/** Nanoseconds an operation, one Float64Array of rounds for each contender's name. */
export async function alternate(
  contenders,
  { rounds = settings.rounds, batchMillis = settings.batchMillis } = {},
) {
  const counts = new Map();
  for (const contender of contenders) {
    await contender.check?.();
    counts.set(contender.name, await warmUp(contender, batchMillis));
  }
  const results = new Map(contenders.map(({ name }) => [name, new Float64Array(rounds)]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) {
      const count = counts.get(contender.name);
      results.get(contender.name)[round] = (await timed(contender, count)) / count;
    }
  }
  return results;
}

/** Runs until the code is hot, then gives the count that fills a batch. */
async function warmUp(contender, batchMillis) {
  const until = performance.now() + settings.warmMillis;
  let count = 1;
  let nanos = 0;
  for (;;) {
    nanos = await timed(contender, count);
    if (nanos < (batchMillis * 1e6) / 2) count *= 2;
    else if (performance.now() >= until) break;
  }
  return Math.max(1, Math.round((count * batchMillis * 1e6) / nanos));
}

/** What the run took, less the time in which this thread was ready and the machine ran others. */
async function timed(contender, count) {
  const waitedBefore = waitedMillis();
  const start = process.hrtime.bigint();
  const pending = contender.run(count);
  const own = pending instanceof Promise ? await pending : pending;
  if (typeof own === 'number') return own;
  const nanos = Number(process.hrtime.bigint() - start);
  return Math.max(nanos * LEAST_SHARE, nanos - (waitedMillis() - waitedBefore) * 1e6);
}
