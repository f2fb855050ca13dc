import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';

describe.each(['wasm', 'twin'] as const)('call tree on %s', (kind) => {
  const tables = createTables({ forceTwin: kind === 'twin' });

  it('gives one id to one path, in order of first use, like a map does', () => {
    const tree = tables.callTree(20_000);
    const id = fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), id, id), { maxLength: 2000 }), (steps) => {
        tree.clear();
        const known = new Map<string, number>();
        const entries: number[][] = [];
        for (const [pick, functionId, line] of steps) {
          const parent = pick % (entries.length + 1);
          const key = `${parent} ${functionId} ${line}`;
          const isNew = !known.has(key);
          if (isNew) {
            known.set(key, entries.push([parent, functionId, line]));
          }
          expect(tree.intern(parent, functionId, line)).toBe(known.get(key));
          expect(tree.added).toBe(isNew);
        }
        expect(tree.size).toBe(entries.length);
      }),
      { numRuns: 60 },
    );
  });

  it('grows to its capacity, then says 0 for new paths and still knows old ones', () => {
    const tree = tables.callTree(100_000);
    for (let i = 1; i <= 100_000; i++) expect(tree.intern(i % 1000, i, i & 63)).toBe(i);
    expect(tree.intern(0, 5_000_000, 1)).toBe(0);
    expect(tree.added).toBe(false);
    expect(tree.size).toBe(100_000);
    expect(tree.intern(777, 99_777, 99_777 & 63)).toBe(99_777);
    tree.clear();
    expect(tree.size).toBe(0);
    expect(tree.intern(0, 1, 1)).toBe(1);
  });

  it.each([1, 2, 127, 128, 129])('works with a capacity of %d', (capacity) => {
    const tree = tables.callTree(capacity);
    for (let i = 1; i <= capacity; i++) expect(tree.intern(0, i, 0)).toBe(i);
    expect(tree.intern(0, capacity + 1, 0)).toBe(0);
    for (let i = 1; i <= capacity; i++) expect(tree.intern(0, i, 0)).toBe(i);
  });

  it('refuses a capacity that is none', () => {
    expect(() => tables.callTree(0)).toThrow(expect.objectContaining({ code: 'ERR_CORE_ARGUMENT' }));
    expect(() => tables.callTree(1e9)).toThrow(/from 1 to 4194304, got 1000000000/);
  });

  it('says when a memory is used up', () => {
    const small = createTables({ forceTwin: kind === 'twin' });
    const make = () => {
      for (;;) small.callTree(4_194_304);
    };
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_TABLES_FULL' }));
  });
});
