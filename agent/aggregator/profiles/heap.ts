/**
 * heap: what lives on main's heap, by the stack that allocated it. allocs: everything that is allocated in a window, and
 * what lived when it began. Four types, Go's.
 *
 * Both may hold main up for a full collection, so who has not proven the token gets at most one felt capture a minute,
 * and the last one with its age in between. While main is stuck in native code nobody waits for it.
 */
import { Profile } from '../../../collector/profile/profile';
import { ownerLabels } from '../../../collector/profile/tick-profile';
import type { Capture, Captures } from '../heap/captures';
import { addHeapReading, HEAP_TYPES, SPACE } from '../heap/heap-profile';
import { HeapForeign, type HeapReading } from '../heap/heap-sampler';
import { MainSilent } from '../heap/heap-session';
import type { ProfileContext } from './context';
import { ageComment, allocsComments, heapComments, heapText } from './heap-text';
import { type ProfileSource, TakeError, type TakeRequest } from './source';

/** The window of allocs where no seconds are given, and the longest. */
const WINDOW_SECONDS = 5;
const WINDOW_SECONDS_MAX = 120;
/**
 * V8 keeps 150 bytes or more for each sample of a window. The interval grows with the window, so that a program that
 * allocates ALLOCATION_BYTES_PER_SECOND makes SAMPLES_MAX of them and not more: 10 MB.
 */
const SAMPLES_MAX = 65_536;
const ALLOCATION_BYTES_PER_SECOND = 2e9;
/** How long a request waits for a window of allocs that another one has opened. */
const WINDOW_WAIT_MICROS = 8e6;

export function heapSource(context: ProfileContext): ProfileSource {
  /** Requests whose first take was a new capture: their second one is new, too. */
  const admitted = new WeakSet<TakeRequest>();
  return {
    take: async (request) => {
      const { capture, fresh } = await heapCapture(context, request, admitted);
      const profile = heapProfile(context, capture.reading, 'heap');
      const captures = await context.heap.captures();
      profile.head.comments.push(
        ...(fresh ? [] : [ageComment(capture, Date.now())]),
        ...heapComments(capture, captures.points, context.heap.skipped),
      );
      return profile;
    },
    describe: async (request) => {
      const { capture, fresh } = await heapCapture(context, request, admitted);
      const captures = await context.heap.captures();
      return heapText(capture, captures.points, context.heap.skipped, fresh ? 0 : Date.now());
    },
  };
}

export function allocsSource(context: ProfileContext): ProfileSource {
  return { timed: true, take: (request) => takeAllocs(context, request) };
}

async function takeAllocs(context: ProfileContext, request: TakeRequest): Promise<Profile> {
  const seconds = request.seconds || WINDOW_SECONDS;
  if (seconds > WINDOW_SECONDS_MAX) {
    throw new TakeError(400, `profile duration exceeds ${WINDOW_SECONDS_MAX} seconds, got ${seconds}`);
  }
  refuseWithout(context);
  const waitSeconds = rationSeconds(context, request);
  if (waitSeconds > 0) throw rationed(waitSeconds);
  const captures = await context.heap.captures();
  if (isTakenUp(context, captures)) throw takenUp(context, captures);
  const { intervalBytes } = context.heap.sampler;
  const scale = Math.ceil((seconds * ALLOCATION_BYTES_PER_SECOND) / SAMPLES_MAX / intervalBytes);
  const window = await answered(context, () =>
    captures.window(intervalBytes * Math.max(1, scale), seconds * 1000, request.signal),
  );
  const { live, allocated } = window;
  const profile = heapProfile(context, allocated, 'allocs');
  addHeapReading(profile, live, ownerLabels(context.identity, 0), { allocated: false, inUse: true });
  profile.head.startMillis = window.capture.atMillis;
  profile.head.durationNanos = Math.round(seconds * 1e9);
  profile.head.comments.push(...allocsComments(profile, window));
  return profile;
}

async function heapCapture(
  context: ProfileContext,
  request: TakeRequest,
  admitted: WeakSet<TakeRequest>,
): Promise<{ capture: Capture; fresh: boolean }> {
  const captures = await context.heap.captures();
  const { last } = captures;
  refuseWithout(context);
  const waitSeconds = admitted.has(request) ? 0 : rationSeconds(context, request);
  if (waitSeconds > 0) {
    if (last === null || request.seconds > 0) throw rationed(waitSeconds);
    return { capture: last, fresh: false };
  }
  if (isTakenUp(context, captures)) {
    if (last === null || request.seconds > 0) throw takenUp(context, captures);
    return { capture: last, fresh: false };
  }
  try {
    const capture = await answered(context, () => captures.live('asked', request.gc));
    admitted.add(request);
    return { capture, fresh: true };
  } catch (error) {
    if (!(error instanceof TakeError) || last === null || request.seconds > 0) throw error;
    return { capture: last, fresh: false };
  }
}

/** A profile of one reading; what it fills is what `name` asks for. */
export function heapProfile(context: ProfileContext, reading: HeapReading, name: 'heap' | 'allocs'): Profile {
  const profile = new Profile({
    sampleTypes: HEAP_TYPES,
    periodType: SPACE,
    period: reading.intervalBytes,
    startMillis: Date.now(),
    durationNanos: 0,
    program: context.identity.service,
    comments: [],
    defaultSampleType: name === 'heap' ? '' : 'alloc_space',
  });
  addHeapReading(profile, reading, ownerLabels(context.identity, 0), {
    allocated: true,
    inUse: name === 'heap',
  });
  return profile;
}

function refuseWithout({ heap }: ProfileContext): void {
  if (heap.refusal !== '') throw new TakeError(503, heap.refusal);
}

function rationSeconds({ heap, nowMicros }: ProfileContext, { proven }: TakeRequest): number {
  return proven ? 0 : Math.ceil(heap.budget.rationMicros(nowMicros()) / 1e6);
}

function rationed(waitSeconds: number): TakeError {
  return new TakeError(
    503,
    `heap captures that pause the program are made once a minute without the token: try again in ${waitSeconds} s, or send it`,
  );
}

/** A window of allocs is open for longer than a client waits. */
function isTakenUp({ nowMicros }: ProfileContext, { windowEndMicros }: Captures): boolean {
  return windowEndMicros - nowMicros() > WINDOW_WAIT_MICROS;
}

function takenUp({ nowMicros }: ProfileContext, { windowEndMicros }: Captures): TakeError {
  const seconds = Math.ceil((windowEndMicros - nowMicros()) / 1e6);
  return new TakeError(
    503,
    `allocations are being sampled for another client: try again in ${seconds} s, when V8's heap profiler is free`,
  );
}

/** A main thread that does not answer is told of in words, with since when. */
async function answered<Result>(context: ProfileContext, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HeapForeign) throw new TakeError(503, error.message);
    if (!(error instanceof MainSilent))
      throw new TakeError(503, `no heap profile: ${(error as Error).message}`);
    const since = context.stuckSinceMicros();
    const seconds = since === 0 ? error.waitedMillis / 1000 : (context.nowMicros() - since) / 1e6;
    throw new TakeError(
      503,
      `the main thread is stuck in native code since ${new Date(Date.now() - seconds * 1000).toISOString()} (${seconds.toFixed(1)} s): no heap profile before it returns`,
    );
  }
}
