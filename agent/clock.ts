/**
 * CLOCK_MONOTONIC in microseconds: the clock of V8's profiles, so that samples and events join exactly. Read through
 * performance.now, which costs half of process.hrtime; the offset between the two is fixed once, when this loads.
 * Both are taken hold of here, at load, so that a test framework's fake timers never reach the agent.
 */
import { performance } from 'node:perf_hooks';

const now = performance.now.bind(performance);
const offsetMicros = monotonicMicros() - now() * 1000;

export function nowMicros(): number {
  return now() * 1000 + offsetMicros;
}

/** A time in milliseconds since the process's time origin (as perf_hooks entries carry) on the same clock. */
export function microsOfEntry(startMillis: number): number {
  return startMillis * 1000 + offsetMicros;
}

function monotonicMicros(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + nanos / 1000;
}
