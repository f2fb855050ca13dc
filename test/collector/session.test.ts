import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { SeriesKind } from '../../assembly/layout';
import { type Collector, startCollector } from '../../collector/collector';
import { SyntheticAgent } from './synthetic-agent';

const TOKEN = 'a-token-of-the-tests-0123456789';

let collector: Collector;
const agents: SyntheticAgent[] = [];

beforeEach(async () => {
  collector = await startCollector({ port: 0, token: TOKEN, environment: {} });
});

afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.close();
  await collector.close();
});

function made(token = TOKEN): SyntheticAgent {
  const agent = new SyntheticAgent(collector.address, token);
  agents.push(agent);
  return agent;
}

/** A connection that does not know the token, and the code it ends with. */
function stranger(): { socket: WebSocket; ended: Promise<number> } {
  const socket = new WebSocket(`ws://127.0.0.1:${collector.address.port}/v1/agent`);
  socket.on('error', () => {});
  return { socket, ended: new Promise((resolve) => socket.on('close', resolve)) };
}

/** The head of a msgpack value with a length of four bytes. */
function header(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(5, type);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${collector.address.port}/metrics`)).text();
  const line = text
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name} `) || candidate.startsWith(`${name}{`));
  return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
}

describe('the handshake', () => {
  it('proves the token both ways', async () => {
    await made().connect();
    expect(await metric('ringtail_agents')).toBe(1);
  });

  it('refuses an agent with another token and tells it where to look', async () => {
    await expect(made('another-token-0123456789').connect()).rejects.toThrow(
      /ERR_WIRE_PROOF.*RINGTAIL_TOKEN_FILE/,
    );
    expect(await metric('ringtail_errors_total{code="ERR_WIRE_PROOF"}')).toBe(1);
    expect(await metric('ringtail_agents')).toBe(0);
  });

  it('refuses another version of the wire and anything before hello', async () => {
    const agent = made();
    await agent.connect();
    const socket = new WebSocket(`ws://127.0.0.1:${collector.address.port}/v1/agent`);
    const told = new Promise<number>((resolve) => socket.on('close', resolve));
    socket.on('open', () => socket.send(Buffer.from([0x95, 0x08, 0x01, 0x00, 0x00, 0xa0])));
    expect(await told).toBe(1002);
    expect(await metric('ringtail_errors_total{code="ERR_WIRE_ORDER"}')).toBe(1);
  });

  it('ends the connection at a text message and at one beyond the size', async () => {
    for (const [data, code] of [
      ['text', 1007],
      [Buffer.alloc(4 * 1024 * 1024 + 1), 1009],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${collector.address.port}/v1/agent`);
      const told = new Promise<number>((resolve) => socket.on('close', resolve));
      socket.on('open', () => socket.send(data));
      socket.on('error', () => {});
      expect(await told).toBe(code);
    }
  });

  it('takes no more than a hello needs from whoever has not proven the token', async () => {
    const bin = (length: number) => Buffer.concat([header(0xc6, length), Buffer.alloc(length)]);
    const strange: [what: string, bytes: Buffer][] = [
      ['a message of 70 KiB', Buffer.concat([Buffer.from([0x92, 0x02]), bin(70_000)])],
      ['a message of 3 MiB', Buffer.concat([Buffer.from([0x92, 0x02]), bin(3 * 1024 * 1024)])],
      ['300 values', Buffer.concat([Buffer.from([0xdc, 0x01, 0x2c, 0x02]), Buffer.alloc(299, 0xc0)])],
    ];
    for (const [what, bytes] of strange) {
      const { socket, ended } = stranger();
      socket.on('open', () => socket.send(bytes));
      expect([what, await ended]).toEqual([what, 1009]);
    }
    expect(await metric('ringtail_errors_total{code="ERR_WIRE_LIMIT"}')).toBe(strange.length);
  });

  it('ends a connection that sends a message in pieces before it has sent too much of it', async () => {
    const { socket, ended } = stranger();
    await new Promise((resolve) => socket.on('open', resolve));
    for (let piece = 0; piece < 12; piece++) socket.send(Buffer.alloc(8192), { fin: false });
    expect(await ended).toBe(1009);
  });

  it('gives the connection to the newer of two with the same id', async () => {
    const first = made();
    await first.connect();
    const second = made();
    Object.assign(second, { agentId: first.agentId });
    await second.connect();
    await expect(first.next(5)).rejects.toThrow('ERR_WIRE_SUPERSEDED');
    await second.commit();
    expect(await metric('ringtail_agents')).toBe(1);
  });
});

describe('batches', () => {
  it('are acknowledged, also a duplicate, which is not counted again', async () => {
    const agent = made();
    await agent.connect();
    const batch = agent.batch({ status: agent.status() });
    agent.send(batch);
    agent.send(batch);
    expect([(await agent.next(5))[1], (await agent.next(5))[1]]).toEqual([0, 0]);
    expect(await metric('ringtail_batches_total')).toBe(1);
    expect(await metric('ringtail_duplicates_total')).toBe(1);
  });

  it('that are sent again after a reconnect are known; the welcome tells the last', async () => {
    const agent = made();
    await agent.connect();
    agent.stack('main;handler');
    const batch = agent.batch({
      windows: [agent.window([{ atMicros: 5, stack: 'main;handler', state: 0 }], 0, 10)],
    });
    agent.send(batch);
    await agent.next(5);
    await agent.close(false);
    await agent.connect();
    agent.send([4, 1, agent.dictionary(), []]);
    agent.send(batch);
    expect((await agent.next(5))[1]).toBe(0);
    expect(await agent.commit()).toBe(1);
    expect(await metric('ringtail_duplicates_total')).toBe(1);
    expect(await metric('ringtail_gaps_total')).toBe(0);
  });

  it('that never came are counted', async () => {
    const agent = made();
    await agent.connect();
    await agent.commit();
    agent.sequence += 3;
    await agent.commit();
    expect(await metric('ringtail_gaps_total')).toBe(3);
  });

  it('count losses by reason', async () => {
    const agent = made();
    await agent.connect();
    await agent.commit({ losses: [['ring-full', 5, 1]] });
    await agent.commit({ losses: [['ring-full', 2, 1]] });
    expect(await metric('ringtail_losses_total{reason="ring-full"}')).toBe(7);
  });

  it('lose a number that is none, and nothing else', async () => {
    const agent = made();
    await agent.connect();
    const status = agent.status();
    status[1] = Number.NaN;
    status[8] = Number.POSITIVE_INFINITY;
    const spoilt = agent.value(3, [7000]);
    spoilt[2] = Number.NaN;
    const sequence = await agent.commit({
      windows: [agent.window([{ atMicros: 5, stack: 'main', state: 0 }], 0, 10)],
      series: [...agent.timedSeries(), [9, 0, SeriesKind.Gauge, 'queue', '1', []]],
      values: [agent.value(1, [10, 20]), spoilt, [9, Number.NaN], [9, 4]],
      status,
    });
    expect(sequence).toBe(0);
    expect(await metric('ringtail_batches_total')).toBe(1);
    expect(await metric('ringtail_losses_total{reason="value-refused"}')).toBe(4);
    for (const field of ['value value', 'value sum', 'status rss', 'status main CPU']) {
      expect([field, await metric(`ringtail_refused_numbers_total{field="${field}"}`)]).toEqual([field, 1]);
    }
    expect(await metric('ringtail_loop_delay_seconds_count{service="shop"}')).toBe(2);
    expect(await metric('ringtail_http_request_seconds_count{service="shop"}')).toBe(0);
    expect(await metric('ringtail_instance_heap_used_bytes')).toBe(20e6);
  });

  it('are refused whole where their form is wrong, also beside a number that is none', async () => {
    const agent = made();
    await agent.connect();
    agent.send(agent.batch({ series: agent.timedSeries(), values: [[77, Number.NaN]] }));
    await expect(agent.next(5)).rejects.toThrow('ERR_WIRE_DICTIONARY');
    await agent.connect();
    const batch = agent.batch();
    batch[3] = Number.NaN;
    agent.send(batch);
    await expect(agent.next(5)).rejects.toThrow('ERR_WIRE_MESSAGE');
  });

  it('of a stack that no dictionary named end the connection, and the next one starts afresh', async () => {
    const agent = made();
    await agent.connect();
    const batch = agent.batch({ windows: [agent.window([{ atMicros: 5, stack: 'main', state: 0 }], 0, 10)] });
    batch[5] = null;
    agent.send(batch);
    await expect(agent.next(5)).rejects.toThrow('ERR_WIRE_DICTIONARY');
    await agent.connect();
    agent.send([4, 1, agent.dictionary(), []]);
    agent.send(batch);
    expect((await agent.next(5))[1]).toBe(0);
  });

  it('of a new epoch begin a new numbering and new tables', async () => {
    const agent = made();
    await agent.connect();
    await agent.commit();
    agent.epoch = 2;
    agent.sequence = 0;
    await agent.close(false);
    await agent.connect();
    expect(await agent.commit()).toBe(0);
    expect(await metric('ringtail_duplicates_total')).toBe(0);
  });
});
