/** The timer as a decorator, compiled by TypeScript in both of its kinds against the types that the package ships. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { timer } from '../../agent/index';
import { type RunningAgent, register, unregister } from '../../agent/registration';
import { tally } from '../../agent/tally';
import { RecordingWriter } from './recording-writer';

const BUILD = resolve(__dirname, '../../build');
const TSC = resolve(__dirname, '../../node_modules/typescript/bin/tsc');
const CLASS = `
import { timed, timer } from 'ringtail/agent';
const totals = timer('shop.total');
export class Shop {
  #orders = 40;
  @totals.method
  total(tax: number): number {
    return this.#orders + tax;
  }
  @timed('shop.load', { labels: { from: 'db' } })
  async load(name: string): Promise<string> {
    await new Promise((done) => setTimeout(done, 20));
    return name + this.#orders;
  }
  @(timer('shop.open').method)
  static open(this: new () => Shop): Shop {
    return new this();
  }
}
const typed: number = new Shop().total(2);
export { typed };
`;

const folders: string[] = [];
let agent: RunningAgent;
let writer: RecordingWriter;

beforeEach(() => {
  writer = new RecordingWriter();
  agent = { binding: { writer, generation: 1 } } as unknown as RunningAgent;
  register(agent);
});
afterEach(() => unregister(agent));
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Inside the package, where its own name can be imported. */
// biome-ignore lint/suspicious/noExplicitAny: the class is made by another compiler
function compiled(kind: string, options: string[]): any {
  const folder = mkdtempSync(join(BUILD, `decorators-${kind}-`));
  folders.push(folder);
  writeFileSync(join(folder, 'shop.ts'), CLASS);
  const strict = [
    '--strict',
    '--target',
    'es2022',
    '--module',
    'node20',
    '--types',
    'node',
    '--ignoreConfig',
  ];
  const { stdout, status } = spawnSync(
    process.execPath,
    [TSC, ...strict, ...options, join(folder, 'shop.ts')],
    {
      encoding: 'utf8',
    },
  );
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  return require(join(folder, 'shop.js'));
}

describe.each([
  ['standard', []],
  ['experimental', ['--experimentalDecorators']],
])('timer().method as a %s decorator', (kind, options) => {
  it('measures the method as wrap() does', async () => {
    const { Shop, typed } = compiled(kind, options);
    expect(typed).toBe(42);
    const shop = Shop.open();
    expect(shop.total(5)).toBe(45);
    expect(await shop.load('x')).toBe('x40');
    expect([shop.total.name, shop.total.length]).toEqual(['total', 1]);
    const names = writer.written.map(({ series }) => series);
    expect(names).toEqual(['1 shop.total us', '1 shop.open us', '1 shop.total us', '1 shop.load us from db']);
    expect(writer.written.at(-1)?.value).toBeGreaterThan(15_000);
  });
});

it('leaves what is no method as it is', () => {
  const { refused } = tally;
  // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
  const decorate = timer('odd').method as any;
  class Whole {}
  expect(decorate(Whole, { kind: 'class' })).toBeUndefined();
  expect(decorate(undefined, { kind: 'field' })).toBeUndefined();
  expect(decorate(Whole)).toBeUndefined();
  const descriptor = { get: () => 1 };
  expect(decorate(Whole.prototype, 'x', descriptor)).toBe(descriptor);
  expect(tally.refused).toBe(refused + 4);
});
