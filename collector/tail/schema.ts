/**
 * What `/v1/tail` sends and `ringtail tail --json` prints: one JSON object a line. Version 1: members may be added,
 * never renamed or removed, while `v` is 1. `null` means "not known", never zero.
 */
export type TailLine = TailSecond | TailNotice;

/**
 * What the main thread was stuck in: running JavaScript; native code that cannot be interrupted; a call that waits
 * without burning; nothing (it was ready, but the machine ran others); or unknown, because sampling was off.
 */
export type HangKind = 'javascript' | 'native' | 'blocked' | 'starved' | 'unknown';

/** One second of one instance. */
export type TailSecond = {
  v: 1;
  type: 'second';
  /** Wall clock, ms since 1970, end of the second. */
  atMillis: number;
  /** How long this line's "second" was, ms: rates times this are counts. */
  spanMillis: number;
  service: string;
  instance: string;
  /** CPU in percent of one core: whole process, main thread, ringtail's own threads; null where the system does not tell. */
  cpu: { processPercent: number | null; mainPercent: number | null; agentPercent: number | null };
  /** Utilisation 0..1; delay quantiles in ms, null without a measurement in this second. */
  loop: {
    utilization: number | null;
    delayMillis: { p50: number; p99: number; max: number } | null;
    /** By libuv's metrics; null where it did not tell. */
    turns?: { perSecond: number; eventsPerTurn: number } | null;
    /** Stalls that ended in this second by the highest tier each reached: '50ms', '200ms', '1s'. Empty: none. */
    stallTiers?: { tier: string; count: number }[];
    /** The longest stall that was too short to be a hang. */
    briefStall?: { forMillis: number; stack: string[] } | null;
  };
  gc: {
    count: number;
    totalMillis: number;
    maxMillis: number;
    /** Share of this second, and of the time in it in which the loop was not waiting. */
    wallPercent?: number;
    busyPercent?: number | null;
    /** type: 'minor', 'major', 'incremental', 'weakcb' or 'other'. */
    types?: { type: string; count: number; totalMillis: number; maxMillis: number }[];
    /** The longest whose entry came in this second. name: type and cause; stack: what ran around it, known of long and major ones. */
    longest?: { millis: number; name: string; stack: string[] } | null;
    /** The last minute. mutatorPercent: what the worst window of each length left to the program, null without one. */
    minute?: {
      wallPercent: number;
      busyPercent: number | null;
      maxMillis: number;
      mutatorPercent: { windowMillis: number; percent: number | null }[];
    } | null;
  };
  /** Requests that ended in this second; aborted ones count too. errors: status ≥ 500. */
  http: {
    requestsPerSecond: number;
    p50Millis: number | null;
    p99Millis: number | null;
    errors: number;
    aborted: number;
    /** The slowest request; status 0 when it ended before its headers. route: a template, null when none is known. */
    slowest?: {
      method: string;
      route: string | null;
      status: number;
      aborted: boolean;
      millis: number;
      /** What most busy ticks of its time share, whoever's they were, and how long that ran; [] and null below 50 ms, or without one. */
      stack?: string[];
      busyMillis?: number | null;
    } | null;
    /** The routes with the highest p99, at most 5; one without a known route is null. */
    routes?: {
      method: string;
      route: string | null;
      requestsPerSecond: number;
      errors: number;
      p99Millis: number;
    }[];
  };
  memory: {
    rssBytes: number;
    heapUsedBytes: number;
    heapLimitBytes: number;
    /** After the newest major collection; null before the first. hint: what it did not give back, in a sentence, or null. */
    afterMajor?: {
      usedBytes: number;
      committedBytes: number;
      externalBytes: number;
      rssBytes: number;
      hint: string | null;
    } | null;
  };
  /** Hottest functions on CPU in the newest sampling windows, by self, then total: percent of CPU samples. */
  hot: { function: string; file: string; line: number; selfPercent: number; totalPercent: number }[];
  /** The main thread is stuck right now, or null. stack: root first, 'function (file:line)'. */
  hang: {
    kind: HangKind;
    sinceMillis: number;
    forMillis: number;
    stack: string[];
    /** 'hang': seen since it began; 'before': the last seen before it (native code); null without a stack. */
    stackFrom?: 'hang' | 'before' | null;
  } | null;
  /** Hangs that ended in this second. */
  stalls: {
    startMillis: number;
    forMillis: number;
    kind: HangKind;
    stack: string[];
  }[];
  /** Losses reported in this second, by reason. Empty: nothing was lost. */
  drops: { reason: string; count: number }[];
  sampler: {
    state: string;
    rateHz: number;
    windowMillis: number;
    ticks: number;
    repairedPercent: number;
    unnamedPercent: number;
  };
};

/** Something happened to an instance. */
export type TailNotice = {
  v: 1;
  type: 'notice';
  atMillis: number;
  service: string;
  instance: string;
  kind: 'connected' | 'goodbye' | 'ended-without-goodbye' | 'silent' | 'suspended' | 'note';
  text: string;
};
