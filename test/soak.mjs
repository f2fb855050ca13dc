/**
 * `npm run soak [-- --minutes 30]`: the long forms of the tests that have one, again and again until the time is over,
 * once at least. The ring under 10^8 records and 1,000 terminated threads, the decoder under 10^6 random and 10^6
 * mutated messages, the exits, the hangs. Ends with how often each was run and exits with 1 at the first failure.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const LONG_FORMS = [
  {
    name: 'ring',
    files: ['test/agent/core-stress.test.ts'],
    env: { CORE_STRESS_RECORDS: '100000000', CORE_STRESS_TERMINATIONS: '1000' },
  },
  { name: 'decoder', files: ['test/collector/hostile.test.ts'], env: { RINGTAIL_FUZZ: '1000000' } },
  {
    name: 'interleavings',
    files: ['test/faults/ring-model.test.ts', 'test/faults/histogram-model.test.ts'],
    env: {},
  },
  { name: 'exits', files: ['test/faults/exit.test.ts', 'test/faults/processes.test.ts'], env: {} },
  { name: 'hangs', files: ['test/clients/hang.test.ts', 'test/clients/suspend.test.ts'], env: {} },
];

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, got ${values.minutes}`);
const chosen = LONG_FORMS.filter(({ name }) => values.only === '' || values.only.split(',').includes(name));
if (chosen.length === 0)
  throw new Error(
    `--only must name some of ${LONG_FORMS.map(({ name }) => name).join(', ')}, got ${values.only}`,
  );

const end = Date.now() + minutes * 60_000;
const runs = new Map(chosen.map(({ name }) => [name, 0]));
for (let round = 1; round === 1 || Date.now() < end; round++) {
  for (const { name, files, env } of chosen) {
    console.log(`\n=== round ${round}: ${name}`);
    const words = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--testTimeout=7200000',
      '--reporter=default',
      ...files,
    ];
    const run = spawnSync(process.execPath, words, { stdio: 'inherit', env: { ...process.env, ...env } });
    if (run.status !== 0) {
      console.error(`soak: ${name} failed in round ${round}`);
      process.exit(1);
    }
    runs.set(name, runs.get(name) + 1);
  }
}
console.log(`\nsoak: ${[...runs].map(([name, count]) => `${name} ${count}×`).join(', ')}`);
