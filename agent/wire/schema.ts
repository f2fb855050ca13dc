/**
 * The wire between an agent and a collector: binary WebSocket messages, each one msgpack array (a tuple)
 * whose first element is a tag. No maps, no msgpack extensions, no records. Integers are non-negative unless a
 * field says otherwise. `micros` are CLOCK_MONOTONIC microseconds of the agent's host (f64); the anchor in HELLO
 * ties them to wall time.
 *
 *   collector                                   agent
 *   CHALLENGE  ────────────────────────────────►
 *             ◄──────────────────────────────── HELLO        proof of the token, who I am
 *   WELCOME    ────────────────────────────────►             proof of the token, last committed sequence, credit
 *             ◄──────────────────────────────── DICTIONARY   all strings, functions, stacks of this epoch so far
 *             ◄──────────────────────────────── BATCH ...    unacknowledged ones again byte for byte, then new ones
 *   ACK        ────────────────────────────────►             committed up to a sequence; credit
 *   CONTROL    ────────────────────────────────►             watch, capture, collect
 *             ◄──────────────────────────────── DATA ...     what collect asked for, in parts
 *             ◄──────────────────────────────── REPLY
 *             ◄──────────────────────────────── GOODBYE
 *
 * The token itself never travels: proofs are HMAC-SHA256(token, role + nonce of the other side + own nonce).
 * A BATCH is named by (agent id, epoch, sequence); the collector drops what it has seen and acknowledges it again.
 * Dictionary ids live as long as an epoch. Ids start at 1; string 0 is '', stack 0 is the empty stack.
 */

/** Version of this schema; a peer with another one is refused with ERR_WIRE_VERSION. */
export const WIRE_VERSION = 4;

export const TAG_CHALLENGE = 1;
export const TAG_HELLO = 2;
export const TAG_WELCOME = 3;
export const TAG_DICTIONARY = 4;
export const TAG_ACK = 5;
export const TAG_CONTROL = 6;
export const TAG_BATCH = 7;
export const TAG_REPLY = 8;
export const TAG_ERROR = 9;
export const TAG_GOODBYE = 10;
export const TAG_DATA = 11;

/** What CONTROL asks. `watch`: 1 s windows for `argument` seconds. `capture`: cut the running window now, 1 s windows for `argument` seconds, cut again at the end; REPLY carries t0.
 * `collect`: make what `text` names, as `name?query` of an address below /debug/pprof/ (`heap?gc=1`), and send it in DATA
 * messages; the REPLY that ends them carries its media type, or an HTTP status as its code and the reason.
 * `cancel`: nobody waits any more for what the capture or collect with the request id `argument` gives. */
export type ControlCommand = 'watch' | 'capture' | 'collect' | 'cancel';

/** [tag, version, nonce: 16 bytes, collector version] */
export type ChallengeMessage = [tag: 1, version: number, nonce: Uint8Array, collectorVersion: string];

/**
 * Who the agent is. Static for a connection. Labels are flat: key, value, key, value.
 * argv, environment, cwd and headers are never in here.
 */
export type IdentityTuple = [
  service: string,
  instance: string,
  host: string,
  pid: number,
  nodeVersion: string,
  agentVersion: string,
  labels: string[],
  /** Wall clock (ms since 1970) and CLOCK_MONOTONIC (µs) read together: the clock anchor. */
  anchorWallMillis: number,
  anchorMicros: number,
  /** When the process started, wall clock ms. */
  startWallMillis: number,
  /** Nominal sampling period, µs (10101 at 99 Hz; 0 when not sampling). */
  periodMicros: number,
  /** 'wasm' or 'twin'. */
  core: string,
  /** What the process runs on, flat key and value: environment.ts. */
  environment: string[],
];

/** [tag, version, agent id: 16 bytes, epoch, nonce: 16 bytes, proof: 32 bytes, identity] */
export type HelloMessage = [
  tag: 2,
  version: number,
  agentId: Uint8Array,
  epoch: number,
  nonce: Uint8Array,
  proof: Uint8Array,
  identity: IdentityTuple,
];

/** lastSequence: last committed BATCH of this (agent id, epoch), -1 for none. creditBytes: how much may be in flight unacknowledged. */
export type WelcomeMessage = [
  tag: 3,
  version: number,
  proof: Uint8Array,
  lastSequence: number,
  durability: 'memory' | 'written' | 'durable',
  creditBytes: number,
];

/**
 * Dictionary entries, appended in order of id: how many of each, from which id on; then the strings and the columns of
 * functions and stacks as bytes (dictionary.ts), and how many bytes they are unpacked: 0, they were not deflated.
 * Stacks are root first: the parent is nearer to the root, so a stack id names a whole call path, its own entry the leaf.
 */
export type DictionaryTuple = [
  firstString: number,
  stringCount: number,
  firstFunction: number,
  functionCount: number,
  firstStack: number,
  stackCount: number,
  strings: Uint8Array,
  unpackedStringBytes: number,
  columns: Uint8Array,
  unpackedColumnBytes: number,
];

/** [tag, epoch, everything in the dictionary so far, every series so far]: sent once after WELCOME, before any BATCH. */
export type DictionaryMessage = [tag: 4, epoch: number, dictionary: DictionaryTuple, series: SeriesTuple[]];

/** Thread id of a window that several worker threads were merged into. */
export const SEVERAL_THREADS = 2 ** 32 - 1;

/**
 * One sampling window of one thread. `ticks` of `periodNanos` each (the true interval, not the nominal one).
 * `columns`: the samples, one tick each, as encoded by the core (see assembly/columns.ts): time, stack id, state, label id.
 * `repairedTicks`: leaves recovered from an inlining caller; `unnamedTicks`: left with one, because it cannot be told
 * whose they are; `jsTicks`: ticks in JavaScript; `lostTicks`: expected but missing.
 */
export type WindowTuple = [
  threadId: number,
  startMicros: number,
  endMicros: number,
  ticks: number,
  periodNanos: number,
  jsTicks: number,
  repairedTicks: number,
  unnamedTicks: number,
  lostTicks: number,
  sampleCount: number,
  columns: Uint8Array,
];

/** A series, told once per epoch before its first value. kind: SeriesKind. labels flat. */
export type SeriesTuple = [
  id: number,
  threadId: number,
  kind: number,
  name: string,
  unit: string,
  labels: string[],
];

/**
 * What a series gained since the last batch. Histogram: count, sum, min, max of the delta and its buckets as encoded by
 * the core (see assembly/counts.ts). Counter: the increase. Gauge: the last value.
 */
export type ValueTuple =
  | [id: number, count: number, sum: number, min: number, max: number, buckets: Uint8Array]
  | [id: number, value: number];

/** Event kinds. Times in µs. stack: stack id in the dictionary or 0. */
export const EVENT_GC = 1; // a: perf_hooks kind, b: perf_hooks flags
export const EVENT_HTTP = 2; // a: status, b: method index | HTTP_ABORTED | string id of the route << HTTP_ROUTE_SHIFT
export const EVENT_SPAN = 3; // a: series id
export const EVENT_STALL = 4; // the loop did not turn for `duration`: told when it is over. a: HANG_*, stack: hottest stack of the stall
export const EVENT_HANG = 5; // the loop has not turned since start and still does not: told while it lasts, `duration` so far. a: HANG_*, b: the thread's state letter (char code) or 0, plus HANG_STACK_WITHIN
export const EVENT_SUSPENDED = 6; // the whole process stood still (SIGSTOP, freezer, throttling): never a stall
export const EVENT_NOTE = 7; // something the agent changed or gave up by itself. a: string id of the sentence

/** What a hang is. */
export const HANG_JS = 1; // stuck in JavaScript: named at once
export const HANG_NATIVE = 2; // stuck in native code: last JavaScript seen, thread state
export const HANG_BLOCKED = 3; // JavaScript answers the interrupt but the leaf is a blocking builtin (Atomics.wait)
export const HANG_STARVED = 4; // ready to run, but the machine gave the core to others for most of the time
export const HANG_UNKNOWN = 5; // not sampled: nobody knows what it was
/** The stack was seen since the hang began. Without it, in native code, it is what ran before; older agents never say it. */
export const HANG_STACK_WITHIN = 256;
/** What a hang is called wherever people read it. */
export const HANG_KINDS = {
  [HANG_JS]: 'javascript',
  [HANG_NATIVE]: 'native',
  [HANG_BLOCKED]: 'blocked',
  [HANG_STARVED]: 'starved',
  [HANG_UNKNOWN]: 'unknown',
} as const;

export type EventTuple = [
  kind: number,
  threadId: number,
  startMicros: number,
  durationMicros: number,
  a: number,
  b: number,
  stack: number,
];

/** Something that was lost on the way and how much of it: reason (a LOSS_* word), number, time of the first. */
export type LossTuple = [reason: string, count: number, firstMicros: number];
export const LOSS_REASONS = [
  /** Records that found their thread's ring full. */
  'ring-full',
  /** Series that found no room, and spans of such. */
  'series-overflow',
  /** Threads that found no slot. */
  'thread-slots',
  /** Values that are no number, negative or infinite, or for which the arena had no room. */
  'value-refused',
  /** Frames that found the epoch's tables full: their ticks stand at the caller. */
  'dictionary-full',
  /** Requests whose route or address came when there was no room for more of them: they count as ROUTE_OTHER. */
  'route-overflow',
  /** Events that waited too long for a link. */
  'queue-full',
  /** Sampling sessions that V8 left stuck. */
  'sampler-restart',
  /** Faults of ours in the host's threads. */
  'host-fault',
  /** Ticks in batches that the collector refused twice. */
  'refused',
] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** What the agent measured of its host and of itself, over this batch where it says "delta". */
export type StatusTuple = [
  wallMillis: number,
  rssBytes: number,
  heapUsedBytes: number,
  heapTotalBytes: number,
  heapLimitBytes: number,
  externalBytes: number,
  /** Deltas, µs: event loop idle and active. */
  loopIdleMicros: number,
  loopActiveMicros: number,
  /** Deltas, CPU µs: main thread, whole process, agent thread, V8's sampler thread; -1 where the system does not tell. */
  mainCpuMicros: number,
  processCpuMicros: number,
  agentCpuMicros: number,
  samplerCpuMicros: number,
  /** Delta: rotations, and the time main spent in them, µs. */
  rotations: number,
  rotationPauseMicros: number,
  /** Delta: time spent in the agent's callbacks on main, µs. */
  hostSelfMicros: number,
  /** Delta: bytes sent. */
  sentBytes: number,
  /** Now: the agent thread's JavaScript heap and what it owns outside of it; shared memory is not in it. */
  agentMemoryBytes: number,
  /** Now: sampling rate in Hz, 0 when off; window length in ms; sampler state: 'on' | 'idle' | 'saving' | 'off' | 'foreign' | 'none'. */
  rateHz: number,
  windowMillis: number,
  sampler: string,
  /** Now: HANG_* or 0, and since when (µs). */
  hang: number,
  hangSinceMicros: number,
];

/** [tag, epoch, sequence, start, end, dictionary | null, windows, series, values, events, losses, status | null] */
export type BatchMessage = [
  tag: 7,
  epoch: number,
  sequence: number,
  startMicros: number,
  endMicros: number,
  dictionary: DictionaryTuple | null,
  windows: WindowTuple[],
  series: SeriesTuple[],
  values: ValueTuple[],
  events: EventTuple[],
  losses: LossTuple[],
  status: StatusTuple | null,
];

/** Committed up to and including `sequence` of the connection's (agent id, epoch). */
export type AckMessage = [tag: 5, sequence: number];
export type ControlMessage = [
  tag: 6,
  requestId: number,
  command: ControlCommand,
  argument: number,
  text: string,
];
/** The next part of what a collect asked for. */
export type DataMessage = [tag: 11, requestId: number, bytes: Uint8Array];
/** t0Micros: when the agent began to do as asked, on its own clock. code: 0 done, else refused and `text` says why; a collect's code is then an HTTP status. */
export type ReplyMessage = [tag: 8, requestId: number, code: number, t0Micros: number, text: string];
export type ErrorMessage = [tag: 9, code: string, text: string];
/** reason: 'exit' | 'stop'. A connection that ends without it "ended without goodbye". */
export type GoodbyeMessage = [tag: 10, epoch: number, lastSequence: number, reason: string];

export type AgentMessage =
  | HelloMessage
  | DictionaryMessage
  | BatchMessage
  | ReplyMessage
  | DataMessage
  | GoodbyeMessage;
export type CollectorMessage = ChallengeMessage | WelcomeMessage | AckMessage | ControlMessage | ErrorMessage;

/** Names and units of the series that the agent itself records (OpenTelemetry's names where there are any; unit µs as integers). */
export const SERIES_LOOP_DELAY = 'nodejs.eventloop.delay';
export const SERIES_GC_PAUSE = 'v8js.gc.duration';
export const SERIES_HTTP_SERVER = 'http.server.request.duration';
export const UNIT_MICROS = 'us';
/** Requests to other servers; open connections and requests that wait for one, now; requests by whether their connection is new. */
export const SERIES_HTTP_CLIENT = 'http.client.request.duration';
export const SERIES_CLIENT_OPEN = 'http.client.open_connections';
export const SERIES_CLIENT_QUEUED = 'http.client.queued_requests';
export const SERIES_CLIENT_USED = 'http.client.used_connections';
/** Sockets that servers of any kind accepted, and that closed; requests that a socket carried in its life. */
export const SERIES_CONNECTIONS_OPENED = 'net.server.connections.opened';
export const SERIES_CONNECTIONS_CLOSED = 'net.server.connections.closed';
export const SERIES_CONNECTION_REQUESTS = 'http.server.connection.requests';

/** A label of SERIES_HTTP_SERVER: how the request ended. 'aborted': its connection closed before the answer was out. */
export const LABEL_STATUS_CLASS = 'http.response.status_class';
export const STATUS_CLASSES = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** The same label of SERIES_HTTP_CLIENT: 'aborted' by the program, 'timeout', or 'error' without a complete answer. */
export const CLIENT_ENDS = [...STATUS_CLASSES, 'timeout', 'error'] as const;
/** Labels of what is measured of requests to other servers. */
export const LABEL_ADDRESS = 'server.address';
export const LABEL_PORT = 'server.port';
export const LABEL_CONNECTION_STATE = 'http.connection.state';
export const LABEL_LIBRARY = 'http.client.library';

/** Other labels of SERIES_HTTP_SERVER. A request without a known route has no LABEL_ROUTE. */
export const LABEL_METHOD = 'http.request.method';
export const LABEL_ROUTE = 'http.route';
/** The route, or address, of requests beyond those that are told apart. */
export const ROUTE_OTHER = '(other)';

/** Parts of b of EVENT_HTTP. */
export const HTTP_METHOD_MASK = 0xff;
export const HTTP_ABORTED = 1 << 8;
export const HTTP_ROUTE_SHIFT = 9;

/** The method index of EVENT_HTTP. */
export const HTTP_METHODS = [
  'OTHER',
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'CONNECT',
  'TRACE',
] as const;
