/**
 * Which sites grow: leak suspects with their evidence, the strongest first. Pure: a series of heap captures in, a list
 * out.
 *
 * With several captures of one run: the slope of the bytes that are not young, by Theil and Sen (the median of the
 * slopes between all pairs, which one odd capture does not move), held against the sampling error: a site of n samples
 * is known to 1/√n. Objects allocated in the last tenth of the run are left out, because what is merely in work looks
 * like growth. With a single capture there is no slope, and what has lived longest, by bytes, comes first.
 *
 * Growth is no proof: a cache that fills up grows, too, until it is full.
 */

import type { HeapPoint, SiteValue } from './heap-sites';
import { mega } from './mega';

export type LeakSuspect = {
  site: string;
  /** As of the last capture. */
  objects: number;
  bytes: number;
  oldBytes: number;
  /** Growth of what is not young; null with a single capture. */
  bytesPerHour: number | null;
  /** How many captures it was in of how many, and how many of the steps between them went up. */
  captures: number;
  capturesAll: number;
  stepsUp: number;
  spanMillis: number;
  /** Growth in multiples of its sampling error; 0 with a single capture. */
  certainty: number;
  /** Root first. */
  stack: readonly string[];
};

/** Growth below so many sampling errors may be chance. */
const CERTAIN = 2;
const MILLIS_PER_HOUR = 3_600_000;
const SUSPECTS_MAX = 20;
/** A single capture says little about a site of fewer samples. */
const SAMPLES_MIN = 3;

export function leakSuspects(points: readonly HeapPoint[], count = SUSPECTS_MAX): LeakSuspect[] {
  const last = points.at(-1);
  if (last === undefined) return [];
  const run = points.filter(({ runId }) => runId === last.runId);
  const suspects: LeakSuspect[] = [];
  for (const [site, value] of last.sites) {
    const suspect = suspectOf(site, value, run);
    const known =
      suspect.bytesPerHour === null
        ? value.samples >= SAMPLES_MIN && value.oldBytes > 0
        : suspect.bytesPerHour > 0 && suspect.certainty >= CERTAIN;
    if (known) suspects.push(suspect);
  }
  return suspects.sort((left, right) => weight(right) - weight(left)).slice(0, count);
}

/** In one line: how much it grows and how sure that is, what it holds. */
export function evidence(suspect: LeakSuspect): string {
  const { site, objects, bytes, oldBytes, bytesPerHour } = suspect;
  const now = `${mega(bytes)} in about ${Math.round(objects)} objects, ${Math.round((100 * oldBytes) / Math.max(1, bytes))} % of it old`;
  if (bytesPerHour === null) return `${site}: ${now}`;
  const { capturesAll, stepsUp, spanMillis, certainty } = suspect;
  const steps = `${stepsUp} of ${capturesAll - 1} steps up in ${Math.round(spanMillis / 1000)} s`;
  return `${site}: +${mega(bytesPerHour)} an hour (${steps}, ${certainty.toFixed(1)} times the sampling error), ${now}`;
}

/** Growth that is sure comes before growth that is large: the slope less one error. */
function weight({ bytesPerHour, certainty, oldBytes }: LeakSuspect): number {
  return bytesPerHour === null ? oldBytes : bytesPerHour * (1 - 1 / certainty);
}

function suspectOf(site: string, value: SiteValue, run: readonly HeapPoint[]): LeakSuspect {
  const series = run.map(({ atMillis, sites }) => ({ atMillis, bytes: sites.get(site)?.oldBytes ?? 0 }));
  const [first, last] = [series[0]!, series.at(-1)!];
  const firstValue = run[0]!.sites.get(site);
  const slope = run.length < 2 ? null : medianSlope(series);
  const errorBytes = Math.hypot(errorOf(firstValue), errorOf(value));
  return {
    site,
    objects: value.objects,
    bytes: value.bytes,
    oldBytes: value.oldBytes,
    bytesPerHour: slope === null ? null : slope * MILLIS_PER_HOUR,
    captures: run.filter(({ sites }) => sites.has(site)).length,
    capturesAll: run.length,
    stepsUp: series.filter(({ bytes }, index) => index > 0 && bytes > series[index - 1]!.bytes).length,
    spanMillis: last.atMillis - first.atMillis,
    certainty: slope === null ? 0 : (last.bytes - first.bytes) / Math.max(1, errorBytes),
    stack: value.stack,
  };
}

/** The sampling error of what is old of a site, bytes: its share of the samples, under their root. */
function errorOf(value: SiteValue | undefined): number {
  if (value === undefined || value.samples === 0) return 0;
  const perSample = value.bytes / value.samples;
  return perSample * Math.sqrt(Math.max(1, value.oldBytes / perSample));
}

/** Bytes a ms. */
function medianSlope(series: readonly { atMillis: number; bytes: number }[]): number {
  const slopes: number[] = [];
  for (const [index, to] of series.entries()) {
    for (const from of series.slice(0, index)) {
      const millis = to.atMillis - from.atMillis;
      if (millis > 0) slopes.push((to.bytes - from.bytes) / millis);
    }
  }
  slopes.sort((left, right) => left - right);
  const middle = slopes.length >> 1;
  if (slopes.length === 0) return 0;
  return slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2;
}
