/**
 * The public API of the agent. Loading it does nothing; every call is safe to make whether the agent was preloaded,
 * is started by start(), is off, or runs from another copy of this package.
 */
import { isMainThread } from 'node:worker_threads';
import { Host } from './host';
import {
  Counter,
  Gauge,
  Histogram,
  type HistogramOptions,
  type InstrumentOptions,
  Timer,
  type TimerOptions,
} from './instruments';
import type { MethodTimer } from './method-timer';
import { readOptions, type StartOptions } from './options';
import { Pool, type PoolOptions } from './pool';
import { Queue, type QueueOptions } from './queue';
import { type AgentStats, currentBinding, memoryIsShared, register, runningAgent } from './registration';
import { messageOf, sayOnce } from './stderr';
import { tally } from './tally';
import { type PostingPort, TimedPort } from './timed-port';

export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  InstrumentOptions,
  Labels,
  Timer,
  TimerOptions,
} from './instruments';
export type { MethodTimer } from './method-timer';
export type { StartOptions } from './options';
export type { Pool, PoolFigures, PoolJob, PoolOptions } from './pool';
export { poolGauges } from './pool-gauges';
export type { Queue, QueueOptions } from './queue';
export type { AgentStateName, AgentStats } from './registration';
export { koaRoutes, setRoute } from './set-route';
export type { PostingPort, TimedPort } from './timed-port';
export { withLabels } from './with-labels';

const OFF = { state: 'off', core: 'none', faults: 0, selfMicros: 0 } as const;

/** Starts the agent of this process, unless one runs already (a preload, another copy), this is a worker thread or RINGTAIL_ENABLED=0. Never throws. */
export function start(options: StartOptions = {}): void {
  startOnce(options);
}

/** Flushes, says goodbye to the collector and ends the agent; resolves when that is done, at most after some seconds. */
export async function stop(): Promise<void> {
  await runningAgent()?.stop();
}

/** Measures durations: `const t = timer('db.query'); const token = t.start(); ...; t.stop(token)`, `t.time(fn)`, `t.wrap(fn)`. */
export function timer(name: string, options?: TimerOptions): Timer {
  return new Timer(name, options);
}

/** A timer as a decorator of a method, standard or experimental: `@timed('db.query')`. The same as `@(timer('db.query').method)`. */
export function timed(name: string, options?: TimerOptions): MethodTimer {
  return new Timer(name, options).method;
}

/** A distribution of any numbers: `histogram('payload', { unit: 'By' }).record(bytes)`. */
export function histogram(name: string, options?: HistogramOptions): Histogram {
  return new Histogram(name, options);
}

/** Something that only grows: `counter('orders').add()`. */
export function counter(name: string, options?: InstrumentOptions): Counter {
  return new Counter(name, options);
}

/** Something that goes up and down: `gauge('queue.length').set(n)`. */
export function gauge(name: string, options?: InstrumentOptions): Gauge {
  return new Gauge(name, options);
}

/** A pool of anything: `const job = pool('db', { size: 10 }).enqueue(); job.start(); job.end()`, or acquire and release, or observe(). */
export function pool(name: string, options?: PoolOptions): Pool {
  return new Pool(name, options);
}

/** A queue's depth: `const q = queue('mails', { capacity: 1000 }); q.add(); q.remove()`, or observe(depth). */
export function queue(name: string, options?: QueueOptions): Queue {
  return new Queue(name, options);
}

/**
 * One end of a message port, Worker or parentPort whose messages are timed: `timedPort(worker, 'jobs').postMessage(job)`
 * here, `timedPort(parentPort, 'jobs').on('message', run)` there. Both ends must be timed.
 */
export function timedPort<Transfer>(
  port: PostingPort<Transfer>,
  name: string,
  options?: InstrumentOptions,
): TimedPort<Transfer> {
  return new TimedPort(port, name, options);
}

/** The agent's own counters. */
export function stats(): AgentStats {
  return runningAgent()?.stats() ?? { ...OFF, ...tally };
}

/** @internal The preload's entry. */
export function startFromPreload(): void {
  startOnce({});
}

function startOnce(given: StartOptions): void {
  try {
    if (!isMainThread) {
      refuseInWorker(given);
      return;
    }
    if (runningAgent() !== undefined) {
      refuseSecond(given);
      return;
    }
    const { options, problems } = readOptions(process.env, given);
    if (!options.enabled) return;
    let host: Host | null = null;
    try {
      host = new Host(options, process.env, currentBinding());
      register(host);
    } catch (error) {
      void host?.stop().catch(() => {});
      problems.push(`the agent is off: ${messageOf(error)}`);
    }
    if (problems.length > 0) sayOnce('start', problems.join('; '));
  } catch (error) {
    sayOnce('start', `the agent is off: ${messageOf(error)}`);
  }
}

/** A worker thread's instruments write into the memory of main's agent; a second agent would sample the same threads. */
function refuseInWorker(given: StartOptions): void {
  if (memoryIsShared()) refuseSecond(given);
  else
    sayOnce(
      'worker',
      'start() does nothing in a worker thread: call it in the main thread, or preload the agent',
    );
}

function refuseSecond(given: StartOptions): void {
  if (Object.keys(given).length === 0) return;
  sayOnce(
    'second',
    'the agent runs already (preloaded, or started before): what start() was given is not used',
  );
}
