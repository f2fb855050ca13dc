/** Programs whose pauses are known: so many major collections that were asked for, and a short stall twice a second. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GcLedger } from '../../collector/query/gc-ledger';
import type { TailSecond } from '../../collector/tail/schema';
import { openCollector, type RunningCollector, watchTail } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const FIXTURES = join(__dirname, 'fixtures');

/** profiled: two seconds of the program's collections, asked for while it runs. */
type Seen = { profiled: string; seconds: TailSecond[]; output: string; ledger: GcLedger; metrics: string };

/** Runs a program to its end, with a tail beside it; ledger and metrics are read when it says what it did. */
async function see(
  collector: RunningCollector,
  file: string,
  flags: string[],
  words: string[],
): Promise<Seen> {
  const service = file.replace('.cjs', '');
  const seconds: TailSecond[] = [];
  const tail = await watchTail(collector, service, (line) => line.type === 'second' && seconds.push(line));
  const child = spawn(process.execPath, [...flags, '-r', REGISTER, join(FIXTURES, file), ...words], {
    env: { ...process.env, ...collector.agentEnvironment, RINGTAIL_SERVICE: service },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((done) => child.once('close', done));
  const profiling = askCollections(collector, service);
  const output = await new Promise<string>((said) => {
    child.stdout.setEncoding('utf8').once('data', said);
    void ended.then(() => said(''));
  });
  const profiled = await profiling;
  const ledger = await completeLedger(collector, service);
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  child.stdin.end();
  await ended;
  tail.close();
  return { profiled, seconds, output, ledger, metrics };
}

async function askCollections({ url }: RunningCollector, service: string): Promise<string> {
  for (let look = 0; ; look++) {
    await new Promise((done) => setTimeout(done, 1000));
    const answer = await fetch(`${url}/debug/pprof/gc?seconds=2&service=${service}`);
    const text = await answer.text();
    if (answer.ok || look === 4) return text;
  }
}

/** Long collections come when their stacks are known, so what is wanted is waited for. */
async function completeLedger(collector: RunningCollector, service: string): Promise<GcLedger> {
  for (let look = 0; ; look++) {
    await new Promise((done) => setTimeout(done, 2500));
    const answer = await fetch(`${collector.url}/v1/gc?service=${service}`);
    const [ledger] = (await answer.json()) as [GcLedger];
    if (ledger.entries.length === ledger.collections || look === 4) return ledger;
  }
}

describe('pauses of a program', { retry: 1 }, () => {
  let collector: RunningCollector;
  beforeAll(async () => {
    collector = await openCollector();
  });
  afterAll(() => collector.close());

  it('are all in the ledger, with cause and stack, and nothing is lost', async () => {
    const seen = await see(collector, 'collections.cjs', ['--expose-gc'], []);
    const { profiled, seconds, output, ledger, metrics } = seen;
    const [, count = ''] = /^forced (\d+)/.exec(output) ?? [];
    const forced = ledger.entries.filter(({ cause }) => cause.includes('forced'));
    expect(forced.map(({ type }) => type)).toEqual(Array.from({ length: Number(count) }, () => 'major'));
    expect(ledger.entries).toHaveLength(ledger.collections);
    expect(seconds.flatMap(({ drops }) => drops)).toEqual([]);
    const named = forced.filter(({ stack }) => stack.some((frame) => frame.includes('collectAll')));
    expect(named.length, JSON.stringify(forced)).toBeGreaterThanOrEqual(Number(count) * 0.6);
    expect(ledger.mutator.map(({ utilization }) => utilization! <= 1)).toEqual([true, true, true, true]);
    expect(metrics).toMatch(
      /v8js_gc_duration_seconds_count\{v8js_gc_type="minor",service="collections"\} \d\d/,
    );
    expect(metrics).toMatch(/v8js_gc_pause_baseline_seconds\{v8js_gc_type="minor",percentile="p95",/);
    const [, asked, known] = /^# (\d+) collections in 2\.\d\d s; the ledger has (\d+)/.exec(profiled) ?? [];
    expect(Number(asked), profiled).toBeGreaterThan(10);
    expect(known).toBe(asked);
    expect(profiled).toMatch(
      /^\d\.\d{4} [\d.]+ major MarkSweepCompact \(forced.*\); used \d+ > \d+, committed /m,
    );
    expect(profiled).toMatch(/^\d\.\d{4} [\d.]+ minor Scavenge; used \d+ > \d+, .*new_space \d+ > \d+/m);
    const { afterMajor } = seconds.at(-1)!.memory;
    expect(afterMajor!.committedBytes).toBeGreaterThan(afterMajor!.usedBytes);
    expect(afterMajor!.rssBytes).toBeGreaterThan(afterMajor!.committedBytes);
  }, 40_000);

  it('of 80 ms are found and named, also between other work that turns the loop', async () => {
    const { seconds, output } = await see(collector, 'brief-stalls.cjs', [], ['100', '10000']);
    const [, count = ''] = /^stalls (\d+)/.exec(output) ?? [];
    const found = seconds.flatMap(({ loop }) => loop.stallTiers!).reduce((sum, tier) => sum + tier.count, 0);
    expect(found).toBeGreaterThanOrEqual(Number(count) * 0.6);
    expect(found).toBeLessThanOrEqual(Number(count) * 1.3);
    const brief = seconds.flatMap(({ loop: { briefStall } }) => briefStall ?? []);
    const named = brief.filter(({ stack }) => stack.some((frame) => frame.includes('stallBriefly')));
    expect(named.length, JSON.stringify(brief)).toBeGreaterThanOrEqual(brief.length * 0.7);
    const turns = seconds.flatMap(({ loop }) => loop.turns ?? []);
    expect(turns.some(({ perSecond }) => perSecond > 50)).toBe(true);
  }, 40_000);
});
