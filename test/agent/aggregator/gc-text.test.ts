import { describe, expect, it } from 'vitest';
import {
  collectionsText,
  type ProfiledCollection,
  type ProfiledTime,
} from '../../../agent/aggregator/profiles/gc';
import { EVENT_GC, type EventTuple } from '../../../agent/wire/schema';

const scavenge: ProfiledCollection = {
  type: 'Scavenge',
  micros: 480,
  used: [20 * 1024, 12 * 1024],
  committed: [64 * 1024, 64 * 1024],
  spaces: [
    ['new_space', 10 * 1024, 1024],
    ['old_space', 10 * 1024, 11 * 1024],
  ],
};
const time: ProfiledTime = {
  fromMicros: 1e6,
  toMicros: 3e6,
  pauseMicros: 1234,
  collections: [scavenge, { ...scavenge, type: 'MarkSweepCompact', micros: 9000, spaces: [] }],
  cutShort: false,
};
const ledger: EventTuple[] = [
  [EVENT_GC, 0, 1.5e6, 490, 1, 0, 0],
  [EVENT_GC, 0, 2e6, 9010, 4, 4, 0],
];

describe('collections as text', () => {
  it('have their times, causes and pauses from the ledger, and their heap from V8', () => {
    expect(collectionsText(time, ledger)).toBe(`\
# 2 collections in 2.00 s; the ledger has 2 of this time
# freed 16 KiB; asking cost the main thread 1.23 ms, and each collection some 50 us
# at s, pause ms, type (cause); heap used, committed, and every space that changed: KiB before > after
0.5000 0.490 minor Scavenge; used 20 > 12, committed 64 > 64, new_space 10 > 1, old_space 10 > 11
1.0000 9.010 major MarkSweepCompact (forced); used 20 > 12, committed 64 > 64
`);
  });

  it('have no times where the ledger counts otherwise', () => {
    const lines = collectionsText({ ...time, cutShort: true }, ledger.slice(1)).split('\n');
    expect(lines[0]).toBe('# 2 collections in 2.00 s, then stopped: too many; the ledger has 1 of this time');
    expect(lines[3]).toMatch(/^- 0\.480 Scavenge; used/);
  });
});
