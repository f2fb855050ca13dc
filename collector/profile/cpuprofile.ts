/**
 * .cpuprofile files: V8's JSON, as Chrome DevTools, `node --cpu-prof` and the inspector write and read it.
 *
 * In: ticks are hitCounts. V8's list of samples also holds records that it adds at deoptimisations, so their number says
 * nothing, but the time from one record to the next does: that is the second value. Both are split over the lines of a
 * leaf by its positionTicks. With idle time in it the profile is one of wall time, else of CPU time.
 *
 * Out: time in µs as time deltas, one record a stack and leaf line, in the order of the tree and not of time. Lines of
 * callers and labels have no place in the format.
 */
import { callFrameOf, frameLocation, type PlacedFrame, ROOT_FRAME, readCallFrame } from './call-frame';
import { figureOf } from './figure';
import { FRAME_IDLE } from './frame';
import { type FunctionTree, functionTree } from './function-tree';
import { listOf, numberOf, optionalListOf, recordOf } from './json-value';
import { Profile, type ProfileHead } from './profile';
import { broken, unfit } from './profile-error';
import {
  checkCount,
  lineOf,
  PROFILE_ENTRIES_MAX,
  STACK_FRAMES_MAX,
  WALKED_FRAMES_MAX,
} from './profile-limits';
import { ticksIndex, timeUnitNanos, typeName } from './value-type';

const FORMAT = '.cpuprofile';
/** A startTime from here on is one of the wall clock; V8's own is the time since the machine started. */
const WALL_CLOCK_MICROS = 1e15;
const MICROS = 1000;
/** A tick of a sampler whose period is not known: 1 ms. */
const UNKNOWN_TICK_NANOS = 1e6;

type ReadNode = {
  frame: PlacedFrame;
  hits: number;
  children: readonly unknown[];
  lines: readonly { line: number; ticks: number }[];
};

/** What one V8 profile holds. labels: key and value of what tells it from others of the same file. */
export type ReadCpuprofile = {
  nodes: ReadonlyMap<number, ReadNode>;
  /** Time by node. */
  nanos: ReadonlyMap<number, number>;
  startMicros: number;
  endMicros: number;
  labels: readonly string[];
};

export function decodeCpuprofile(json: unknown): Profile {
  return profileOfV8([readCpuprofile(FORMAT, json, [])]);
}

/** format: named in errors. */
export function readCpuprofile(format: string, json: unknown, labels: readonly string[]): ReadCpuprofile {
  const file = recordOf(format, 'the file', json);
  const nodes = readNodes(format, listOf(format, 'nodes', file.nodes));
  const startMicros = figureOf(format, 'startTime', file.startTime);
  const endMicros = figureOf(format, 'endTime', file.endTime);
  const nanos = nanosByNode(format, nodes, file.samples, file.timeDeltas, endMicros - startMicros);
  return { nodes, nanos, startMicros, endMicros, labels };
}

/** Adds up profiles that were taken beside each other; at least one. */
export function profileOfV8(parts: readonly ReadCpuprofile[]): Profile {
  const idle = parts.some(({ nodes, nanos }) =>
    [...nodes].some(
      ([id, { frame, hits }]) => frame.name === FRAME_IDLE && (hits > 0 || (nanos.get(id) ?? 0) > 0),
    ),
  );
  const type = { type: idle ? 'wall' : 'cpu', unit: 'nanoseconds' };
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const ticks = sum(parts.map(({ nodes }) => sum([...nodes.values()].map(({ hits }) => hits))));
  const timed = sum(parts.map(({ nanos }) => sum(nanos.values())));
  let startMicros = Number.POSITIVE_INFINITY;
  let endMicros = Number.NEGATIVE_INFINITY;
  // Not with min(...): there may be more parts than a call takes arguments.
  for (const part of parts) {
    startMicros = Math.min(startMicros, part.startMicros);
    endMicros = Math.max(endMicros, part.endMicros);
  }
  const profile = new Profile({
    sampleTypes: [{ type: 'samples', unit: 'count' }, type],
    periodType: type,
    period: ticks > 0 ? Math.round(timed / ticks) : 0,
    startMillis: startMicros >= WALL_CLOCK_MICROS ? startMicros / 1000 : 0,
    durationNanos: Math.max(0, Math.round((endMicros - startMicros) * MICROS)),
    program: '',
    comments: [],
  });
  let walked = 0;
  for (const part of parts) walked = addNodes(profile, part, walked);
  return profile;
}

function readNodes(format: string, list: readonly unknown[]): Map<number, ReadNode> {
  checkCount(format, 'nodes', list.length, PROFILE_ENTRIES_MAX);
  const nodes = new Map<number, ReadNode>();
  for (const entry of list) {
    const node = recordOf(format, 'a node', entry);
    const id = numberOf(format, 'id of a node', node.id);
    if (nodes.has(id)) throw broken(format, `two nodes have the id ${id}`);
    nodes.set(id, {
      frame: readCallFrame(format, node.callFrame),
      hits: node.hitCount === undefined ? 0 : figureOf(format, 'hitCount', node.hitCount),
      children: optionalListOf(format, 'children', node.children),
      lines: optionalListOf(format, 'positionTicks', node.positionTicks).map((ticks) => {
        const at = recordOf(format, 'a positionTick', ticks);
        return { line: lineOf(at.line), ticks: figureOf(format, 'ticks', at.ticks) };
      }),
    });
  }
  if (nodes.size === 0) throw broken(format, 'it has no nodes');
  return nodes;
}

/** A record lasts until the next one, the last one until the end. Rounded as a whole, so that nothing gets lost. */
function nanosByNode(
  format: string,
  nodes: ReadonlyMap<number, ReadNode>,
  samples: unknown,
  timeDeltas: unknown,
  spanMicros: number,
): Map<number, number> {
  const nanos = new Map<number, number>();
  const ids = optionalListOf(format, 'samples', samples);
  const deltas = optionalListOf(format, 'timeDeltas', timeDeltas);
  if (ids.length !== deltas.length)
    throw broken(format, `it has ${ids.length} samples and ${deltas.length} timeDeltas`);
  let elapsed = ids.length > 0 ? figureOf(format, 'a timeDelta', deltas[0]) : 0;
  ids.forEach((given, index) => {
    const id = numberOf(format, 'a sample', given);
    if (!nodes.has(id)) throw broken(format, `a sample names node ${id}, which is not there`);
    const isLast = index === ids.length - 1;
    const micros = isLast
      ? Math.floor(spanMicros - elapsed)
      : figureOf(format, 'a timeDelta', deltas[index + 1]);
    elapsed += micros;
    nanos.set(id, (nanos.get(id) ?? 0) + Math.max(0, Math.round(micros * MICROS)));
  });
  return nanos;
}

/**
 * The first node is the root; its name is left out. walkedBefore: frames of the samples of other parts; returns them
 * with those of this part.
 */
function addNodes(
  profile: Profile,
  { nodes, nanos, labels: texts }: ReadCpuprofile,
  walkedBefore: number,
): number {
  let walked = walkedBefore;
  const labels = profile.labelSet(texts);
  const [root] = nodes.keys();
  const pending: { id: number; parent: number; depth: number }[] = [{ id: root!, parent: 0, depth: 0 }];
  const seen = new Set<number>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { id, parent, depth } = next;
    const node = nodes.get(id);
    if (node === undefined) throw broken(FORMAT, `node ${id} is a child and not there`);
    if (seen.has(id)) throw broken(FORMAT, `node ${id} has two parents`);
    seen.add(id);
    checkCount(FORMAT, 'frames in a stack', depth, STACK_FRAMES_MAX);
    const isRoot = depth === 0 && node.frame.name === ROOT_FRAME;
    const at = (line: number) =>
      isRoot ? parent : profile.node(parent, frameLocation(profile, node.frame, line));
    for (const { line, values } of leavesOf(node, nanos.get(id) ?? 0)) {
      walked += depth;
      checkCount(FORMAT, 'frames', walked, WALKED_FRAMES_MAX);
      profile.add(at(line), labels, values);
    }
    const below = at(0);
    for (const child of node.children) {
      pending.push({ id: numberOf(FORMAT, 'a child', child), parent: below, depth: depth + 1 });
    }
  }
  if (seen.size < nodes.size) throw broken(FORMAT, `${nodes.size - seen.size} nodes hang on no other`);
  return walked;
}

/** Ticks and time of a node, by the line that its leaf stood at: 0 for those of which it is not known. */
function leavesOf({ hits, lines }: ReadNode, nanos: number): { line: number; values: [number, number] }[] {
  if (hits === 0 && nanos === 0) return [];
  const known = lines.filter(({ line, ticks }) => line > 0 && ticks > 0);
  const lined = known.reduce((sum, { ticks }) => sum + ticks, 0);
  const total = Math.max(hits, lined);
  let nanosLeft = nanos;
  const leaves = known.map(({ line, ticks }, index): { line: number; values: [number, number] } => {
    const isLast = index === known.length - 1 && lined >= total;
    const share = isLast ? nanosLeft : Math.min(nanosLeft, Math.round((nanos * ticks) / total));
    nanosLeft -= share;
    return { line, values: [ticks, share] };
  });
  if (hits > lined || nanosLeft > 0) leaves.push({ line: 0, values: [Math.max(0, hits - lined), nanosLeft] });
  return leaves;
}

/** valueIndex: which sample type, one of time; the default one where it is not given. */
export function encodeCpuprofile(profile: Profile, valueIndex = profile.defaultValueIndex): string {
  const { head } = profile;
  const type = head.sampleTypes[valueIndex]!;
  const unitNanos = valueIndex === ticksIndex(head) ? tickNanos(head) : timeUnitNanos(type.unit);
  if (unitNanos === null) {
    throw unfit(`a .cpuprofile holds time, not ${typeName(type)}: take pprof, speedscope or folded`);
  }
  const tree = functionTree(profile);
  const { hits, lines, records } = recordsOf(profile, valueIndex, tree);
  const deltas = [0, ...records.map(({ value }) => (value * unitNanos) / MICROS)];
  const startMicros = Math.round(head.startMillis * 1000);
  const scripts = new Map<string, number>();
  const nodes = tree.functions.map((functionId, index) => ({
    id: index + 1,
    callFrame: callFrameOf(profile, functionId, scripts),
    hitCount: hits[index],
    children: tree.children[index]!.map((child) => child + 1),
    positionTicks: [...(lines[index] ?? [])].map(([line, ticks]) => ({ line, ticks })),
  }));
  return JSON.stringify({
    nodes,
    startTime: startMicros,
    endTime: startMicros + Math.round(deltas.reduce((sum, delta) => sum + delta, 0)),
    // The last record closes the one before, and is worth nothing.
    samples: [...records.map(({ node }) => node + 1), 1],
    timeDeltas: deltas,
  });
}

type Records = {
  /** Ticks by node. */
  hits: number[];
  /** Ticks by line, by node. */
  lines: (Map<number, number> | undefined)[];
  records: { node: number; value: number }[];
};

function recordsOf(profile: Profile, valueIndex: number, tree: FunctionTree): Records {
  const { head, samples, values, locations, nodes } = profile;
  const stride = head.sampleTypes.length;
  const ticksAt = ticksIndex(head);
  const hits = new Array<number>(tree.functions.length).fill(0);
  const lines: Records['lines'] = [];
  const records: Records['records'] = [];
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = values[sample * stride + valueIndex]!;
    const ticks = ticksAt < 0 ? ticksOf(value, head) : values[sample * stride + ticksAt]!;
    if (value < 0 || ticks < 0)
      throw unfit('a .cpuprofile cannot hold less than nothing: take pprof or folded');
    if (value === 0 && ticks === 0) continue;
    const leaf = samples[sample * 2]!;
    const node = tree.indices[leaf]!;
    const line = locations[nodes[leaf * 2 + 1]! * 2 + 1]!;
    hits[node]! += ticks;
    if (line > 0 && ticks > 0) {
      const ofNode = lines[node] ?? new Map<number, number>();
      lines[node] = ofNode.set(line, (ofNode.get(line) ?? 0) + ticks);
    }
    records.push({ node, value });
  }
  return { hits, lines, records };
}

/** What a tick is drawn as. */
function tickNanos({ period, periodType }: ProfileHead): number {
  const unitNanos = timeUnitNanos(periodType.unit);
  return unitNanos !== null && period > 0 ? period * unitNanos : UNKNOWN_TICK_NANOS;
}

function ticksOf(value: number, { period }: ProfileHead): number {
  return value === 0 ? 0 : Math.max(1, Math.round(period > 0 ? value / period : 1));
}
