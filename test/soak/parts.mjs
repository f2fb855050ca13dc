/**
 * What `npm run soak` is made of: test files, and the environment that makes their long form. lines: the Node lines where
 * none are asked for, this process' own by default. sideBySide: lines may run beside each other.
 */
import { OWN_LINE } from '../nodes.mjs';

/** settings: { minutes, terminations } of the command line. */
export const PARTS = [
  {
    name: 'everything',
    what: 'a service with everything on, beside it the same without the agent; --minutes long, on every line',
    files: ['test/faults/everything.test.ts'],
    env: ({ minutes }) => ({ EVERYTHING_MINUTES: String(minutes) }),
    sideBySide: true,
  },
  {
    name: 'truth',
    what: 'CPU by function of programs that measure themselves: five kinds, three seeds, 10,000 busy samples each',
    files: ['test/clients/programs.test.ts', 'test/clients/truth.test.ts'],
    env: () => ({ TRUTH_SEEDS: '1,2,3', TRUTH_SECONDS: '18' }),
  },
  {
    name: 'workers',
    what: '--terminations sampled worker threads, terminated in the middle of anything',
    files: ['test/faults/worker-churn.test.ts'],
    env: ({ terminations }) => ({ WORKER_TERMINATIONS: String(terminations), RINGTAIL_WORKERS: '1' }),
    // Elsewhere V8 is known to crash (README).
    lines: ['22'],
  },
  {
    name: 'ring',
    what: '10^8 records with checksums from 1, 2, 4 and 8 threads on WebAssembly and as many on its twin, 1,000 terminated threads each',
    files: ['test/agent/core-stress.test.ts'],
    env: () => ({ CORE_STRESS_RECORDS: '25000000', CORE_STRESS_TERMINATIONS: '1000' }),
  },
  {
    name: 'decoder',
    what: '10^6 random and 10^6 mutated messages',
    files: ['test/collector/hostile.test.ts'],
    env: () => ({ RINGTAIL_FUZZ: '1000000' }),
  },
  {
    name: 'interleavings',
    what: 'every schedule of ring and histogram, up to eight places',
    files: ['test/faults/ring-model.test.ts', 'test/faults/histogram-model.test.ts'],
    env: () => ({ RINGTAIL_MODEL: 'long' }),
  },
  {
    name: 'exits',
    what: 'every way out of a program',
    files: ['test/faults/exit.test.ts', 'test/faults/processes.test.ts'],
    env: () => ({}),
  },
  {
    name: 'hangs',
    what: 'programs that hang, or are stopped',
    files: ['test/clients/hang.test.ts', 'test/clients/suspend.test.ts'],
    env: () => ({}),
  },
];

/** One { part, line } for each run of a round. given: the lines that were asked for, none: each part's own. */
export function runsOf(parts, given) {
  return parts.flatMap((part) => {
    const lines = given.length > 0 ? given : (part.lines ?? [OWN_LINE]);
    return lines.map((line) => ({ part, line }));
  });
}
