/**
 * Operations of libuv's pool, from the runtime's trace events of a short window.
 *
 *   node.threadpoolwork.async   b … e   by id: handed to the pool … its callback, on main
 *   node.threadpoolwork.sync    B … E   by thread of the pool: it runs
 *   node.fs.async, node.dns     b … e   the same for file operations and look-ups, which tell nothing of their run
 *
 * A run does not say whose it is. The queue is first in, first out, so the n-th run of a kind belongs to the n-th operation
 * of that kind; those handed over before the window are left out first. Arguments, which hold paths and host names, are
 * never looked at.
 */

/** ts: CLOCK_MONOTONIC µs. */
export type RuntimeTraceEvent = {
  ph: string;
  cat: string;
  name: string;
  tid: number;
  ts: number;
  id?: string;
};

/** waitMicros, runMicros: -1 where the runtime does not tell. */
export type PoolOperation = {
  kind: string;
  startMicros: number;
  durationMicros: number;
  waitMicros: number;
  runMicros: number;
};

type Run = { startMicros: number; micros: number };
/** orphans: ends without a beginning in the window. */
type OfKind = { operations: PoolOperation[]; runs: Run[]; endOrphans: number; runOrphans: number };

/** Categories come with their parents: `node,node.fs,node.fs.async`. */
const PREFIXES: readonly [category: string, prefix: string][] = [
  ['node.threadpoolwork.async', ''],
  ['node.fs.async', 'fs.'],
  ['node.fs_dir.async', 'fs.dir.'],
  ['node.dns.native', 'dns.'],
];
export const POOL_CATEGORIES = [...PREFIXES.map(([category]) => category), 'node.threadpoolwork.sync'];

/** Those that ended in the window. */
export function poolOperations(events: readonly RuntimeTraceEvent[]): PoolOperation[] {
  const kinds = new Map<string, OfKind>();
  const begun = new Map<string, number>();
  const running = new Map<number, number>();
  for (const { ph, cat, name, tid, ts, id } of [...events].sort((left, right) => left.ts - right.ts)) {
    if (cat.endsWith('node.threadpoolwork.sync')) {
      if (ph === 'B') running.set(tid, ts);
      else if (ph === 'E') {
        const startMicros = running.get(tid);
        running.delete(tid);
        const { runs } = ofKind(kinds, name);
        if (startMicros === undefined) ofKind(kinds, name).runOrphans++;
        else runs.push({ startMicros, micros: ts - startMicros });
      }
      continue;
    }
    const prefix = PREFIXES.find(([category]) => cat.endsWith(category))?.[1];
    if (prefix === undefined) continue;
    const key = `${prefix}${name} ${id}`;
    if (ph === 'b') begun.set(key, ts);
    else if (ph === 'e') {
      const startMicros = begun.get(key);
      begun.delete(key);
      const of = ofKind(kinds, `${prefix}${name}`);
      if (startMicros === undefined) of.endOrphans++;
      else {
        const durationMicros = ts - startMicros;
        of.operations.push({
          kind: `${prefix}${name}`,
          startMicros,
          durationMicros,
          waitMicros: -1,
          runMicros: -1,
        });
      }
    }
  }
  return [...kinds.values()].flatMap(withRuns);
}

function ofKind(kinds: Map<string, OfKind>, kind: string): OfKind {
  const known = kinds.get(kind) ?? { operations: [], runs: [], endOrphans: 0, runOrphans: 0 };
  kinds.set(kind, known);
  return known;
}

/** A run that fits no operation, because it began before or ended after it, is nobody's. */
function withRuns({ operations, runs, endOrphans, runOrphans }: OfKind): PoolOperation[] {
  operations.sort((left, right) => left.startMicros - right.startMicros);
  runs.sort((left, right) => left.startMicros - right.startMicros);
  let next = Math.min(runs.length, Math.max(0, endOrphans - runOrphans));
  for (const operation of operations) {
    while (next < runs.length && runs[next]!.startMicros < operation.startMicros) next++;
    const run = runs[next];
    if (run === undefined) break;
    const waitMicros = run.startMicros - operation.startMicros;
    if (waitMicros + run.micros > operation.durationMicros) continue;
    operation.waitMicros = waitMicros;
    operation.runMicros = run.micros;
    next++;
  }
  return operations;
}
