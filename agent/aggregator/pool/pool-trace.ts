/**
 * The runtime's trace events of libuv's pool, through the inspector, in short windows: the events come when a window ends,
 * and main is held up then for 3 to 10 µs an event, so a window is made as long as WINDOW_EVENTS take, and the
 * program rests between two.
 *
 * Only where RINGTAIL_POOL_TRACE asks for it. The runtime's own buffer is not safe: with 65,000 events in it Node.js 26
 * ended in a failed assertion, and 20 and 24 were seen to abort under heavy load, where thousands of windows like these went well.
 */
import type { Session } from 'node:inspector';
import { MainSession } from '../main-session';
import {
  POOL_CATEGORIES,
  type PoolOperation,
  poolOperations,
  type RuntimeTraceEvent,
} from './pool-operations';

const WINDOW_FIRST_MILLIS = 25;
const WINDOW_MIN_MILLIS = 2;
const WINDOW_MAX_MILLIS = 250;
const WINDOW_EVENTS = 2000;
/** So many times its length passes between two windows. */
const REST_FACTOR = 2;
/** When nothing came for so long the events of a window are in; and how long at the most they are waited for, ms. */
const QUIET_MILLIS = 30;
const PATIENCE_MILLIS = 2000;

/** followedMicros: of the time asked for, how much was in windows. */
export type PoolTraceSums = { followedMicros: number; windows: number; refusal: string };

type TracingEvents = { params: { value: RuntimeTraceEvent[] } };

/** Follows the pool for `seconds`, or until it is aborted; every operation that ended in a window is told. */
export async function tracePool(
  seconds: number,
  signal: AbortSignal,
  tell: (operation: PoolOperation) => void,
): Promise<PoolTraceSums> {
  const sums: PoolTraceSums = { followedMicros: 0, windows: 0, refusal: '' };
  const session = new MainSession();
  const end = performance.now() + seconds * 1000;
  let windowMillis = WINDOW_FIRST_MILLIS;
  try {
    while (performance.now() < end && sums.refusal === '' && !signal.aborted) {
      const left = end - performance.now();
      const { events, followedMillis, refusal } = await oneWindow(session, Math.min(left, windowMillis));
      sums.refusal = refusal;
      sums.followedMicros += followedMillis * 1000;
      sums.windows++;
      for (const operation of poolOperations(events)) tell(operation);
      const fits = (windowMillis * WINDOW_EVENTS) / Math.max(1, events.length);
      windowMillis = Math.min(
        WINDOW_MAX_MILLIS,
        Math.max(WINDOW_MIN_MILLIS, Math.min(windowMillis * 2, fits)),
      );
      await pause(Math.min(REST_FACTOR * windowMillis, Math.max(0, end - performance.now())));
    }
  } finally {
    session.disconnect();
  }
  return sums;
}

async function oneWindow(
  session: Session,
  millis: number,
): Promise<{ events: RuntimeTraceEvent[]; followedMillis: number; refusal: string }> {
  const events: RuntimeTraceEvent[] = [];
  let came = 0;
  const take = ({ params }: TracingEvents) => {
    came = performance.now();
    for (const event of params.value) events.push(event);
  };
  session.on('NodeTracing.dataCollected', take as never);
  try {
    const refusal = await post(session, 'NodeTracing.start', {
      traceConfig: { includedCategories: POOL_CATEGORIES },
    });
    if (refusal !== '') return { events, followedMillis: 0, refusal };
    const from = performance.now();
    await pause(millis);
    const followedMillis = performance.now() - from;
    await post(session, 'NodeTracing.stop', {});
    const until = performance.now() + PATIENCE_MILLIS;
    while (performance.now() < until && (came === 0 || performance.now() - came < QUIET_MILLIS))
      await pause(QUIET_MILLIS / 2);
    return { events, followedMillis, refusal: '' };
  } finally {
    session.removeListener('NodeTracing.dataCollected', take as never);
  }
}

/** '' or what the runtime says against it. */
function post(session: Session, method: string, parameters: object): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('the main thread does not answer'), PATIENCE_MILLIS);
    session.post(method, parameters, (error) => {
      clearTimeout(timer);
      resolve(error?.message ?? '');
    });
  });
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
