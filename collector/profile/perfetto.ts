/**
 * A profile for Perfetto's and Chrome's viewers: sampled stacks on one track. A profile has no order in time, so its
 * stacks follow each other in the order of the call tree: what stands side by side belongs together, and how wide it is
 * says how much it is, but when it was says nothing.
 *
 * Viewers count samples, so a stack gets as many as it had ticks (one where it took time and had none), and they last as
 * long as it took. A profile without a sampler's ticks is told in at most SHOWN_SAMPLES_MAX even parts; what is less than
 * half a part is not shown.
 */
import { ROOT_FRAME } from './call-frame';
import type { Profile } from './profile';
import { unfit } from './profile-error';
import { type TraceNode, TraceWriter } from './trace-writer';
import { ticksIndex, timeUnitNanos, typeName } from './value-type';

const SHOWN_SAMPLES_MAX = 100_000;
const CHUNK_SAMPLES = 4096;
const TRACK = { pid: 1, tid: 1 };
const PROFILE_ID = 1;

/** A stack and how it is drawn: so many samples, so long together. */
type Drawn = { node: number; count: number; micros: number };

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
  trace.cpuProfileChunk(TRACK, PROFILE_ID, 0, traceNodes(profile), [], []);
  let samples: number[] = [];
  let deltas: number[] = [];
  let atMicros = 0;
  let lastMicros = 0;
  const flush = () => {
    if (samples.length > 0) trace.cpuProfileChunk(TRACK, PROFILE_ID, lastMicros, [], samples, deltas);
    [samples, deltas] = [[], []];
  };
  for (const { node, count, micros } of drawn) {
    for (let index = 0; index < count; index++) {
      const at = Math.round(atMicros + (micros * index) / count);
      samples.push(idOf(node));
      deltas.push(at - lastMicros);
      lastMicros = at;
      if (samples.length === CHUNK_SAMPLES) flush();
    }
    atMicros += micros;
  }
  flush();
  trace.endCpuProfile(TRACK, PROFILE_ID, atMicros);
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
  const drawn = treeOrder(profile).flatMap((node) => {
    const sums = byNode.get(node);
    if (sums === undefined) return [];
    const count = isTicked ? Math.max(sums.ticks, sums.value > 0 ? 1 : 0) : Math.round(sums.value / part);
    return count > 0 ? [{ node, count, micros: sums.value / valuePerMicro }] : [];
  });
  return { drawn, valuePerMicro };
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
  const list: TraceNode[] = [{ id: idOf(0), parent: 0, name: ROOT_FRAME, url: '', line: 0 }];
  for (let node = 1; node * 2 < nodes.length; node++) {
    const location = nodes[node * 2 + 1]!;
    const { name, file } = profile.functionOf(location);
    const line = locations[location * 2 + 1]!;
    list.push({ id: idOf(node), parent: idOf(nodes[node * 2]!), name, url: file, line });
  }
  return list;
}

/** Ids in a trace are above 0; V8's own traces, too, have a node for the root. */
function idOf(node: number): number {
  return node + 1;
}
