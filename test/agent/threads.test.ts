import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { nowMicros } from '../../agent/clock';
import { ControlPage } from '../../agent/control';
import { SourceGuard } from '../../agent/source-guard';
import { openThreads } from '../../agent/sources/threads';
import { RecordingWriter } from './recording-writer';

const FOREVER = 'setInterval(() => {}, 1000)';

let close = () => {};
afterEach(() => close());

function watched(agentThread: Worker) {
  const control = new ControlPage();
  const guard = new SourceGuard('threads', control, nowMicros);
  const { port1, port2 } = new MessageChannel();
  const begun: number[] = [];
  const ended: unknown[] = [];
  port2.on('message', (message) =>
    typeof message === 'number' ? ended.push(message) : begun.push(message.threadId),
  );
  guard.opened(openThreads({ writer: new RecordingWriter(), control, guard, nowMicros }, agentThread, port1));
  close = () => {
    guard.close();
    port1.close();
    expect(control.hostFaults).toBe(0);
  };
  return { begun, ended, guard };
}

describe('the threads source', () => {
  it('tells the ids of threads that began and ended, however they did, but not of the agent’s own', async () => {
    const agentThread = new Worker(FOREVER, { eval: true });
    const { begun, ended } = watched(agentThread);
    const threads = [FOREVER, '', 'process.exit(3)'].map((text) => new Worker(text, { eval: true }));
    const ids = threads.map(({ threadId }) => threadId);
    const exits = threads.map((thread) => once(thread, 'exit'));
    await once(threads[0]!, 'online');
    await Promise.all([threads[0]!.terminate(), agentThread.terminate(), ...exits]);
    await expect.poll(() => [...ended].sort()).toEqual([...ids].sort());
    expect([...begun].sort()).toEqual([...ids].sort());
  });

  it('listens to nothing once it is closed', async () => {
    const before = channel('worker_threads').hasSubscribers;
    const agentThread = new Worker('', { eval: true });
    const { ended, guard } = watched(agentThread);
    const thread = new Worker(FOREVER, { eval: true });
    await once(thread, 'online');
    guard.close();
    expect(channel('worker_threads').hasSubscribers).toBe(before);
    await thread.terminate();
    await new Promise((done) => setTimeout(done, 20));
    expect(ended).toEqual([]);
  });
});
