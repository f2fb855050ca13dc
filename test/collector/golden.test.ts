/**
 * One message of each kind as bytes, kept as hex in golden/: what one side writes the other reads, byte for byte the
 * same from release to release. RINGTAIL_GOLDEN=write writes them anew, which is a change of the wire.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTables } from '../../agent/core';
import { decodeCollectorMessage, encodeMessage as encodeAgentMessage } from '../../agent/wire/encode';
import type { AgentMessage, BatchMessage, CollectorMessage } from '../../agent/wire/schema';
import { BatchDecoder } from '../../collector/ingest/decode-batch';
import { decodeGoodbye, decodeHello, decodeReply } from '../../collector/ingest/decode-hello';
import { Epoch } from '../../collector/ingest/epoch';
import { decodeMessage, encodeMessage } from '../../collector/ingest/msgpack';
import { describeStack } from '../../collector/profile/frame';
import { dictionaryOf } from './dictionary-fixture';

const bytesFrom = (first: number, length: number) => Uint8Array.from({ length }, (_, index) => first + index);

const tables = createTables();
const columns = tables.encodeColumns(1_000_000, {
  atMicros: [1_000_100, 1_010_201, 1_020_400],
  stack: [2, 2, 0],
  state: [0, 0, 3],
  label: [0, 3, 0],
});
const histogram = tables.histogram();
for (const value of [0, 3, 1000, 1001]) histogram.record(value);
const delta = histogram.encode();

const DICTIONARY = dictionaryOf({
  strings: ['main', 'parse', '/checkout', 'file:///srv/app.js'],
  functions: [
    [1, 4, 1, 1],
    [2, 4, 300, 5],
  ],
  stacks: [
    [0, 1, 2],
    [1, 2, 305],
  ],
});
const SERIES: BatchMessage[7] = [
  [1, 0, 1, 'http.server.request.duration', 'us', ['route', '/']],
  [2, 0, 2, 'orders', '1', []],
];

const AGENT: Record<string, AgentMessage> = {
  hello: [
    2,
    4,
    bytesFrom(0, 16),
    3,
    bytesFrom(16, 16),
    bytesFrom(32, 32),
    [
      'shop',
      'host:1',
      'host',
      4711,
      'v20.20.0',
      '0.1.0',
      ['zone', 'a'],
      1_790_000_000_000.5,
      123_456_789.25,
      1_789_999_999_000,
      10_101,
      'wasm',
      ['node', '20.20.0', 'CPUs', '2'],
    ],
  ],
  dictionary: [4, 3, DICTIONARY, SERIES],
  batch: [
    7,
    3,
    42,
    1_000_000,
    2_000_000.5,
    DICTIONARY,
    [[0, 1_000_000, 1_031_000, 3, 10_101_000, 2, 1, 1, 4, 3, columns]],
    SERIES,
    [
      [1, delta.count, delta.sum, delta.min, delta.max, delta.buckets],
      [2, 7],
    ],
    [
      [4, 0, 1_000_000, 250_000, 1, 0, 2],
      [2, 0, 1_100_000, 5000.25, 503, 257, 0],
    ],
    [['ring-full', 12, 1_000_001]],
    [
      1_790_000_001_000,
      8e7,
      2e7,
      3e7,
      2e9,
      1e6,
      400_000,
      600_000,
      550_000,
      580_000,
      -1,
      -1,
      1,
      812.5,
      33,
      4096,
      9e6,
      99,
      1000,
      'on',
      2,
      999_999,
    ],
  ],
  reply: [8, 5, 0, 1_000_000.5, ''],
  data: [11, 5, bytesFrom(7, 5)],
  goodbye: [10, 3, 42, 'exit'],
};

const COLLECTOR: Record<string, CollectorMessage> = {
  challenge: [1, 4, bytesFrom(100, 16), '0.1.0'],
  welcome: [3, 4, bytesFrom(0, 32), -1, 'memory', 8_388_608],
  ack: [5, 70_000],
  control: [6, 9, 'capture', 30, ''],
  collect: [6, 10, 'collect', 0, 'heap?gc=1'],
  error: [9, 'ERR_WIRE_PROOF', 'another token'],
};

describe('golden messages of the agent', () => {
  it.each(Object.entries(AGENT))('%s', (name, message) => {
    const bytes = encodeAgentMessage(message);
    expect(hexOf(bytes)).toBe(golden(name, bytes));
    expect(plain(decodeMessage(Buffer.from(golden(name, bytes), 'hex')))).toEqual(plain(message));
  });

  it('become own types', () => {
    const hello = decodeHello(read('hello'));
    expect(hello.instance).toMatchObject({
      agentId: '000102030405060708090a0b0c0d0e0f',
      service: 'shop',
      pid: 4711,
      anchorMicros: 123_456_789.25,
    });
    expect(decodeReply(read('reply'))).toEqual({ requestId: 5, code: 0, t0Micros: 1_000_000.5, text: '' });
    expect(decodeGoodbye(read('goodbye'))).toEqual({ epoch: 3, lastSequence: 42, reason: 'exit' });
    const epoch = new Epoch();
    const decoder = new BatchDecoder(createTables());
    decoder.dictionary(read('dictionary'), epoch);
    const batch = decoder.batch(read('batch'), 'aa', epoch, 500);
    expect(batch).toMatchObject({ epoch: 3, sequence: 42, startMicros: 1_000_000, endMicros: 2_000_000.5 });
    expect(batch.windows[0]).toMatchObject({
      ticks: 3,
      jsTicks: 2,
      repairedTicks: 1,
      unnamedTicks: 1,
      lostTicks: 4,
      sampleCount: 3,
    });
    expect(describeStack(batch.stacks, batch.events[0]!.stack)).toEqual([
      'main (/srv/app.js:2)',
      'parse (/srv/app.js:305)',
    ]);
    expect(batch.values.map(({ series, count, sum }) => [series.name, count, sum])).toEqual([
      ['http.server.request.duration', 4, 2004],
      ['orders', 1, 7],
    ]);
    expect(batch.status).toMatchObject({
      mainCpuMicros: 550_000,
      agentCpuMicros: null,
      sampler: 'on',
      hang: 2,
    });
    expect(batch.losses).toEqual([{ reason: 'ring-full', count: 12, firstMicros: 1_000_001 }]);
  });
});

describe('golden messages of the collector', () => {
  it.each(Object.entries(COLLECTOR))('%s', (name, message) => {
    const bytes = encodeMessage(message);
    expect(hexOf(bytes)).toBe(golden(name, bytes));
    expect(plain(decodeCollectorMessage(Buffer.from(golden(name, bytes), 'hex')))).toEqual(plain(message));
  });
});

function read(name: string): readonly unknown[] {
  return decodeMessage(Buffer.from(golden(name, new Uint8Array()), 'hex')) as readonly unknown[];
}

function golden(name: string, bytes: Uint8Array): string {
  const file = join(__dirname, 'golden', `${name}.hex`);
  if (process.env.RINGTAIL_GOLDEN === 'write' && bytes.length > 0) writeFileSync(file, `${hexOf(bytes)}\n`);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'no golden file';
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Bytes as hex, so that a Buffer and a Uint8Array compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hexOf(value);
  return Array.isArray(value) ? value.map(plain) : value;
}
