/** What the flight recorder holds, as it is read: the shape that a trace is made of. Times are CLOCK_MONOTONIC µs. */
import type { StackNames } from '../../../collector/profile/stack-table';
import type { TickWindow } from '../profile-reader';

/** Kinds of RecordedEvent. */
export const RECORDED_GC = 1; // a: perf_hooks kind, b: perf_hooks flags
export const RECORDED_REQUEST = 2; // a: status, b: index of the method | HTTP_ABORTED, label: route
export const RECORDED_SPAN = 3; // label: name
export const RECORDED_DELAY = 4; // an answered ping: the duration is the delay, a: turns of the loop since the one before
export const RECORDED_MEMORY = 5; // a: heap in use, b: resident memory, bytes
export const RECORDED_POOL = 6; // a: wait, b: run, µs, -1 where not known; label: kind

/** label: an index into the record's labels. */
export type RecordedEvent = {
  kind: number;
  threadId: number;
  startMicros: number;
  durationMicros: number;
  a: number;
  b: number;
  label: number;
};

/** What names the stacks of a window: the running epoch's dictionary, or what was kept of an earlier one. */
export type RecordedNames = Pick<StackNames, 'parentOf' | 'functionOf' | 'lineOf'>;

export type RecordedWindow = { window: TickWindow; names: RecordedNames; periodMicros: number };

/** Rare and telling. stack: root first, in words. */
export type RecordedIncident = {
  kind: 'stall' | 'hang' | 'suspended' | 'note';
  startMicros: number;
  durationMicros: number;
  text: string;
  stack: readonly string[];
};

export type Recorded = {
  fromMicros: number;
  toMicros: number;
  windows: readonly RecordedWindow[];
  events: readonly RecordedEvent[];
  incidents: readonly RecordedIncident[];
  labels: readonly string[];
  /** Since the start: what had to go for want of room before its time was over, and when the last of it was. */
  overwritten: Overwritten;
};

export type Overwritten = { ticks: number; events: number; incidents: number; lastMicros: number };
