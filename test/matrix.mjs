/**
 * Runs the tests on the other Node lines: `npm run test:matrix [-- 22 24 26] [vitest filters]`. The binaries come from npm
 * (node-<platform>-<arch>, the binary itself, no install script) into build/nodes, never into node_modules, where they
 * would shadow `node`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

const LINES = ['22', '24', '26'];
/** What decides on another Node line: everything that touches the runtime. The rest does not depend on it. */
const CLIENTS = [
  'answers',
  'block',
  'goroutine',
  'hang',
  'heap.test',
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
  'test/cli/demo',
];

const given = process.argv.slice(2);
const lines = given.filter((word) => /^\d+$/.test(word));
const filters = given.filter((word) => !/^\d+$/.test(word));
let failed = false;
for (const line of lines.length > 0 ? lines : LINES) {
  const node = installNode(line);
  console.log(`\n=== Node ${line}: ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  const run = spawnSync(
    node,
    ['node_modules/vitest/vitest.mjs', 'run', ...(filters.length > 0 ? filters : SHORT)],
    {
      stdio: 'inherit',
      env: { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH },
    },
  );
  if (run.status !== 0) failed = true;
}
process.exitCode = failed ? 1 : 0;

/** Path of the newest binary of a line. */
function installNode(line) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = resolve('build/nodes', line);
  const binary = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const install = spawnSync(
    'npm',
    ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', `${name}@${line}`],
    {
      cwd: folder,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    },
  );
  if (install.status !== 0 || !existsSync(binary))
    throw new Error(`no Node ${line} for this machine: npm install ${name}@${line} gave ${install.status}`);
  return binary;
}
