/**
 * The beginnings and ends of the host's worker threads. One that begins is told with the stack that started it. A thread
 * that leaves by itself gives its slot of the shared memory back; one that is terminate()d cannot, so its id goes to the
 * agent thread, which frees the slot. Seen are the threads that main starts; a thread started by another thread is not.
 * The listeners keep nothing alive: an event needs no handle.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { MessagePort, Worker } from 'node:worker_threads';
import type { ThreadBegun } from '../thread-data';
import { CreationStack } from './creation-stack';
import { FrameList } from './frame-list';
import type { SourceContext } from './source';

const STARTED = 'worker_threads';
/** What stands between making a worker and hearing of it. */
const PUBLISHERS = ['node:diagnostics_channel'];

export function openThreads({ guard }: SourceContext, agentThread: Worker, toAgent: MessagePort): () => void {
  const frames = new FrameList(PUBLISHERS);
  const stacks = new CreationStack(frames);
  /** Published in the constructor of a Worker: the stack is that of whoever makes one. */
  const onStarted = guard.wrap((message: unknown) => {
    const { worker } = message as { worker: Worker };
    const { threadId } = worker;
    if (worker === agentThread || threadId <= 0) return;
    frames.take();
    stacks.take(started);
    toAgent.postMessage({ threadId, frames: frames.take() } satisfies ThreadBegun);
    worker.once(
      'exit',
      guard.wrap(() => {
        if (guard.open) toAgent.postMessage(threadId);
      }),
    );
  });
  function started(message: unknown): void {
    onStarted(message);
  }
  subscribe(STARTED, started);
  return () => void unsubscribe(STARTED, started);
}
