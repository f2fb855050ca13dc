/** Message ports whose messages are timed: what goes in comes out, and how long it took is recorded. */
import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stats, timedPort } from '../../agent/index';
import { currentBinding } from '../../agent/registration';
import { RecordingWriter } from './recording-writer';

const binding = currentBinding();
let writer: RecordingWriter;
let ports: [MessagePort, MessagePort];

beforeEach(() => {
  writer = new RecordingWriter();
  binding.writer = writer;
  binding.generation++;
  const { port1, port2 } = new MessageChannel();
  ports = [port1, port2];
});
afterEach(() => {
  for (const port of ports) port.close();
  binding.writer = null;
  binding.generation++;
});

const waits = () => writer.of('port.wait.duration').map(({ value }) => value);

describe('timedPort()', () => {
  it('hands on values and what is transferred, and records how long they were on their way', async () => {
    const [one, two] = ports.map((port) => timedPort(port, 'jobs'));
    const got: unknown[] = [];
    two!.on('message', (value) => got.push(value));
    const bytes = new ArrayBuffer(8);
    one!.postMessage({ bytes }, [bytes]);
    one!.postMessage(undefined);
    one!.postMessage('text');
    const busyUntil = performance.now() + 40;
    while (performance.now() < busyUntil);
    await expect.poll(() => got.length).toBe(3);
    expect(bytes.byteLength).toBe(0);
    expect((got[0] as { bytes: ArrayBuffer }).bytes.byteLength).toBe(8);
    expect(got.slice(1)).toEqual([undefined, 'text']);
    expect(waits()).toHaveLength(3);
    for (const micros of waits()) expect(micros).toBeGreaterThan(35_000);
  });

  it('hands on what comes from an end that is not timed, and records nothing of it', async () => {
    const timed = timedPort(ports[1], 'jobs');
    const got: unknown[] = [];
    timed.on('message', (value) => got.push(value));
    ports[0].postMessage({ plain: 1 });
    ports[0].postMessage({ 'ringtail:sent': 'nonsense', value: 2 });
    ports[0].postMessage({ 'ringtail:sent': [{}, 'x'], value: 3 });
    await expect.poll(() => got.length).toBe(3);
    expect(got).toEqual([{ plain: 1 }, 2, 3]);
    expect(waits()).toEqual([]);
  });

  it('stops listening, and refuses what it cannot listen to', async () => {
    const timed = timedPort(ports[1], 'jobs');
    const before = stats().refused;
    timed.on('close' as 'message', () => {});
    timed.on('message', null as unknown as () => void);
    expect(stats().refused - before).toBe(2);
    const got: unknown[] = [];
    const listener = (value: unknown) => got.push(value);
    timed.on('message', listener).on('message', listener);
    timed.off('message', listener).off('message', listener);
    expect(ports[1].listenerCount('message')).toBe(0);
    ports[1].on('message', () => {});
    const seen = once(ports[1], 'message');
    timedPort(ports[0], 'jobs').postMessage(1);
    await seen;
    expect(got).toEqual([]);
  });

  it('only hands on while the agent is off', async () => {
    binding.writer = null;
    binding.generation++;
    const got: unknown[] = [];
    timedPort(ports[1], 'jobs').on('message', (value) => got.push(value));
    timedPort(ports[0], 'jobs').postMessage(5);
    await expect.poll(() => got).toEqual([5]);
  });
});
