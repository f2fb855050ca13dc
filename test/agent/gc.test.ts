import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { SourceGuard } from '../../agent/source-guard';
import { openGc } from '../../agent/sources/gc';
import { gcCauseOf, gcTypeOf } from '../../agent/wire/gc';
import { RecordKind } from '../../assembly/layout';
import { RecordingWriter } from './recording-writer';

const FORCED = 4;
const MEGABYTE = 1024 * 1024;

function opened() {
  const writer = new RecordingWriter();
  const control = new ControlPage();
  const guard = new SourceGuard('gc', control, nowMicros);
  guard.opened(openGc({ writer, control, guard, nowMicros }));
  const collections = () => writer.pushed.filter(({ kind }) => kind === RecordKind.Gc);
  const heaps = () => writer.pushed.filter(({ kind }) => kind === RecordKind.HeapAfterMajor);
  return { writer, control, guard, collections, heaps };
}

/** A major collection, now. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('the GC source', () => {
  it('tells every collection, also those that arrive in one batch', async () => {
    const { writer, control, guard, collections } = opened();
    const beforeMicros = nowMicros();
    let kept: unknown[] = [];
    for (let round = 0; round < 3e6; round++) kept = [round, kept.length];
    await expect.poll(() => collections().length).toBeGreaterThan(2);
    guard.close();
    expect(writer.written).toHaveLength(collections().length);
    for (const { a, startMicros, durationMicros } of collections()) {
      expect([1, 2, 4, 8, 16]).toContain(a);
      expect(startMicros).toBeGreaterThan(beforeMicros - 1e6);
      expect(startMicros + durationMicros).toBeLessThan(nowMicros() + 1000);
    }
    expect(control.hostFaults).toBe(0);
  });

  it('has in its ledger exactly the collections that were asked for, with kind and flags, told apart by type', async () => {
    const gc = collector();
    const { writer, guard, collections } = opened();
    for (let n = 0; n < 25; n++) gc();
    const forced = () => collections().filter(({ b }) => (b & FORCED) !== 0);
    await expect.poll(() => forced().length).toBe(25);
    guard.close();
    expect(forced().every(({ a }) => gcTypeOf(a) === 'major')).toBe(true);
    const majors = writer.written.filter(({ series }) => series.endsWith('v8js.gc.type major'));
    expect(majors).toHaveLength(collections().filter(({ a }) => a === 4).length);
  });

  it('reads the heap after a major collection, and says how late', async () => {
    const gc = collector();
    const { guard, heaps } = opened();
    const usedAfter = async (): Promise<number> => {
      const before = heaps().length;
      gc();
      await expect.poll(() => heaps().length).toBeGreaterThan(before);
      const { a, b, durationMicros } = heaps().at(-1)!;
      expect(b).toBeGreaterThanOrEqual(a);
      expect(durationMicros).toBeLessThan(5e6);
      return a * 1024;
    };
    await usedAfter();
    const empty = await usedAfter();
    const live = Array.from({ length: 40 }, () => new Array(MEGABYTE / 8).fill(1.5));
    const full = await usedAfter();
    expect(live.length).toBe(40);
    guard.close();
    expect((full - empty) / MEGABYTE).toBeGreaterThan(38);
    expect((full - empty) / MEGABYTE).toBeLessThan(44);
  });

  it('has words for kinds and flags', () => {
    expect([1, 2, 4, 8, 16, 3].map(gcTypeOf)).toEqual([
      'minor',
      'minor',
      'major',
      'incremental',
      'weakcb',
      'other',
    ]);
    expect([0, 4, 4 | 16, 32].map(gcCauseOf)).toEqual([
      '',
      'forced',
      'forced, to collect all that can be',
      'for memory outside the heap',
    ]);
  });
});
