/**
 * The words that the WebAssembly core and TypeScript share. Plain enums only: this one file compiles both as
 * AssemblyScript and as TypeScript, so the two sides cannot drift apart.
 */

/** What a 32-byte ring record tells. `a`, `b` per kind are given at each member. Times are CLOCK_MONOTONIC microseconds. */
export enum RecordKind {
  /** One garbage collection. a = perf_hooks kind (1 minor, 2 minor mark-sweep, 4 major, 8 incremental, 16 weak callbacks), b = perf_hooks flags. */
  Gc = 1,
  /** One server request, from its start to the close of its response. a = status code (0: aborted before headers), b = method index | aborted << 8. */
  HttpServer = 2,
  /** One user span (a timer that was asked to leave spans). a = series id, b = 0. */
  Span = 3,
}

/** What a series holds. */
export enum SeriesKind {
  Histogram = 1,
  Counter = 2,
  Gauge = 3,
}

/** What the thread was doing when a sample was taken. Travels as one column of a sample. */
export enum SampleState {
  /** Running JavaScript, a builtin or a regular expression: counts as CPU. */
  Js = 0,
  /** Collecting garbage. */
  Gc = 1,
  /** In native code with no JavaScript on the stack. */
  Program = 2,
  /** Waiting in the event loop: wall time, never CPU. */
  Idle = 3,
  /** The leaf is a builtin that blocks without burning (Atomics.wait, execSync, ...): wall and block, never CPU. */
  Blocked = 4,
}

/** How far the agent thread is; the value of the control word AgentState. */
export enum AgentState {
  Booting = 0,
  Ready = 1,
  Closing = 2,
  Closed = 3,
  Failed = 4,
}

/**
 * The control page between a host's main thread and the agent thread: i32 words, index in units of 4 bytes.
 * Its own SharedArrayBuffer of 512 bytes: words 0..31 are these, bytes 256..511 are the f64 cells of ControlCell.
 */
export enum ControlWord {
  /** AgentState. Written by the agent thread, read by main (exit handshake). */
  AgentState = 0,
  /** 1 when main is leaving. Written by main in its `exit` event, read by the agent thread, which sleeps on Wake. */
  ExitRequested = 1,
  /** Exit code, valid once ExitRequested is 1. */
  ExitCode = 2,
  /** Bumped by main to wake the agent thread (Atomics.notify pairs with Atomics.waitAsync there). */
  Wake = 3,
  /** Ping number, written by the agent thread before it posts the ping. */
  PingSequence = 4,
  /** The last ping that main answered; stored after the cells below, so that a reader of this word sees them. */
  PongSequence = 5,
  /** Faults the agent caught inside the host's threads (each costs data, never the process). */
  HostFaults = 6,
  /** 1 while main asks the agent thread to stop (API stop()), 2 when it asks to flush. */
  Request = 7,
}

/** f64 cells of the control page; index in units of 8 bytes from its byte 256. Written by main when it answers a ping. */
export enum ControlCell {
  /** When the agent thread sent the ping (written by the agent thread). */
  PingAtMicros = 0,
  /** When main answered. */
  PongAtMicros = 1,
  /** Event loop idle and active time since start, milliseconds (performance.eventLoopUtilization). */
  LoopIdleMillis = 2,
  LoopActiveMillis = 3,
  HeapUsedBytes = 4,
  HeapTotalBytes = 5,
  HeapLimitBytes = 6,
  ExternalBytes = 7,
  /** When the heap figures were read. */
  HeapAtMicros = 8,
  /** What the agent's own callbacks on main have cost so far, microseconds. */
  SelfMicros = 9,
}
