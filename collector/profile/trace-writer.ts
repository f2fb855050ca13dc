/**
 * The trace event JSON that Perfetto's and Chrome's viewers open: tracks of processes and threads with slices, instants,
 * counters, spans that overlap, and samples of a CPU profile. Written piece by piece, so that a long trace is never whole
 * in memory: every call hands finished text to `write`, and `end` closes the file.
 *
 * Times are µs on one clock of the caller's choice; fractions are kept to the nanosecond.
 */

/** Where an event is drawn. pid and tid are whole numbers above 0; any that tell the tracks apart. */
export type Track = { pid: number; tid: number };

export type TraceArguments = Readonly<Record<string, unknown>>;

/** parent: 0 for a root. Ids are above 0, and new in the whole trace for one profile id. */
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
  slice(
    track: Track,
    name: string,
    startMicros: number,
    durationMicros: number,
    args?: TraceArguments,
  ): void {
    const dur = nanoExact(Math.max(0, durationMicros));
    this.#text(`{"ph":"X",${placed(name, track, startMicros)},"dur":${dur}${argsText(args)}}`);
  }

  instant(track: Track, name: string, atMicros: number, args?: TraceArguments): void {
    this.#event({ ph: 'i', s: 't', name, ...track, ts: nanoExact(atMicros), ...argsOf(args) });
  }

  /** The values of a counter from now on; each becomes a line of the same track. */
  counter(pid: number, name: string, atMicros: number, values: Readonly<Record<string, number>>): void {
    this.#event({ ph: 'C', name, pid, tid: 0, ts: nanoExact(atMicros), args: values });
  }

  /** What may overlap with others: a request, a pool operation. Each has an id of its own; the end comes after the beginning. */
  spanBegins(track: Track, id: number, name: string, atMicros: number, args?: TraceArguments): void {
    this.#span('b', track, id, name, atMicros, args);
  }

  spanEnds(track: Track, id: number, name: string, atMicros: number): void {
    this.#span('e', track, id, name, atMicros);
  }

  /** Before the first chunk of its samples. profileId: one for each profiled thread. */
  startCpuProfile(track: Track, profileId: number, startMicros: number): void {
    const startTime = Math.floor(startMicros);
    this.#profile('Profile', track, profileId, startMicros, { startTime });
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
    const ts = nanoExact(atMicros);
    this.#event({ ph: 'P', name, cat: CPU_PROFILER, id: hex(profileId), ...track, ts, args: { data } });
  }

  #event(event: object): void {
    this.#text(JSON.stringify(event));
  }

  /** The frequent ones are put together by hand, in a third of the time. */
  #text(event: string): void {
    if (this.#ended) throw new Error('the trace has ended: events come before end()');
    this.#write(`${this.#separator}${event}`);
    this.#separator = ',\n';
  }
}

function argsOf(args: TraceArguments | undefined): { args?: TraceArguments } {
  return args === undefined ? {} : { args };
}

function placed(name: string, { pid, tid }: Track, atMicros: number): string {
  return `"name":${JSON.stringify(name)},"pid":${pid},"tid":${tid},"ts":${nanoExact(atMicros)}`;
}

function argsText(args: TraceArguments | undefined): string {
  return args === undefined ? '' : `,"args":${JSON.stringify(args)}`;
}

/** Without the digits that binary fractions leave behind. */
function nanoExact(micros: number): number {
  return Math.round(micros * 1000) / 1000;
}

function hex(id: number): string {
  return `0x${id.toString(16)}`;
}
