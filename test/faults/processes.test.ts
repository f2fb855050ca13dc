/** One agent for each process: forks and cluster workers have their own, worker threads and second copies share. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyAgent, runProgram, scratchFolder } from './program';

const scratch = scratchFolder();
let first = '';
let second = '';

beforeAll(async () => {
  first = await copyAgent(join(scratch.path, 'first'));
  second = await copyAgent(join(scratch.path, 'second'));
});
afterAll(() => scratch.remove());

/** Prints whether this process or thread has an agent running. */
const TELL = `const tell = (who) => console.log(who, Symbol.for('ringtail.agent/1') in process);`;

describe('agents', () => {
  it('run in forked children', async () => {
    const text = `${TELL} const { fork } = require('node:child_process');
if (process.send) { tell('child'); process.disconnect(); } else fork(__filename).on('exit', () => tell('parent'));`;
    expect(await output(text)).toBe('child true\nparent true\n');
  });

  it('run in cluster workers', async () => {
    const text = `${TELL} const cluster = require('node:cluster');
if (cluster.isPrimary) cluster.fork().on('exit', () => tell('primary')); else { tell('worker'); process.exit(); }`;
    expect(await output(text)).toBe('worker true\nprimary true\n');
  });

  it('run in children by NODE_OPTIONS', async () => {
    const text = `${TELL} const { execFileSync } = require('node:child_process');
if (process.argv[2]) tell('child'); else { process.stdout.write(execFileSync(process.execPath, [__filename, 'child'])); tell('parent'); }`;
    expect(await output(text, [], { NODE_OPTIONS: `-r ${first}` })).toBe('child true\nparent true\n');
  });

  it('do not run in worker threads, whose instruments write into the same memory', async () => {
    const text = `${TELL} const { Worker, isMainThread } = require('node:worker_threads');
const { counter, stats } = require(${JSON.stringify(first.replace('register', 'index'))});
if (isMainThread) new Worker(__filename).on('exit', () => tell('main'));
else { tell('thread'); counter('jobs').add(); console.log(stats().state, stats().series); }`;
    expect(await output(text)).toBe('thread false\noff 1\nmain true\n');
  });

  it('are one when two copies are preloaded, and both copies work through it', async () => {
    const text = `const [a, b] = ${JSON.stringify([first, second])}.map((file) => require(file.replace('register', 'index')));
a.counter('a').add(); b.counter('b').add();
setTimeout(async () => {
  console.log(a.stats().state, b.stats().state, process.listenerCount('exit'));
  await b.stop();
  console.log(a.stats().state, b.stats().state, process.listenerCount('exit'));
  b.counter('c').add(); a.timer('d').time(() => {});
}, 400);`;
    expect(await output(text, ['-r', first, '-r', second])).toBe('ready ready 1\noff off 0\n');
  });

  it('start by --import and give named exports to ES modules', async () => {
    const text = `import { timer, stats, stop } from ${JSON.stringify(first.replace('register', 'index'))};
const before = stats().series;
timer('t').time(() => {});
console.log(stats().series - before);
await stop();
console.log(stats().state);`;
    expect(await output(text, ['--import', first], {}, 'app.mjs')).toBe('1\noff\n');
  });

  it('start, stop and start again by the API', async () => {
    const text = `const agent = require(${JSON.stringify(first.replace('register', 'index'))});
const jobs = agent.counter('jobs');
jobs.add();
(async () => {
  for (let round = 0; round < 3; round++) {
    agent.start({ service: 'again', labels: { round: String(round) } });
    jobs.add();
    await new Promise((done) => setTimeout(done, 150));
    console.log(agent.stats().state);
    await agent.stop();
  }
  console.log(agent.stats().state);
})();`;
    expect(await output(text, [])).toBe('ready\nready\nready\noff\n');
  });
});

describe('package managers and build tools', () => {
  const text = `${TELL} tell('tool');`;

  it.each([
    ['npm-cli.js', 'tool false\n'],
    ['tsc', 'tool false\n'],
    ['webpack.cjs', 'tool false\n'],
    ['vite.js build', 'tool false\n'],
    ['vite.js preview', 'tool true\n'],
    ['next start', 'tool true\n'],
    ['server.js', 'tool true\n'],
  ])('%s', async (line, expected) => {
    const [file, ...args] = line.split(' ');
    expect(await output(text, ['-r', first], {}, file, args)).toBe(expected);
  });

  it('are profiled when asked', async () => {
    expect(await output(text, ['-r', first], { RINGTAIL_ENABLED: '1' }, 'tsc')).toBe('tool true\n');
  });
});

async function output(
  text: string,
  nodeArgs: string[] = ['-r', first],
  env: Record<string, string> = {},
  file = 'app.js',
  args: string[] = [],
): Promise<string> {
  const folder = join(scratch.path, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), text);
  const { stdout, stderr } = await runProgram([...nodeArgs, join(folder, file), ...args], { env });
  expect(stderr).toBe('');
  return stdout;
}
