/**
 * trace: everything that the flight recorder sees during the time asked for, kept whole for it; recorder: what it holds
 * of the last seconds, or its last dump. Both are trace event JSON, gzipped.
 */
import { TRACE_TYPE } from '../../../collector/profile/pprof-request';
import { tracePool } from '../pool/pool-trace';
import type { TickWindow } from '../profile-reader';
import type { ProfileContext } from './context';
import { type FileSource, TakeError } from './source';

const SECONDS_MAX = 300;
/** How long the last window may come after the end: longer than main takes when it is well, µs. */
const GRACE_MICROS = 1_500_000;
/** What a trace may keep. */
const TRACE_BYTES = 12 * 1024 * 1024;
const STATUS_BAD = 400;
const STATUS_NONE = 404;

export function traceSource(context: ProfileContext): FileSource {
  return {
    file: async ({ seconds, signal }) => {
      if (seconds > SECONDS_MAX)
        throw new TakeError(STATUS_BAD, `trace duration exceeds ${SECONDS_MAX} seconds, got ${seconds}`);
      const { flight, nowMicros } = context;
      const fromMicros = nowMicros();
      const toMicros = fromMicros + seconds * 1e6;
      const keepMicros = seconds * 1e6 + GRACE_MICROS;
      const release = flight.recorder.widen({ keepMicros, bytes: TRACE_BYTES });
      try {
        await Promise.all([
          lastWindow(context, fromMicros, toMicros, signal),
          followPool(context, seconds, signal),
        ]);
        signal.throwIfAborted();
        return { mediaType: TRACE_TYPE, bytes: await flight.between(fromMicros, toMicros) };
      } finally {
        release();
      }
    },
  };
}

export function recorderSource({ flight, data }: ProfileContext): FileSource {
  return {
    file: async ({ parameters }) => {
      if (data.options.recordSeconds === 0)
        throw new TakeError(STATUS_NONE, 'the flight recorder is off: RINGTAIL_RECORD_SECONDS=0');
      if (parameters.get('last') !== '1') return { mediaType: TRACE_TYPE, bytes: await flight.take() };
      const bytes = await flight.last();
      if (bytes === null) throw new TakeError(STATUS_NONE, 'nothing has dumped the flight recorder yet');
      return { mediaType: TRACE_TYPE, bytes };
    },
  };
}

/** Where the program allows it. That it fails costs the trace nothing but its track. */
async function followPool(
  { data, sampling, flight }: ProfileContext,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  if (!data.options.poolTrace || data.samplingRefused !== '' || sampling.state === 'foreign') return;
  const { recorder } = flight;
  await tracePool(seconds, signal, ({ kind, startMicros, durationMicros, waitMicros, runMicros }) =>
    recorder.poolOperation(startMicros, durationMicros, waitMicros, runMicros, recorder.labelOf(kind)),
  ).catch(() => {});
}

/** Resolves when main's ticks up to the end are in, or will not come, or when the asker has gone. */
function lastWindow(
  { sampling }: ProfileContext,
  fromMicros: number,
  toMicros: number,
  signal: AbortSignal,
): Promise<void> {
  const asker = {};
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      sampling.listeners.delete(listener);
      sampling.cancel(asker);
      resolve();
    };
    const listener = (window: TickWindow) => {
      if (window.threadId === 0 && window.endMicros >= toMicros) finish();
    };
    const timer = setTimeout(finish, (toMicros - fromMicros + GRACE_MICROS) / 1000);
    sampling.listeners.add(listener);
    signal.addEventListener('abort', finish);
    sampling.capture(fromMicros, (toMicros - fromMicros) / 1e6, asker);
  });
}
