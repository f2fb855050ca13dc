/**
 * The series of services in Prometheus' text: names and labels with underscores, durations in seconds, counters with
 * `_total`. Where two series come to the same name, the first keeps it, and the other's has its kind behind it.
 */
import { UNIT_MICROS } from '../../agent/wire/schema';
import { SeriesKind } from '../../assembly/layout';
import { type SeriesFamily, type SeriesTotals, scaleOf } from '../query/series-totals';
import type { Exposition, Labels } from './exposition';

const TYPES = {
  [SeriesKind.Histogram]: 'histogram',
  [SeriesKind.Counter]: 'counter',
  [SeriesKind.Gauge]: 'gauge',
  [SeriesKind.Label]: 'gauge',
} as const;
const OWN_PREFIX = /^ringtail_/;

/** isPresent: the agent is connected, or may come back in a moment. What a gauge said last is no value of one that is not. */
export function writeSeries(
  out: Exposition,
  totals: SeriesTotals,
  isPresent: (agentId: string) => boolean,
): void {
  const taken = new Set<string>();
  for (const family of totals.families.values()) {
    const name = freeName(family, taken);
    taken.add(name);
    out.family(name, TYPES[family.kind], helpText(family));
    const seen = new Map<string, number>();
    for (const total of family.totals.values()) {
      if (family.kind === SeriesKind.Gauge && !isPresent(total.agentId)) continue;
      const labels = distinct(exposedLabels(total.labels), seen);
      if (family.kind !== SeriesKind.Histogram) {
        out.sample(name, labels, total.sum * (family.kind === SeriesKind.Counter ? 1 : scaleOf(family.unit)));
        continue;
      }
      let below = 0;
      family.bounds.forEach((bound, index) => {
        below += total.counts[index]!;
        out.sample(`${name}_bucket`, { ...labels, le: String(bound) }, below);
      });
      out.sample(`${name}_bucket`, { ...labels, le: '+Inf' }, total.count);
      out.sample(`${name}_sum`, labels, total.sum);
      out.sample(`${name}_count`, labels, total.count);
    }
  }
}

/** A name of the collector's own is none for a service's series. */
function freeName(family: SeriesFamily, taken: ReadonlySet<string>): string {
  const base = nameText(family.name).replace(OWN_PREFIX, 'app_ringtail_');
  const unit = family.unit === UNIT_MICROS && !base.endsWith('_seconds') ? '_seconds' : '';
  const counter = family.kind === SeriesKind.Counter && !base.endsWith('_total') ? '_total' : '';
  const name = `${base}${unit}${counter}`;
  for (let number = 1, free = name; ; free = `${name}_${TYPES[family.kind]}${number++}`) {
    if (!taken.has(free)) return free;
  }
}

function helpText({ name, unit }: SeriesFamily): string {
  const shown = unit === UNIT_MICROS ? 's' : unit;
  return `${name}${shown === '' ? '' : `, ${shown}`}`.replaceAll('\\', '\\\\');
}

/** Labels that differed may come to the same; Prometheus would refuse the whole text. */
function distinct(labels: Labels, seen: Map<string, number>): Labels {
  const key = JSON.stringify(labels);
  const number = (seen.get(key) ?? 0) + 1;
  seen.set(key, number);
  return number === 1 ? labels : { ...labels, series: String(number) };
}

export function exposedLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([key, text]) => [labelText(key), text]));
}

function nameText(name: string): string {
  return name.replace(/[^A-Za-z0-9_:]/g, '_').replace(/^(?=\d|$)/, '_');
}

/** `le` and names that begin with two underscores are Prometheus' own. */
function labelText(key: string): string {
  const text = key.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
  return text === 'le' || text === 'quantile' || text.startsWith('__') ? `label_${text}` : text;
}
