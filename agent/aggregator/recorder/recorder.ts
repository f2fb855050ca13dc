/**
 * The flight recorder's memory: the last seconds of ticks, collections, requests, spans, answers of the event loop, and
 * of what went wrong. It only ever overwrites its oldest. Two limits hold it: how long things are kept, and how many
 * bytes; what the second takes before the first would is counted.
 *
 * Windows are kept as they came, stacks as ids; when an epoch ends, the stacks that are still needed are copied.
 */
import { HTTP_ABORTED } from '../../wire/schema';
import type { TickWindow } from '../profile-reader';
import { EventRing } from './event-ring';
import { KeptStacks } from './kept-stacks';
import {
  type Overwritten,
  RECORDED_DELAY,
  RECORDED_GC,
  RECORDED_MEMORY,
  RECORDED_POOL,
  RECORDED_REQUEST,
  RECORDED_SPAN,
  type Recorded,
  type RecordedIncident,
  type RecordedNames,
  type RecordedWindow,
} from './recorded';

/** What the recorder takes without a trace running; of it, rows of events one part in EVENTS_PART at most, because a dump takes the agent thread's memory. */
export const RECORDER_BYTES = 4 * 1024 * 1024;
const EVENTS_PART = 4;
const INCIDENTS_MAX = 512;
/** Names of routes and spans; more are one. */
const LABELS_MAX = 4096;
const LABEL_OTHER = '(other)';
/** Time, stack and state of a tick; a window's own objects. */
const TICK_BYTES = 13;
const WINDOW_BYTES = 512;

export type RecorderLimits = { keepMicros: number; bytes: number };

export class Recorder {
  readonly #limits: RecorderLimits;
  /** Limits of those who need more for a while. */
  readonly #widened = new Set<RecorderLimits>();
  readonly #events = new EventRing();
  #windows: RecordedWindow[] = [];
  #windowBytes = 0;
  #incidents: RecordedIncident[] = [];
  readonly #labelIds = new Map<string, number>([['', 0]]);
  readonly #labels: string[] = [''];
  readonly #overwritten: Overwritten = { ticks: 0, events: 0, incidents: 0, lastMicros: 0 };
  #newestMicros = 0;
  /** The limits that hold now. */
  #keepMicros = 0;
  #bytesMax = 0;

  /** keepMicros: 0 keeps nothing, but while a trace runs. */
  constructor(limits: RecorderLimits) {
    this.#limits = limits;
    this.#settle();
  }

  get on(): boolean {
    return this.#keepMicros > 0;
  }

  get byteSize(): number {
    return this.#windowBytes + this.#events.byteSize;
  }

  /** Keeps more until what this gives back is called. */
  widen(limits: RecorderLimits): () => void {
    this.#widened.add(limits);
    this.#settle();
    return () => {
      this.#widened.delete(limits);
      this.#settle();
    };
  }

  window(window: TickWindow, periodMicros: number, names: RecordedNames): void {
    if (!this.on) return;
    this.#windows.push({ window, names, periodMicros });
    this.#windowBytes += bytesOf(window);
    this.#newestMicros = Math.max(this.#newestMicros, window.endMicros);
    this.#trim();
  }

  collection(
    threadId: number,
    startMicros: number,
    durationMicros: number,
    kind: number,
    flags: number,
  ): void {
    this.#event(RECORDED_GC, threadId, startMicros, durationMicros, kind, flags, 0);
  }

  request(
    threadId: number,
    startMicros: number,
    durationMicros: number,
    status: number,
    method: number,
    aborted: boolean,
    route: number,
  ): void {
    const b = method | (aborted ? HTTP_ABORTED : 0);
    this.#event(RECORDED_REQUEST, threadId, startMicros, durationMicros, status, b, route);
  }

  span(threadId: number, startMicros: number, durationMicros: number, name: number): void {
    this.#event(RECORDED_SPAN, threadId, startMicros, durationMicros, 0, 0, name);
  }

  /** waitMicros, runMicros: -1 where the runtime does not tell. */
  poolOperation(
    startMicros: number,
    durationMicros: number,
    waitMicros: number,
    runMicros: number,
    kind: number,
  ): void {
    this.#event(RECORDED_POOL, 0, startMicros, durationMicros, waitMicros, runMicros, kind);
  }

  /** A ping was answered so late, and the loop turned so often since the one before. */
  delay(atMicros: number, delayMicros: number, turns: number): void {
    this.#event(RECORDED_DELAY, 0, atMicros - delayMicros, delayMicros, turns, 0, 0);
  }

  memory(atMicros: number, heapUsedBytes: number, rssBytes: number): void {
    this.#event(RECORDED_MEMORY, 0, atMicros, 0, heapUsedBytes, rssBytes, 0);
  }

  incident(incident: RecordedIncident): void {
    if (!this.on) return;
    this.#incidents.push(incident);
    if (this.#incidents.length <= INCIDENTS_MAX) return;
    const [oldest] = this.#incidents.splice(0, 1);
    const endMicros = oldest!.startMicros + oldest!.durationMicros;
    if (endMicros > this.#newestMicros - this.#keepMicros) this.#lost('incidents', 1, endMicros);
  }

  /** The number of a name, for `request` and `span`. */
  labelOf(text: string): number {
    const known = this.#labelIds.get(text);
    if (known !== undefined) return known;
    if (this.#labels.length >= LABELS_MAX && text !== LABEL_OTHER) return this.labelOf(LABEL_OTHER);
    const id = this.#labels.push(text) - 1;
    this.#labelIds.set(text, id);
    return id;
  }

  /** Last moment in which the ids of `names` mean something. */
  epochEnds(names: RecordedNames): void {
    const ofEpoch = this.#windows.filter((recorded) => recorded.names === names);
    if (ofEpoch.length === 0) return;
    const ids = new Set<number>();
    for (const { window } of ofEpoch)
      for (let index = 0; index < window.stack.length; index++) ids.add(window.stack[index]!);
    const kept = new KeptStacks(names, ids);
    for (const recorded of ofEpoch) recorded.names = kept;
    this.#windowBytes += kept.byteSize;
    this.#trim();
  }

  /** With the main thread's windows of requests that began before, or ended after. */
  read(fromMicros: number, toMicros: number): Recorded {
    const events = [...this.#events.between(fromMicros, toMicros)];
    let [reachFrom, reachTo] = [fromMicros, toMicros];
    for (const { kind, startMicros, durationMicros } of events) {
      if (kind !== RECORDED_REQUEST) continue;
      reachFrom = Math.min(reachFrom, startMicros);
      reachTo = Math.max(reachTo, startMicros + durationMicros);
    }
    const isIn = ({ endMicros, startMicros }: TickWindow, from: number, to: number) =>
      endMicros >= from && startMicros <= to;
    return {
      fromMicros,
      toMicros,
      windows: this.#windows.filter(
        ({ window }) =>
          isIn(window, fromMicros, toMicros) || (window.threadId === 0 && isIn(window, reachFrom, reachTo)),
      ),
      events,
      incidents: this.#incidents.filter(
        ({ startMicros, durationMicros }) =>
          startMicros + durationMicros >= fromMicros && startMicros <= toMicros,
      ),
      labels: this.#labels,
      overwritten: { ...this.#overwritten },
    };
  }

  #settle(): void {
    const all = [this.#limits, ...this.#widened];
    this.#keepMicros = Math.max(...all.map(({ keepMicros }) => keepMicros));
    this.#bytesMax = Math.max(...all.map(({ bytes }) => bytes));
    this.#trim();
  }

  #event(
    kind: number,
    threadId: number,
    startMicros: number,
    durationMicros: number,
    a: number,
    b: number,
    label: number,
  ): void {
    if (!this.on) return;
    const endMicros = startMicros + durationMicros;
    if (endMicros > this.#newestMicros) this.#newestMicros = endMicros;
    if (this.#events.add(kind, threadId, startMicros, durationMicros, a, b, label)) this.#trim();
  }

  /** Lets go of what is too old, then, while there is too much, of what is oldest. */
  #trim(): void {
    if (!this.on) {
      this.#events.clear();
      this.#windows = [];
      this.#incidents = [];
      this.#windowBytes = 0;
      return;
    }
    const keepFrom = this.#newestMicros - this.#keepMicros;
    while (this.#windows.length > 0 && this.#windows[0]!.window.endMicros < keepFrom) this.#dropWindow();
    while (this.#events.oldestMicros < keepFrom) this.#events.dropOldest(keepFrom);
    while (this.#events.byteSize > this.#bytesMax / EVENTS_PART && this.#hasOldEvents)
      this.#dropEvents(keepFrom);
    while (this.byteSize > this.#bytesMax && (this.#windows.length > 1 || this.#hasOldEvents)) {
      const windowEnds =
        this.#windows.length > 1 ? this.#windows[0]!.window.endMicros : Number.POSITIVE_INFINITY;
      const eventsEnd = this.#events.oldestMicros;
      if (windowEnds < eventsEnd) this.#lost('ticks', this.#dropWindow(), windowEnds);
      else this.#dropEvents(keepFrom);
    }
  }

  get #hasOldEvents(): boolean {
    return this.#events.oldestMicros !== Number.POSITIVE_INFINITY;
  }

  #dropEvents(keepFrom: number): void {
    const endMicros = this.#events.oldestMicros;
    this.#lost('events', this.#events.dropOldest(keepFrom), endMicros);
  }

  /** Stacks that were kept for windows of an earlier epoch go with the last of them. Gives how many ticks went. */
  #dropWindow(): number {
    const { window, names } = this.#windows.shift()!;
    this.#windowBytes -= bytesOf(window);
    if (names instanceof KeptStacks && !this.#windows.some((other) => other.names === names))
      this.#windowBytes -= names.byteSize;
    return window.atMicros.length;
  }

  #lost(what: 'ticks' | 'events' | 'incidents', count: number, atMicros: number): void {
    this.#overwritten[what] += count;
    this.#overwritten.lastMicros = Math.max(this.#overwritten.lastMicros, atMicros);
  }
}

function bytesOf({ atMicros }: TickWindow): number {
  return WINDOW_BYTES + atMicros.length * TICK_BYTES;
}
