import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
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
    agent.send([4, 1, agent.dictionary(true), []]);
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

  it('of a stack that no dictionary named end the connection, and the next one starts afresh', async () => {
    const agent = made();
    await agent.connect();
    const batch = agent.batch({ windows: [agent.window([{ atMicros: 5, stack: 'main', state: 0 }], 0, 10)] });
    batch[5] = null;
    agent.send(batch);
    await expect(agent.next(5)).rejects.toThrow('ERR_WIRE_DICTIONARY');
    await agent.connect();
    agent.send([4, 1, agent.dictionary(true), []]);
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
