/** Series that the agent thread itself records, about the main thread: it has a slot of the shared memory like any other. */
import { SeriesKind } from '../../assembly/layout';
import type { CoreWriter } from '../core';
import { LABEL_RESOURCE_TYPE, SERIES_ACTIVE_RESOURCES } from '../wire/async';
import {
  LABEL_TIER,
  SERIES_LOOP_EVENTS,
  SERIES_LOOP_EVENTS_WAITING,
  SERIES_LOOP_TURNS,
  SERIES_STALLS,
  STALL_TIERS_MILLIS,
  tierName,
} from '../wire/event-loop';
import {
  BASELINE_PERCENTILES,
  LABEL_GC_TYPE,
  LABEL_PART,
  LABEL_PERCENTILE,
  type MajorMemoryPart,
  SERIES_GC_BASELINE,
  SERIES_MAJOR_MEMORY,
  UNIT_BYTES,
} from '../wire/gc';
import { SERIES_LOOP_DELAY, UNIT_MICROS } from '../wire/schema';
import type { PauseLimits } from './pause-baseline';

const UNIT_NONE = '1';

export class OwnSeries {
  readonly #delays: number;

  /** writer: null where the memory has no slot left; then nothing is recorded. */
  constructor(readonly writer: CoreWriter | null) {
    this.#delays = writer?.series(SeriesKind.Histogram, SERIES_LOOP_DELAY, UNIT_MICROS, []) ?? 0;
  }

  delay(micros: number): void {
    this.writer?.record(this.#delays, micros);
  }

  /** Counts a stall in the highest tier it reached; one below them all is none. */
  stall(durationMicros: number): void {
    const tier = STALL_TIERS_MILLIS.findLast((millis) => durationMicros >= millis * 1000);
    if (tier !== undefined) this.#add(SERIES_STALLS, [LABEL_TIER, tierName(tier)], 1);
  }

  /** What the loop did since the last call, by libuv's metrics. */
  turns(turns: number, events: number, eventsWaiting: number): void {
    this.#add(SERIES_LOOP_TURNS, [], turns);
    this.#add(SERIES_LOOP_EVENTS, [], events);
    this.#add(SERIES_LOOP_EVENTS_WAITING, [], eventsWaiting);
  }

  majorMemory(bytes: Readonly<Record<MajorMemoryPart, number>>): void {
    for (const [part, value] of Object.entries(bytes))
      this.#set(SERIES_MAJOR_MEMORY, UNIT_BYTES, [LABEL_PART, part], value);
  }

  baseline(type: string, limits: PauseLimits): void {
    for (const percentile of BASELINE_PERCENTILES) {
      const labels = [LABEL_GC_TYPE, type, LABEL_PERCENTILE, percentile];
      this.#set(SERIES_GC_BASELINE, UNIT_MICROS, labels, limits[percentile]);
    }
  }

  /** How many asynchronous resources of a type the runtime counts. */
  activeResources(type: string, count: number): void {
    this.#set(SERIES_ACTIVE_RESOURCES, UNIT_NONE, [LABEL_RESOURCE_TYPE, type], count);
  }

  #add(name: string, labels: readonly string[], delta: number): void {
    const { writer } = this;
    if (writer !== null && delta > 0)
      writer.add(writer.series(SeriesKind.Counter, name, UNIT_NONE, labels), delta);
  }

  #set(name: string, unit: string, labels: readonly string[], value: number): void {
    const { writer } = this;
    writer?.set(writer.series(SeriesKind.Gauge, name, unit, labels), value);
  }
}
