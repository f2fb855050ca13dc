/** Live asynchronous resources of this very process: followed by the source, read as the agent thread reads them. */
import { createHook } from 'node:async_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { AsyncPageReader, type LiveResource } from '../../agent/aggregator/async-page';
import { callSiteOf } from '../../agent/aggregator/call-site';
import { nowMicros as clock } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { SourceGuard } from '../../agent/source-guard';
import { AsyncResources, hooksCanSparePromises } from '../../agent/sources/async';
import { AsyncBit, AsyncCell, AsyncLimit, AsyncRegion, AsyncWord } from '../../assembly/layout';
import { RecordingWriter } from './recording-writer';

const MAJOR = Number(process.versions.node.split('.')[0]);
const timers: NodeJS.Timeout[] = [];
let opened: AsyncResources[] = [];
afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  for (const resources of opened) resources.close();
  opened = [];
});

function opens(stayOn = true, promisesAllowed = true, nowMicros = clock) {
  const buffer = new SharedArrayBuffer(AsyncRegion.End);
  const control = new ControlPage();
  const guard = new SourceGuard('async', control, nowMicros);
  const context = { writer: new RecordingWriter(), control, guard, nowMicros };
  const resources = new AsyncResources(context, { buffer, stayOn }, promisesAllowed);
  opened.push(resources);
  const page = new AsyncPageReader(buffer);
  const want = (bits: number) => {
    page.setWord(AsyncWord.Wanted, bits);
    resources.look();
  };
  return { page, resources, want };
}

function makeInterval(): NodeJS.Timeout {
  const timer = setInterval(() => {}, 60_000);
  timers.push(timer);
  return timer;
}

/** By name of the function that made them. */
function made(page: AsyncPageReader, name: string): LiveResource[] {
  return [...page.live()].filter(({ stack }) => page.functionOf(callSiteOf(page, stack)).name === name);
}

const turn = () => new Promise((done) => setTimeout(done, 20));

describe('live asynchronous resources', () => {
  it('count no more for a stack than one takes, however long the thread waited for a core meanwhile', () => {
    let micros = 0;
    const { page } = opens(true, true, () => {
      micros += 30_000;
      return micros;
    });
    const captures = page.word(AsyncWord.Captures);
    makeInterval();
    expect(page.word(AsyncWord.Captures) - captures).toBe(1);
    expect(page.cell(AsyncCell.CaptureMicros)).toBe(250);
  });

  it('are there with type, delay and the function that made them, until they end', async () => {
    const { page } = opens();
    const intervals = [makeInterval(), makeInterval(), makeInterval()];
    const [first] = made(page, 'makeInterval');
    expect(made(page, 'makeInterval')).toHaveLength(3);
    expect(first).toMatchObject({ type: 'Interval', delayMillis: 60_000, weight: 1, hasRun: false });
    expect(Math.abs(clock() - first!.createdMicros)).toBeLessThan(5e6);
    expect(page.functionOf(callSiteOf(page, first!.stack)).url).toContain('async.test.ts');
    expect(page.lineOf(callSiteOf(page, first!.stack))).toBeGreaterThan(10);
    clearInterval(intervals[1]);
    await turn();
    expect(made(page, 'makeInterval')).toHaveLength(2);
  });

  it('never run or change what the program has set on Error', () => {
    const { prepareStackTrace, stackTraceLimit } = Error;
    let calls = 0;
    Error.prepareStackTrace = () => {
      calls++;
      return 'mine';
    };
    Error.stackTraceLimit = 0;
    try {
      const mine = Error.prepareStackTrace;
      const { page } = opens();
      makeInterval();
      expect(made(page, 'makeInterval')).toHaveLength(1);
      expect(calls).toBe(0);
      expect(Error.prepareStackTrace).toBe(mine);
      expect(Error.stackTraceLimit).toBe(0);
    } finally {
      if (prepareStackTrace === undefined) delete Error.prepareStackTrace;
      else Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    }
  });

  it('are followed only when the agent thread wants them, and forgotten when it does not', () => {
    const { page, want } = opens(false);
    makeInterval();
    expect([...page.live()]).toEqual([]);
    want(AsyncBit.Hooks);
    makeInterval();
    expect(made(page, 'makeInterval')).toHaveLength(1);
    want(0);
    expect([...page.live()]).toEqual([]);
    makeInterval();
    expect(page.word(AsyncWord.RowsUsed)).toBe(0);
  });

  it('include promises only where they are wanted and allowed', async () => {
    const { page, want } = opens(false);
    want(AsyncBit.Hooks | AsyncBit.Waits | AsyncBit.Promises);
    const kept: unknown[] = [];
    function makePromise(): void {
      kept.push(new Promise(() => {}));
      kept.push(new Promise((done) => setImmediate(done)));
    }
    makePromise();
    expect(made(page, 'makePromise').filter(({ type }) => type === 'PROMISE')).toHaveLength(2);
    await turn();
    expect(made(page, 'makePromise').map(({ type }) => type)).toEqual(['PROMISE']);
    expect(kept).toHaveLength(2);
  });

  it('are left alone where hooks would follow promises that the program has not allowed', () => {
    const { page, want } = opens(false, false);
    want(AsyncBit.Hooks | AsyncBit.Promises);
    expect(page.word(AsyncWord.State)).toBe(MAJOR >= 24 ? AsyncBit.Hooks : AsyncBit.Refused);
    expect(Object.getOwnPropertySymbols(new Promise(() => {}))).toEqual([]);
    expect(hooksCanSparePromises()).toBe(MAJOR >= 24);
  });

  it('may include promises where the program itself has them followed', () => {
    const own = createHook({ init: () => {} }).enable();
    try {
      const { page, want } = opens(false, false);
      want(AsyncBit.Hooks | AsyncBit.Promises);
      expect(page.word(AsyncWord.State)).toBe(AsyncBit.Hooks | AsyncBit.Promises);
    } finally {
      own.disable();
    }
  });

  it('tell how long they waited for their first callback', async () => {
    const { page, want } = opens(false);
    want(AsyncBit.Hooks | AsyncBit.Waits);
    function waitABit(done: () => void): void {
      setTimeout(done, 50);
    }
    await new Promise<void>(waitABit);
    const waits = [...page.waits()].filter(
      ({ stack }) => page.functionOf(callSiteOf(page, stack)).name === 'waitABit',
    );
    expect(waits.length).toBeGreaterThan(0);
    for (const { count, micros } of waits) {
      expect(count).toBe(1);
      expect(micros).toBeGreaterThan(45e3);
    }
  });

  it('that are too many are counted, not kept', () => {
    const { page } = opens();
    page.setWord(AsyncWord.Quota, 1_000_000);
    page.setWord(AsyncWord.Refill, 1);
    for (let count = 0; count < AsyncLimit.Rows + 500; count++) makeInterval();
    expect(page.word(AsyncWord.RowsUsed)).toBe(AsyncLimit.Rows);
    expect(page.word(AsyncWord.Full)).toBeGreaterThanOrEqual(500);
    expect([...page.live()]).toHaveLength(AsyncLimit.Rows);
  });

  it('made often are sampled, and count for as many', () => {
    const { page } = opens();
    const count = 20_000;
    for (let index = 0; index < count; index++) makeInterval();
    const kept = made(page, 'makeInterval');
    const stoodFor = kept.reduce((sum, { weight }) => sum + weight, 0);
    expect(kept.length).toBeLessThan(2000);
    expect(Math.abs(stoodFor / count - 1)).toBeLessThan(0.2);
  });

  it('are counted by type, as the runtime tells', () => {
    const { page, resources } = opens(false);
    makeInterval();
    resources.look();
    expect(page.active().get('Timeout')).toBe(
      process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length,
    );
  });
});

describe('the end of the stack', () => {
  it('is met by the program as without hooks, whatever it makes there', () => {
    opens();
    const makes = [
      () => clearTimeout(setTimeout(() => {}, 1000)),
      () => clearImmediate(setImmediate(() => {})),
      () => process.nextTick(() => {}),
    ];
    for (let round = 0; round < 60; round++) {
      const make = makes[round % makes.length]!;
      const deepen = (...pad: number[]): number => {
        make();
        return deepen(...pad) + pad.length;
      };
      expect(() => deepen(...new Array<number>(round % 23).fill(0))).toThrow(RangeError);
    }
  });
});
