/**
 * One thread's profile of V8 in a trace. It comes in pieces: a Profile event that names the thread, and ProfileChunk
 * events with nodes, each after its parent, and with samples, each after its node.
 */
import { type ReadCpuprofile, readCpuprofile } from './cpuprofile';
import { figureOf } from './figure';
import { type JsonRecord, numberOf, optionalListOf, recordOf } from './json-value';
import { broken } from './profile-error';
import { checkCount, lineOf, PROFILE_ENTRIES_MAX } from './profile-limits';
import { TRACE_FORMAT, type TrackNames, trackIdOf } from './trace-tracks';

/** Ids of V8's nodes are above 0. */
const ROOT_ID = 0;

export class ChunkedProfile {
  readonly #nodes = new Map<
    number,
    { callFrame: unknown; children: number[]; hits: number; lines: Map<number, number> }
  >();
  readonly #roots: number[] = [];
  readonly #samples: number[] = [];
  readonly #deltas: number[] = [];
  #startMicros = Number.NaN;
  #endMicros = Number.NaN;
  #pid = '';
  #tid = '';

  get sampleCount(): number {
    return this.#samples.length;
  }

  add(event: JsonRecord): void {
    const data = recordOf(TRACE_FORMAT, 'data of a profile', recordOf(TRACE_FORMAT, 'args', event.args).data);
    if (data.startTime !== undefined) {
      // The thread that is profiled is the one that the first event names; chunks come from the profiler's own.
      [this.#pid, this.#tid] = [trackIdOf('pid', event.pid), trackIdOf('tid', event.tid)];
      this.#startMicros = figureOf(TRACE_FORMAT, 'startTime', data.startTime);
    }
    if (data.endTime !== undefined) this.#endMicros = figureOf(TRACE_FORMAT, 'endTime', data.endTime);
    const piece = recordOf(TRACE_FORMAT, 'cpuProfile', data.cpuProfile ?? {});
    for (const node of optionalListOf(TRACE_FORMAT, 'nodes', piece.nodes))
      this.#addNode(recordOf(TRACE_FORMAT, 'a node', node));
    const samples = optionalListOf(TRACE_FORMAT, 'samples', piece.samples);
    const deltas = optionalListOf(TRACE_FORMAT, 'timeDeltas', data.timeDeltas);
    const lines = optionalListOf(TRACE_FORMAT, 'lines', data.lines);
    if (samples.length !== deltas.length)
      throw broken(TRACE_FORMAT, `a chunk has ${samples.length} samples and ${deltas.length} timeDeltas`);
    samples.forEach((sample, index) => {
      const id = numberOf(TRACE_FORMAT, 'a sample', sample);
      const node = this.#nodes.get(id);
      if (node === undefined) throw broken(TRACE_FORMAT, `a sample names node ${id}, which is not there yet`);
      node.hits++;
      const line = lineOf(lines[index]);
      if (line > 0) node.lines.set(line, (node.lines.get(line) ?? 0) + 1);
      this.#samples.push(id);
      this.#deltas.push(figureOf(TRACE_FORMAT, 'a timeDelta', deltas[index]));
    });
  }

  /** As in a .cpuprofile. Without its end the last sample has no time. */
  read(names: TrackNames, labelled: boolean): ReadCpuprofile {
    if (Number.isNaN(this.#startMicros)) throw broken(TRACE_FORMAT, 'a profile has chunks and no beginning');
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
    return readCpuprofile(TRACE_FORMAT, file, labelled ? names.of(this.#pid, this.#tid) : []);
  }

  #addNode(node: JsonRecord): void {
    const id = numberOf(TRACE_FORMAT, 'id of a node', node.id);
    if (this.#nodes.has(id) || id === ROOT_ID) throw broken(TRACE_FORMAT, `two nodes have the id ${id}`);
    checkCount(TRACE_FORMAT, 'nodes', this.#nodes.size + 1, PROFILE_ENTRIES_MAX);
    this.#nodes.set(id, { callFrame: node.callFrame, children: [], hits: 0, lines: new Map() });
    if (node.parent === undefined) return void this.#roots.push(id);
    const parent = this.#nodes.get(numberOf(TRACE_FORMAT, 'parent of a node', node.parent));
    if (parent === undefined)
      throw broken(TRACE_FORMAT, `node ${id} hangs on ${node.parent}, which is not there yet`);
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
