/**
 * Trace event JSON (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), as Chrome DevTools,
 * `node --trace-event-categories` and ringtail itself write it: a list of events, or an object with one.
 *
 * Where V8's profiler is in it (Profile and ProfileChunk events), its samples are the profile, a thread a label. A trace
 * tells no hit counts, so each of V8's records counts as one. Else the slices are (X, or B and E): each one's own time,
 * without that of the slices within it, by its track. Everything else (counters, instants, overlapping spans) is no stack
 * and is passed over.
 */
import { profileOfV8, type ReadCpuprofile, readCpuprofile } from './cpuprofile';
import { type JsonRecord, listOf, numberOf, optionalListOf, recordOf, textOf } from './json-value';
import { Profile } from './profile';
import { broken } from './profile-error';
import { checkCount, lineOf, NODES_MAX, PROFILE_ENTRIES_MAX, STACK_FRAMES_MAX } from './profile-limits';
import { namedLocation } from './stack-nodes';
import { EndedSlices, type Slice } from './trace-slices';
import { typeName } from './value-type';

const FORMAT = 'trace';
const THREAD_LABEL = 'thread';
const PROCESS_LABEL = 'process';
/** Ids of V8's nodes are above 0. */
const ROOT_ID = 0;
const MICROS = 1000;

export function isTrace(json: unknown): boolean {
  return Array.isArray(json) || (typeof json === 'object' && json !== null && 'traceEvents' in json);
}

export function decodeTrace(json: unknown): Profile {
  const list = Array.isArray(json) ? json : recordOf(FORMAT, 'the file', json).traceEvents;
  const events = listOf(FORMAT, 'traceEvents', list);
  checkCount(FORMAT, 'events', events.length, PROFILE_ENTRIES_MAX);
  const names = new TrackNames();
  const profiles = new Map<string, ChunkedProfile>();
  const slices = new EndedSlices(FORMAT);
  for (const entry of events) {
    const event = recordOf(FORMAT, 'an event', entry);
    if (event.ph === 'M') names.read(event);
    else if (event.ph === 'P') addChunk(profiles, event);
    else if (event.ph === 'X' || event.ph === 'B' || event.ph === 'E') slices.read(event);
  }
  if (profiles.size > 0) {
    const profile = profileOfV8(
      [...profiles.values()].map((chunks) => chunks.read(names, profiles.size > 1)),
    );
    if (!Array.isArray(json)) measureAsDrawn(profile, (json as JsonRecord).otherData);
    return profile;
  }
  if (slices.count > 0) return profileOfSlices(slices.tracks(), names);
  throw broken(FORMAT, 'there are neither samples nor slices in it');
}

/** What ringtail drew a profile of, and what a µs of the drawing is worth: its values again. */
function measureAsDrawn(profile: Profile, other: unknown): void {
  if (typeof other !== 'object' || other === null) return;
  const { sampleType, valuePerMicro } = other as JsonRecord;
  if (typeof sampleType !== 'string' || typeof valuePerMicro !== 'number' || !(valuePerMicro > 0)) return;
  const slash = sampleType.lastIndexOf('/');
  const [ticks, time] = profile.head.sampleTypes;
  const type = { type: sampleType.slice(0, slash), unit: sampleType.slice(slash + 1) };
  if (slash < 0 || typeName(type) === typeName(ticks!)) return;
  profile.head.sampleTypes = [ticks!, type];
  profile.head.periodType = time!;
  for (let at = 1; at < profile.values.length; at += 2)
    profile.values[at] = Math.round((profile.values[at]! / MICROS) * valuePerMicro);
}

/** What processes and threads are called, by their ids. */
class TrackNames {
  readonly #names = new Map<string, string>();

  read(event: JsonRecord): void {
    if (event.name !== 'thread_name' && event.name !== 'process_name') return;
    const text = textOf(FORMAT, 'name in args', recordOf(FORMAT, 'args', event.args ?? {}).name);
    const tid = event.name === 'thread_name' ? ` ${event.tid}` : '';
    if (text !== '') this.#names.set(`${event.pid}${tid}`, text);
  }

  /** Key and value of labels. */
  of(pid: unknown, tid: unknown): string[] {
    const program = this.#names.get(`${pid}`);
    const thread = this.#names.get(`${pid} ${tid}`) ?? String(tid);
    return [...(program === undefined ? [] : [PROCESS_LABEL, program]), THREAD_LABEL, thread];
  }
}

/** One thread's profile, which comes in pieces. */
class ChunkedProfile {
  readonly #nodes = new Map<
    number,
    { callFrame: unknown; children: number[]; hits: number; lines: Map<number, number> }
  >();
  readonly #roots: number[] = [];
  readonly #samples: number[] = [];
  readonly #deltas: number[] = [];
  #startMicros = Number.NaN;
  #endMicros = Number.NaN;
  #pid: unknown;
  #tid: unknown;

  add(event: JsonRecord): void {
    const data = recordOf(FORMAT, 'data of a profile', recordOf(FORMAT, 'args', event.args).data);
    if (data.startTime !== undefined) {
      // The thread that is profiled is the one that the first event names; chunks come from the profiler's own.
      [this.#pid, this.#tid] = [event.pid, event.tid];
      this.#startMicros = numberOf(FORMAT, 'startTime', data.startTime);
    }
    if (data.endTime !== undefined) this.#endMicros = numberOf(FORMAT, 'endTime', data.endTime);
    const piece = recordOf(FORMAT, 'cpuProfile', data.cpuProfile ?? {});
    for (const node of optionalListOf(FORMAT, 'nodes', piece.nodes))
      this.#addNode(recordOf(FORMAT, 'a node', node));
    const samples = optionalListOf(FORMAT, 'samples', piece.samples);
    const deltas = optionalListOf(FORMAT, 'timeDeltas', data.timeDeltas);
    const lines = optionalListOf(FORMAT, 'lines', data.lines);
    if (samples.length !== deltas.length)
      throw broken(FORMAT, `a chunk has ${samples.length} samples and ${deltas.length} timeDeltas`);
    samples.forEach((sample, index) => {
      const id = numberOf(FORMAT, 'a sample', sample);
      const node = this.#nodes.get(id);
      if (node === undefined) throw broken(FORMAT, `a sample names node ${id}, which is not there yet`);
      node.hits++;
      const line = lineOf(lines[index]);
      if (line > 0) node.lines.set(line, (node.lines.get(line) ?? 0) + 1);
      this.#samples.push(id);
      this.#deltas.push(numberOf(FORMAT, 'a timeDelta', deltas[index]));
    });
  }

  /** As in a .cpuprofile. Without its end the last sample has no time. */
  read(names: TrackNames, labelled: boolean): ReadCpuprofile {
    if (Number.isNaN(this.#startMicros)) throw broken(FORMAT, 'a profile has chunks and no beginning');
    const sampledMicros = this.#deltas.reduce((sum, delta) => sum + delta, this.#startMicros);
    const root = { id: ROOT_ID, callFrame: { functionName: '(root)' }, children: this.#rootChildren() };
    const nodes = [...this.#nodes].filter(([id]) => !this.#isOwnRoot(id));
    const file = {
      nodes: [
        { ...root, hitCount: this.#ownRoot?.hits ?? 0 },
        ...nodes.map(([id, { callFrame, children, hits, lines }]) => ({
          id,
          callFrame,
          children,
          hitCount: hits,
          positionTicks: [...lines].map(([line, ticks]) => ({ line, ticks })),
        })),
      ],
      samples: this.#samples.map((id) => (this.#isOwnRoot(id) ? ROOT_ID : id)),
      timeDeltas: this.#deltas,
      startTime: this.#startMicros,
      endTime: Number.isNaN(this.#endMicros) ? sampledMicros : Math.max(this.#endMicros, sampledMicros),
    };
    return readCpuprofile(FORMAT, file, labelled ? names.of(this.#pid, this.#tid) : []);
  }

  #addNode(node: JsonRecord): void {
    const id = numberOf(FORMAT, 'id of a node', node.id);
    if (this.#nodes.has(id) || id === ROOT_ID) throw broken(FORMAT, `two nodes have the id ${id}`);
    checkCount(FORMAT, 'nodes', this.#nodes.size + 1, PROFILE_ENTRIES_MAX);
    this.#nodes.set(id, { callFrame: node.callFrame, children: [], hits: 0, lines: new Map() });
    if (node.parent === undefined) return void this.#roots.push(id);
    const parent = this.#nodes.get(numberOf(FORMAT, 'parent of a node', node.parent));
    if (parent === undefined)
      throw broken(FORMAT, `node ${id} hangs on ${node.parent}, which is not there yet`);
    parent.children.push(id);
  }

  /** V8 writes its own root as the first node; other writers begin with the functions, or have them beside it. */
  get #ownRoot() {
    const node = this.#nodes.get(this.#roots[0]!);
    return (node?.callFrame as JsonRecord | undefined)?.functionName === '(root)' ? node : undefined;
  }

  #isOwnRoot(id: number): boolean {
    return this.#ownRoot !== undefined && id === this.#roots[0];
  }

  #rootChildren(): readonly number[] {
    const root = this.#ownRoot;
    return root === undefined ? this.#roots : [...root.children, ...this.#roots.slice(1)];
  }
}

function addChunk(profiles: Map<string, ChunkedProfile>, event: JsonRecord): void {
  if (event.name !== 'Profile' && event.name !== 'ProfileChunk') return;
  const key = `${event.pid} ${event.id}`;
  let profile = profiles.get(key);
  if (profile === undefined) {
    profile = new ChunkedProfile();
    profiles.set(key, profile);
  }
  profile.add(event);
}

/** tracks: the slices of each, every one after what it lies in. */
function profileOfSlices(
  tracks: Iterable<{ pid: unknown; tid: unknown; slices: readonly Slice[] }>,
  names: TrackNames,
): Profile {
  const type = { type: 'wall', unit: 'nanoseconds' };
  const profile = new Profile({
    sampleTypes: [{ type: 'slices', unit: 'count' }, type],
    periodType: type,
    period: 0,
    startMillis: 0,
    durationNanos: 0,
    program: '',
    comments: [],
  });
  let fromMicros = Number.POSITIVE_INFINITY;
  let toMicros = Number.NEGATIVE_INFINITY;
  for (const { pid, tid, slices } of tracks) {
    const labels = profile.labelSet(names.of(pid, tid));
    const open: { slice: Slice; node: number }[] = [];
    for (const slice of slices) {
      while (open.length > 0 && open.at(-1)!.slice.endMicros <= slice.startMicros) open.pop();
      checkCount(FORMAT, 'frames in a stack', open.length + 1, STACK_FRAMES_MAX);
      checkCount(FORMAT, 'distinct stacks', profile.nodes.length / 2, NODES_MAX);
      const place = {
        name: slice.name,
        systemName: slice.name,
        file: '',
        startLine: 0,
        startColumn: 0,
        line: 0,
      };
      const node = profile.node(open.at(-1)?.node ?? 0, namedLocation(profile, place));
      profile.add(node, labels, [1, Math.round(slice.ownMicros * MICROS)]);
      open.push({ slice, node });
      fromMicros = Math.min(fromMicros, slice.startMicros);
      toMicros = Math.max(toMicros, slice.endMicros);
    }
  }
  profile.head.durationNanos = Math.max(0, Math.round((toMicros - fromMicros) * MICROS));
  return profile;
}
