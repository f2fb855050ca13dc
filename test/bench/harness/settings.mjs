/** How long a bench takes: rounds and batches, in full and with --quick. Set by the process that starts a row. */
const quick = process.env.BENCH_QUICK === '1';

export const settings = {
  quick,
  /** Alternating rounds of a bench inside one process. */
  rounds: quick ? 5 : 25,
  batchMillis: quick ? 5 : 25,
  warmMillis: quick ? 60 : 400,
  /** Alternating rounds of whole programs: CPU of fixed work, and short ones started for their start and exit. */
  programRounds: quick ? 2 : 15,
  startRounds: quick ? 5 : 30,
  rotationRounds: quick ? 1 : 6,
  rotationSeconds: quick ? 6 : 20,
  latencyRounds: quick ? 2 : 12,
  latencySeconds: quick ? 6 : 10,
  /** Under load before the first look: V8 has compiled by then what it will, theirs and ours. */
  serviceWarmSeconds: quick ? 20 : 60,
  serviceWindows: quick ? 3 : 15,
  /** Files of the generated TypeScript project; a full compile takes about seven seconds. */
  compileFiles: quick ? 2 : 64,
  /** Parses and writes of a document of 2,000 rows. */
  churnRounds: quick ? 400 : 2500,
  consoleLines: quick ? 20_000 : 100_000,
  /** Quick ones rest early; V8 collects main's garbage within the first minute, which wakes the sampler once more. */
  idleSettleSeconds: quick ? 28 : 75,
  idleSeconds: quick ? 4 : 10,
  idleCopies: quick ? 1 : 3,
};
