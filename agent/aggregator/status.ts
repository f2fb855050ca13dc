/** What an agent tells of itself: once in its hello who it is, and in every batch what the process and the agent use right now. */
import { hostname } from 'node:os';
import { ControlCell } from '../../assembly/layout';
import { version } from '../../package.json';
import type { AgentThreadData } from '../thread-data';
import type { IdentityTuple, StatusTuple } from '../wire/schema';
import type { Cost } from './cost';
import type { Hang } from './hang-watch';
import type { MainPage } from './main-page';
import type { Sampling } from './sampling';

/** hang: what lasts right now. onMemory: gets what every status has of the process' memory, bytes. */
export type StatusHost = {
  page: MainPage;
  cost: Cost;
  sampling: Sampling;
  sentBytes(): number;
  hang(): Hang | null;
  onMemory(heapUsedBytes: number, rssBytes: number): void;
};

export class Status {
  readonly #host: StatusHost;
  #before = { idle: 0, active: 0, self: 0, sent: 0 };

  constructor(host: StatusHost) {
    this.#host = host;
  }

  /** What came since the last one, and what is so now. */
  take(): StatusTuple {
    const { page, cost, sampling, hang, sentBytes, onMemory } = this.#host;
    const before = this.#before;
    const idle = page.cell(ControlCell.LoopIdleMillis);
    const active = page.cell(ControlCell.LoopActiveMillis);
    const self = page.cell(ControlCell.SelfMicros);
    const sent = sentBytes();
    this.#before = { idle, active, self, sent };
    const spent = cost.take();
    const loop = this.#loopSince(idle - before.idle, active - before.active);
    const hangs = hang();
    const memory = process.memoryUsage();
    const heapUsedBytes = page.cell(ControlCell.HeapUsedBytes);
    onMemory(heapUsedBytes, memory.rss);
    return [
      Date.now(),
      memory.rss,
      heapUsedBytes,
      page.cell(ControlCell.HeapTotalBytes),
      page.cell(ControlCell.HeapLimitBytes),
      page.cell(ControlCell.ExternalBytes),
      Math.max(0, Math.round(loop.idleMicros)),
      Math.max(0, Math.round(loop.activeMicros)),
      spent.mainCpuMicros,
      spent.processCpuMicros,
      spent.agentCpuMicros,
      spent.samplerCpuMicros,
      spent.rotations,
      spent.rotationPauseMicros,
      Math.round(self - before.self),
      sent - before.sent,
      threadMemoryBytes(memory),
      sampling.rateHz,
      sampling.windowMillis,
      sampling.state,
      hangs?.kind ?? 0,
      hangs?.sinceMicros ?? 0,
    ];
  }

  /** By ticks while sampling, else by the runtime's own idle time, ms. */
  #loopSince(idleMillis: number, activeMillis: number): { idleMicros: number; activeMicros: number } {
    const { sampling } = this.#host;
    const byTicks = sampling.takeLoop();
    if (byTicks !== null) return byTicks;
    if (sampling.state === 'on') return { idleMicros: 0, activeMicros: 0 };
    return { idleMicros: idleMillis * 1000, activeMicros: activeMillis * 1000 };
  }
}

/** Wall clock and the agent's own are read together. */
export function identityTuple(
  { identity, options, core }: AgentThreadData,
  environment: string[],
  nowMicros: number,
): IdentityTuple {
  return [
    identity.service,
    identity.instance,
    hostname(),
    process.pid,
    process.version,
    version,
    identity.labels,
    Date.now(),
    nowMicros,
    identity.startWallMillis,
    options.cpuHz === 0 ? 0 : Math.round(1e6 / options.cpuHz),
    core.kind,
    environment,
  ];
}

/** Of the calling thread: heap figures are an isolate's. */
export function threadMemoryBytes({ heapTotal, external }: NodeJS.MemoryUsage): number {
  return heapTotal + external;
}
