/** Flags, limits and surroundings under which an agent cannot do its work, or not all of it: the program runs unchanged. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Outcome, REGISTER, type RunOptions, runProgram, scratchFolder, visible } from './program';

type Condition = RunOptions & { name: string; flags?: string[]; preload?: string; says?: RegExp };

const MAJOR = Number(process.versions.node.split('.')[0]);
const PERMISSION = MAJOR >= 23 ? '--permission' : '--experimental-permission';
const NOWHERE = {
  HOME: '/nonexistent',
  XDG_RUNTIME_DIR: '/nonexistent',
  XDG_STATE_HOME: '/nonexistent',
  TMPDIR: '/nonexistent',
};

const CONDITIONS: Condition[] = [
  {
    name: 'the permission model without workers',
    flags: [PERMISSION, '--allow-fs-read=*'],
    says: /--allow-worker/,
  },
  { name: 'the permission model with workers', flags: [PERMISSION, '--allow-fs-read=*', '--allow-worker'] },
  { name: '--jitless', flags: ['--jitless'] },
  { name: '--frozen-intrinsics', flags: ['--frozen-intrinsics'] },
  { name: '--disable-proto=delete', flags: ['--disable-proto=delete'] },
  { name: '--disable-proto=throw', flags: ['--disable-proto=throw'] },
  { name: '--max-old-space-size', flags: ['--max-old-space-size=64'] },
  { name: '--stack-size', flags: ['--stack-size=500'] },
  { name: '--disallow-code-generation-from-strings', flags: ['--disallow-code-generation-from-strings'] },
  { name: '--no-addons', flags: ['--no-addons'] },
  { name: '--throw-deprecation', flags: ['--throw-deprecation', '--pending-deprecation'] },
  { name: '--trace-warnings', flags: ['--trace-warnings', '--trace-uncaught'] },
  { name: '--inspect', flags: ['--inspect=127.0.0.1:0'] },
  { name: '--cpu-prof', flags: ['--cpu-prof', '--cpu-prof-dir=.'] },
  { name: 'NODE_V8_COVERAGE', env: { NODE_V8_COVERAGE: 'coverage' } },
  { name: 'a limit of 8 GB of address space', shell: 'ulimit -v 8000000; exec "$@"' },
  { name: 'a limit of 32 open files', shell: 'ulimit -n 32; exec "$@"' },
  { name: 'a read-only folder and nowhere to write', cwd: '/proc/self', env: NOWHERE },
  { name: 'no HOME', shell: 'unset HOME; exec "$@"' },
  { name: 'a closed stderr', shell: 'exec "$@" 2>&-', env: { RINGTAIL_CPU_HZ: 'bad' } },
  { name: 'an empty environment', shell: 'node=$1; shift; exec env -i "$node" "$@"' },
  { name: 'switched off', env: { RINGTAIL_ENABLED: '0', RINGTAIL_CPU_HZ: 'bad' } },
  {
    name: 'a Node.js too old',
    preload: 'old-node.js',
    env: { FAKE_NODE_VERSION: 'v18.20.4' },
    says: /20\.19.*v18\.20\.4/,
  },
  {
    name: 'a Node.js much too old',
    preload: 'old-node.js',
    env: { FAKE_NODE_VERSION: 'v4.9.1' },
    says: /20\.19.*v4\.9\.1/,
  },
  {
    name: 'an old minor of Node.js',
    preload: 'old-node.js',
    env: { FAKE_NODE_VERSION: 'v20.18.3' },
    says: /v20\.18\.3/,
  },
  {
    name: 'a token that is too short',
    env: { RINGTAIL_TOKEN: 'short', RINGTAIL_TOKEN_FILE: '/nonexistent/token' },
    says: /^ringtail: the token of RINGTAIL_TOKEN is not used: a token has 16 to 512 characters, got 5$/,
  },
  {
    name: 'a file for the token that is not there',
    env: { RINGTAIL_TOKEN_FILE: '/nonexistent/token' },
    says: /^ringtail: the token of \/nonexistent\/token is not used: ENOENT/,
  },
  {
    name: 'bad values',
    env: {
      RINGTAIL_CPU_HZ: 'fast',
      RINGTAIL_COLLECTOR: 'http://x',
      RINGTAIL_PPROF: '99999',
      RINGTAIL_LABLES: 'a=b',
    },
    says: /RINGTAIL_COLLECTOR must.*RINGTAIL_CPU_HZ must be a number from 0 to 1000.*got "fast": using 99.*RINGTAIL_PPROF must be a port.*RINGTAIL_LABELS\?/,
  },
];

const PROGRAM = `
console.log('hello', process.argv.length, process.execArgv.length > 0);
let kept = [];
for (let round = 0; round < 2e5; round++) kept = [round, [kept.length]];
setTimeout(() => { console.log('done'); process.exitCode = 5; }, 400);
`;

const scratch = scratchFolder();
const script = join(scratch.path, 'app.js');
writeFileSync(script, PROGRAM);
afterAll(() => scratch.remove());

describe('a program runs unchanged under', () => {
  it.each(CONDITIONS)('$name', async ({ flags = [], preload, says, name, ...options }) => {
    const before = preload === undefined ? flags : [...flags, '-r', resolve(__dirname, 'fixtures', preload)];
    const surroundings = { cwd: scratch.path, ...options };
    // An empty -r keeps the number of Node's own arguments the same.
    const bare = await runProgram([...before, '-r', 'node:path', script], surroundings);
    const under = await runProgram([...before, '-r', REGISTER, script], surroundings);
    expect(bare.stdout, name).toContain('done');
    expect(visible(under), under.stderr).toEqual(visible(bare));
    const added = addedLines(under, bare);
    expect(added.length, added.join('\n')).toBeLessThanOrEqual(1);
    if (says !== undefined) expect(added[0]).toMatch(says);
    expect(under.millis - bare.millis).toBeLessThanOrEqual(500);
  });
});

describe('the built preload', () => {
  it('is syntax that a Node of 2015 can parse', () => {
    const text = readFileSync(REGISTER, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    expect(text).not.toMatch(
      /=>|\b(const|let|class|async|await|import|export)\b|\?\.|\?\?|`|\.\.\.|catch \{/,
    );
  });
});

/** Lines on stderr that are there only under the agent, apart from what differs from run to run. */
function addedLines(under: Outcome, bare: Outcome): string[] {
  const plain = (line: string) => line.replace(/\d+|[0-9a-f]{8}-[0-9a-f-]+/g, '#');
  const known = new Set(bare.stderr.split('\n').map(plain));
  return under.stderr
    .split('\n')
    .filter((line) => !known.has(plain(line)) && !line.startsWith('Debugger listening'));
}
