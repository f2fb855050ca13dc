/**
 * A profile for Perfetto's and Chrome's viewers: sampled stacks on one track. A profile has no order in time, so its
 * stacks follow each other in the order of the call tree: what stands side by side belongs together, and how wide it is
 * says how much it is, but when it was says nothing.
 *
 * It is drawn as slices, which every viewer shows, and told as samples, which Perfetto sums up into a flame graph.
 * Viewers count samples, so a stack gets as many as it had ticks (one where it took time and had none), and they last as
 * long as it took. A profile without a sampler's ticks is told in at most SHOWN_SAMPLES_MAX even parts; what is less than
 * half a part is not shown.
 */
import { printable } from './printable';
import type { Profile } from './profile';
import { unfit } from './profile-error';
import { TRACE_ROOT_ID, type TraceNode, TraceWriter } from './trace-writer';
import { ticksIndex, timeUnitNanos, typeName } from './value-type';

const SHOWN_SAMPLES_MAX = 100_000;
const CHUNK_SAMPLES = 4096;
const TRACK = { pid: 1, tid: 1 };
const PROFILE_ID = 1;

/** A stack and how it is drawn: so many samples, from when to when, µs. */
type Drawn = { node: number; count: number; startMicros: number; endMicros: number };

/** write: takes the text piece by piece. valueIndex: the default sample type where it is not given. */
export function writePerfetto(
  profile: Profile,
  write: (text: string) => void,
  valueIndex = profile.defaultValueIndex,
): void {
  const { head } = profile;
  const type = typeName(head.sampleTypes[valueIndex]!);
  const { drawn, valuePerMicro } = drawnStacks(profile, valueIndex);
  const trace = new TraceWriter(write);
  trace.processName(TRACK.pid, head.program || 'profile');
  trace.threadName(TRACK, `${type}, in the order of the call tree`);
  trace.startCpuProfile(TRACK, PROFILE_ID, 0);
  const nodes = traceNodes(profile);
  trace.cpuProfileChunk(TRACK, PROFILE_ID, 0, nodes, [], []);
  for (const { id, start, end } of sliceBounds(profile, drawn)) {
    const { name, url, line } = nodes[id - 1]!;
    trace.slice(TRACK, printable(name), start, end, url === '' ? undefined : { at: `${url}:${line}` });
  }
  let samples: number[] = [];
  let deltas: number[] = [];
  let lastMicros = 0;
  const flush = () => {
    if (samples.length > 0) trace.cpuProfileChunk(TRACK, PROFILE_ID, lastMicros, [], samples, deltas);
    [samples, deltas] = [[], []];
  };
  for (const { node, count, startMicros, endMicros } of drawn) {
    for (let index = 0; index < count; index++) {
      const at = Math.round(startMicros + ((endMicros - startMicros) * index) / count);
      samples.push(node === 0 ? TRACE_ROOT_ID : node);
      deltas.push(at - lastMicros);
      lastMicros = at;
      if (samples.length === CHUNK_SAMPLES) flush();
    }
  }
  flush();
  trace.endCpuProfile(TRACK, PROFILE_ID, drawn.at(-1)?.endMicros ?? 0);
  trace.end({ sampleType: type, valuePerMicro, comments: head.comments });
}

/** Leaves in the order of the tree; and what a µs of the drawing is worth. */
function drawnStacks(profile: Profile, valueIndex: number): { drawn: Drawn[]; valuePerMicro: number } {
  const { head, samples, values } = profile;
  const stride = head.sampleTypes.length;
  const ticksAt = ticksIndex(head);
  const unitNanos = timeUnitNanos(head.sampleTypes[valueIndex]!.unit);
  const byNode = new Map<number, { value: number; ticks: number }>();
  let total = 0;
  let allTicks = 0;
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = values[sample * stride + valueIndex]!;
    const ticks = ticksAt < 0 ? 0 : values[sample * stride + ticksAt]!;
    if (value < 0) throw unfit('a trace cannot draw less than nothing: take pprof or folded');
    const sums = byNode.get(samples[sample * 2]!) ?? { value: 0, ticks: 0 };
    byNode.set(samples[sample * 2]!, { value: sums.value + value, ticks: sums.ticks + ticks });
    total += value;
    allTicks += ticks;
  }
  // A part is drawn as 1 µs where the values are no time.
  const isTicked = allTicks > 0 && allTicks <= SHOWN_SAMPLES_MAX;
  const part = Math.max(total / SHOWN_SAMPLES_MAX, Number.MIN_VALUE);
  const valuePerMicro = unitNanos === null ? part : 1000 / unitNanos;
  let endMicros = 0;
  const drawn = treeOrder(profile).flatMap((node) => {
    const sums = byNode.get(node);
    if (sums === undefined) return [];
    const count = isTicked ? Math.max(sums.ticks, sums.value > 0 ? 1 : 0) : Math.round(sums.value / part);
    if (count <= 0) return [];
    const startMicros = endMicros;
    endMicros += sums.value / valuePerMicro;
    return [{ node, count, startMicros, endMicros }];
  });
  return { drawn, valuePerMicro };
}

/** Of each node of which something is drawn, parents first: from its first stack to its last, as they stand in a row. */
function sliceBounds(
  { nodes }: Profile,
  drawn: readonly Drawn[],
): { id: number; start: number; end: number }[] {
  const bounds = new Map<number, { id: number; start: number; end: number }>();
  for (const { node, startMicros: start, endMicros: end } of drawn) {
    const path: number[] = [];
    for (let id = node; id !== 0; id = nodes[id * 2]!) path.push(id);
    for (const id of path.reverse()) {
      const known = bounds.get(id);
      if (known === undefined) bounds.set(id, { id, start, end });
      else known.end = end;
    }
  }
  return [...bounds.values()];
}

/** Depth first; children in the order they came. */
function treeOrder({ nodes }: Profile): number[] {
  const children = new Map<number, number[]>();
  for (let node = nodes.length / 2 - 1; node > 0; node--) {
    const siblings = children.get(nodes[node * 2]!);
    if (siblings === undefined) children.set(nodes[node * 2]!, [node]);
    else siblings.push(node);
  }
  const order: number[] = [];
  const pending = [0];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    order.push(node);
    for (const child of children.get(node) ?? []) pending.push(child);
  }
  return order;
}

function traceNodes(profile: Profile): TraceNode[] {
  const { nodes, locations } = profile;
  const list: TraceNode[] = [];
  for (let id = 1; id * 2 < nodes.length; id++) {
    const location = nodes[id * 2 + 1]!;
    const { name, file } = profile.functionOf(location);
    list.push({ id, parent: nodes[id * 2]!, name, url: file, line: locations[location * 2 + 1]! });
  }
  return list;
}
