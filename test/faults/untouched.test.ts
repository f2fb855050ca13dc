/** What the agent leaves in its host: one property of process and a few listeners there, nothing else. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { REGISTER, runProgram, scratchFolder } from './program';

/** newListener has one of Node's own. */
const LISTENERS = ['exit', 'newListener', 'warning'];
const SNAPSHOT = resolve(__dirname, 'fixtures/snapshot.js');

const scratch = scratchFolder();
afterAll(() => scratch.remove());

describe('the host', () => {
  it('keeps its prototypes and built-in modules', async () => {
    const text = `const snapshot = require(${JSON.stringify(SNAPSHOT)});
setTimeout(() => console.log(JSON.stringify({ size: snapshot.size, changes: snapshot.changes() })), 500);`;
    const bare = JSON.parse(await output(text, ['--no-warnings', '-r', SNAPSHOT]));
    const under = JSON.parse(await output(text, ['--no-warnings', '-r', SNAPSHOT, '-r', REGISTER]));
    expect(under.size).toBeGreaterThan(3000);
    const added = under.changes.filter((place: string) => !bare.changes.includes(place)).map(lastTwoNames);
    const listeners = [
      'process._events',
      'process._eventsCount',
      ...LISTENERS.map((name) => `_events.${name}`),
      'newListener.3',
    ];
    const property = 'process.Symbol(ringtail.agent/1)';
    expect(added.filter((place: string) => !listeners.includes(place))).toEqual([property]);
  });

  it('has the same listeners as without the agent, but for one exit, one newListener and one warning', async () => {
    const text = `setTimeout(() => console.log(JSON.stringify(process.eventNames().map((name) => [String(name), process.listenerCount(name)]))), 300);`;
    const [bare, under] = [await output(text, []), await output(text, ['-r', REGISTER])].map((line) =>
      JSON.parse(line),
    );
    const expected = new Map<string, number>(bare);
    for (const name of LISTENERS) expected.set(name, (expected.get(name) ?? 0) + 1);
    expect(new Map(under)).toEqual(expected);
  });

  it('has no handle or request of the agent keeping it alive', async () => {
    const text = `setTimeout(() => console.log(JSON.stringify(process.getActiveResourcesInfo())), 300);`;
    expect(JSON.parse(await output(text, ['-r', REGISTER]))).toEqual(JSON.parse(await output(text, [])));
  });

  it('frees what it printed: the console keeps no object alive', async () => {
    const text = `
let printed = { large: new Array(1000).fill('x') };
const weak = new WeakRef(printed);
setTimeout(() => { console.log(typeof printed, printed); printed = undefined; }, 500);
setTimeout(() => { gc(); setTimeout(() => { gc(); console.log(weak.deref() === undefined ? 'freed' : 'kept'); }, 50); }, 3000);`;
    expect(await output(text, ['--expose-gc', '-r', REGISTER])).toMatch(/freed\n$/);
  });
});

async function output(text: string, args: string[]): Promise<string> {
  const script = join(scratch.path, 'app.js');
  writeFileSync(script, text);
  const { code, stdout, stderr } = await runProgram([...args, script]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** `process` is reached by several ways: node:process, globalThis.process. */
function lastTwoNames(place: string): string {
  return place.replace(/^.*?((?:node:)?[\w[\]]+\.(?:\w+|Symbol\(.*\)))$/, '$1').replace('node:', '');
}
