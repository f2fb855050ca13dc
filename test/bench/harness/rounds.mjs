/**
 * Alternating rounds in one process. Every contender brings its own loop, so that none meets call sites that another
 * has made polymorphic. Order is ABBA: forwards in even rounds, backwards in odd ones, so drift of the machine falls on
 * all alike. Warm-up and the choice of the batch size come before and are not counted.
 *
 *   contender: { name, run(count), check?() }    run does `count` operations and may be async; where only a part of it
 *                                                is to be timed, it gives that part's nanoseconds;
 *                                                check throws when the results are wrong
 */
import { settings } from './settings.mjs';

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

async function timed(contender, count) {
  const start = process.hrtime.bigint();
  const pending = contender.run(count);
  const own = pending instanceof Promise ? await pending : pending;
  return typeof own === 'number' ? own : Number(process.hrtime.bigint() - start);
}
