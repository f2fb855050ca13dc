/** One agent for each process: forks and cluster workers have their own, worker threads and second copies share. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyAgent, type Outcome, runProgram, scratchFolder } from './program';

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

  it('get the slots of terminated threads back', async () => {
    const text = `const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { counter, stats } = require(${JSON.stringify(first.replace('register', 'index'))});
const { once } = require('node:events');
if (isMainThread) setTimeout(async () => {
  let attached = 0;
  for (let thread = 0; thread < 70; thread++) {
    const worker = new Worker(__filename);
    const [series] = await once(worker, 'message');
    attached += series;
    await worker.terminate();
  }
  console.log(attached);
}, 300);
else { counter('jobs').add(); parentPort.postMessage(stats().series); setInterval(() => {}, 1000); }`;
    expect(await output(text)).toBe('70\n');
  });

  it('are not started in worker threads, which say so once where main has none', async () => {
    const text = `${TELL} const { Worker, isMainThread } = require('node:worker_threads');
const agent = require(${JSON.stringify(first.replace('register', 'index'))});
if (isMainThread) new Worker(__filename).on('exit', () => tell('main'));
else { agent.start(); agent.start(); console.log(agent.stats().state); tell('thread'); agent.stop(); }`;
    expect(await output(text)).toBe('off\nthread false\nmain true\n');
    const alone = await outcomeOf(text, []);
    expect(alone.stdout).toBe('off\nthread false\nmain false\n');
    expect(alone.stderr).toMatch(/^ringtail: start\(\) does nothing in a worker thread: .*\n$/);
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
    for (let waited = 0; agent.stats().state === 'booting' && waited < 3000; waited += 50)
      await new Promise((done) => setTimeout(done, 50));
    console.log(agent.stats().state);
    await agent.stop();
  }
  console.log(agent.stats().state);
})();`;
    expect(await output(text, [])).toBe('ready\nready\nready\noff\n');
  });
});

describe('stop()', () => {
  it.each([
    ['at once', 'agent.stop(); process.exit(0);'],
    ['a moment later', 'agent.stop(); setTimeout(() => process.exit(0), 1);'],
    ['when it is done', 'agent.stop().then(() => process.exit(0));'],
    ['never', 'agent.stop();'],
  ])('may be followed by process.exit %s', async (_, leave) => {
    const text = `const agent = require(${JSON.stringify(first.replace('register', 'index'))});
setTimeout(() => { console.log(agent.stats().state); ${leave} }, 600);`;
    const { code, stdout, stderr, millis } = await outcomeOf(text, ['-r', first]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'ready\n', stderr: '' });
    expect(millis).toBeLessThan(3000);
  });
});

describe('an agent thread that gets ready while main leaves', () => {
  it('takes no hold of the inspector', async () => {
    const register = await copyAgent(join(scratch.path, 'slow'));
    const thread = register.replace('register', 'thread');
    const sleep = (millis: number) =>
      `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${millis});`;
    writeFileSync(thread, `${sleep(200)}${readFileSync(thread, 'utf8')}`);
    const text = `process.on('exit', () => { ${sleep(600)} console.log('left'); }); process.exit(3);`;
    const { code, stdout, stderr } = await outcomeOf(text, ['-r', register]);
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: 'left\n', stderr: '' });
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
  const { code, stdout, stderr } = await outcomeOf(text, nodeArgs, env, file, args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

function outcomeOf(
  text: string,
  nodeArgs: string[],
  env: Record<string, string> = {},
  file = 'app.js',
  args: string[] = [],
): Promise<Outcome> {
  const folder = join(scratch.path, 'bin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), text);
  return runProgram([...nodeArgs, join(folder, file), ...args], { env });
}
