import { defineConfig } from 'vitest/config';

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
    reporters: ['default', 'json'],
    outputFile: { json: `build/results/node-${line}.json` },
  },
});
