/**
 * What the thread did most of a time, such as a request's: down the call tree from the root while one call holds most of
 * the busy ticks. Ticks and requests are on one clock; where requests overlap, each has what ran during it, whoever's it was.
 */
import type { CallSlices } from './call-slices';
import { firstNotBefore } from './first-not-before';

/** A shorter time has too few ticks to say. */
export const SHARED_MIN_MICROS = 50_000;

/** stack: root first, in words. busyMicros: how long it was on the stack, by its ticks. */
export type SharedStack = { stack: string[]; busyMicros: number };

/** null where no tick fell into it that was not idle. */
export function sharedStack(
  { nodes, sampleNodes, sampleMicros, sampleIdle, periodMicros }: CallSlices,
  fromMicros: number,
  toMicros: number,
): SharedStack | null {
  const totals = new Map<number, number>();
  let ticks = 0;
  for (let index = firstNotBefore(sampleMicros, fromMicros); sampleMicros[index]! <= toMicros; index++) {
    if (sampleIdle[index]!) continue;
    ticks++;
    for (let node = sampleNodes[index]!; node !== 0; node = nodes[node - 1]!.parent)
      totals.set(node, (totals.get(node) ?? 0) + 1);
  }
  if (ticks === 0) return null;
  const heaviest = new Map<number, number>();
  for (const [node, total] of totals) {
    const { parent } = nodes[node - 1]!;
    if (total > (totals.get(heaviest.get(parent) ?? 0) ?? 0)) heaviest.set(parent, node);
  }
  const stack: string[] = [];
  let held = ticks;
  for (
    let node = heaviest.get(0);
    node !== undefined && totals.get(node)! * 2 > held;
    node = heaviest.get(node)
  ) {
    const { name, url, line } = nodes[node - 1]!;
    stack.push(url === '' ? name : `${name} (${url}:${line})`);
    held = totals.get(node)!;
  }
  return stack.length === 0 ? null : { stack, busyMicros: held * periodMicros };
}
