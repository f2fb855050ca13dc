/**
 * Faults injected into the agent itself: what it requires, the globals it stands on, its own files. Whatever breaks,
 * the program's code, signal and output stay, and at most one line appears on stderr.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  agentLines,
  BUILD_FOLDER,
  copyAgent,
  inTurns,
  type Outcome,
  REGISTER,
  runProgram,
  scratchFolder,
  visible,
} from './program';

type Fault = { module: string; member?: string; how: string } | { global: string; how: string };

const BREAK = resolve(__dirname, 'fixtures/break.js');
const ALL_MINUTES = 5 * 60_000;
const WAYS = ['missing', 'throws', 'throws-later', 'nothing', 'hostile', 'wrong'];

/** Works long enough to be pinged, collects garbage, serves a request, and leaves with a code of its own. */
const PROGRAM = `
const http = require('node:http');
const server = http.createServer((request, response) => response.end('served'));
server.listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, agent: false }, (response) => {
    response.on('data', (data) => console.log(String(data)));
    response.on('end', () => setTimeout(leave, 200));
    server.close();
  });
});
let kept = [];
for (let round = 0; round < 3e5; round++) kept = [round, [kept.length]];
function leave() {
  console.log('done');
  process.exitCode = 5;
}
`;

const scratch = scratchFolder();
const script = join(scratch.path, 'app.js');
let bare: Outcome;

beforeAll(async () => {
  writeFileSync(script, PROGRAM);
  bare = await runProgram([script]);
  expect(visible(bare)).toEqual({ code: 5, signal: null, stdout: 'served\ndone\n' });
});

afterAll(() => scratch.remove());

describe('what the agent requires', () => {
  const faults: Fault[] = requiredMembers().flatMap(({ module, member }) =>
    WAYS.map((how) => ({ module, member, how })),
  );
  const modules = [...new Set(requiredMembers().map(({ module }) => module))];
  faults.push(
    ...modules.flatMap((module) => ['throws', 'missing', 'hostile'].map((how) => ({ module, how }))),
  );

  it(`may break in ${faults.length} ways`, { timeout: ALL_MINUTES }, async () => {
    expect(faults.length).toBeGreaterThan(100);
    const outcomes = await inTurns(faults.map((fault) => () => faulty(fault)));
    expect(faults.flatMap((fault, index) => changed(fault, outcomes[index]!, bare))).toEqual([]);
  });
});

describe('the globals it stands on', () => {
  const places = [
    'SharedArrayBuffer',
    'WebAssembly',
    ...['Module', 'Instance', 'Memory'].map((name) => `WebAssembly.${name}`),
    ...['load', 'store', 'add', 'notify', 'wait'].map((name) => `Atomics.${name}`),
    'URL.canParse',
    'process.listeners',
    'process.uptime',
    ...['on', 'unref', 'ref', 'terminate'].map((name) => `worker_threads:Worker.prototype.${name}`),
    ...['on', 'unref', 'close', 'postMessage'].map((name) => `worker_threads:MessagePort.prototype.${name}`),
    ...['observe', 'disconnect'].map((name) => `perf_hooks:PerformanceObserver.prototype.${name}`),
    'perf_hooks:performance.now',
    'perf_hooks:performance.eventLoopUtilization',
    'v8:getHeapStatistics',
    'diagnostics_channel:subscribe',
    'os:hostname',
  ];
  // An unref that silently does nothing would keep any program alive that uses it: not a fault of the agent's.
  const waysOf = (place: string) =>
    place.endsWith('.unref') ? ['missing', 'throws'] : ['missing', 'throws', 'nothing'];
  const faults: Fault[] = places.flatMap((global) => waysOf(global).map((how) => ({ global, how })));

  it(`may break in ${faults.length} ways`, { timeout: ALL_MINUTES }, async () => {
    const outcomes = await inTurns(
      faults.map((fault) => async () => ({ without: await faulty(fault, []), under: await faulty(fault) })),
    );
    expect(
      faults.flatMap((fault, index) => changed(fault, outcomes[index]!.under, outcomes[index]!.without)),
    ).toEqual([]);
  });
});

describe('its own files', () => {
  const wasm = join(BUILD_FOLDER, 'core.wasm');
  const changes: Record<string, (folder: string) => void> = {
    'thread.js is missing': (folder) => rmSync(join(folder, 'thread.js')),
    'thread.js is empty': put('thread.js', ''),
    'thread.js is no JavaScript': put('thread.js', 'this is not }'),
    'thread.js throws at once': put('thread.js', `throw new Error('at once')`),
    'thread.js throws later': put('thread.js', `setTimeout(() => { throw new Error('later'); }, 50)`),
    'thread.js throws null': put('thread.js', 'throw null'),
    'thread.js rejects': put('thread.js', `Promise.reject(new Error('rejected'))`),
    'thread.js exits': put('thread.js', 'process.exit(3)'),
    'thread.js never ends': put('thread.js', 'for (;;);'),
    'thread.js leaks': put(
      'thread.js',
      'const all = []; setInterval(() => { for (let n = 0; n < 100; n++) all.push(new Array(1000).fill(n)); }, 1);',
    ),
    'thread.js leaks in one go': put('thread.js', 'const all = []; for (;;) all.push({ n: all.length });'),
    'thread.js overflows its stack': put('thread.js', '(function again() { again(); again(); })()'),
    'thread.js talks': put(
      'thread.js',
      `console.log('log'); console.error('error'); process.stdout.write('out');`,
    ),
    'thread.js sends nonsense pings': put(
      'thread.js',
      `const { pings } = require('worker_threads').workerData; for (const ping of [null, 'x', {}, -1, [], NaN]) pings.postMessage(ping);`,
    ),
    'thread.js claims to be ready and dies': put(
      'thread.js',
      `new Int32Array(require('worker_threads').workerData.control)[0] = 1; process.exit(0);`,
    ),
    'core.wasm is missing': (folder) => rmSync(join(folder, 'core.wasm'), { force: true }),
    'core.wasm is empty': put('core.wasm', ''),
    'core.wasm is text': put('core.wasm', 'not wasm'),
    'core.wasm is another module': put('core.wasm', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])),
    ...Object.fromEntries(
      [8, 100, 1000].map((bytes) => [
        `core.wasm ends after ${bytes} bytes`,
        (folder: string) => writeFileSync(join(folder, 'core.wasm'), readFileSync(wasm).subarray(0, bytes)),
      ]),
    ),
    'index.js is missing': (folder) => rmSync(join(folder, 'index.js')),
    'index.js is empty': put('index.js', ''),
    'index.js is no JavaScript': put('index.js', 'this is not }'),
    'index.js throws': put('index.js', `throw new Error('index')`),
  };

  it.each(Object.entries(changes))('%s', async (name, change) => {
    const folder = join(scratch.path, name.replace(/\W+/g, '-'));
    const register = await copyAgent(folder);
    change(folder);
    expect(changed(name, await runProgram(['-r', register, script]), bare)).toEqual([]);
  });
});

function put(file: string, content: string | Buffer): (folder: string) => void {
  return (folder) => writeFileSync(join(folder, file), content);
}

function faulty(fault: Fault, preload: readonly string[] = ['-r', REGISTER]): Promise<Outcome> {
  return runProgram(['-r', BREAK, ...preload, script], { env: { FAULT: JSON.stringify(fault) } });
}

/** Nothing, or the fault with what it changed: anything visible, or more than one line more on stderr. */
function changed(fault: unknown, outcome: Outcome, expected: Outcome): { fault: unknown; got: Outcome }[] {
  const same = JSON.stringify(visible(outcome)) === JSON.stringify(visible(expected));
  const addedLines = outcome.stderr.split('\n').length - expected.stderr.split('\n').length;
  return same && addedLines <= 1 && agentLines(outcome).length <= 1 ? [] : [{ fault, got: outcome }];
}

/** What the bundle takes from built-in modules, read off its text. */
function requiredMembers(): { module: string; member: string }[] {
  const text = readFileSync(join(BUILD_FOLDER, 'index.js'), 'utf8');
  const names = [...text.matchAll(/(?:let|const) (\w+) = require\("(node:[\w/]+)"\)/g)];
  return names.flatMap(([, name, module]) => {
    const members = new Set(
      [...text.matchAll(new RegExp(`\\b${name}\\.(\\w+)`, 'g'))].map((match) => match[1]!),
    );
    return [...members].map((member) => ({ module: module!, member }));
  });
}
