/** heapsnapshot: writes one to a file on this machine and answers with its path. Only for who has proven the token. */

import { MainSilent } from '../heap/heap-session';
import { privateFolder } from '../heap/private-folder';
import { NoRoom, writeSnapshot } from '../heap/snapshot';
import type { ProfileContext } from './context';
import { type ProfileSource, TakeError, type TakeRequest } from './source';

export function heapSnapshotSource(context: ProfileContext): ProfileSource {
  return {
    textOnly: true,
    take: () => Promise.reject(new TakeError(500, 'a heap snapshot is no profile')),
    describe: (request) => take(context, request),
  };
}

async function take({ heap, data, note }: ProfileContext, { proven }: TakeRequest): Promise<string> {
  if (!proven) {
    throw new TakeError(
      403,
      'a heap snapshot stops the program for seconds and holds all its strings: send the token (Authorization: Bearer …)',
    );
  }
  if (heap.refusal !== '') throw new TakeError(503, heap.refusal);
  try {
    const folder = privateFolder(data.tokenEnvironment);
    const { path, bytes, pauseMillis } = await writeSnapshot(heap.sampler, folder, heap.host.usedBytes());
    const seconds = (pauseMillis / 1000).toFixed(1);
    note(`heap snapshot written on request: ${path}, main paused for about ${seconds} s`);
    return `${path}\n${bytes} bytes; the main thread stood still for about ${seconds} s. Open it in Chrome's DevTools, Memory.\n`;
  } catch (error) {
    if (error instanceof MainSilent) throw new TakeError(503, `${error.message}: it is stuck in native code`);
    throw new TakeError(error instanceof NoRoom ? 507 : 503, `no heap snapshot: ${(error as Error).message}`);
  }
}
