/**
 * The program's own use of instruments changes nothing but the figures: exit code, output and stderr are the same with
 * a timer around the work as without one, above all where promises reject.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Outcome, REGISTER, runProgram, scratchFolder, visible } from './program';

const INDEX = JSON.stringify(REGISTER.replace('register', 'index'));

const scratch = scratchFolder();
afterAll(() => scratch.remove());

/** `timed` is the work under a timer, or the work alone. */
const FATES: Record<string, string> = {
  'is awaited and caught': `(async () => { try { await timed(failing); } catch (error) { console.log('caught', error.message); } })();`,
  'is caught by a handler': `timed(failing).catch((error) => console.log('caught', error.message));`,
  'is caught late, but in the same turn': `const p = timed(failing); queueMicrotask(() => p.catch(({ message }) => console.log(message)));`,
  'is ignored': `timed(failing); setTimeout(() => console.log('not reached'), 100);`,
  'is ignored by an async caller': `(async () => { await timed(failing); console.log('not reached'); })();`,
  'is ignored, without an Error': `timed(() => Promise.reject('text'));`,
  'is ignored, without a reason': `timed(() => Promise.reject());`,
  'is ignored, from a plain function': `timed(() => new Promise((_, reject) => setTimeout(reject, 10, reason)));`,
  'reaches the host’s own listener': `process.on('unhandledRejection', (error, promise) => { console.log(error.message, promise === p); process.exitCode = 4; }); const p = timed(failing);`,
  'is handled later, as Node tells': `process.on('unhandledRejection', () => setTimeout(() => p.catch(() => {}), 10)).on('rejectionHandled', (promise) => console.log(promise === p)); const p = timed(failing);`,
  'has fulfilled instead': `timed(async () => 5).then((value) => console.log(value));`,
};

describe('a rejection under a timer', () => {
  it.each(Object.entries(FATES))('%s', async (_, fate) => {
    const [bare, time, wrap] = await Promise.all([
      promiseProgram('bare', '(run) => run()', fate),
      promiseProgram('time', '(run) => measure.time(run)', fate),
      promiseProgram('wrap', '(run) => measure.wrap(run)()', fate),
    ]);
    for (const outcome of [time, wrap]) {
      expect(visible(outcome)).toEqual(visible(bare));
      expect(outcome.stderr).toBe(bare.stderr);
    }
  });

  function promiseProgram(name: string, timed: string, fate: string): Promise<Outcome> {
    // The same lines at the same places in files of the same length of name: stacks name both.
    return run(
      name,
      `const measure = require(${INDEX}).timer('work');
const timed = ${timed};
const reason = new Error('on purpose');
const failing = async () => { await null; throw reason; };
setTimeout(() => { ${fate} }, 100);`,
    );
  }
});

describe('hostile values', () => {
  it('throw nothing and are told once a cause', async () => {
    const outcome = await run(
      'odd',
      `const { counter, gauge, histogram, stats, timer } = require(${INDEX});
const thrower = { valueOf() { throw new Error('hostile'); }, toJSON() { throw new Error('hostile'); } };
const odd = [null, 1n, '5', Symbol('s'), {}, [], thrower, new Proxy({}, { get() { throw new Error('hostile'); } })];
const [c, g, h, t] = [counter('c', null), gauge('g', null), histogram('h', null), timer('t', null)];
for (const value of [...odd, ...odd, NaN, Infinity]) { c.add(value); g.set(value); h.record(value); t.stop(value); t.time(value); t.wrap(value); }
for (const options of odd) timer('t', { labels: options }).time(() => {});
for (const name of odd) counter(name).add();
console.log(stats().refused > 80, stats().faults);`,
    );
    expect(visible(outcome)).toEqual({ code: 0, signal: null, stdout: 'true 0\n' });
    const causes = outcome.stderr.trimEnd().split('\n');
    expect(causes.every((line) => /^ringtail: an? .*, got /.test(line))).toBe(true);
    expect(causes).toHaveLength(7);
  });
});

function run(name: string, text: string): Promise<Outcome> {
  const folder = join(scratch.path, `${name.padEnd(4, '-')}`);
  writeFileSync(`${folder}.js`, text);
  return runProgram(['-r', REGISTER, `${folder}.js`]).then((outcome) => ({
    ...outcome,
    stderr: outcome.stderr.replaceAll(`${folder}.js`, 'app.js'),
  }));
}
