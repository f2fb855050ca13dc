/**
 * The writer: claims a slot of the shared memory for its thread, pushes through the engine's functions and records by
 * core-recorder.ts. Everything hot is one call on a constant binding; series are created on the cold path, their descriptors written here and
 * published by one atomic store (layout and pairing: assembly/layout.ts).
 */
import {
  CoreHeader,
  CoreLimit,
  CoreRegion,
  SeriesKind,
  SeriesWord,
  SlotPhase,
  SlotWord,
} from '../assembly/layout';
import type { CoreWriter } from './core';
import { PUSH_FULL } from './core';
import type { CoreEngine, CoreExports } from './core-exports';
import { openRecorder } from './core-recorder';

/** The writer of `threadId`, or null when no slot (or no memory for one) is free. */
export function openWriter({ core, buffer }: CoreEngine, threadId: number): CoreWriter | null {
  const words = new Int32Array(buffer);
  const slot = claimSlot(words, threadId);
  const at = CoreRegion.Slots + slot * CoreLimit.SlotBytes;
  const book = slot < 0 ? null : openSeriesBook(core, buffer, at);
  if (!book) {
    if (slot >= 0) Atomics.store(words, (at + SlotWord.State) >> 2, SlotPhase.Free);
    Atomics.add(words, CoreHeader.SlotOverflow >> 2, 1);
    return null;
  }
  Atomics.store(words, (at + SlotWord.State) >> 2, (threadId << 2) | SlotPhase.Attached);

  const { push, cellAdd, cellSet } = core;
  const { record, recordInt } = openRecorder(core, { words, cells: new Float64Array(buffer) });
  let attached = true; // compared with true: V8 knows a variable's value, not that it is a boolean
  return {
    slot,
    push: (kind, a, b, startMicros, durationMicros) =>
      attached === true ? push(at, kind, a, b, startMicros, durationMicros) : PUSH_FULL,
    series: (kind, name, unit, labels) =>
      attached ? book.handleOf(kind, name, unit, labels) : book.sinkOf(kind),
    record(series, value) {
      if (attached === true) record(series, value);
    },
    recordInt(series, value) {
      if (attached === true) recordInt(series, value);
    },
    add(series, delta) {
      if (attached === true) cellAdd(series, delta);
    },
    set(series, value) {
      if (attached === true) cellSet(series, value);
    },
    detach() {
      if (!attached) return;
      attached = false;
      Atomics.store(words, (at + SlotWord.State) >> 2, (threadId << 2) | SlotPhase.Detached);
    },
  };
}

/** Takes the first free slot and sets its ring up; -1 when there is none. Slot 0, with the large ring, is the main thread's. */
function claimSlot(words: Int32Array, threadId: number): number {
  const isMain = threadId === 0;
  for (let i = 0; i < CoreLimit.Slots; i++) {
    const slot = isMain ? i : (i + 1) % CoreLimit.Slots;
    const at = (CoreRegion.Slots + slot * CoreLimit.SlotBytes) >> 2;
    const attaching = (threadId << 2) | SlotPhase.Attaching;
    if (
      Atomics.compareExchange(words, at + (SlotWord.State >> 2), SlotPhase.Free, attaching) !== SlotPhase.Free
    )
      continue;
    const records = slot === 0 ? CoreLimit.MainRingRecords : CoreLimit.ThreadRingRecords;
    words[at + (SlotWord.RingMask >> 2)] = records - 1;
    words[at + (SlotWord.RingAt >> 2)] = ringAt(slot);
    words[at + (SlotWord.Claimed >> 2)] = words[at + (SlotWord.Tail >> 2)]!;
    return slot;
  }
  return -1;
}

function ringAt(slot: number): number {
  if (slot === 0) return CoreRegion.Rings;
  const behindMain = CoreRegion.Rings + CoreLimit.MainRingRecords * CoreLimit.RecordBytes;
  return behindMain + (slot - 1) * CoreLimit.ThreadRingRecords * CoreLimit.RecordBytes;
}

type SeriesBook = {
  handleOf(kind: SeriesKind, name: string, unit: string, labels: readonly string[]): number;
  sinkOf(kind: SeriesKind): number;
};

/** The thread's series by name. The sinks, which take what does not fit, are made first; null when not even they fit. */
function openSeriesBook(core: CoreExports, buffer: SharedArrayBuffer, at: number): SeriesBook | null {
  const histogramSink = core.histogramCreate(at);
  const cellSink = core.cellCreate(at);
  if (!histogramSink || !cellSink) return null;
  const words = new Int32Array(buffer);
  const bytes = new Uint8Array(buffer);
  const handles = new Map<string, number>();
  let link = at + SlotWord.SeriesFirst;

  function sinkOf(kind: SeriesKind): number {
    return kind === SeriesKind.Histogram ? histogramSink : cellSink;
  }

  function handleOf(kind: SeriesKind, name: string, unit: string, labels: readonly string[]): number {
    const key = JSON.stringify([kind, name, unit, labels]);
    const known = handles.get(key);
    if (known !== undefined) return known;
    const cell = handles.size < CoreLimit.SeriesPerThread ? create(kind, [name, unit, ...labels]) : 0;
    if (cell) {
      handles.set(key, cell);
      return cell;
    }
    const lost = (at + SlotWord.SeriesLost) >> 2;
    Atomics.store(words, lost, (words[lost]! + 1) | 0);
    return sinkOf(kind);
  }

  /** Cell and descriptor, then the store that publishes both; 0 when the arena has no room. */
  function create(kind: SeriesKind, strings: readonly string[]): number {
    const texts = strings.map((text) => Buffer.from(text));
    const length = texts.reduce((sum, text) => sum + 4 + text.length, SeriesWord.Strings);
    const descriptor = core.allocate(at, length);
    const cell =
      descriptor && (kind === SeriesKind.Histogram ? core.histogramCreate(at) : core.cellCreate(at));
    if (!cell) return 0;
    const word = descriptor >> 2;
    words[word + (SeriesWord.Kind >> 2)] = kind;
    words[word + (SeriesWord.Cell >> 2)] = cell;
    words[word + (SeriesWord.StringCount >> 2)] = texts.length;
    let place = descriptor + SeriesWord.Strings;
    for (const text of texts) {
      bytes.set(
        [text.length & 255, (text.length >> 8) & 255, (text.length >> 16) & 255, text.length >>> 24],
        place,
      );
      bytes.set(text, place + 4);
      place += 4 + text.length;
    }
    Atomics.store(words, link >> 2, descriptor); // pairs with the reader's takeNewSeries
    link = descriptor + SeriesWord.Next;
    return cell;
  }

  return { handleOf, sinkOf };
}
