/**
 * The beginnings and ends of the host's worker threads. One that begins is told by its negative id. A thread that leaves by itself gives its slot of the shared memory back; one
 * that is terminate()d cannot, so its id goes to the agent thread, which frees the slot. Seen are the threads that main
 * starts; a thread started by another thread is not. The listeners keep nothing alive: an event needs no handle.
 */
import type { MessagePort, Worker } from 'node:worker_threads';
import type { SourceContext } from './source';

export function openThreads({ guard }: SourceContext, agentThread: Worker, toAgent: MessagePort): () => void {
  const onWorker = guard.wrap((worker: Worker) => {
    const { threadId } = worker;
    if (worker === agentThread || threadId <= 0) return;
    toAgent.postMessage(-threadId);
    worker.once(
      'exit',
      guard.wrap(() => {
        if (guard.open) toAgent.postMessage(threadId);
      }),
    );
  });
  process.on('worker', onWorker);
  return () => void process.removeListener('worker', onWorker);
}
