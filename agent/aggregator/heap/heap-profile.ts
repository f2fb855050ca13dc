/**
 * V8's heap profiles as ours: the four types of Go's heap profile, and the bytes of each site with their age.
 *
 * V8 scales each sample by itself: its value is size × count (object-size.ts), so the sums are estimates of all objects,
 * not counts of samples. A site of n samples is right within 1/√n (one standard deviation). Only the JavaScript heap is
 * in it: what Buffers, ArrayBuffers and native code hold is not.
 *
 * Ages come from the samples' ordinals, which count on while samples die: between two readings time is spread evenly
 * over the ordinals.
 */
import { fileOf, functionName } from '../../../collector/profile/frame';
import { isOwnCode, type SiteValue, YOUNG_SHARE } from '../../../collector/profile/heap-sites';
import type { Profile, ValueType } from '../../../collector/profile/profile';
import { namedLocation } from '../../../collector/profile/stack-nodes';
import type { StackFunction } from '../../../collector/profile/stack-table';
import type { HeapReading, V8HeapNode, V8HeapProfile } from './heap-sampler';
import { ObjectSizes } from './object-size';

export const HEAP_TYPES: readonly ValueType[] = [
  { type: 'alloc_objects', unit: 'count' },
  { type: 'alloc_space', unit: 'bytes' },
  { type: 'inuse_objects', unit: 'count' },
  { type: 'inuse_space', unit: 'bytes' },
];
export const SPACE: ValueType = { type: 'space', unit: 'bytes' };

/** Which of the four types a reading fills. */
export type HeapColumns = { allocated: boolean; inUse: boolean };

/** Adds the samples of a reading. labels: flat key, value, of every sample. */
export function addHeapReading(
  profile: Profile,
  { profile: v8, intervalBytes }: HeapReading,
  labels: readonly string[],
  { allocated, inUse }: HeapColumns,
): void {
  const sizes = new ObjectSizes(intervalBytes);
  const nodes = new Map<number, number>();
  visit(v8.head, (node, parent) => {
    nodes.set(node.id, parent === null ? 0 : profile.node(nodes.get(parent.id)!, locationOf(profile, node)));
  });
  for (const { size: product, nodeId } of v8.samples) {
    const size = sizes.sizeOf(product);
    const objects = product / size;
    const labelSet = profile.labelSet(labels, [{ key: 'bytes', value: size, unit: 'bytes' }]);
    const [a, i] = [allocated ? 1 : 0, inUse ? 1 : 0];
    profile.add(nodes.get(nodeId) ?? 0, labelSet, [a * objects, a * product, i * objects, i * product]);
  }
}

/** ordinals: when earlier readings of the same run were taken, and how many samples V8 had taken by then. */
export type OrdinalAt = { atMicros: number; ordinal: number };

export function lastOrdinal({ samples }: V8HeapProfile): number {
  return samples.reduce((last, { ordinal }) => Math.max(last, ordinal), 0);
}

/** The sites of a reading by name. known: from the start of the run to this reading, in order. */
export function sitesOf(
  { profile: { head, samples }, intervalBytes, sinceMicros, atMicros }: HeapReading,
  known: readonly OrdinalAt[],
): Map<string, SiteValue> {
  const sizes = new ObjectSizes(intervalBytes);
  const youngFrom = ordinalAt(atMicros - (atMicros - sinceMicros) * YOUNG_SHARE, known);
  const places = placesOf(head);
  const bytesByNode = new Map<number, number>();
  const sites = new Map<string, SiteValue & { nodeId: number }>();
  for (const { size: product, nodeId, ordinal } of samples) {
    const bytes = (bytesByNode.get(nodeId) ?? 0) + product;
    bytesByNode.set(nodeId, bytes);
    const site = places.get(nodeId)?.site ?? '';
    let value = sites.get(site);
    if (value === undefined) {
      value = { objects: 0, bytes: 0, oldBytes: 0, samples: 0, stack: [], nodeId };
      sites.set(site, value);
    }
    value.objects += product / sizes.sizeOf(product);
    value.bytes += product;
    value.samples++;
    if (ordinal <= youngFrom) value.oldBytes += product;
    if (bytes > bytesByNode.get(value.nodeId)!) value.nodeId = nodeId;
  }
  for (const value of sites.values()) value.stack = stackOf(value.nodeId, places);
  return sites;
}

type Place = { shown: string; site: string; ownSite: boolean; parentId: number };

/** The site of each node: its innermost function of the program itself, else its innermost one. */
function placesOf(head: V8HeapNode): Map<number, Place> {
  const places = new Map<number, Place>();
  visit(head, (node, parent) => {
    const shown = placeOf(node);
    const above = parent === null ? undefined : places.get(parent.id);
    const own = isOwnCode(node.callFrame.url);
    const inherited = !own && above?.ownSite === true;
    places.set(node.id, {
      shown,
      site: inherited ? above.site : shown,
      ownSite: own || inherited,
      parentId: parent?.id ?? 0,
    });
  });
  return places;
}

/** Root first, without V8's own root. */
function stackOf(nodeId: number, places: ReadonlyMap<number, Place>): string[] {
  const stack: string[] = [];
  for (let place = places.get(nodeId); place !== undefined && place.parentId !== 0; ) {
    stack.unshift(place.shown);
    place = places.get(place.parentId);
  }
  return stack;
}

/** How many samples V8 had taken at a time, by what is known of others. */
function ordinalAt(micros: number, known: readonly OrdinalAt[]): number {
  const after = known.findIndex(({ atMicros }) => atMicros >= micros);
  if (after <= 0) return after === 0 ? known[0]!.ordinal : (known.at(-1)?.ordinal ?? 0);
  const [from, to] = [known[after - 1]!, known[after]!];
  const share = (micros - from.atMicros) / Math.max(1, to.atMicros - from.atMicros);
  return from.ordinal + share * (to.ordinal - from.ordinal);
}

function placeOf({ callFrame }: V8HeapNode): string {
  const entry = entryOf(callFrame);
  const [file, shown] = [fileOf(entry.url), functionName(entry)];
  return file === '' ? shown : `${shown} (${file}:${entry.line})`;
}

function locationOf(profile: Profile, { callFrame }: V8HeapNode): number {
  const entry = entryOf(callFrame);
  const shown = functionName(entry);
  const { name, url, line } = entry;
  return namedLocation(profile, {
    name: shown,
    systemName: name || shown,
    file: fileOf(url),
    startLine: line,
    line,
  });
}

/** V8 counts lines from 0, and knows functions, not lines in them. */
function entryOf({
  functionName: name,
  url,
  lineNumber,
  columnNumber,
}: V8HeapNode['callFrame']): StackFunction {
  return { name, url, line: lineNumber + 1, column: columnNumber + 1 };
}

/** Parents before their children, without recursion: stacks are as deep as they are. */
function visit(head: V8HeapNode, see: (node: V8HeapNode, parent: V8HeapNode | null) => void): void {
  const open: [V8HeapNode, V8HeapNode | null][] = [[head, null]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, parent] = next;
    see(node, parent);
    for (const child of node.children) open.push([child, node]);
  }
}
