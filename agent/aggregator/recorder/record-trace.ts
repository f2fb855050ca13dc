/**
 * A record as trace event JSON: what `trace` and the flight recorder's dumps are. A track of calls for each thread, one
 * each for stalls, notes and the collections of each thread; requests, spans and pool operations, which overlap, are spans
 * of their own; the delay of the event loop and memory are counters. Events stand in the order of their times.
 *
 * Loaded at the first trace or dump.
 */
import { printable } from '../../../collector/profile/printable';
import { type TraceArguments, TraceWriter, type Track } from '../../../collector/profile/trace-writer';
import { gcTypeOf } from '../../wire/gc';
import { HTTP_ABORTED, HTTP_METHOD_MASK, HTTP_METHODS } from '../../wire/schema';
import { CallSlices } from './call-slices';
import {
  RECORDED_DELAY,
  RECORDED_GC,
  RECORDED_MEMORY,
  RECORDED_REQUEST,
  RECORDED_SPAN,
  type Recorded,
  type RecordedEvent,
} from './recorded';

/** What a reader of the file has to know who takes it for a trace of Go. */
export const TRACE_NOTE =
  'Trace event JSON of a Node.js process, made by ringtail: open it at https://ui.perfetto.dev or chrome://tracing. It is no Go execution trace: "go tool trace" and "go tool pprof" cannot read it';

const TID_MAIN = 1;
const TID_STALLS = 2;
const TID_COLLECTIONS = 3;
const TID_NOTES = 4;
const TID_REQUESTS = 5;
const TID_SPANS = 6;
/** Two tracks for each worker thread. */
const TID_WORKERS = 10;
const SAMPLES_PER_CHUNK = 4096;

export type TraceAbout = { service: string; pid: number; other: TraceArguments };

export function writeRecord(recorded: Recorded, about: TraceAbout, write: (text: string) => void): void {
  new RecordTrace(recorded, about, write).write();
}

class RecordTrace {
  readonly #recorded: Recorded;
  readonly #about: TraceAbout;
  readonly #trace: TraceWriter;
  readonly #at: number[] = [];
  readonly #writes: (() => void)[] = [];
  readonly #named = new Map<number, string>();
  /** End of the last slice of each track, µs: slices of a track never cross. */
  readonly #ends = new Map<number, number>();
  #spans = 0;
  #ticks = 0;

  constructor(recorded: Recorded, about: TraceAbout, write: (text: string) => void) {
    this.#recorded = recorded;
    this.#about = about;
    this.#trace = new TraceWriter(write);
  }

  write(): void {
    const { pid, service, other } = this.#about;
    const trace = this.#trace;
    this.#calls();
    this.#incidents();
    this.#events();
    trace.processName(pid, service);
    trace.processLabel(pid, TRACE_NOTE);
    for (const [tid, name] of [...this.#named].sort(([left], [right]) => left - right))
      trace.threadName({ pid, tid }, name, tid);
    const order = this.#at.map((_, index) => index);
    order.sort((left, right) => this.#at[left]! - this.#at[right]! || left - right);
    for (const index of order) this.#writes[index]!();
    const { ticks, events, incidents, lastMicros } = this.#recorded.overwritten;
    trace.end({
      note: TRACE_NOTE,
      ...other,
      seconds: (this.#recorded.toMicros - this.#recorded.fromMicros) / 1e6,
      ticks: this.#ticks,
      overwrittenEarly: { ticks, events, incidents, completeFromMicros: lastMicros },
    });
  }

  #calls(): void {
    const { windows, fromMicros, toMicros } = this.#recorded;
    const threads = new Map<number, CallSlices>();
    for (const recorded of windows) {
      const { threadId } = recorded.window;
      const slices = threads.get(threadId) ?? new CallSlices();
      threads.set(threadId, slices);
      slices.add(recorded, fromMicros, toMicros);
    }
    for (const [threadId, slices] of threads) {
      slices.end();
      this.#ticks += slices.sampleMicros.length;
      this.#flameChart(this.#track(tidOf(threadId), threadName(threadId)), slices);
      this.#profile(this.#track(tidOf(threadId), threadName(threadId)), threadId + 1, slices);
    }
  }

  #flameChart(track: Track, { nodes, sliceNodes, sliceStarts, sliceMicros }: CallSlices): void {
    for (let slice = 0; slice < sliceNodes.length; slice++) {
      const { name, url, line } = nodes[sliceNodes[slice]! - 1]!;
      const start = sliceStarts[slice]!;
      const micros = sliceMicros[slice]!;
      const args = url === '' ? undefined : { at: `${url}:${line}` };
      this.#when(start, () => this.#trace.slice(track, printable(name), start, micros, args));
    }
  }

  /** The same ticks as V8's own tools have them, which viewers sum up. */
  #profile(track: Track, profileId: number, { nodes, sampleNodes, sampleMicros }: CallSlices): void {
    const start = sampleMicros[0];
    if (start === undefined) return;
    const trace = this.#trace;
    this.#when(start, () => {
      trace.startCpuProfile(track, profileId, start);
      trace.cpuProfileChunk(track, profileId, start, nodes, [], []);
    });
    let before = Math.floor(start);
    for (let from = 0; from < sampleNodes.length; from += SAMPLES_PER_CHUNK) {
      const deltas: number[] = [];
      for (const at of sampleMicros.slice(from, from + SAMPLES_PER_CHUNK)) {
        deltas.push(Math.round(at) - before);
        before = Math.round(at);
      }
      const ids = sampleNodes.slice(from, from + SAMPLES_PER_CHUNK);
      const at = sampleMicros[from]!;
      this.#when(at, () => trace.cpuProfileChunk(track, profileId, at, [], ids, deltas));
    }
  }

  #incidents(): void {
    for (const { kind, startMicros, durationMicros, text, stack } of this.#recorded.incidents) {
      if (kind === 'note') {
        const track = this.#track(TID_NOTES, 'notes');
        this.#when(startMicros, () => this.#trace.instant(track, printable(text), startMicros));
      } else {
        const args = stack.length === 0 ? undefined : { stack };
        this.#slice(TID_STALLS, 'stalls', text, startMicros, durationMicros, args);
      }
    }
  }

  #events(): void {
    const events = [...this.#recorded.events].sort((left, right) => left.startMicros - right.startMicros);
    for (const event of events) {
      const { kind, threadId, startMicros, durationMicros, a, b } = event;
      if (kind === RECORDED_GC) {
        const name = threadId === 0 ? 'garbage collection' : `worker ${threadId}: garbage collection`;
        const tid = threadId === 0 ? TID_COLLECTIONS : tidOf(threadId) + 1;
        this.#slice(tid, name, gcTypeOf(a), startMicros, durationMicros, { flags: b });
      } else if (kind === RECORDED_REQUEST) this.#request(event);
      else if (kind === RECORDED_SPAN) {
        const name = this.#recorded.labels[event.label] ?? '';
        this.#span(this.#track(TID_SPANS, 'spans'), name, event, { thread: threadId });
      } else if (kind === RECORDED_DELAY) {
        const values = { 'delay (ms)': durationMicros / 1000 };
        const at = startMicros + durationMicros;
        this.#when(at, () => this.#trace.counter(this.#about.pid, 'event loop', at, values));
        this.#when(at, () =>
          this.#trace.counter(this.#about.pid, 'turns of the event loop', at, { turns: a }),
        );
      } else if (kind === RECORDED_MEMORY) {
        const values = { 'heap in use (MB)': a / 1e6, 'resident (MB)': b / 1e6 };
        this.#when(startMicros, () => this.#trace.counter(this.#about.pid, 'memory', startMicros, values));
      }
    }
  }

  #request(event: RecordedEvent): void {
    const method = HTTP_METHODS[event.b & HTTP_METHOD_MASK] ?? HTTP_METHODS[0];
    const route = this.#recorded.labels[event.label] || '(no route known)';
    const aborted = (event.b & HTTP_ABORTED) !== 0;
    const args = { status: event.a, ...(aborted ? { aborted } : {}) };
    this.#span(this.#track(TID_REQUESTS, 'requests'), `${method} ${route}`, event, args);
  }

  #span(
    track: Track,
    name: string,
    { startMicros, durationMicros }: RecordedEvent,
    args: TraceArguments,
  ): void {
    const id = ++this.#spans;
    const shown = printable(name);
    const endMicros = startMicros + durationMicros;
    this.#when(startMicros, () => this.#trace.spanBegins(track, id, shown, startMicros, args));
    this.#when(endMicros, () => this.#trace.spanEnds(track, id, shown, endMicros));
  }

  /** One that would cross the slice before it begins where that one ends. */
  #slice(
    tid: number,
    trackName: string,
    name: string,
    startMicros: number,
    durationMicros: number,
    args?: TraceArguments,
  ): void {
    const track = this.#track(tid, trackName);
    const endMicros = startMicros + durationMicros;
    const start = Math.max(startMicros, this.#ends.get(tid) ?? 0);
    this.#ends.set(tid, Math.max(endMicros, start));
    this.#when(start, () =>
      this.#trace.slice(track, printable(name), start, Math.max(0, endMicros - start), args),
    );
  }

  #track(tid: number, name: string): Track {
    this.#named.set(tid, name);
    return { pid: this.#about.pid, tid };
  }

  #when(atMicros: number, write: () => void): void {
    this.#at.push(atMicros);
    this.#writes.push(write);
  }
}

function tidOf(threadId: number): number {
  return threadId === 0 ? TID_MAIN : TID_WORKERS + threadId * 2;
}

function threadName(threadId: number): string {
  return threadId === 0 ? 'main thread' : `worker ${threadId}`;
}
