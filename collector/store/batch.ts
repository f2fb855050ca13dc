/** What the collector keeps: its own types, made by the decoder at the edge. Nothing past here sees a wire shape. */
import type { StackTable } from '../profile/stack-table';

/** One agent: one process from its start to its end. `agentId` is 32 hex digits. */
export type Instance = {
  agentId: string;
  service: string;
  instance: string;
  host: string;
  pid: number;
  nodeVersion: string;
  agentVersion: string;
  labels: readonly string[];
  /** Wall clock (ms) and the agent's monotonic clock (µs) read together. */
  anchorWallMillis: number;
  anchorMicros: number;
  startWallMillis: number;
  /** Nominal; 0 when not sampling. */
  periodMicros: number;
  core: string;
  /** What the process runs on, flat key and value: agent/wire/environment.ts. */
  environment: readonly string[];
};

/** One sampling window of one thread; `columns` are its samples as the core encoded them, already proven to decode. */
export type SampleWindow = {
  threadId: number;
  startMicros: number;
  endMicros: number;
  ticks: number;
  /** The true interval. */
  periodNanos: number;
  jsTicks: number;
  repairedTicks: number;
  unnamedTicks: number;
  lostTicks: number;
  sampleCount: number;
  columns: Uint8Array;
};

export type Series = {
  threadId: number;
  /** SeriesKind of the core. */
  kind: number;
  name: string;
  unit: string;
  labels: readonly string[];
};

/** What a series gained in a batch. A counter or gauge has its increase or value in `sum` and no buckets. */
export type SeriesValue = {
  series: Series;
  count: number;
  sum: number;
  min: number;
  max: number;
  buckets: Uint8Array | null;
};

/** kind: an EVENT_* of the wire. stack: an id in the batch's stack table, or 0. */
export type RuntimeEvent = {
  kind: number;
  threadId: number;
  startMicros: number;
  durationMicros: number;
  a: number;
  b: number;
  stack: number;
};

export type Loss = { reason: string; count: number; firstMicros: number };

/** null: the system does not tell, or not in a number. Micros and bytesSent are what came since the last status. */
export type InstanceStatus = {
  /** Read together with the end of the batch. */
  wallMillis: number | null;
  rssBytes: number;
  heapUsedBytes: number;
  heapTotalBytes: number;
  heapLimitBytes: number;
  externalBytes: number;
  loopIdleMicros: number;
  loopActiveMicros: number;
  mainCpuMicros: number | null;
  processCpuMicros: number | null;
  agentCpuMicros: number | null;
  samplerCpuMicros: number | null;
  rotations: number;
  rotationPauseMicros: number;
  hostSelfMicros: number;
  sentBytes: number;
  /** The agent thread's JavaScript heap and what it owns; now. */
  agentMemoryBytes: number;
  rateHz: number;
  windowMillis: number;
  sampler: string;
  /** HANG_* or 0, and since when. */
  hang: number;
  hangSinceMicros: number;
};

export type Batch = {
  agentId: string;
  epoch: number;
  sequence: number;
  startMicros: number;
  endMicros: number;
  /** What stack and string ids in windows and events mean. */
  stacks: StackTable;
  windows: readonly SampleWindow[];
  values: readonly SeriesValue[];
  events: readonly RuntimeEvent[];
  losses: readonly Loss[];
  status: InstanceStatus | null;
  /** Of the message it came in. */
  byteSize: number;
};

/** Where the agent's monotonic time lies on the wall clock, ms. */
export function wallMillisOf(instance: Instance, micros: number): number {
  return instance.anchorWallMillis + (micros - instance.anchorMicros) / 1000;
}

/** The agent's monotonic time at a moment of the wall clock. */
export function microsOf(instance: Instance, wallMillis: number): number {
  return instance.anchorMicros + (wallMillis - instance.anchorWallMillis) * 1000;
}
