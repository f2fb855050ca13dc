import { describe, expect, it } from 'vitest';
import { coverageOf, intersect, lengthOf, subtract, unite } from '../../collector/query/coverage';
import type { Batch, InstanceStatus } from '../../collector/store/batch';

const SECOND = 1e6;

function batchOf(
  from: number,
  to: number,
  more: { windows?: [number, number][]; status?: Partial<InstanceStatus>; hang?: [number, number] } = {},
): Batch {
  const { windows = [], status, hang } = more;
  return {
    startMicros: from * SECOND,
    endMicros: to * SECOND,
    windows: windows.map(([start, end]) => ({
      threadId: 0,
      startMicros: start * SECOND,
      endMicros: end * SECOND,
    })),
    events:
      hang === undefined
        ? []
        : [{ kind: 5, startMicros: hang[0] * SECOND, durationMicros: hang[1] * SECOND }],
    status: status === undefined ? null : { sampler: 'on', hang: 0, mainCpuMicros: null, ...status },
  } as unknown as Batch;
}

describe('coverage', () => {
  it('is full where windows follow each other, seams and workers aside', () => {
    const batches = [batchOf(0, 1, { windows: [[0, 1]] }), batchOf(1, 2, { windows: [[1.01, 2]] })];
    expect(coverageOf(batches, [0, 2 * SECOND], false)).toEqual({
      stuckMicros: 0,
      stuckCpuMicros: 0,
      idleMicros: 0,
      savingMicros: 0,
      savingCpuMicros: 0,
      missingMicros: 0,
    });
  });

  it('tells stuck, asleep, saving and missing time apart', () => {
    const batches = [
      batchOf(0, 1, { windows: [[0, 1]] }),
      batchOf(1, 2, { status: { hang: 2, hangSinceMicros: 1 * SECOND, mainCpuMicros: 0.25 * SECOND } }),
      batchOf(2, 3, { status: { sampler: 'idle' } }),
      batchOf(3, 5, { status: { sampler: 'saving', mainCpuMicros: 0.5 * SECOND } }),
    ];
    const coverage = coverageOf(batches, [0, 6 * SECOND], false);
    expect(coverage).toEqual({
      stuckMicros: SECOND,
      stuckCpuMicros: 0.25 * SECOND,
      idleMicros: SECOND,
      savingMicros: 2 * SECOND,
      savingCpuMicros: 0.5 * SECOND,
      missingMicros: SECOND,
    });
  });

  it('lets a hang that lasts go on to the end, burning all where CPU is not told', () => {
    const batches = [batchOf(0, 1, { hang: [0.5, 0.4], status: { hang: 2, hangSinceMicros: 0.5 * SECOND } })];
    const coverage = coverageOf(batches, [0.5 * SECOND, 3 * SECOND], true);
    expect(coverage).toMatchObject({
      stuckMicros: 2.5 * SECOND,
      stuckCpuMicros: 2.5 * SECOND,
      missingMicros: 0,
    });
  });
});

describe('spans', () => {
  it('unite, intersect and subtract', () => {
    expect(
      unite([
        [5, 6],
        [1, 3],
        [2, 4],
        [4, 4],
      ]),
    ).toEqual([
      [1, 4],
      [5, 6],
    ]);
    expect(
      intersect(
        [[0, 10]],
        [
          [2, 3],
          [8, 12],
        ],
      ),
    ).toEqual([
      [2, 3],
      [8, 10],
    ]);
    expect(
      subtract(
        [[0, 10]],
        [
          [2, 3],
          [8, 12],
        ],
      ),
    ).toEqual([
      [0, 2],
      [3, 8],
    ]);
    expect(subtract([[0, 10]], [])).toEqual([[0, 10]]);
    expect(
      lengthOf([
        [0, 2],
        [5, 6],
      ]),
    ).toBe(3);
  });
});
