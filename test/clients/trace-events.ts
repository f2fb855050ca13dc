/**
 * Trace event JSON, held to what the viewers need: known phases with their fields, times in order, slices of a track that
 * lie within or beside each other, spans that are opened before they are closed, samples of nodes that were named before.
 */
import { expect } from 'vitest';

export type TraceEvent = {
  ph: string;
  name: string;
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  id?: string;
  cat?: string;
  args?: Record<string, unknown>;
};

export type Trace = {
  traceEvents: TraceEvent[];
  displayTimeUnit: string;
  otherData: Record<string, unknown>;
};

type ProfileData = {
  startTime?: number;
  cpuProfile?: { nodes: { id: number; parent?: number }[]; samples: number[] };
  timeDeltas?: number[];
};

/** Perfetto cuts off at whole nanoseconds, and lets go of a slice that crosses another by one. */
const nanosOf = (micros: number) => Math.trunc(micros * 1000);
/** Perfetto's: what is deeper is let go of. */
const SLICES_DEEP_MAX = 512;

export function readTrace(text: string): Trace {
  expect(text.startsWith('{"traceEvents":[')).toBe(true);
  // An escape of half a surrogate pair makes Perfetto refuse the file.
  expect(text).not.toMatch(/(?<!\\)(?:\\\\)*\\ud[89a-f]/);
  const trace = JSON.parse(text) as Trace;
  expect(trace.displayTimeUnit).toBe('ms');
  expect(trace.otherData.note).toMatch(/ui\.perfetto\.dev.*no Go execution trace/);
  let before = 0;
  const open = new Set<string>();
  const ends = new Map<string, number[]>();
  const nodes = new Map<string, Set<number>>();
  const clocks = new Map<string, number>();
  for (const event of trace.traceEvents) {
    const { ph, name, pid, tid, ts = -1, dur = -1, id = '', args } = event;
    expect(typeof name === 'string' && Number.isInteger(pid) && Number.isInteger(tid), shown(event)).toBe(
      true,
    );
    expect(name, shown(event)).not.toMatch(/\p{Cc}/u);
    if (ph === 'M') continue;
    expect(ts, shown(event)).toBeGreaterThanOrEqual(before);
    before = ts;
    if (ph === 'X') {
      expect(dur, shown(event)).toBeGreaterThanOrEqual(0);
      const stack = ends.get(`${pid} ${tid}`) ?? [];
      ends.set(`${pid} ${tid}`, stack);
      while (stack.length > 0 && stack[stack.length - 1]! <= nanosOf(ts)) stack.pop();
      const above = stack[stack.length - 1] ?? Number.POSITIVE_INFINITY;
      const end = nanosOf(ts) + nanosOf(dur);
      expect(end, shown(event)).toBeLessThanOrEqual(above);
      expect(stack.length, shown(event)).toBeLessThan(SLICES_DEEP_MAX);
      stack.push(end);
    } else if (ph === 'b') {
      expect(open.has(`${id} ${name}`), shown(event)).toBe(false);
      open.add(`${id} ${name}`);
    } else if (ph === 'e') expect(open.delete(`${id} ${name}`), shown(event)).toBe(true);
    else if (ph === 'P') followProfile(event, args?.data as ProfileData, nodes, clocks);
    else if (ph === 'C')
      expect(
        Object.values(args ?? {}).every((value) => Number.isFinite(value)),
        shown(event),
      ).toBe(true);
    else expect(ph, shown(event)).toBe('i');
  }
  expect([...open]).toEqual([]);
  return trace;
}

function followProfile(
  event: TraceEvent,
  { startTime, cpuProfile, timeDeltas = [] }: ProfileData,
  nodes: Map<string, Set<number>>,
  clocks: Map<string, number>,
): void {
  const id = event.id!;
  if (event.name === 'Profile') {
    nodes.set(id, new Set());
    clocks.set(id, startTime!);
    return;
  }
  const known = nodes.get(id)!;
  for (const node of cpuProfile!.nodes) {
    expect(node.parent === undefined || known.has(node.parent), shown(event)).toBe(true);
    known.add(node.id);
  }
  expect(cpuProfile!.samples.every((node) => known.has(node))).toBe(true);
  expect(timeDeltas.length).toBe(cpuProfile!.samples.length);
  expect(timeDeltas.every((delta) => Number.isInteger(delta) && delta >= 0)).toBe(true);
}

/** Names of the threads and other tracks. */
export function trackNames({ traceEvents }: Trace): string[] {
  return traceEvents
    .filter(({ ph, name }) => ph === 'M' && name === 'thread_name')
    .map(({ args }) => String(args!.name));
}

/** µs that a function was on the stack, by the slices that are drawn. */
export function drawnMicros({ traceEvents }: Trace, name: string): number {
  return traceEvents
    .filter((event) => event.ph === 'X' && event.name === name)
    .reduce((sum, { dur }) => sum + dur!, 0);
}

function shown(event: TraceEvent): string {
  return JSON.stringify(event).slice(0, 300);
}
