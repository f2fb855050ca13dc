import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoreLimit, CoreRegion, CountsWord } from '../../assembly/layout';
import { bytesOf, type Engine, openEngine, resetEngine, resetHeap, slotAt } from './engines';

const wasm = openEngine('wasm');
const twin = openEngine('twin');
const both = [wasm, twin];
const SLOT = slotAt(0);
const SLOT_B = slotAt(1);

type Step = (engine: Engine) => unknown;

/** Runs the same steps on both engines; every result and, at the end, every byte must be the same. */
function runInStep(steps: Step[]): void {
  for (const [i, step] of steps.entries()) expect(step(twin), `step ${i}`).toEqual(step(wasm));
  if (Buffer.compare(bytesOf(wasm), bytesOf(twin)) === 0) return;
  const [a, b] = both.map((engine) => new Uint32Array(engine.buffer));
  expect.fail(`memories differ from byte ${a!.findIndex((word, i) => word !== b![i]) * 4} on`);
}

const anyF64 = fc.oneof(
  fc.double(),
  fc.double({ min: 0, max: 1e7, noNaN: true }),
  fc.integer({ min: -12, max: 52 }).map((exponent) => 2 ** exponent),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE, 2 ** 50, 2 ** -10),
);
const u32 = fc.oneof(fc.nat(20), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

describe('the twin and the WebAssembly core, bit by bit', () => {
  it('have the same bucket for every f64 and the same midpoint for every bucket', () => {
    for (let key = 0; key <= CoreLimit.Octaves * CoreLimit.SubBuckets; key++) {
      expect(twin.core.midpointOf(key)).toBe(wasm.core.midpointOf(key));
    }
    const finite = fc.double({ min: 0, noDefaultInfinity: true, noNaN: true });
    fc.assert(
      fc.property(finite, (value) => twin.core.keyOf(value) === wasm.core.keyOf(value)),
      { numRuns: 20_000 },
    );
  });

  it('fill and drain rings alike', () => {
    const push = fc.tuple(u32, u32, u32, anyF64, fc.double({ noNaN: true })).map<Step>(
      (args) =>
        ({ core }) =>
          core.push(SLOT, args[0], args[1], args[2], args[3], args[4]),
    );
    const drain = fc.tuple(fc.nat(6), fc.nat(6)).map<Step>(([most, count]) => ({ core }) => {
      const waiting = core.peek(SLOT, most);
      core.release(SLOT, Math.min(waiting, count));
      return waiting;
    });
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: push }, drain), { maxLength: 80 });
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 2 ** 31 - 5, 2 ** 32 - 5), (steps, start) => {
        for (const engine of both) resetEngine(engine, 4, start);
        runInStep(steps);
      }),
      { numRuns: 150 },
    );
  });

  it('record and snapshot histograms and cells alike, and share an arena alike', () => {
    const record = fc.tuple(fc.nat(2), anyF64).map<(at: number[]) => Step>(
      ([which, value]) =>
        (at) =>
        ({ recorder }) =>
          recorder.record(at[which]!, value),
    );
    const recordInt = fc.tuple(fc.nat(2), fc.integer()).map<(at: number[]) => Step>(
      ([which, value]) =>
        (at) =>
        ({ recorder }) =>
          recorder.recordInt(at[which]!, value),
    );
    const recordApart = fc.tuple(fc.nat(2), anyF64).map<(at: number[]) => Step>(
      ([which, value]) =>
        (at) =>
        ({ core }) =>
          core.histogramRecordApart(at[which]!, value),
    );
    const snapshot = fc.nat(2).map<(at: number[]) => Step>(
      (which) =>
        (at) =>
        ({ core }) =>
          core.histogramDelta(at[which]!, CoreRegion.ReaderDelta, CoreRegion.ReaderScratch),
    );
    const cell = fc.double({ noNaN: true }).map<(at: number[]) => Step>((value) => (at) => ({ core }) => {
      core.cellAdd(at[3]!, value);
      const sum = core.cellRead(at[3]!);
      core.cellSet(at[3]!, value / 2);
      return Number.isNaN(sum) ? 'NaN' : sum;
    });
    const allocate = fc.nat(70_000).map<(at: number[]) => Step>(
      (bytes) =>
        () =>
        ({ core }) =>
          core.allocate(bytes % 2 ? SLOT : SLOT_B, bytes),
    );
    const step = fc.oneof({ weight: 6, arbitrary: record }, recordInt, recordApart, snapshot, cell, allocate);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        let at: number[] = [];
        for (const engine of both) {
          resetEngine(engine);
          const { core } = engine;
          at = [
            core.histogramCreate(SLOT),
            core.histogramCreate(SLOT_B),
            core.histogramCreate(SLOT),
            core.cellCreate(SLOT),
          ];
        }
        runInStep(steps.map((make) => make(at)));
      }),
      { numRuns: 150 },
    );
  });

  it('merge, encode and answer quantiles alike', () => {
    const values = fc.array(anyF64, { maxLength: 200 });
    const qs = fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 })
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(values, values, qs, (first, second, qs) => {
        const counts = both.map(resetHeap)[0]!;
        const scratch = counts + CountsWord.Bytes;
        const out = scratch + 131072;
        const results = both.map((engine) => {
          const { core, buffer } = engine;
          const cells = new Float64Array(buffer);
          const [a, b, c] = [core.mergedCreate(), core.mergedCreate(), core.mergedCreate()];
          const kept = first.map((value) => core.mergedRecord(a, value));
          cells.set(second, scratch >> 3);
          const many = core.mergedRecordMany(b, scratch, 8, second.length);
          core.mergedMerge(a, b);
          const length = core.mergedEncode(a, out, counts);
          const added = core.mergedAdd(c, out, length, counts);
          cells.set(qs, scratch >> 3);
          core.mergedQuantiles(c, scratch, qs.length, out);
          core.mergedFree(b);
          return { kept, many, length, added, quantiles: [...cells.slice(out >> 3, (out >> 3) + qs.length)] };
        });
        expect(results[1]).toEqual(results[0]);
        expect(results[0]!.added).toBe(1);
        expect(
          Buffer.compare(
            bytesOf(wasm, CoreRegion.Arena + 200_000),
            bytesOf(twin, CoreRegion.Arena + 200_000),
          ),
        ).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('refuse the same hostile deltas', () => {
    const bytes = fc.uint8Array({ maxLength: 24 });
    fc.assert(
      fc.property(bytes, anyF64, anyF64, anyF64, fc.nat(2000), (bytes, sum, min, max, count) => {
        const counts = both.map(resetHeap)[0]!;
        const scratch = counts + CountsWord.Bytes;
        const results = both.map(({ core, buffer }) => {
          new Float64Array(buffer).set([count, sum, min, max], scratch >> 3);
          new Uint8Array(buffer).set(bytes, scratch + 32);
          return core.mergedAdd(core.mergedCreate(), scratch, bytes.length, counts);
        });
        expect(results[1]).toBe(results[0]);
      }),
      { numRuns: 100 },
    );
  });

  it('intern stacks alike, past several doublings of the table', () => {
    const hashAt = CoreRegion.Rings + 1_048_576;
    for (const engine of both) {
      resetEngine(engine);
      engine.core.treeInit(CoreRegion.Rings, 5000, hashAt);
    }
    const some = fc.oneof(fc.nat(30), u32);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(300), some, some), { maxLength: 300 }), (entries) => {
        runInStep([
          ...entries.map<Step>(
            ([parent, id, line]) =>
              ({ core }) =>
                core.treeIntern(CoreRegion.Rings, parent, id, line),
          ),
        ]);
      }),
      { numRuns: 60 },
    );
  });

  it('encode and decode columns alike, hostile ones too', () => {
    const [recent, times, stacks, labels, states, bytesAt] = [0, 128, 4096, 8192, 12_288, 16_384].map(
      (offset) => CoreRegion.Rings + offset,
    ) as [number, number, number, number, number, number];
    const decode = ({ core }: Engine, length: number, count: number) =>
      core.columnsDecode(bytesAt, length, count, 5.5, times, stacks, labels, states, recent);
    const sample = fc.tuple(
      fc.oneof(fc.nat(500), fc.constantFrom(NaN, -3, 1e12)),
      fc.oneof(fc.constant(3), fc.nat(100), u32),
      fc.nat(5),
      fc.oneof(fc.constant(0), u32),
    );
    const damage = fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 220 }),
        damage,
        fc.nat(220),
        fc.boolean(),
        (samples, damage, otherCount, labelled) => {
          const count = samples.length;
          for (const { buffer } of both) {
            new Uint8Array(buffer).fill(0, recent, bytesAt + 8192);
            let at = 5.5;
            for (const [i, [after, stack, state, label]] of samples.entries()) {
              at += Number.isNaN(after) ? 0 : after;
              new Float64Array(buffer)[(times >> 3) + i] = Number.isNaN(after) ? NaN : at;
              new Uint32Array(buffer)[(stacks >> 2) + i] = stack;
              new Uint32Array(buffer)[(labels >> 2) + i] = label;
              new Uint8Array(buffer)[states + i] = state;
            }
          }
          let length = 0;
          const encode: Step = ({ core }) => {
            const labelsAt = labelled ? labels : 0;
            length = core.columnsEncode(times, stacks, labelsAt, states, count, 5.5, recent, bytesAt);
            return length;
          };
          const spoil: Step = (engine) => {
            const bytes = new Uint8Array(engine.buffer, bytesAt, length);
            for (const [place, value] of damage) if (length) bytes[place % length] = value;
            return decode(engine, length, count);
          };
          runInStep([
            encode,
            (engine) => decode(engine, length, count),
            (engine) => decode(engine, length, otherCount),
            spoil,
          ]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
