import { describe, expect, it } from 'vitest';
import type { Capture } from '../../../../agent/aggregator/heap/captures';
import {
  ageComment,
  allocsComments,
  heapComments,
  heapText,
} from '../../../../agent/aggregator/profiles/heap-text';
import { Profile } from '../../../../collector/profile/profile';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const NOTHING_SKIPPED = { count: 0, reason: '' };
const INLINED =
  'what a function allocates that V8 inlined stands with its caller (--max-inlined-bytecode-size=0 tells them apart)';

const capture: Capture = {
  reading: {
    profile: {
      samples: [],
      head: { id: 1, selfSize: 0, children: [], callFrame: { functionName: '(root)' } },
    } as never,
    intervalBytes: 524_160,
    sinceMicros: 1e6,
    atMicros: 11e6,
    pauseMicros: 2000,
    usedBytesBefore: 9e6,
    usedBytesAfter: 8e6,
    externalBytes: 1e6,
    collected: true,
  },
  atMillis: AT,
  reason: 'asked',
};

describe('what is told about a heap capture', () => {
  it('says with which function an allocation of an inlined one stands: in comments, in text, in those of a window', () => {
    expect(heapComments(capture, [], NOTHING_SKIPPED)).toContain(INLINED);
    expect(heapText(capture, [], NOTHING_SKIPPED, 0).split('\n')).toContain(INLINED);
    const size = { type: 'space', unit: 'bytes' };
    const profile = new Profile({
      sampleTypes: [size, size, size, size],
      periodType: size,
      period: 1,
      startMillis: AT,
      durationNanos: 1e9,
      program: 'shop',
      comments: [],
    });
    const { reading } = capture;
    expect(allocsComments(profile, { live: reading, allocated: reading } as never)).toContain(INLINED);
  });

  it('tells the age of an old one and when it was made, so that those of two that are compared are told apart', () => {
    expect(ageComment(capture, AT + 3200)).toBe(
      'not a new capture: this one was made 3 s ago (asked), at 2026-01-02T03:04:05.000Z',
    );
  });
});
