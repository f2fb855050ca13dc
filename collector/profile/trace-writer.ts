/**
 * The trace event JSON that Perfetto's and Chrome's viewers open: tracks of processes and threads with slices, instants,
 * counters, spans that overlap, and samples of a CPU profile. Written piece by piece, so that a long trace is never whole
 * in memory: every call hands finished text to `write`, and `end` closes the file.
 *
 * Times are µs on one clock of the caller's choice, kept to an eighth: such a fraction is exact in binary and a whole
 * number of nanoseconds, so that slices which touch also touch in a viewer that multiplies by 1000 and cuts off (Perfetto
 * lets go of a slice that ends a nanosecond after the one around it).
 */
import { ROOT_FRAME } from './call-frame';

/** Where an event is drawn. pid and tid are whole numbers above 0; any that tell the tracks apart. */
export type Track = { pid: number; tid: number };

export type TraceArguments = Readonly<Record<string, unknown>>;

/** parent: 0 for a root. Ids are above 0 and below TRACE_ROOT_ID, and new in the whole trace for one profile id. */
export type TraceNode = {
  id: number;
  parent: number;
  name: string;
  url: string;
  /** 1-based, 0 unknown. */
  line: number;
};

/** Category of the samples of V8's profiler, by which viewers know them. */
const CPU_PROFILER = 'disabled-by-default-v8.cpu_profiler';
const SPAN_CATEGORY = 'span';
/** The node of samples with an empty stack; no other node has its id. */
export const TRACE_ROOT_ID = 0x7fff_ffff;
/** Half of a pair without the other, as JSON writes it: Perfetto refuses a whole file for one. */
const LONE_SURROGATE = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

export class TraceWriter {
  readonly #write: (text: string) => void;
  #separator = '\n';
  #ended = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
    write('{"traceEvents":[');
  }

  processName(pid: number, name: string): void {
    this.#event({ ph: 'M', name: 'process_name', pid, tid: 0, args: { name } });
  }

  /** Words that viewers show beside the process. */
  processLabel(pid: number, text: string): void {
    this.#event({ ph: 'M', name: 'process_labels', pid, tid: 0, args: { labels: text } });
  }

  /** sortIndex: smaller ones are drawn further up. */
  threadName({ pid, tid }: Track, name: string, sortIndex = 0): void {
    this.#event({ ph: 'M', name: 'thread_name', pid, tid, args: { name } });
    this.#event({ ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: sortIndex } });
  }

  /** What begins and ends on one track. Slices of a track lie within or beside each other, never across. */
  slice(track: Track, name: string, startMicros: number, endMicros: number, args?: TraceArguments): void {
    const dur = Math.max(0, exact(endMicros) - exact(startMicros));
    this.#text(`{"ph":"X",${placed(name, track, startMicros)},"dur":${dur}${argsText(args)}}`);
  }

  instant(track: Track, name: string, atMicros: number, args?: TraceArguments): void {
    this.#event({ ph: 'i', s: 't', name, ...track, ts: exact(atMicros), ...argsOf(args) });
  }

  /** The values of a counter from now on; each becomes a line of the same track. */
  counter(pid: number, name: string, atMicros: number, values: Readonly<Record<string, number>>): void {
    this.#event({ ph: 'C', name, pid, tid: 0, ts: exact(atMicros), args: values });
  }

  /** What may overlap with others: a request, a pool operation. Each has an id of its own; the end comes after the beginning. */
  spanBegins(track: Track, id: number, name: string, atMicros: number, args?: TraceArguments): void {
    this.#span('b', track, id, name, atMicros, args);
  }

  spanEnds(track: Track, id: number, name: string, atMicros: number): void {
    this.#span('e', track, id, name, atMicros);
  }

  /**
   * Before the first chunk of its samples. profileId: one for each profiled thread.
   *
   * The samples are for viewers that sum them up. DevTools would draw those below the first node once more, across the
   * track's slices; it follows no other root, so the first node is one that nothing is below.
   */
  startCpuProfile(track: Track, profileId: number, startMicros: number): void {
    const startTime = Math.floor(startMicros);
    this.#profile('Profile', track, profileId, startMicros, { startTime });
    const root = { id: TRACE_ROOT_ID, parent: 0, name: ROOT_FRAME, url: '', line: 0 };
    this.cpuProfileChunk(track, profileId, startMicros, [root], [], []);
  }

  /**
   * Nodes that are new, and samples: which node, and how many whole µs after the sample before (the start, for the
   * first). A node comes before what names it.
   */
  cpuProfileChunk(
    track: Track,
    profileId: number,
    atMicros: number,
    nodes: readonly TraceNode[],
    samples: readonly number[],
    timeDeltas: readonly number[],
  ): void {
    const written = nodes.map(({ id, parent, name, url, line }) => ({
      id,
      ...(parent === 0 ? {} : { parent }),
      callFrame: {
        codeType: 'JS',
        functionName: name,
        scriptId: 0,
        url,
        lineNumber: line - 1,
        columnNumber: -1,
      },
    }));
    const cpuProfile = { nodes: written, samples };
    this.#profile('ProfileChunk', track, profileId, atMicros, { cpuProfile, timeDeltas });
  }

  /** After the last chunk: until when its last sample lasts. */
  endCpuProfile(track: Track, profileId: number, endMicros: number): void {
    this.#profile('ProfileChunk', track, profileId, endMicros, { endTime: Math.round(endMicros) });
  }

  /** other: what is told about the trace as a whole. */
  end(other: TraceArguments = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#write(`\n],"displayTimeUnit":"ms","otherData":${JSON.stringify(other)}}\n`);
  }

  #span(
    ph: 'b' | 'e',
    track: Track,
    id: number,
    name: string,
    atMicros: number,
    args?: TraceArguments,
  ): void {
    const head = `{"ph":"${ph}","cat":"${SPAN_CATEGORY}","id":"${hex(id)}"`;
    this.#text(`${head},${placed(name, track, atMicros)}${argsText(args)}}`);
  }

  #profile(name: string, track: Track, profileId: number, atMicros: number, data: object): void {
    const ts = exact(atMicros);
    this.#event({ ph: 'P', name, cat: CPU_PROFILER, id: hex(profileId), ...track, ts, args: { data } });
  }

  #event(event: object): void {
    this.#text(JSON.stringify(event));
  }

  /** The frequent ones are put together by hand, in a third of the time. */
  #text(event: string): void {
    if (this.#ended) throw new Error('the trace has ended: events come before end()');
    const text = event.includes('\\ud') ? event.replace(LONE_SURROGATE, '$1\ufffd') : event;
    this.#write(`${this.#separator}${text}`);
    this.#separator = ',\n';
  }
}

function argsOf(args: TraceArguments | undefined): { args?: TraceArguments } {
  return args === undefined ? {} : { args };
}

function placed(name: string, { pid, tid }: Track, atMicros: number): string {
  return `"name":${JSON.stringify(name)},"pid":${pid},"tid":${tid},"ts":${exact(atMicros)}`;
}

function argsText(args: TraceArguments | undefined): string {
  return args === undefined ? '' : `,"args":${JSON.stringify(args)}`;
}

function exact(micros: number): number {
  return Math.round(micros * 8) / 8;
}

function hex(id: number): string {
  return `0x${id.toString(16)}`;
}
