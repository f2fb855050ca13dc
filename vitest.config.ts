import { defineConfig } from 'vitest/config';
import Retried from './test/retried.mjs';

/** One result file a Node line, so that a run over several lines can be summed up (test/summary.mjs). */
const line = process.versions.node.split('.')[0];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/bench/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    pool: 'forks',
    // Where it decides: once more before a miss of a running program counts, and each of them is told.
    retry: process.env.CI === undefined ? 0 : 1,
    reporters: ['default', 'json', new Retried(`build/results/retried-${line}.txt`)],
    outputFile: { json: `build/results/node-${line}.json` },
  },
});
