/**
 * `npm run soak [-- --minutes 30] [--only ring,decoder]`: the long forms of the tests that have one, again and again
 * until the time is over, each once at least. Ends by itself with a table: how often each part ran, how long it took, how
 * busy the machine was, and what the part told of itself. Exits with 1 when a part failed.
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';

/** What one test may take before it counts as stuck. */
const TEST_MINUTES_MAX = 45;

const PARTS = [
  {
    name: 'ring',
    what: '10^8 records with checksums from 1, 2, 4 and 8 threads on WebAssembly and as many on its twin, 1,000 terminated threads each',
    files: ['test/agent/core-stress.test.ts'],
    env: { CORE_STRESS_RECORDS: '25000000', CORE_STRESS_TERMINATIONS: '1000' },
  },
  {
    name: 'decoder',
    what: '10^6 random and 10^6 mutated messages',
    files: ['test/collector/hostile.test.ts'],
    env: { RINGTAIL_FUZZ: '1000000' },
  },
  {
    name: 'interleavings',
    what: 'every schedule of ring and histogram, up to eight places',
    files: ['test/faults/ring-model.test.ts', 'test/faults/histogram-model.test.ts'],
    env: { RINGTAIL_MODEL: 'long' },
  },
  {
    name: 'exits',
    what: 'every way out of a program',
    files: ['test/faults/exit.test.ts', 'test/faults/processes.test.ts'],
    env: {},
  },
  {
    name: 'hangs',
    what: 'programs that hang, or are stopped',
    files: ['test/clients/hang.test.ts', 'test/clients/suspend.test.ts'],
    env: {},
  },
];

const { minutes, chosen } = settings();
const end = Date.now() + minutes * 60_000;
const runs = new Map(chosen.map((part) => [part, []]));
for (let round = 1; round === 1 || Date.now() < end; round++) {
  for (const part of chosen) {
    if (round > 1 && Date.now() >= end) break;
    console.log(`\n=== round ${round}: ${part.name}: ${part.what}`);
    runs.get(part).push(await run(part));
  }
}
console.log(`\n${table()}`);
process.exitCode = [...runs.values()].flat().every(({ passed }) => passed) ? 0 : 1;

function settings() {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, got ${values.minutes}`);
  const names = values.only.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    const known = PARTS.map(({ name }) => name).join(', ');
    throw new Error(`--only must name some of ${known}, got ${unknown.join(', ')}`);
  }
  return { minutes, chosen: PARTS.filter(({ name }) => names.length === 0 || names.includes(name)) };
}

/** { passed, seconds, load, told }: told are the lines that the part prints of its figures. */
async function run({ files, env }) {
  const words = ['node_modules/vitest/vitest.mjs', 'run', `--testTimeout=${TEST_MINUTES_MAX * 60_000}`];
  const start = performance.now();
  const child = spawn(process.execPath, [...words, '--reporter=default', ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NO_COLOR: '1', ...env },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - start) / 1000;
  const told = output.split('\n').filter((line) => /^\S.*: .*\d/.test(line) && !/^(stdout|JSON) /.test(line));
  return { passed: code === 0, seconds, load: loadavg()[0], told };
}

function table() {
  const heads = ['part', 'runs', 'failed', 'seconds', 'load'];
  const lines = [...runs].map(([{ name }, all]) => [
    name,
    String(all.length),
    String(all.filter(({ passed }) => !passed).length),
    all.map(({ seconds }) => seconds.toFixed(0)).join(' '),
    all.map(({ load }) => load.toFixed(1)).join(' '),
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((cells) => cells[column].length)),
  );
  const render = (cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  const told = [...runs].flatMap(([{ name }, all]) =>
    (all.at(-1)?.told ?? []).map((line) => `  ${name}: ${line}`),
  );
  return [
    render(heads),
    render(widths.map((width) => '-'.repeat(width))),
    ...lines.map(render),
    '',
    ...told,
  ].join('\n');
}
