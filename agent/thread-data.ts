/** What the main thread hands to the agent thread at its birth: plain data, shared memory and one port. */
import type { MessagePort } from 'node:worker_threads';
import type { CoreMemory } from './core';
import type { AgentOptions } from './options';

export const LOOK_PING = 0;
/** What main posts when the signal came that dumps the flight recorder. */
export const RECORD_NOW = 0;

/** Shared memory of AsyncRegion. stayOn: hooks are on for good and not in windows. */
export type AsyncPage = { buffer: SharedArrayBuffer; stayOn: boolean };

/** Function, URL or path, line (1-based, 0 unknown). */
export type ThreadFrame = [name: string, url: string, line: number];
/** A worker thread that main has started, and from where: root first. */
export type ThreadBegun = { threadId: number; frames: ThreadFrame[] };
/** A stack that records of RecordKind.Wait name by its number from now on; they may be read before this comes. */
export type WaitStack = { waitStack: number; frames: ThreadFrame[] };
/** An emitter that Node warns of: how many listeners, of which event, on what. */
export type ListenerWarning = { listeners: string };

export type AgentThreadData = {
  core: CoreMemory;
  /** 512 bytes: ControlWord and ControlCell of assembly/layout.ts. */
  control: SharedArrayBuffer;
  /** Live asynchronous resources; null where the options switch them off. */
  async: AsyncPage | null;
  /**
   * The agent thread posts a number (the ping); main answers through the control page, not through the port. LOOK_PING
   * wants no answer: main only looks at what the agent thread wants. Main posts the id of a worker thread that has
   * ended, a ThreadBegun for one that has begun, a WaitStack, a ListenerWarning, and RECORD_NOW.
   */
  pings: MessagePort;
  options: AgentOptions;
  /** Environment variables that the agent thread reads tokens from; it runs with an empty environment itself. */
  tokenEnvironment: Record<string, string>;
  identity: {
    service: string;
    instance: string;
    labels: string[];
    /** Wall clock (ms) and CLOCK_MONOTONIC (µs) read together on main. */
    anchorWallMillis: number;
    anchorMicros: number;
    startWallMillis: number;
    /** Names of the runtime's flags, and how many threads libuv's pool has. */
    flags: string[];
    poolThreads: number;
  };
  /** Why sampling must not start (a debugger, NODE_V8_COVERAGE, --cpu-prof, the permission model), or ''. */
  samplingRefused: string;
};
