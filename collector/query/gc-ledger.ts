/** The ledger of garbage collections: every one of an instance's last seconds, with type, cause, pause and stack. */

import { gcCauseOf, gcTypeOf } from '../../agent/wire/gc';
import { EVENT_GC } from '../../agent/wire/schema';
import type { Agent } from '../ingest/agents';
import { describeStack } from '../profile/frame';
import { wallMillisOf } from '../store/batch';
import type { Store } from '../store/store';
import { gcFigures } from './recent-gc';

export const LEDGER_SECONDS = 60;
/** The newest are kept. */
const ENTRIES_MAX = 10_000;

export type GcLedgerEntry = {
  /** Wall clock, ms since 1970. */
  atMillis: number;
  pauseMillis: number;
  type: string;
  /** '' for an ordinary one. */
  cause: string;
  /** Root first; of long and major ones what ran around them, else empty. */
  stack: string[];
};

export type GcLedger = {
  service: string;
  instance: string;
  seconds: number;
  /** By the histograms, which miss none. `entries` may lag by some seconds, or be fewer where `losses` of the tail say so. */
  collections: number;
  totalMillis: number;
  maxMillis: number;
  wallShare: number;
  busyShare: number | null;
  mutator: { windowMillis: number; utilization: number | null }[];
  entries: GcLedgerEntry[];
};

/** What ?seconds= asks for; null for what is no number of seconds from 1 to `most`. */
export function ledgerSeconds(text: string | null, most: number): number | null {
  if (text === null || text === '') return LEDGER_SECONDS;
  const seconds = /^\d+$/.test(text) ? Number(text) : 0;
  return seconds >= 1 && seconds <= most ? seconds : null;
}

export async function gcLedger(store: Store, agent: Agent, seconds: number): Promise<GcLedger> {
  const { instance, batchEndMicros: toMicros } = agent;
  const fromMicros = toMicros - seconds * 1e6;
  const batches = await store.batches({ agentId: instance.agentId, fromMicros, toMicros });
  const begun = batches.filter(({ endMicros }) => endMicros > fromMicros);
  const figures = gcFigures(begun, fromMicros, toMicros);
  const entries = begun.flatMap(({ events, stacks }) =>
    events
      .filter(({ kind, startMicros }) => kind === EVENT_GC && startMicros >= fromMicros)
      .map(({ startMicros, durationMicros, a, b, stack }) => ({
        atMillis: wallMillisOf(instance, startMicros),
        pauseMillis: Math.round(durationMicros) / 1000,
        type: gcTypeOf(a),
        cause: gcCauseOf(b),
        stack: describeStack(stacks, stack),
      })),
  );
  return {
    service: instance.service,
    instance: instance.instance,
    seconds,
    collections: figures.count,
    totalMillis: Math.round(figures.sumMicros) / 1000,
    maxMillis: Math.round(figures.maxMicros) / 1000,
    wallShare: figures.wallShare,
    busyShare: figures.busyShare,
    mutator: figures.mutator,
    entries: entries.sort((a, b) => a.atMillis - b.atMillis).slice(-ENTRIES_MAX),
  };
}
