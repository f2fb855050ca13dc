/** Programs that use what following asynchronous resources uses, too: they run the same with it and without. */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeProfileFile } from '../../collector/profile/profile-file';
import { REGISTER, runProgram, scratchFolder, visible } from './program';

type Case = { name: string; text: string; flags?: string[]; code?: number };

const PROGRAMS: readonly Case[] = [
  {
    name: 'its own async hooks',
    text: `
const { createHook, executionAsyncId, executionAsyncResource } = require('node:async_hooks');
const types = {};
let destroyed = 0;
const hook = createHook({ init(id, type) { types[type] = (types[type] ?? 0) + 1; }, destroy() { destroyed++; } }).enable();
setTimeout(() => { console.log('timer', executionAsyncId() > 0, typeof executionAsyncResource()); }, 200);
setImmediate(() => console.log('immediate'));
setTimeout(() => { hook.disable(); console.log(types.Timeout, types.Immediate > 0, destroyed > 0); }, 400);`,
  },
  {
    name: 'AsyncLocalStorage',
    text: `
const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
const storage = new AsyncLocalStorage();
for (const name of ['a', 'b']) storage.run(name, async () => {
  await null;
  setTimeout(async () => { await new Promise((done) => setImmediate(done)); console.log(name, storage.getStore()); }, 10);
  process.nextTick(() => console.log('tick', name, storage.getStore()));
  const bound = AsyncResource.bind(() => storage.getStore());
  setTimeout(() => storage.exit(() => console.log("bound", bound())), 400);
});`,
  },
  {
    name: 'its own prepareStackTrace and stackTraceLimit',
    text: `
let calls = 0;
Error.prepareStackTrace = (error, sites) => { calls++; return error.message + ' ' + sites.length; };
Error.stackTraceLimit = 3;
for (let index = 0; index < 50; index++) clearTimeout(setTimeout(() => {}, 1000));
const before = calls;
setInterval(() => {}, 50).unref();
console.log(before, new Error('mine').stack, calls, Error.stackTraceLimit, Object.getOwnPropertyNames(Error).join());
setTimeout(() => console.log(calls), 300);`,
  },
  {
    name: 'a prepareStackTrace that cannot be read or written',
    text: `
Object.defineProperty(Error, 'prepareStackTrace', { get() { throw new Error('read'); }, set() { throw new Error('written'); } });
Object.defineProperty(Error, 'stackTraceLimit', { value: 5, writable: false });
setTimeout(() => console.log('fine'), 50);
setImmediate(() => console.log('immediate'));`,
  },
  {
    name: 'errors with their stacks',
    text: `
function fails() { throw new TypeError('on purpose'); }
setTimeout(() => { try { fails(); } catch (error) { console.log(error.stack); } }, 30);
Promise.reject(new Error('rejected')).catch((error) => console.log(error.stack));`,
  },
  {
    name: 'source maps',
    flags: ['--enable-source-maps'],
    text: `
setTimeout(() => { try { null.x; } catch (error) { console.log(error.stack.split('\\n').length > 1, typeof Error.prepareStackTrace); } }, 50);
setInterval(() => {}, 10).unref();`,
  },
  {
    name: 'frozen intrinsics',
    flags: ['--frozen-intrinsics'],
    text: `setTimeout(() => console.log('fine'), 50);`,
  },
  {
    name: 'a frozen Error of its own making',
    text: `Object.freeze(Error); Object.freeze(Map.prototype); setTimeout(() => console.log('fine'), 50); setInterval(() => {}, 10).unref();`,
  },
  {
    name: 'no code from strings',
    flags: ['--disallow-code-generation-from-strings'],
    text: `setTimeout(() => console.log('fine'), 50);`,
  },
  {
    name: 'a domain',
    text: `
const domain = require('node:domain').create();
domain.on('error', (error) => console.log('domain', error.message));
domain.run(() => setTimeout(() => { throw new Error('thrown in a timer'); }, 20));
setTimeout(() => console.log('after'), 80);`,
  },
  {
    name: 'unhandled rejections that it handles',
    text: `
process.on('unhandledRejection', (reason, promise) => console.log('unhandled', reason.message, promise instanceof Promise));
process.on('rejectionHandled', () => console.log('handled late'));
const late = Promise.reject(new Error('late'));
setTimeout(() => late.catch(() => {}), 50);`,
  },
  { name: 'an unhandled rejection', code: 1, text: `setTimeout(() => Promise.reject(new Error('x')), 50);` },
  { name: 'an uncaught exception', code: 1, text: `setTimeout(() => { throw new Error('x'); }, 50);` },
  {
    name: 'an overflowing stack',
    text: `
let caught = 0;
for (let round = 0; round < 60; round++) {
  const make = [() => clearTimeout(setTimeout(() => {}, 1000)), () => setImmediate(() => {}), () => process.nextTick(() => {})][round % 3];
  const pad = new Array(round % 17).fill(0);
  const deepen = (...rest) => { make(); return deepen(...rest) + rest.length; };
  try { deepen(...pad); } catch (error) { if (error instanceof RangeError) caught++; }
}
setTimeout(() => console.log(caught), 50);`,
  },
  {
    name: 'handles that keep it alive, and ones that do not',
    text: `
const net = require('node:net');
const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1', () => {
  net.connect(server.address().port, '127.0.0.1').on('data', (data) => console.log(String(data))).on('close', () => server.close());
});
setInterval(() => {}, 1e6).unref();
server.on('close', () => setTimeout(() => console.log(JSON.stringify(process.getActiveResourcesInfo())), 200));`,
  },
  {
    name: 'objects that must be freed',
    flags: ['--expose-gc'],
    text: `
const { AsyncResource } = require('node:async_hooks');
const weak = (() => { const held = { large: new Array(1000).fill(1) }; clearTimeout(setTimeout(() => held, 1e6)); new AsyncResource('MINE'); return new WeakRef(held); })();
setTimeout(() => { gc(); setTimeout(() => { gc(); console.log(weak.deref() === undefined); }, 20); }, 50);`,
  },
];

const scratch = scratchFolder();
afterAll(() => scratch.remove());

function fileOf(name: string, text: string): string {
  const file = join(scratch.path, `${name.replace(/\W+/g, '-')}.cjs`);
  writeFileSync(file, text);
  return file;
}

describe.each(['on', 'auto'])('with asynchronous resources followed (RINGTAIL_ASYNC=%s)', (mode) => {
  it.each(PROGRAMS)('a program with $name runs the same', async ({ name, text, flags = [], code = 0 }) => {
    const file = fileOf(name, text);
    // An empty -r keeps the number of Node's own arguments the same.
    const bare = await runProgram([...flags, '-r', 'node:path', file]);
    const under = await runProgram([...flags, '-r', REGISTER, file], { env: { RINGTAIL_ASYNC: mode } });
    expect(bare.code, bare.stderr).toBe(code);
    expect(visible(under), under.stderr).toEqual(visible(bare));
    expect(under.stderr).not.toMatch(/ringtail/);
  });
});

/** Asks its own agent for its goroutines, with or without seconds, and goes on meanwhile. */
const FROZEN = `
const frozen = Object.freeze(new Promise((done) => setTimeout(done, 1500)));
const settled = Object.freeze(Promise.resolve('settled'));
const http = require('node:http');
const turn = setInterval(async () => { await settled; settled.then(() => {}); }, 20);
const ask = (query) => new Promise((done, failed) => {
  http.get({ port: process.env.PORT, path: '/debug/pprof/goroutine?' + query }, (response) => {
    let text = ''; response.on('data', (data) => (text += data)).on('end', () => done(text));
  }).on('error', failed);
});
setTimeout(async () => {
  const text = await ask('debug=1');
  await ask('seconds=1');
  await frozen;
  clearInterval(turn);
  console.log('alive', /^goroutine profile: total \\d+/.test(text));
}, 800);`;

describe('a program with frozen promises', () => {
  it('lives on when somebody asks for its goroutines, unless its options have allowed hooks on promises', async () => {
    const file = fileOf('frozen', FROZEN);
    const port = String(await freePort());
    const env = { RINGTAIL_PPROF: port, PORT: port };
    const asked = await runProgram(['-r', REGISTER, file], { env });
    expect(asked, asked.stderr).toMatchObject({ code: 0, stdout: 'alive true\n' });
    const allowed = await runProgram(['-r', REGISTER, file], { env: { ...env, RINGTAIL_ASYNC: 'window' } });
    expect(allowed.code, 'hooks on promises are harmless now: auto may have them').not.toBe(0);
  });
});

/** While it asks its own agent how many resources there are more, a timer ends that makes eight: seven more. */
const GROWS = `
const http = require('node:http');
const made = [];
setTimeout(() => {
  http.get({ port: process.env.PORT, path: '/debug/pprof/goroutine?seconds=2' }, async (response) => {
    const parts = []; for await (const part of response) parts.push(part);
    for (const interval of made) clearInterval(interval);
    console.log(Buffer.concat(parts).toString('base64'));
  });
  setTimeout(() => { for (let i = 0; i < 8; i++) made.push(setInterval(() => {}, 60_000)); }, 1200);
}, 800);`;

describe('a program that makes more and more', () => {
  it('is told how many by type, also where there are no hooks to follow them', async () => {
    const port = String(await freePort());
    const env = { RINGTAIL_PPROF: port, PORT: port };
    const { stdout, stderr } = await runProgram(['-r', REGISTER, fileOf('grows', GROWS)], { env });
    expect(stderr).toBe('');
    const { profile } = decodeProfileFile(Buffer.from(stdout, 'base64'));
    let intervals = 0;
    for (let sample = 0; sample < profile.sampleCount; sample++) {
      const labels = profile.labelSets[profile.samples[sample * 2 + 1]!]!;
      if (/^(Timeout|Interval)$/.test(labels[labels.indexOf('type') + 1]!))
        intervals += profile.values[sample]!;
    }
    expect(intervals).toBe(7);
  });
});

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => found(port));
    });
  });
}
