/**
 * How long libuv's pool lets work wait, by work of our own: all threads of a process share one pool and its queue, so what
 * the agent thread hands over waits as long as what the program hands over at the same moment. Nothing runs on main.
 */
import { randomBytes } from 'node:crypto';

/** A probe takes next to nothing, so the time until it is answered is what it waited. */
const EVERY_MILLIS = 20;
const WAITING_MAX = 16;
/** Probes that are still out at the end are waited for, ms. */
const PATIENCE_MILLIS = 1000;

/** waitMicros: of each probe. unanswered: those that were still out, with what they had waited by then. */
export type PoolProbes = { waitMicros: number[]; unanswered: number };

/** Ends early when it is aborted. */
export async function probePool(seconds: number, signal: AbortSignal): Promise<PoolProbes> {
  const waitMicros: number[] = [];
  const out = new Set<number>();
  const probe = () => {
    if (out.size >= WAITING_MAX) return;
    const from = performance.now();
    out.add(from);
    randomBytes(1, () => {
      if (out.delete(from)) waitMicros.push((performance.now() - from) * 1000);
    });
  };
  const timer = setInterval(probe, EVERY_MILLIS);
  await pause(seconds * 1000, signal);
  clearInterval(timer);
  for (let waited = 0; out.size > 0 && waited < PATIENCE_MILLIS; waited += EVERY_MILLIS)
    await pause(EVERY_MILLIS);
  const unanswered = out.size;
  for (const from of out) waitMicros.push((performance.now() - from) * 1000);
  out.clear();
  return { waitMicros, unanswered };
}

function pause(millis: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, millis);
    signal?.addEventListener('abort', done);
    if (signal?.aborted === true) done();
  });
}
