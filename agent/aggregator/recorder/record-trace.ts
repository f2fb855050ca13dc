/**
 * A record as trace event JSON: what `trace` and the flight recorder's dumps are. A track of calls for each thread, one
 * each for stalls, notes and the collections of each thread; requests, spans and pool operations, which overlap, are spans
 * of their own; the delay of the event loop and memory are counters. Events stand in the order of their times.
 *
 * Loaded at the first trace or dump.
 */
import { CallSlices } from '../../../collector/profile/call-slices';
import { printable } from '../../../collector/profile/printable';
import { SHARED_MIN_MICROS, sharedStack } from '../../../collector/profile/shared-stack';
import { type TraceArguments, TraceWriter, type Track } from '../../../collector/profile/trace-writer';
import { gcTypeOf } from '../../wire/gc';
import { HTTP_ABORTED, HTTP_METHOD_MASK, HTTP_METHODS } from '../../wire/schema';
import {
  RECORDED_DELAY,
  RECORDED_GC,
  RECORDED_MEMORY,
  RECORDED_POOL,
  RECORDED_REQUEST,
  RECORDED_SPAN,
  type Recorded,
  type RecordedEvent,
} from './recorded';
import { Timeline } from './timeline';

/** What a reader of the file has to know who takes it for a trace of Go. */
export const TRACE_NOTE =
  'Trace event JSON of a Node.js process, made by ringtail: open it at https://ui.perfetto.dev or chrome://tracing. It is no Go execution trace: "go tool trace" and "go tool pprof" cannot read it';

const TID_MAIN = 1;
const TID_STALLS = 2;
const TID_COLLECTIONS = 3;
const TID_NOTES = 4;
const TID_REQUESTS = 5;
const TID_SPANS = 6;
const TID_POOL = 7;
/** Two tracks for each worker thread. */
const TID_WORKERS = 10;
const SAMPLES_PER_CHUNK = 4096;
/** So many of the slowest requests carry the stack of their time. */
const SLOW_MAX = 200;
/** What overlaps, and its track. */
const SPANS = new Map<number, [tid: number, name: string]>([
  [RECORDED_REQUEST, [TID_REQUESTS, 'requests']],
  [RECORDED_SPAN, [TID_SPANS, 'spans']],
  [RECORDED_POOL, [TID_POOL, "libuv's pool"]],
]);

export type TraceAbout = { service: string; pid: number; other: TraceArguments };

export function writeRecord(recorded: Recorded, about: TraceAbout, write: (text: string) => void): void {
  new RecordTrace(recorded, about, write).write();
}

class RecordTrace {
  readonly #recorded: Recorded;
  readonly #about: TraceAbout;
  readonly #trace: TraceWriter;
  readonly #timeline = new Timeline();
  readonly #named = new Map<number, string>();
  /** End of the last slice of each track, µs: slices of a track never cross. */
  readonly #ends = new Map<number, number>();
  #ticks = 0;
  /** Calls of the main thread, which is where requests are seen. */
  #main = new CallSlices();

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
    this.#timeline.play();
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
      if (threadId === 0) this.#main = slices;
      this.#ticks += slices.sampleMicros.length;
      this.#flameChart(this.#track(tidOf(threadId), threadName(threadId)), slices);
      this.#profile(this.#track(tidOf(threadId), threadName(threadId)), threadId + 1, slices);
    }
  }

  #flameChart(track: Track, { nodes, sliceNodes, sliceStarts, sliceEnds }: CallSlices): void {
    this.#timeline.all(sliceStarts, (slice) => {
      const { name, url, line } = nodes[sliceNodes[slice]! - 1]!;
      const args = url === '' ? undefined : { at: `${url}:${line}` };
      this.#trace.slice(track, printable(name), sliceStarts[slice]!, sliceEnds[slice]!, args);
    });
  }

  /** The same ticks as V8's own tools have them, which viewers sum up. */
  #profile(track: Track, profileId: number, { nodes, sampleNodes, sampleMicros }: CallSlices): void {
    const start = sampleMicros[0];
    if (start === undefined) return;
    const trace = this.#trace;
    this.#timeline.one(start, () => {
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
      this.#timeline.one(at, () => trace.cpuProfileChunk(track, profileId, at, [], ids, deltas));
    }
  }

  #incidents(): void {
    for (const { kind, startMicros, durationMicros, text, stack } of this.#recorded.incidents) {
      if (kind === 'note') {
        const track = this.#track(TID_NOTES, 'notes');
        this.#timeline.one(startMicros, () => this.#trace.instant(track, printable(text), startMicros));
      } else {
        const args = stack.length === 0 ? undefined : { stack };
        this.#slice(TID_STALLS, 'stalls', text, startMicros, durationMicros, args);
      }
    }
  }

  #events(): void {
    const events = [...this.#recorded.events].sort((left, right) => left.startMicros - right.startMicros);
    const spans: RecordedEvent[] = [];
    for (const event of events) {
      const { kind, threadId, startMicros, durationMicros, a, b } = event;
      if (SPANS.has(kind)) spans.push(event);
      else if (kind === RECORDED_GC) {
        const name = threadId === 0 ? 'garbage collection' : `worker ${threadId}: garbage collection`;
        const tid = threadId === 0 ? TID_COLLECTIONS : tidOf(threadId) + 1;
        this.#slice(tid, name, gcTypeOf(a), startMicros, durationMicros, { flags: b });
      } else if (kind === RECORDED_DELAY) {
        const at = startMicros + durationMicros;
        this.#counter('event loop', at, { 'delay (ms)': durationMicros / 1000 });
        this.#counter('turns of the event loop', at, { turns: a });
      } else if (kind === RECORDED_MEMORY) {
        this.#counter('memory', startMicros, { 'heap in use (MB)': a / 1e6, 'resident (MB)': b / 1e6 });
      }
    }
    const stacks = this.#stacksOf(spans);
    const drawn = spans.map((event) => this.#track(...SPANS.get(event.kind)!));
    this.#timeline.all(
      spans.map(({ startMicros }) => startMicros),
      (index) => {
        const event = spans[index]!;
        const name = this.#spanName(event);
        const args = { ...spanArguments(event), ...stacks.get(event) };
        this.#trace.spanBegins(drawn[index]!, index + 1, name, event.startMicros, args);
      },
    );
    this.#timeline.all(
      spans.map(({ startMicros, durationMicros }) => startMicros + durationMicros),
      (index) => {
        const { startMicros, durationMicros } = spans[index]!;
        const name = this.#spanName(spans[index]!);
        this.#trace.spanEnds(drawn[index]!, index + 1, name, startMicros + durationMicros);
      },
    );
  }

  /** What the main thread did most of the time of slow requests, also before the record begins. */
  #stacksOf(spans: readonly RecordedEvent[]): Map<RecordedEvent, TraceArguments> {
    const slow = spans
      .filter(({ kind, durationMicros }) => kind === RECORDED_REQUEST && durationMicros >= SHARED_MIN_MICROS)
      .sort((left, right) => right.durationMicros - left.durationMicros)
      .slice(0, SLOW_MAX);
    const calls = this.#mainCallsIn(slow);
    const stacks = new Map<RecordedEvent, TraceArguments>();
    for (const request of slow) {
      const { startMicros, durationMicros } = request;
      const shared = sharedStack(calls, startMicros, startMicros + durationMicros);
      if (shared === null) continue;
      const { stack, busyMicros } = shared;
      stacks.set(request, {
        stack: stack.map(printable),
        'in that stack (ms)': Math.round(busyMicros / 1000),
      });
    }
    return stacks;
  }

  /** The calls that are drawn, or where a request reaches beyond them all that are known of its time. */
  #mainCallsIn(requests: readonly RecordedEvent[]): CallSlices {
    const { windows, fromMicros, toMicros } = this.#recorded;
    const from = Math.min(fromMicros, ...requests.map(({ startMicros }) => startMicros));
    const to = Math.max(
      toMicros,
      ...requests.map(({ startMicros, durationMicros }) => startMicros + durationMicros),
    );
    if (from === fromMicros && to === toMicros) return this.#main;
    const calls = new CallSlices();
    for (const recorded of windows) if (recorded.window.threadId === 0) calls.add(recorded, from, to);
    return calls;
  }

  #spanName({ kind, label, b }: RecordedEvent): string {
    const text = printable(this.#recorded.labels[label] ?? '');
    if (kind !== RECORDED_REQUEST) return text;
    return `${HTTP_METHODS[b & HTTP_METHOD_MASK] ?? HTTP_METHODS[0]} ${text || '(no route known)'}`;
  }

  #counter(name: string, atMicros: number, values: Readonly<Record<string, number>>): void {
    this.#timeline.one(atMicros, () => this.#trace.counter(this.#about.pid, name, atMicros, values));
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
    this.#timeline.one(start, () => this.#trace.slice(track, printable(name), start, endMicros, args));
  }

  #track(tid: number, name: string): Track {
    this.#named.set(tid, name);
    return { pid: this.#about.pid, tid };
  }
}

function spanArguments({ kind, threadId, a, b }: RecordedEvent): TraceArguments {
  if (kind === RECORDED_REQUEST) return { status: a, ...((b & HTTP_ABORTED) === 0 ? {} : { aborted: true }) };
  if (kind === RECORDED_SPAN) return { thread: threadId };
  return a < 0 ? {} : { 'wait (ms)': a / 1000, 'run (ms)': b / 1000 };
}

function tidOf(threadId: number): number {
  return threadId === 0 ? TID_MAIN : TID_WORKERS + threadId * 2;
}

function threadName(threadId: number): string {
  return threadId === 0 ? 'main thread' : `worker ${threadId}`;
}
