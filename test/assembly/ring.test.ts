import { describe, expect, it } from 'vitest';
import { CoreLimit, CoreRefusal, CoreRegion, DropWord, RecordWord, SlotWord } from '../../assembly/layout';
import { openEngine, resetEngine, slotAt } from './engines';

describe.each([openEngine('wasm'), openEngine('twin')])('ring on $name', (engine) => {
  const { core, buffer } = engine;
  const slot = slotAt(0);
  const words = new Uint32Array(buffer);
  const cells = new Float64Array(buffer);
  const word = (offset: SlotWord) => words[(slot + offset) >> 2]!;
  const recordAt = (position: number, mask: number) =>
    CoreRegion.Rings + ((position & mask) >>> 0) * CoreLimit.RecordBytes;

  it.each([0, 2 ** 31 - 3, 2 ** 32 - 3, 2 ** 32 - 8])('keeps order when positions start at %d', (start) => {
    resetEngine(engine, 8, start);
    let next = 0;
    for (let round = 0; round < 20; round++) {
      const count = 1 + (round % 8);
      for (let i = 0; i < count; i++) expect(core.push(slot, 2, next + i, 7, next + i + 0.5, -i)).toBe(1);
      expect(core.peek(slot, 100)).toBe(count);
      for (let i = 0; i < count; i++) {
        const position = (start + next + i) >>> 0;
        const at = recordAt(position, 7);
        expect(words[(at + RecordWord.A) >> 2]).toBe(next + i);
        expect(words[(at + RecordWord.Position) >> 2]).toBe(position);
        expect(cells[(at + RecordWord.StartMicros) >> 3]).toBe(next + i + 0.5);
      }
      core.release(slot, count);
      next += count;
    }
    expect(core.peek(slot, 100)).toBe(0);
  });

  it('uses every place of the ring, then drops the new record', () => {
    resetEngine(engine, 4, 2 ** 32 - 2);
    for (let i = 0; i < 4; i++) expect(core.push(slot, 1, i, 0, i, 0)).toBe(1);
    expect(core.push(slot, 1, 99, 0, 99, 0)).toBe(CoreRefusal.Full);
    expect(core.peek(slot, 100)).toBe(4);
    for (let i = 0; i < 4; i++) expect(words[(recordAt(2 ** 32 - 2 + i, 3) + RecordWord.A) >> 2]).toBe(i);
    core.release(slot, 1);
    expect(core.push(slot, 1, 4, 0, 4, 0)).toBe(1);
    expect(core.push(slot, 1, 5, 0, 5, 0)).toBe(CoreRefusal.Full);
  });

  it('counts what it drops under its kind, with the time of the first', () => {
    resetEngine(engine, 2);
    for (let i = 0; i < 2; i++) core.push(slot, 1, 0, 0, 0, 0);
    for (let i = 0; i < 5; i++) core.push(slot, 3, 0, 0, 100 + i, 0);
    core.push(slot, 999, 0, 0, 7, 0);
    const entry = (kind: number) => slot + SlotWord.Dropped + kind * 16;
    expect(words[(entry(3) + DropWord.Count) >> 2]).toBe(5);
    expect(cells[(entry(3) + DropWord.FirstMicros) >> 3]).toBe(100);
    expect(words[(entry(0) + DropWord.Count) >> 2]).toBe(1);
    words[(slot + SlotWord.DroppedTaken + 3 * 4) >> 2] = 5;
    core.push(slot, 3, 0, 0, 200, 0);
    core.push(slot, 3, 0, 0, 201, 0);
    expect(cells[(entry(3) + DropWord.FirstMicros) >> 3]).toBe(200);
  });

  it('looks at the other side only when what it knows is used up', () => {
    resetEngine(engine, 8);
    for (let i = 0; i < 7; i++) core.push(slot, 1, i, 0, 0, 0);
    expect(core.peek(slot, 3)).toBe(3);
    core.release(slot, 3);
    expect(word(SlotWord.Claimed)).toBe(8);
    core.push(slot, 1, 7, 0, 0, 0);
    expect(word(SlotWord.Claimed)).toBe(11);
    expect(core.peek(slot, 4)).toBe(4);
    expect(word(SlotWord.TailSeen)).toBe(7);
    expect(core.peek(slot, 5)).toBe(5);
    expect(word(SlotWord.TailSeen)).toBe(8);
  });

  it('claims a block at a time, touching its lines and nothing that is not free', () => {
    const records = CoreLimit.ClaimRecords * 2;
    const perLine = CoreLimit.LineBytes / CoreLimit.RecordBytes;
    const kinds = () =>
      Array.from({ length: records }, (_, i) => words[(recordAt(i, records - 1) + RecordWord.Kind) >> 2]);
    resetEngine(engine, records);
    for (let i = 0; i < records; i++) core.push(slot, 1, i, 0, 0, 0);
    expect(word(SlotWord.Claimed)).toBe(records);
    expect(kinds()).toEqual(Array(records).fill(1));
    core.release(slot, core.peek(slot, CoreLimit.ClaimRecords + 1));
    core.push(slot, 2, 0, 0, 0, 0);
    expect(word(SlotWord.Claimed)).toBe(records + CoreLimit.ClaimRecords);
    expect(kinds()).toEqual(
      Array.from({ length: records }, (_, i) =>
        i === 0 ? 2 : i < CoreLimit.ClaimRecords && i % perLine === 0 ? 0 : 1,
      ),
    );
  });

  it('keeps words of the two sides 128 bytes apart', () => {
    const producer = [
      SlotWord.Tail,
      SlotWord.Claimed,
      SlotWord.RingAt,
      SlotWord.RingMask,
      SlotWord.SeriesLost,
    ];
    const consumer = [SlotWord.Head, SlotWord.TailSeen];
    expect(Math.min(...consumer) >> 7).toBeGreaterThan(Math.max(...producer) >> 7);
    expect(SlotWord.DroppedTaken - (SlotWord.Dropped + CoreLimit.DropKinds * 16)).toBeGreaterThanOrEqual(128);
  });
});
