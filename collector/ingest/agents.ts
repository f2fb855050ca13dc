/**
 * The agents that are known: who they are, what their epochs defined, whether they are connected. Listeners hear of
 * everything that was committed or happened, in order. An agent that lost its connection without a goodbye is given a
 * moment to come back before it counts as ended.
 */
import type { ControlCommand } from '../../agent/wire/schema';
import { type Batch, type Instance, type InstanceStatus, wallMillisOf } from '../store/batch';
import type { Reply } from './decode-hello';
import { Epoch } from './epoch';
import { WireError } from './wire-error';

/** What an agent made on request: its reply and the bytes that came before it. */
export type Collected = { reply: Reply; bytes: Uint8Array };

/** The connected side of an agent. */
export interface AgentLink {
  /** Asks the agent for something; rejects when the connection ends before the reply. signal: the asker has gone. */
  request(command: ControlCommand, argument: number, signal?: AbortSignal): Promise<Reply>;
  /** Asks the agent to make what `text` names, as `name?query`. */
  collect(text: string, deadlineMillis: number, signal?: AbortSignal): Promise<Collected>;
  /** Ends the connection, telling the agent why. */
  refuse(error: WireError): void;
}

export type AgentEnd = 'goodbye' | 'ended-without-goodbye';

export interface AgentListener {
  connected?(agent: Agent): void;
  committed?(agent: Agent, batch: Batch): void;
  ended?(agent: Agent, end: AgentEnd, text: string): void;
  /** Its times are told by a new anchor from here on; what was said before was off by so much. */
  anchored?(agent: Agent, offMillis: number): void;
  /** Connected, but nothing came for so long. */
  silent?(agent: Agent, forMillis: number): void;
}

export type Agent = {
  /** As its hello said, with the newest clock anchor. */
  instance: Instance;
  link: AgentLink | null;
  epochs: Map<number, Epoch>;
  /** Settles when the batch that was begun last is in the store or refused, whichever connection it came by. */
  turn: Promise<unknown>;
  /** When the last message came, by the clock of AgentsOptions. */
  heardMillis: number;
  /** Since when the link is gone without a goodbye and without a verdict; 0 otherwise. */
  lostMillis: number;
  silentTold: boolean;
  /** How far the newest committed batch and the newest window of the main thread reach, on the agent's clock. */
  batchEndMicros: number;
  windowEndMicros: number;
  /** The newest there is. */
  status: InstanceStatus | null;
  /** CPU since this collector knows the agent: the process, its main thread, the profiler's own threads. */
  cpuMicros: { process: number; main: number; profiler: number };
  rotationPauseMicros: number;
  /** In the agent's callbacks on main. */
  hostSelfMicros: number;
  sentBytes: number;
};

export type AgentsOptions = {
  /** A clock that is never set. */
  nowMillis: () => number;
  agentsMax: number;
  /** Told of an error that a listener threw: it costs that listener's data, not the agent's connection. */
  onListenerError: (error: unknown) => void;
};

/** Epochs whose definitions are kept: batches of the one before may still be sent again. */
const EPOCHS_KEPT = 2;
/** The anchor of a hello may be off by this much: suspension and a clock that is set move the wall clock alone. */
const ANCHOR_TOLERANCE_MILLIS = 1000;
const RETURN_GRACE_MILLIS = 2000;
const SILENT_AFTER_MILLIS = 15_000;
/** How long a gone agent's definitions are kept for its return. */
const FORGET_AFTER_MILLIS = 15 * 60_000;

export class Agents {
  #options: AgentsOptions;
  #agents = new Map<string, Agent>();
  #listeners = new Set<AgentListener>();

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  listen(listener: AgentListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Connected agents, by service and instance. */
  live(): Agent[] {
    const agents = [...this.#agents.values()].filter((agent) => agent.link !== null);
    return agents.sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  }

  get(agentId: string): Agent | undefined {
    return this.#agents.get(agentId);
  }

  /** Connected, or lost so lately that it may come back. */
  isPresent(agentId: string): boolean {
    const agent = this.#agents.get(agentId);
    return agent !== undefined && (agent.link !== null || agent.lostMillis > 0);
  }

  /** Makes the link the agent's only one. Throws ERR_WIRE_AGENTS when there are too many. */
  connect(instance: Instance, link: AgentLink): Agent {
    const nowMillis = this.#options.nowMillis();
    let agent = this.#agents.get(instance.agentId);
    if (agent?.link == null && this.live().length >= this.#options.agentsMax) {
      throw new WireError(
        'ERR_WIRE_AGENTS',
        `this collector takes ${this.#options.agentsMax} agents and has them`,
      );
    }
    agent?.link?.refuse(new WireError('ERR_WIRE_SUPERSEDED', 'the same agent connected again'));
    if (agent === undefined) {
      agent = newAgent(instance);
      this.#agents.set(instance.agentId, agent);
    }
    const returned = agent.lostMillis > 0;
    // A process says the anchor of its start at every hello; what its statuses told since is newer.
    const { anchorWallMillis, anchorMicros } = agent.instance;
    const anchor = anchorMicros > instance.anchorMicros ? { anchorWallMillis, anchorMicros } : {};
    Object.assign(agent, {
      instance: { ...instance, ...anchor },
      link,
      heardMillis: nowMillis,
      lostMillis: 0,
      silentTold: false,
    });
    if (!returned) this.#tell((listener) => listener.connected?.(agent));
    return agent;
  }

  /** The definitions of an epoch, made when they are new; the oldest are forgotten. */
  epoch(agent: Agent, number: number): Epoch {
    let epoch = agent.epochs.get(number);
    if (epoch === undefined) {
      epoch = new Epoch();
      agent.epochs.set(number, epoch);
      if (agent.epochs.size > EPOCHS_KEPT) agent.epochs.delete(Math.min(...agent.epochs.keys()));
    }
    return epoch;
  }

  heard(agent: Agent): void {
    agent.heardMillis = this.#options.nowMillis();
    agent.silentTold = false;
  }

  committed(agent: Agent, batch: Batch): void {
    agent.batchEndMicros = Math.max(agent.batchEndMicros, batch.endMicros);
    for (const window of batch.windows) {
      if (window.threadId === 0) agent.windowEndMicros = Math.max(agent.windowEndMicros, window.endMicros);
    }
    if (batch.status !== null) {
      addStatus(agent, batch.status);
      this.#anchor(agent, batch.status, batch.endMicros);
    }
    this.#tell((listener) => listener.committed?.(agent, batch));
  }

  /** A status and the end of its batch are read together: where they contradict the anchor, they are the new one. */
  #anchor(agent: Agent, { wallMillis }: InstanceStatus, endMicros: number): void {
    if (wallMillis === null || endMicros < agent.batchEndMicros) return;
    const offMillis = wallMillis - wallMillisOf(agent.instance, endMicros);
    if (Math.abs(offMillis) <= ANCHOR_TOLERANCE_MILLIS) return;
    agent.instance = { ...agent.instance, anchorWallMillis: wallMillis, anchorMicros: endMicros };
    this.#tell((listener) => listener.anchored?.(agent, offMillis));
  }

  /** The link is gone; `goodbye` is the reason the agent gave, or null. A link that was superseded changes nothing. */
  disconnected(agent: Agent, link: AgentLink, goodbye: string | null): void {
    if (agent.link !== link) return;
    agent.link = null;
    if (goodbye === null) agent.lostMillis = this.#options.nowMillis();
    else this.#tell((listener) => listener.ended?.(agent, 'goodbye', goodbye));
  }

  /** To be called about once a second: verdicts on the lost, notices of the silent, and forgetting. */
  tick(): void {
    const nowMillis = this.#options.nowMillis();
    for (const [agentId, agent] of this.#agents) {
      const quietMillis = nowMillis - agent.heardMillis;
      if (agent.lostMillis > 0 && nowMillis - agent.lostMillis >= RETURN_GRACE_MILLIS) {
        agent.lostMillis = 0;
        const text = `connection lost and no goodbye within ${RETURN_GRACE_MILLIS / 1000} s`;
        this.#tell((listener) => listener.ended?.(agent, 'ended-without-goodbye', text));
      }
      if (agent.link !== null && !agent.silentTold && quietMillis >= SILENT_AFTER_MILLIS) {
        agent.silentTold = true;
        this.#tell((listener) => listener.silent?.(agent, quietMillis));
      }
      if (agent.link === null && quietMillis >= FORGET_AFTER_MILLIS) this.#agents.delete(agentId);
    }
  }

  #tell(say: (listener: AgentListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        say(listener);
      } catch (error) {
        this.#options.onListenerError(error);
      }
    }
  }
}

function newAgent(instance: Instance): Agent {
  return {
    instance,
    link: null,
    epochs: new Map(),
    turn: Promise.resolve(),
    heardMillis: 0,
    lostMillis: 0,
    silentTold: false,
    batchEndMicros: 0,
    windowEndMicros: 0,
    status: null,
    cpuMicros: { process: 0, main: 0, profiler: 0 },
    rotationPauseMicros: 0,
    hostSelfMicros: 0,
    sentBytes: 0,
  };
}

function addStatus(agent: Agent, status: InstanceStatus): void {
  agent.status = status;
  agent.cpuMicros.process += status.processCpuMicros ?? 0;
  agent.cpuMicros.main += status.mainCpuMicros ?? 0;
  agent.cpuMicros.profiler += (status.agentCpuMicros ?? 0) + (status.samplerCpuMicros ?? 0);
  agent.rotationPauseMicros += status.rotationPauseMicros;
  agent.hostSelfMicros += status.hostSelfMicros;
  agent.sentBytes += status.sentBytes;
}

function nameOf({ instance }: Agent): string {
  return `${instance.service}\0${instance.instance}\0${instance.agentId}`;
}
