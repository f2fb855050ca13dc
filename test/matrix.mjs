/** Runs the tests on the other Node lines: `npm run test:matrix [-- 22 24 26] [vitest filters]`. */
import { spawnSync } from 'node:child_process';
import { environmentOf, installNode, LINES, OWN_LINE } from './nodes.mjs';

/** What decides on another Node line: everything that touches the runtime. The rest does not depend on it. */
const CLIENTS = [
  'answers',
  'block',
  'goroutine',
  'hang',
  'hot-before',
  'heap.test',
  'inlined',
  'labels',
  'pprof',
  'recorder',
  'standalone',
  'suspend',
  'workers',
];
const SHORT = [
  'test/agent',
  ...CLIENTS.map((name) => `test/clients/${name}`),
  'test/faults/exit',
  'test/cli/attach',
  'test/cli/demo',
];

const given = process.argv.slice(2);
const lines = given.filter((word) => /^\d+$/.test(word));
const filters = given.filter((word) => !/^\d+$/.test(word));
let failed = false;
for (const line of lines.length > 0 ? lines : LINES.filter((known) => known !== OWN_LINE)) {
  const node = installNode(line);
  console.log(`\n=== Node ${line}: ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const run = spawnSync(
    node,
    ['node_modules/vitest/vitest.mjs', 'run', ...(filters.length > 0 ? filters : SHORT)],
    {
      stdio: 'inherit',
      env: environmentOf(node),
    },
  );
  if (run.status !== 0) failed = true;
}
process.exitCode = failed ? 1 : 0;
