/**
 * Everything that services record, for Prometheus: histograms by service in classic buckets, counters and gauges by
 * instance, so that instances can be told apart (how evenly a cluster takes connections, which pool is full). Counts and
 * sums are since the collector started. Bounded by services, instances and series; what is beyond is counted.
 */
import type { CoreTables, MergedHistogram } from '../../agent/core';
import { SERIES_LOOP_DELAY, UNIT_MICROS } from '../../agent/wire/schema';
import { SeriesKind } from '../../assembly/layout';
import type { Batch, Instance, Series, SeriesValue } from '../store/batch';

/** Upper bounds of durations, seconds, as OpenTelemetry advises for them; other units have powers of four. */
export const DURATION_BOUNDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
export const OTHER_BOUNDS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];

const FAMILIES_MAX = 1000;
const SERIES_MAX = 20_000;
/** Series whose quantiles are told elsewhere. */
const ELSEWHERE = new Set<string>([SERIES_LOOP_DELAY]);
/** Buckets of the core are this many to a doubling. */
const BUCKETS_PER_OCTAVE = 128;

/** counts: up to each bound, then what is above all. agentId: who told of it last. */
export type SeriesTotal = {
  labels: Readonly<Record<string, string>>;
  counts: number[];
  count: number;
  sum: number;
  agentId: string;
};

/** All series of one name, kind and unit. */
export type SeriesFamily = {
  name: string;
  kind: SeriesKind;
  unit: string;
  bounds: readonly number[];
  totals: Map<string, SeriesTotal>;
};

export class SeriesTotals {
  readonly families = new Map<string, SeriesFamily>();
  /** Values that found no room. */
  overflow = 0;
  #scratch: MergedHistogram;
  #size = 0;

  constructor(tables: CoreTables) {
    this.#scratch = tables.histogram();
  }

  add(instance: Instance, batch: Batch): void {
    for (const value of batch.values) {
      if (ELSEWHERE.has(value.series.name)) continue;
      const family = this.#family(value.series);
      const total = family && this.#total(family, value.series, instance);
      if (!family || !total) this.overflow++;
      else if (family.kind === SeriesKind.Histogram) this.#addHistogram(family, total, value);
      else if (family.kind === SeriesKind.Counter) total.sum += value.sum;
      else total.sum = value.sum;
    }
  }

  /** What an agent's gauges of a name came to last, all labels together; null where it has told none. */
  gaugeOf(agentId: string, name: string): number | null {
    let sum: number | null = null;
    for (const family of this.families.values()) {
      if (family.name !== name || family.kind !== SeriesKind.Gauge) continue;
      for (const total of family.totals.values()) if (total.agentId === agentId) sum = (sum ?? 0) + total.sum;
    }
    return sum;
  }

  /** Forgets the counters and gauges of agents that are not known any more. */
  keepOnly(isKnown: (agentId: string) => boolean): void {
    for (const [key, family] of this.families) {
      if (family.kind === SeriesKind.Histogram) continue;
      for (const [place, { agentId }] of family.totals) {
        if (isKnown(agentId)) continue;
        family.totals.delete(place);
        this.#size--;
      }
      if (family.totals.size === 0) this.families.delete(key);
    }
  }

  #family({ name, kind, unit }: Series): SeriesFamily | null {
    const key = `${kind} ${unit} ${name}`;
    const known = this.families.get(key);
    if (known !== undefined || this.families.size >= FAMILIES_MAX) return known ?? null;
    const bounds = kind !== SeriesKind.Histogram ? [] : unit === UNIT_MICROS ? DURATION_BOUNDS : OTHER_BOUNDS;
    const family = { name, kind, unit, bounds, totals: new Map() };
    this.families.set(key, family);
    return family;
  }

  #total(family: SeriesFamily, { labels, threadId }: Series, agent: Instance): SeriesTotal | null {
    const own: Record<string, string> = { service: agent.service };
    if (family.kind !== SeriesKind.Histogram) own.instance = agent.instance;
    if (family.kind === SeriesKind.Gauge && threadId !== 0) own.thread = String(threadId);
    const key = JSON.stringify([own, labels]);
    let total = family.totals.get(key);
    if (total === undefined) {
      if (this.#size >= SERIES_MAX) return null;
      const counts = new Array<number>(family.bounds.length + 1).fill(0);
      total = { labels: { ...labelRecord(labels), ...own }, counts, count: 0, sum: 0, agentId: '' };
      family.totals.set(key, total);
      this.#size++;
    }
    total.agentId = agent.agentId;
    return total;
  }

  #addHistogram(
    { unit, bounds }: SeriesFamily,
    total: SeriesTotal,
    { count, sum, min, max, buckets }: SeriesValue,
  ): void {
    if (buckets === null) return;
    const scale = scaleOf(unit);
    total.count += count;
    total.sum += sum * scale;
    this.#scratch.clear();
    this.#scratch.addDelta({ count, sum, min, max, buckets });
    total.counts[0]! += this.#scratch.zeroCount;
    for (const bucket of this.#scratch.buckets()) {
      // By its middle: the bounds are no bounds of ours, and a bucket is half a percent wide.
      const middle = 2 ** ((bucket.index + 0.5) / BUCKETS_PER_OCTAVE) * scale;
      const place = bounds.findIndex((bound) => middle <= bound);
      total.counts[place < 0 ? bounds.length : place]! += bucket.count;
    }
  }
}

/** Durations are told in seconds. */
export function scaleOf(unit: string): number {
  return unit === UNIT_MICROS ? 1e-6 : 1;
}

export function labelRecord(flat: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) labels[flat[index]!] = flat[index + 1]!;
  return labels;
}
