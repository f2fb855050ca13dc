import { defineConfig } from 'vitest/config';
import Retried from './test/retried.mjs';

/** One result file a Node line, so that a run over several lines can be summed up (test/summary.mjs). */
const line = process.versions.node.split('.')[0];

/**
 * Figures of running programs and threads on a machine that others use, too: where it decides, once or twice more before a
 * miss counts. What needed that is told at the end, and counted (test/summary.mjs).
 */
const IS_CI = process.env.CI !== undefined;

const NEVER = ['**/node_modules/**', 'test/bench/**'];
const PROGRAMS = ['test/clients/**/*.test.ts', 'test/faults/**/*.test.ts', 'test/cli/**/*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'code',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, ...PROGRAMS],
          retry: IS_CI ? 1 : 0,
        },
      },
      {
        extends: true,
        test: { name: 'programs', include: PROGRAMS, exclude: NEVER, retry: IS_CI ? 2 : 0 },
      },
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    pool: 'forks',
    reporters: ['default', 'json', new Retried(`build/results/retried-${line}.txt`)],
    outputFile: { json: `build/results/node-${line}.json` },
  },
});
