/**
 * The reader: drains rings, takes snapshots of series and frees the slots of threads that have gone. Before a slot is
 * freed, what its series gained since the last look is put aside, so nothing is lost and nobody has to hurry.
 */
import {
  CoreHeader,
  CoreLimit,
  CoreRegion,
  DeltaWord,
  DropWord,
  HistogramWord,
  RecordWord,
  SeriesKind,
  SeriesWord,
  SlotPhase,
  SlotWord,
} from '../assembly/layout';
import type { CoreReader, HistogramDelta, HistogramRefusals, SeriesInfo } from './core';
import type { CoreEngine, CoreExports } from './core-exports';

export function openReader(engine: CoreEngine): CoreReader {
  return new Reader(engine);
}

/** What the reader remembers of a series. `last`: counter's value at the last look. The rest: what the freed slot left. */
type SeriesState = {
  at: number;
  last: number;
  freed: boolean;
  finalDelta: HistogramDelta | null;
  finalValue: number;
  refusals: HistogramRefusals | null;
};

/** Where the reader is in a slot's list of series, and which of them it has told. */
type SlotState = { link: number; series: SeriesInfo[]; seriesLost: number };

class Reader implements CoreReader {
  readonly #core: CoreExports;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #slots: SlotState[] = [];
  readonly #states = new WeakMap<SeriesInfo, SeriesState>();
  #fresh: SeriesInfo[] = [];
  #seriesLost = 0;
  #slotsMissed: number;
  /** Main's slot, and those behind it that were ever claimed. */
  #seen = 1;

  constructor({ core, buffer }: CoreEngine) {
    this.#core = core;
    this.#i32 = new Int32Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    for (let slot = 0; slot < CoreLimit.Slots; slot++) {
      this.#slots.push({ link: baseOf(slot) + SlotWord.SeriesFirst, series: [], seriesLost: 0 });
    }
    this.#slotsMissed = 0;
  }

  slots(): { slot: number; threadId: number; attached: boolean }[] {
    const inUse = [];
    for (let slot = 0; slot < this.#slotsSeen(); slot++) {
      const state = this.#stateOf(slot);
      const phase = state & 3;
      if (phase !== SlotPhase.Attached && phase !== SlotPhase.Detached) continue;
      inUse.push({ slot, threadId: state >>> 2, attached: phase === SlotPhase.Attached });
    }
    return inUse;
  }

  drain(
    slot: number,
    max: number,
    visit: (kind: number, a: number, b: number, startMicros: number, durationMicros: number) => void,
  ): number {
    const base = baseOf(slot);
    const phase = this.#stateOf(slot) & 3; // before peek: all that was pushed before detach is seen
    if (phase !== SlotPhase.Attached && phase !== SlotPhase.Detached) return 0;
    const waiting = this.#core.peek(base, max);
    const ring = this.#u32[(base + SlotWord.RingAt) >> 2]!;
    const mask = this.#u32[(base + SlotWord.RingMask) >> 2]!;
    const head = this.#u32[(base + SlotWord.Head) >> 2]!;
    const u32 = this.#u32;
    const f64 = this.#f64;
    let visited = 0;
    try {
      while (visited < waiting) {
        const record = ring + ((head + visited) & mask) * CoreLimit.RecordBytes;
        const word = record >> 2;
        const cell = record >> 3;
        visited++;
        visit(
          u32[word + (RecordWord.Kind >> 2)]!,
          u32[word + (RecordWord.A >> 2)]!,
          u32[word + (RecordWord.B >> 2)]!,
          f64[cell + (RecordWord.StartMicros >> 3)]!,
          f64[cell + (RecordWord.DurationMicros >> 3)]!,
        );
      }
    } finally {
      if (visited > 0) this.#core.release(base, visited);
    }
    if (phase === SlotPhase.Detached && waiting < max) this.#free(slot);
    return visited;
  }

  takeDropped(): { kind: number; count: number; firstMicros: number }[] {
    const byKind = new Map<number, { kind: number; count: number; firstMicros: number }>();
    for (let slot = 0; slot < this.#slotsSeen(); slot++) {
      const base = baseOf(slot);
      for (let kind = 0; kind < CoreLimit.DropKinds; kind++) {
        const entry = base + SlotWord.Dropped + kind * 16;
        const takenAt = (base + SlotWord.DroppedTaken + kind * 4) >> 2;
        const total = Atomics.load(this.#u32, (entry + DropWord.Count) >> 2);
        const count = (total - this.#u32[takenAt]!) >>> 0;
        if (count === 0) continue;
        const firstMicros = this.#f64[(entry + DropWord.FirstMicros) >> 3]!;
        Atomics.store(this.#u32, takenAt, total); // pairs with drop() in assembly/ring.ts
        const sum = byKind.get(kind) ?? { kind, count: 0, firstMicros };
        sum.count += count;
        sum.firstMicros = Math.min(sum.firstMicros, firstMicros);
        byKind.set(kind, sum);
      }
    }
    return [...byKind.values()];
  }

  takeNewSeries(): SeriesInfo[] {
    for (let slot = 0; slot < this.#slotsSeen(); slot++) {
      const phase = this.#stateOf(slot) & 3;
      if (phase === SlotPhase.Attached || phase === SlotPhase.Detached) this.#discover(slot);
    }
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  takeSeriesOverflow(): number {
    for (let slot = 0; slot < this.#slotsSeen(); slot++) {
      const total = Atomics.load(this.#u32, (baseOf(slot) + SlotWord.SeriesLost) >> 2);
      const state = this.#slots[slot]!;
      this.#seriesLost += (total - state.seriesLost) >>> 0;
      state.seriesLost = total;
    }
    const lost = this.#seriesLost;
    this.#seriesLost = 0;
    return lost;
  }

  takeSlotOverflow(): number {
    const total = Atomics.load(this.#u32, CoreHeader.SlotOverflow >> 2);
    const missed = (total - this.#slotsMissed) >>> 0;
    this.#slotsMissed = total;
    return missed;
  }

  histogramDelta(info: SeriesInfo): HistogramDelta | null {
    const state = this.#states.get(info);
    if (!state || info.kind !== SeriesKind.Histogram) return null;
    if (!state.freed) return this.#rests(info.handle) ? null : this.#delta(info.handle);
    const final = state.finalDelta;
    state.finalDelta = null;
    return final;
  }

  value(info: SeriesInfo): number {
    const state = this.#states.get(info);
    if (!state || info.kind === SeriesKind.Histogram) return 0;
    const now = state.freed ? state.finalValue : this.#core.cellRead(info.handle);
    if (info.kind === SeriesKind.Gauge) return now;
    const increase = now - state.last;
    state.last = now;
    return increase;
  }

  hasEnded(info: SeriesInfo): boolean {
    return this.#states.get(info)?.freed ?? true;
  }

  refusals(info: SeriesInfo): HistogramRefusals {
    const state = this.#states.get(info);
    const freed = state?.refusals;
    if (freed) return freed;
    const base = state && info.kind === SeriesKind.Histogram ? info.handle : 0;
    const word = (offset: HistogramWord) => (base ? this.#u32[(base + offset) >> 2]! : 0);
    return {
      notANumber: word(HistogramWord.NotANumber),
      negative: word(HistogramWord.Negative),
      infinite: word(HistogramWord.Infinite),
      unplaced: word(HistogramWord.Unplaced),
      low: word(HistogramWord.Low),
      high: word(HistogramWord.High),
    };
  }

  markDead(threadId: number): void {
    for (let slot = 0; slot < CoreLimit.Slots; slot++) {
      const state = this.#stateOf(slot);
      const phase = state & 3;
      if (state >>> 2 !== threadId || (phase !== SlotPhase.Attached && phase !== SlotPhase.Attaching))
        continue;
      this.#seen = Math.max(this.#seen, slot + 1);
      const at = (baseOf(slot) + SlotWord.State) >> 2;
      Atomics.compareExchange(this.#i32, at, state, (threadId << 2) | SlotPhase.Detached);
    }
  }

  /** Slots that were ever claimed: threads take the first free one, so they are the first; a look late is early enough. */
  #slotsSeen(): number {
    while (
      this.#seen < CoreLimit.Slots &&
      (this.#stateOf(this.#seen) !== SlotPhase.Free || this.#ringMask(this.#seen) !== 0)
    ) {
      this.#seen++;
    }
    return this.#seen;
  }

  #ringMask(slot: number): number {
    return this.#u32[(baseOf(slot) + SlotWord.RingMask) >> 2]!;
  }

  #stateOf(slot: number): number {
    return Atomics.load(this.#i32, (baseOf(slot) + SlotWord.State) >> 2);
  }

  /** Follows the slot's list of series from where it was left. */
  #discover(slot: number): void {
    const state = this.#slots[slot]!;
    for (;;) {
      const at = Atomics.load(this.#u32, state.link >> 2); // pairs with create() in core-writer.ts
      if (at === 0) return;
      const info = this.#readDescriptor(slot, at);
      this.#states.set(info, { at, last: 0, freed: false, finalDelta: null, finalValue: 0, refusals: null });
      state.series.push(info);
      state.link = at + SeriesWord.Next;
      this.#fresh.push(info);
    }
  }

  #readDescriptor(slot: number, at: number): SeriesInfo {
    const strings: string[] = [];
    let place = at + SeriesWord.Strings;
    for (let left = this.#u32[(at + SeriesWord.StringCount) >> 2]!; left > 0; left--) {
      const [a, b, c, d] = this.#bytes.subarray(place, place + 4);
      const length = a! | (b! << 8) | (c! << 16) | (d! << 24);
      strings.push(Buffer.from(this.#bytes.slice(place + 4, place + 4 + length)).toString());
      place += 4 + length;
    }
    const [name = '', unit = '', ...labels] = strings;
    const handle = this.#u32[(at + SeriesWord.Cell) >> 2]!;
    const kind = this.#u32[(at + SeriesWord.Kind) >> 2]! as SeriesKind;
    return { slot, threadId: this.#stateOf(slot) >>> 2, handle, kind, name, unit, labels };
  }

  /**
   * Nothing was recorded since the last snapshot: most histograms, most of the time, and looking through their buckets is
   * what a resting agent would do most. A value whose extreme came late and that is too small for the sum is seen with
   * the next one, or when its thread goes.
   */
  #rests(base: number): boolean {
    const f64 = this.#f64;
    return (
      f64[(base + HistogramWord.Lowest) >> 3] === Number.POSITIVE_INFINITY &&
      f64[(base + HistogramWord.Sum) >> 3] === f64[(base + HistogramWord.PreviousSum) >> 3] &&
      this.#u32[(base + HistogramWord.Zero) >> 2] === this.#u32[(base + HistogramWord.PreviousZero) >> 2]
    );
  }

  #delta(base: number): HistogramDelta | null {
    const out = CoreRegion.ReaderDelta;
    const length = this.#core.histogramDelta(base, out, CoreRegion.ReaderScratch);
    const count = this.#f64[(out + DeltaWord.Count) >> 3]!;
    if (count === 0) return null;
    return {
      count,
      sum: this.#f64[(out + DeltaWord.Sum) >> 3]!,
      min: this.#f64[(out + DeltaWord.Min) >> 3]!,
      max: this.#f64[(out + DeltaWord.Max) >> 3]!,
      buckets: this.#bytes.slice(out + DeltaWord.Buckets, out + DeltaWord.Buckets + length),
    };
  }

  /** Puts aside what the slot's series gained last, then gives the slot and its arena chunks to the next thread. */
  #free(slot: number): void {
    this.#discover(slot);
    const slotState = this.#slots[slot]!;
    for (const info of slotState.series) {
      const state = this.#states.get(info)!;
      if (info.kind === SeriesKind.Histogram) {
        state.finalDelta = this.#delta(info.handle);
        state.refusals = this.refusals(info);
      } else state.finalValue = this.#core.cellRead(info.handle);
      state.freed = true;
    }
    const base = baseOf(slot);
    slotState.series = [];
    slotState.link = base + SlotWord.SeriesFirst;
    for (const word of [
      SlotWord.SeriesFirst,
      SlotWord.ArenaChunk,
      SlotWord.ArenaCursor,
      SlotWord.ArenaLimit,
    ]) {
      this.#i32[(base + word) >> 2] = 0;
    }
    Atomics.store(this.#i32, (base + SlotWord.State) >> 2, SlotPhase.Free); // pairs with the next thread's claim
  }
}

function baseOf(slot: number): number {
  return CoreRegion.Slots + slot * CoreLimit.SlotBytes;
}
