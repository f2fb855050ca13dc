/**
 * What an address below /debug/pprof/ asks for, by the rules of Go's net/http/pprof: names, parameters and the words of
 * its refusals. Pure: the collector and the agent's own port both answer by it.
 */

/** The media type of a profile.proto. */
export const PPROF_TYPE = 'application/octet-stream';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

/** The media type that agents give trace event JSON, gzipped. */
export const TRACE_TYPE = 'application/json+gzip';

export type PprofRequest = {
  /** As in the address: profile, heap, goroutine, ... */
  name: string;
  /** profile, wall, trace: how long. Others: 0 for all since the start (or as it is now), else what changes in so long. */
  seconds: number;
  /** 0: profile.proto, 1: text, 2 (goroutine): one by one. */
  debug: number;
  /** Collect garbage first (heap). */
  gc: boolean;
  /** The last dump instead of what there is now (recorder). */
  last?: true;
};

/** status: an HTTP status. */
export type PprofFault = { status: number; text: string };

export type PprofProfile = {
  /** For the index page. */
  description: string;
  /** Takes time: `seconds` says how long, not what to compare with. */
  timed?: { defaultSeconds: number; fraction: boolean; hasText?: boolean };
  /** `seconds` gives the difference between then and now. */
  delta?: boolean;
  /** Trace event JSON of one process, which no pprof client can read. */
  isTrace?: boolean;
  /** There is no profile behind it, only text. */
  text?: boolean;
  /** How long an agent may take for it beyond `seconds`, where that is more than usual. */
  graceMillis?: number;
  /** Who serves it says how long it may take: the collector for as long as it keeps windows. */
  unbounded?: boolean;
};

/** What an agent makes may take so long. */
export const PPROF_SECONDS_MAX = 600;

/** Every profile there is, as the index lists them. */
export const PPROF_PROFILES: Readonly<Record<string, PprofProfile>> = {
  profile: {
    description:
      'CPU profile: where JavaScript, the garbage collector and native code spend CPU time. seconds: the duration, 30 by default.',
    timed: { defaultSeconds: 30, fraction: false },
    unbounded: true,
  },
  wall: {
    description: 'Wall-clock profile: all time, waiting included. seconds: as above.',
    timed: { defaultSeconds: 30, fraction: false },
    unbounded: true,
  },
  heap: {
    description:
      'Memory that is in use, by the stack that allocated it. gc=1 collects garbage first (always so before Node 26). debug=2: leak suspects.',
    delta: true,
  },
  allocs: {
    description:
      'Everything allocated during a window, collected or not. seconds: the window, 5 by default. It restarts heap sampling.',
    delta: true,
  },
  gc: {
    description:
      'Every garbage collection of some seconds with the heap and its spaces before and after, as text. seconds: the duration, 5 by default.',
    text: true,
    timed: { defaultSeconds: 5, fraction: false },
  },
  heapsnapshot: {
    description:
      'Writes a full heap snapshot to a file on the machine of the program and answers with its path. Needs the token; stops the program for seconds.',
    text: true,
    graceMillis: 600_000,
  },
  block: {
    description: 'Stalls of the event loop and synchronous waits since the start, by stack.',
    delta: true,
  },
  threadcreate: {
    description: 'Worker threads that the main thread has started, by the stack that did.',
    delta: true,
  },
  mutex: {
    description:
      'Waits in Atomics.wait since the start, and those in pools (stacks: true) and timed ports, by stack.',
    delta: true,
  },
  goroutine: {
    description:
      'Live asynchronous resources (timers, sockets, requests, promises) by the stack that made them. debug=2: one by one, with age.',
    delta: true,
  },
  asyncwait: {
    description:
      'How long asynchronous work waited for its first callback, by the stack that began it. seconds: the duration, 5 by default.',
    timed: { defaultSeconds: 5, fraction: false, hasText: true },
  },
  pool: {
    description:
      "libuv's pool: how long its queue lets work wait, and, with RINGTAIL_POOL_TRACE=1, operations by kind with what they waited and ran. seconds: the duration, 5 by default.",
    timed: { defaultSeconds: 5, fraction: false, hasText: true },
  },
  trace: {
    description:
      'What happened, in time: calls, requests, spans, stalls and collections as trace event JSON for https://ui.perfetto.dev or chrome://tracing (not for go tool trace). seconds: the duration, 1 by default.',
    timed: { defaultSeconds: 1, fraction: true },
    isTrace: true,
  },
  recorder: {
    description:
      'The same of the last minute, from the flight recorder. last=1: the last dump, made at a stall, a long collection or a signal.',
    isTrace: true,
  },
};

/** status: 400 for a client of Go that asks for a trace: what it would make of the answer is an error without a reason. */
export function refuseGoClient(name: string, userAgent: string | undefined): PprofFault | null {
  if (PPROF_PROFILES[name]?.isTrace !== true || userAgent?.startsWith('Go-http-client/') !== true)
    return null;
  const words = `${name} is trace event JSON, which neither "go tool pprof" nor "go tool trace" can read`;
  return { status: 400, text: `${words}: save it with curl and open it at https://ui.perfetto.dev` };
}

/** A request as agents understand it. proven: the asker has shown the token. */
export function agentAddress({ name, seconds, debug, gc, last }: PprofRequest, proven: boolean): string {
  const parameters = new URLSearchParams();
  if (seconds > 0) parameters.set('seconds', String(seconds));
  if (debug > 0) parameters.set('debug', String(debug));
  if (gc) parameters.set('gc', '1');
  if (last === true) parameters.set('last', '1');
  if (proven) parameters.set('proven', '1');
  return `${name}?${parameters}`;
}

export function readPprofRequest(name: string, parameters: URLSearchParams): PprofRequest | PprofFault {
  const profile = Object.hasOwn(PPROF_PROFILES, name) ? PPROF_PROFILES[name]! : undefined;
  if (profile === undefined) return { status: 404, text: 'Unknown profile' };
  const level = integerOf(parameters.get('debug')) ?? 0;
  // As in Go, any number but 0 asks for text.
  const debug = level < 0 ? 1 : level;
  const gc = (integerOf(parameters.get('gc')) ?? 0) > 0;
  const asked = parameters.get('seconds');
  if (profile.timed !== undefined) {
    const { defaultSeconds, fraction, hasText } = profile.timed;
    const seconds = fraction ? Number.parseFloat(asked ?? '') : (integerOf(asked) ?? 0);
    const shown = hasText === true ? debug : 0;
    return bounded(
      { name, seconds: seconds > 0 ? seconds : defaultSeconds, debug: shown, gc: false },
      profile,
    );
  }
  const last = profile.isTrace === true && parameters.get('last') === '1' ? { last: true as const } : {};
  if (asked === null || asked === '') return { name, seconds: 0, debug, gc, ...last };
  const seconds = integerOf(asked) ?? 0;
  if (seconds <= 0) {
    return { status: 400, text: 'invalid value for "seconds" - must be a positive integer' };
  }
  if (profile.delta !== true)
    return { status: 400, text: '"seconds" parameter is not supported for this profile type' };
  if (debug !== 0) return { status: 400, text: 'seconds and debug params are incompatible' };
  return bounded({ name, seconds, debug, gc }, profile);
}

export function isPprofFault(read: PprofRequest | PprofFault): read is PprofFault {
  return 'status' in read;
}

/** Of the answer to it, if there is one. */
export function pprofMediaType({ name, debug }: PprofRequest): string {
  const { isTrace = false, text = false } = PPROF_PROFILES[name] ?? {};
  if (isTrace) return 'application/json';
  return text || debug > 0 ? TEXT_TYPE : PPROF_TYPE;
}

/** The name that a client saves the answer under. */
export function pprofFileName({ name, seconds }: PprofRequest): string {
  if (PPROF_PROFILES[name]?.isTrace === true) return `${name}.json`;
  return seconds > 0 && PPROF_PROFILES[name]?.delta === true ? `${name}-delta` : name;
}

function bounded(asked: PprofRequest, { unbounded = false }: PprofProfile): PprofRequest | PprofFault {
  const { seconds } = asked;
  if (unbounded || seconds <= PPROF_SECONDS_MAX) return asked;
  return {
    status: 400,
    text: `profile duration exceeds ${PPROF_SECONDS_MAX} seconds, got ${seconds}`,
  };
}

/** As strconv.ParseInt has it: digits and nothing else, in 64 bits. */
function integerOf(text: string | null): number | null {
  if (text === null || !/^[+-]?\d+$/.test(text)) return null;
  const value = Number.parseInt(text, 10);
  return Math.abs(value) < 2 ** 63 ? value : null;
}
