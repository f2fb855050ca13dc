import { describe, expect, it } from 'vitest';
import { addHeapReading, HEAP_TYPES, SPACE, sitesOf } from '../../../../agent/aggregator/heap/heap-profile';
import type { HeapReading, V8HeapNode } from '../../../../agent/aggregator/heap/heap-sampler';
import { objectCount } from '../../../../agent/aggregator/heap/object-size';
import { Profile } from '../../../../collector/profile/profile';

const INTERVAL = 524_160;
const of = (size: number) => size * objectCount(size, INTERVAL);

let nextId = 1;
function node(functionName: string, url: string, children: V8HeapNode[] = []): V8HeapNode {
  return { id: nextId++, callFrame: { functionName, url, lineNumber: 9, columnNumber: 0 }, children };
}

const push = node('push', 'node:internal/list');
const inPackage = node('clone', 'file:///srv/node_modules/clone/index.js', [push]);
const keep = node('keep', 'file:///srv/app.js', [inPackage]);
const outside = node('(V8 API)', '');
const head = node('(root)', '', [keep, outside]);

const READING: HeapReading = {
  profile: {
    head,
    samples: [
      { size: of(40), nodeId: keep.id, ordinal: 1 },
      { size: of(40), nodeId: keep.id, ordinal: 50 },
      { size: of(64), nodeId: push.id, ordinal: 99 },
      { size: of(48), nodeId: outside.id, ordinal: 100 },
    ],
  },
  intervalBytes: INTERVAL,
  sinceMicros: 0,
  atMicros: 100e6,
  pauseMicros: 0,
  usedBytesBefore: 0,
  usedBytesAfter: 0,
  externalBytes: 0,
  collected: true,
};
const KNOWN = [
  { atMicros: 0, ordinal: 0 },
  { atMicros: 100e6, ordinal: 100 },
];

describe('a heap profile of V8', () => {
  const profile = new Profile({
    sampleTypes: HEAP_TYPES,
    periodType: SPACE,
    period: INTERVAL,
    startMillis: 0,
    durationNanos: 0,
    program: 'test',
    comments: [],
  });
  addHeapReading(profile, READING, [], { allocated: true, inUse: true });

  it('has one sample a stack and object size, with the size as a label', () => {
    const rows = Array.from({ length: profile.sampleCount }, (_, index) => {
      const stack = profile.locationsOf(profile.samples[index * 2]!).map((at) => profile.functionOf(at).name);
      const label = profile.numericLabels[profile.samples[index * 2 + 1]!]![0]!;
      return `${stack.join(' < ')} ${label.value} ${label.unit}: ${profile.values.slice(index * 4, index * 4 + 4).join(' ')}`;
    });
    const [forty, sixtyFour, fortyEight] = [40, 64, 48].map((size) => [
      objectCount(size, INTERVAL),
      of(size),
    ]);
    expect(rows).toEqual([
      `keep 40 bytes: ${[2 * forty![0]!, 2 * forty![1]!, 2 * forty![0]!, 2 * forty![1]!].join(' ')}`,
      `push < clone < keep 64 bytes: ${[...sixtyFour!, ...sixtyFour!].join(' ')}`,
      `(V8 API) 48 bytes: ${[...fortyEight!, ...fortyEight!].join(' ')}`,
    ]);
  });

  it('credits a site with what Node and packages allocate for it, and knows what is old', () => {
    const sites = sitesOf(READING, KNOWN);
    expect([...sites.keys()]).toEqual(['keep (/srv/app.js:10)', '(V8 API)']);
    const { bytes, oldBytes, samples, stack } = sites.get('keep (/srv/app.js:10)')!;
    expect({ bytes, oldBytes, samples }).toEqual({
      bytes: 2 * of(40) + of(64),
      oldBytes: 2 * of(40),
      samples: 3,
    });
    expect(stack).toEqual(['keep (/srv/app.js:10)']);
    expect(sites.get('(V8 API)')!.oldBytes).toBe(0);
  });
});
