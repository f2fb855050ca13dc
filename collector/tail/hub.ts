/**
 * The tail's fan-out: one line a second of each instance to everybody who watches it, and notices of what happens to
 * instances. While somebody watches an instance its agent is asked, again and again, for windows of a second. A client
 * that reads too slowly is dropped and counted; the tail waits for nobody.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { CoreTables } from '../../agent/core';
import { EVENT_NOTE, EVENT_SUSPENDED } from '../../agent/wire/schema';
import type { Counters } from '../counters';
import type { Agent, AgentEnd, AgentListener, Agents } from '../ingest/agents';
import type { RecentGc } from '../query/recent-gc';
import type { Batch } from '../store/batch';
import { wallMillisOf } from '../store/batch';
import { HangStacks } from './hang-stacks';
import type { TailLine, TailNotice } from './schema';
import { SecondBuilder } from './second';

const CLIENTS_MAX = 64;
const WAITING_BYTES_MAX = 1024 * 1024;
const INCOMING_BYTES_MAX = 1024;
const WATCH_SECONDS = 10;
const WATCH_RENEW_MILLIS = 5000;

export type TailContext = {
  agents: Agents;
  tables: CoreTables;
  counters: Counters;
  recentGc: RecentGc;
  wallMillis: () => number;
};

/** service, instance: '' for all. */
type Client = { socket: WebSocket; service: string; instance: string };

export class TailHub implements AgentListener {
  #context: TailContext;
  #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: INCOMING_BYTES_MAX });
  #clients = new Set<Client>();
  #builders = new Map<string, SecondBuilder>();
  /** Of all agents: who begins to watch within a hang must see its stack. */
  #hangs = new Map<string, HangStacks>();
  #renew: NodeJS.Timeout;
  #stopListening: () => void;

  constructor(context: TailContext) {
    this.#context = context;
    this.#stopListening = context.agents.listen(this);
    this.#renew = setInterval(() => this.#watchAll(), WATCH_RENEW_MILLIS);
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    if (this.#clients.size >= CLIENTS_MAX) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (connection) => {
      const { searchParams } = url;
      this.#join({
        socket: connection,
        service: searchParams.get('service') ?? '',
        instance: searchParams.get('instance') ?? '',
      });
    });
  }

  close(): void {
    clearInterval(this.#renew);
    this.#stopListening();
    for (const { socket } of this.#clients) socket.close(1001, 'collector is closing');
    this.#server.close();
  }

  /** Ends what did not end by itself. */
  terminate(): void {
    for (const { socket } of this.#clients) socket.terminate();
  }

  connected(agent: Agent): void {
    this.#notice(agent, 'connected', greetingOf(agent));
    if (this.#watchersOf(agent).length > 0) this.#watch(agent);
  }

  committed(agent: Agent, batch: Batch): void {
    this.#hangsOf(agent).add(batch);
    const watchers = this.#watchersOf(agent);
    if (watchers.length === 0) {
      this.#builders.delete(agent.instance.agentId);
      return;
    }
    for (const { kind, startMicros, durationMicros, a } of batch.events) {
      const atMillis = wallMillisOf(agent.instance, startMicros + durationMicros);
      if (kind === EVENT_NOTE) this.#notice(agent, 'note', batch.stacks.string(a), atMillis);
      if (kind === EVENT_SUSPENDED) {
        const text = `the whole process stood still for ${Math.round(durationMicros / 1000)} ms`;
        this.#notice(agent, 'suspended', text, atMillis);
      }
    }
    const builder = this.#builderOf(agent);
    if (builder.add(batch)) this.#tell(watchers, builder.take(agent.instance, this.#context.recentGc));
  }

  ended(agent: Agent, end: AgentEnd, text: string): void {
    if (end === 'ended-without-goodbye') this.#context.counters.endedWithoutGoodbye++;
    this.#builders.delete(agent.instance.agentId);
    this.#hangs.delete(agent.instance.agentId);
    this.#notice(agent, end, text);
  }

  anchored(agent: Agent, offMillis: number): void {
    const way = offMillis > 0 ? 'ahead of' : 'behind';
    const text = `its wall clock is ${seconds(Math.abs(offMillis))} ${way} where it was thought to be (suspended, or set): times are told by it from here on`;
    this.#notice(agent, 'note', text);
  }

  silent(agent: Agent, forMillis: number): void {
    this.#notice(agent, 'silent', `nothing heard for ${Math.round(forMillis / 1000)} s`);
  }

  #join(client: Client): void {
    this.#clients.add(client);
    const { socket } = client;
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#clients.delete(client));
    for (const agent of this.#context.agents.live()) {
      if (!matches(client, agent)) continue;
      this.#tell([client], this.#noticeOf(agent, 'connected', greetingOf(agent)));
      this.#watch(agent);
    }
  }

  #builderOf(agent: Agent): SecondBuilder {
    const { agentId } = agent.instance;
    let builder = this.#builders.get(agentId);
    if (builder === undefined) {
      builder = new SecondBuilder(this.#context.tables, this.#hangsOf(agent));
      this.#builders.set(agentId, builder);
    }
    return builder;
  }

  #hangsOf({ instance }: Agent): HangStacks {
    let hangs = this.#hangs.get(instance.agentId);
    if (hangs === undefined) {
      hangs = new HangStacks();
      this.#hangs.set(instance.agentId, hangs);
    }
    return hangs;
  }

  #watchersOf(agent: Agent): Client[] {
    return [...this.#clients].filter((client) => matches(client, agent));
  }

  #watchAll(): void {
    for (const agent of this.#context.agents.live()) {
      if (this.#watchersOf(agent).length > 0) this.#watch(agent);
    }
  }

  /** Without a reply the tail is only coarser. */
  #watch(agent: Agent): void {
    agent.link?.request('watch', WATCH_SECONDS).catch(() => {});
  }

  #notice(agent: Agent, kind: TailNotice['kind'], text: string, atMillis?: number): void {
    this.#tell(this.#watchersOf(agent), this.#noticeOf(agent, kind, text, atMillis));
  }

  #noticeOf({ instance }: Agent, kind: TailNotice['kind'], text: string, atMillis?: number): TailNotice {
    const at = Math.round(atMillis ?? this.#context.wallMillis());
    const { service, instance: name } = instance;
    return { v: 1, type: 'notice', atMillis: at, service, instance: name, kind, text };
  }

  #tell(clients: readonly Client[], line: TailLine): void {
    if (clients.length === 0) return;
    const { counters } = this.#context;
    const text = JSON.stringify(line);
    for (const client of clients) {
      const { socket } = client;
      if (!this.#clients.has(client)) continue;
      if (socket.bufferedAmount > WAITING_BYTES_MAX) {
        counters.slowTailClients++;
        this.#clients.delete(client);
        socket.terminate();
        continue;
      }
      counters.tailLines++;
      socket.send(text);
    }
  }
}

function matches({ service, instance }: Client, agent: Agent): boolean {
  const known = agent.instance;
  return (service === '' || service === known.service) && (instance === '' || instance === known.instance);
}

function seconds(millis: number): string {
  return `${(millis / 1000).toFixed(1)} s`;
}

function greetingOf({ instance }: Agent): string {
  const { pid, host, nodeVersion, agentVersion } = instance;
  return `pid ${pid} on ${host}, node ${nodeVersion}, ringtail ${agentVersion}`;
}
