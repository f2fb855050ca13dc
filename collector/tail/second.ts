/** Batches of one agent to lines of the tail: what came is gathered until it makes up a second or a hang begins. */
import type { CoreTables, MergedHistogram } from '../../agent/core';
import { STALL_BRIEF } from '../../agent/wire/event-loop';
import { EVENT_STALL, HANG_KINDS, SERIES_HTTP_SERVER, SERIES_LOOP_DELAY } from '../../agent/wire/schema';
import { describeStack } from '../profile/frame';
import { SHARED_MIN_MICROS } from '../profile/shared-stack';
import { hotFunctions } from '../query/hot';
import { httpFailures } from '../query/http-failures';
import { slowestRequest, slowestRoutes } from '../query/http-routes';
import type { RecentGc } from '../query/recent-gc';
import { type Batch, type Instance, type InstanceStatus, wallMillisOf } from '../store/batch';
import { gcOf, majorMemoryOf } from './gc';
import type { HangStack, HangStacks } from './hang-stacks';
import { briefStallOf, stallTiersOf, turnsOf } from './loop';
import { RecentTicks } from './recent-ticks';
import type { HangKind, TailSecond } from './schema';

const HOT_MAX = 10;
const ROUTES_MAX = 5;
/** So much of an agent's time makes a line; batches do not come by the clock. */
const LINE_MICROS = 900_000;
/** A hang that begins is told at once, unless so little time was gathered that its rates would say nothing. */
const HANG_LINE_MICROS = 100_000;

/** What statuses add up to. A CPU that the system does not tell stays null. */
type StatusSums = {
  loopIdleMicros: number;
  loopActiveMicros: number;
  processCpuMicros: number | null;
  mainCpuMicros: number | null;
  agentCpuMicros: number | null;
};

export class SecondBuilder {
  #tables: CoreTables;
  #batches: Batch[] = [];
  #spanMicros = 0;
  #hangToldMicros = 0;
  #hangs: HangStacks;
  #delays: MergedHistogram;
  #requests: MergedHistogram;
  #ticks: RecentTicks;

  /** hangs: of the same agent, fed by who watches it or not. */
  constructor(tables: CoreTables, hangs: HangStacks) {
    this.#tables = tables;
    this.#hangs = hangs;
    this.#ticks = new RecentTicks(tables);
    this.#delays = tables.histogram();
    this.#requests = tables.histogram();
  }

  /** True when there is enough for a line. */
  add(batch: Batch): boolean {
    this.#batches.push(batch);
    this.#ticks.add(batch);
    this.#spanMicros += batch.endMicros - batch.startMicros;
    const status = this.#batches.findLast((gathered) => gathered.status !== null)?.status ?? null;
    if (status === null) return false;
    const hangBegins = status.hang !== 0 && status.hangSinceMicros !== this.#hangToldMicros;
    return this.#spanMicros >= (hangBegins ? HANG_LINE_MICROS : LINE_MICROS);
  }

  clear(): void {
    this.#batches = [];
    this.#spanMicros = 0;
  }

  /** The line of what was gathered, which is then forgotten but for the ticks. */
  take(instance: Instance, recentGc: RecentGc): TailSecond {
    const batches = this.#batches;
    const spanMicros = Math.max(1, this.#spanMicros);
    this.clear();
    const last = batches.at(-1)!;
    const status = batches.findLast((batch) => batch.status !== null)!.status!;
    if (status.hang !== 0) this.#hangToldMicros = status.hangSinceMicros;
    const sums = sumStatuses(batches);
    return {
      v: 1,
      type: 'second',
      atMillis: Math.round(wallMillisOf(instance, last.endMicros)),
      spanMillis: Math.round(spanMicros / 1000),
      service: instance.service,
      instance: instance.instance,
      cpu: {
        processPercent: percentOf(sums.processCpuMicros, spanMicros),
        mainPercent: percentOf(sums.mainCpuMicros, spanMicros),
        agentPercent: percentOf(sums.agentCpuMicros, spanMicros),
      },
      loop: {
        utilization: utilizationOf(sums),
        delayMillis: this.#delayOf(batches),
        turns: turnsOf(batches, spanMicros),
        stallTiers: stallTiersOf(batches),
        briefStall: briefStallOf(batches),
      },
      gc: gcOf(batches, recentGc.figures(instance.agentId)),
      http: this.#httpOf(batches, spanMicros),
      memory: {
        rssBytes: status.rssBytes,
        heapUsedBytes: status.heapUsedBytes,
        heapLimitBytes: status.heapLimitBytes,
        afterMajor: majorMemoryOf(recentGc.majorMemory(instance.agentId)),
      },
      hot: hotFunctions(batches, this.#tables, HOT_MAX),
      hang: hangOf(this.#hangs.of(status.hangSinceMicros), instance, status, last.endMicros),
      stalls: stallsOf(batches, instance),
      drops: dropsOf(batches),
      sampler: samplerOf(batches, status),
    };
  }

  #delayOf(batches: readonly Batch[]): TailSecond['loop']['delayMillis'] {
    gather(this.#delays, batches, SERIES_LOOP_DELAY, 0);
    if (this.#delays.count === 0) return null;
    const [p50 = 0, p99 = 0] = this.#delays.quantiles([0.5, 0.99]);
    return { p50: millis(p50), p99: millis(p99), max: millis(this.#delays.max) };
  }

  #httpOf(batches: readonly Batch[], spanMicros: number): TailSecond['http'] {
    gather(this.#requests, batches, SERIES_HTTP_SERVER, null);
    const { count } = this.#requests;
    const [p50 = 0, p99 = 0] = count > 0 ? this.#requests.quantiles([0.5, 0.99]) : [];
    const values = batches.flatMap((batch) => batch.values);
    return {
      requestsPerSecond: perSecond(count, spanMicros),
      p50Millis: count > 0 ? millis(p50) : null,
      p99Millis: count > 0 ? millis(p99) : null,
      ...httpFailures(values),
      slowest: slowestOf(batches, this.#ticks),
      routes: slowestRoutes(values, this.#requests, ROUTES_MAX).map(
        ({ method, route, errors, p99Micros, count: ofRoute }) => ({
          method,
          route,
          requestsPerSecond: perSecond(ofRoute, spanMicros),
          errors,
          p99Millis: millis(p99Micros),
        }),
      ),
    };
  }
}

/** Adds a series' gains into an empty histogram; threadId null takes all threads. */
function gather(
  into: MergedHistogram,
  batches: readonly Batch[],
  name: string,
  threadId: number | null,
): void {
  into.clear();
  for (const { series, buckets, count, sum, min, max } of batches.flatMap(({ values }) => values)) {
    if (series.name !== name || buckets === null || (threadId !== null && series.threadId !== threadId))
      continue;
    into.addDelta({ count, sum, min, max, buckets });
  }
}

function slowestOf(
  batches: readonly Batch[],
  ticks: RecentTicks,
): NonNullable<TailSecond['http']['slowest']> | null {
  const slowest = slowestRequest(batches);
  if (slowest === null) return null;
  const { method, route, status, aborted, startMicros, durationMicros } = slowest;
  const shared =
    durationMicros < SHARED_MIN_MICROS ? null : ticks.sharedStack(startMicros, startMicros + durationMicros);
  return {
    method,
    route,
    status,
    aborted,
    millis: millis(durationMicros),
    stack: shared?.stack ?? [],
    busyMillis: shared === null ? null : millis(Math.min(shared.busyMicros, durationMicros)),
  };
}

function sumStatuses(batches: readonly Batch[]): StatusSums {
  const statuses = batches.flatMap(({ status }) => (status === null ? [] : [status]));
  const cpu = (pick: (status: InstanceStatus) => number | null) => {
    const known = statuses.map(pick).filter((micros) => micros !== null);
    return known.length === 0 ? null : total(known);
  };
  return {
    loopIdleMicros: total(statuses.map(({ loopIdleMicros }) => loopIdleMicros)),
    loopActiveMicros: total(statuses.map(({ loopActiveMicros }) => loopActiveMicros)),
    processCpuMicros: cpu(({ processCpuMicros }) => processCpuMicros),
    mainCpuMicros: cpu(({ mainCpuMicros }) => mainCpuMicros),
    agentCpuMicros: cpu(({ agentCpuMicros, samplerCpuMicros }) =>
      agentCpuMicros === null ? samplerCpuMicros : agentCpuMicros + (samplerCpuMicros ?? 0),
    ),
  };
}

function utilizationOf({ loopIdleMicros, loopActiveMicros }: StatusSums): number | null {
  const whole = loopIdleMicros + loopActiveMicros;
  return whole > 0 ? Math.round((1000 * loopActiveMicros) / whole) / 1000 : null;
}

function hangOf(
  known: HangStack | null,
  instance: Instance,
  { hang, hangSinceMicros }: InstanceStatus,
  nowMicros: number,
): TailSecond['hang'] {
  if (hang === 0) return null;
  return {
    kind: hangKind(hang),
    sinceMillis: Math.round(wallMillisOf(instance, hangSinceMicros)),
    forMillis: Math.round(Math.max(0, nowMicros - hangSinceMicros) / 1000),
    stack: known?.stack ?? [],
    stackFrom: known?.stackFrom ?? null,
  };
}

function stallsOf(batches: readonly Batch[], instance: Instance): TailSecond['stalls'] {
  return batches.flatMap(({ events, stacks }) =>
    events
      .filter(({ kind, b }) => kind === EVENT_STALL && b !== STALL_BRIEF)
      .map(({ startMicros, durationMicros, a, stack }) => ({
        startMillis: Math.round(wallMillisOf(instance, startMicros)),
        forMillis: Math.round(durationMicros / 1000),
        kind: hangKind(a),
        stack: describeStack(stacks, stack),
      })),
  );
}

function dropsOf(batches: readonly Batch[]): TailSecond['drops'] {
  const counts = new Map<string, number>();
  for (const { reason, count } of batches.flatMap(({ losses }) => losses)) {
    counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return [...counts].map(([reason, count]) => ({ reason, count }));
}

function samplerOf(batches: readonly Batch[], status: InstanceStatus): TailSecond['sampler'] {
  const windows = batches.flatMap((batch) => batch.windows);
  const jsTicks = total(windows.map((window) => window.jsTicks));
  const shareOf = (ticks: number) => (jsTicks > 0 ? Math.round((1000 * ticks) / jsTicks) / 10 : 0);
  return {
    state: status.sampler,
    rateHz: status.rateHz,
    windowMillis: status.windowMillis,
    ticks: total(windows.map(({ ticks }) => ticks)),
    repairedPercent: shareOf(total(windows.map((window) => window.repairedTicks))),
    unnamedPercent: shareOf(total(windows.map((window) => window.unnamedTicks))),
  };
}

function hangKind(hang: number): HangKind {
  return HANG_KINDS[hang as keyof typeof HANG_KINDS] ?? 'unknown';
}

function percentOf(cpuMicros: number | null, spanMicros: number): number | null {
  return cpuMicros === null ? null : Math.round((1000 * cpuMicros) / spanMicros) / 10;
}

function perSecond(count: number, spanMicros: number): number {
  return Math.round((count * 1e7) / spanMicros) / 10;
}

/** µs to ms with three places. */
function millis(micros: number): number {
  return Math.round(micros) / 1000;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
