/** Why a process did not open its inspector on SIGUSR1: what the system tells of it, else what it may be. */
import { printable } from '../../profile/printable';
import { listenerOn, mainThreadFigures, type ThreadFigures } from './process-facts';

/** Of a core, while the inspector was waited for. */
const BUSY_SHARE = 0.8;
const TICKS_PER_SECOND = 100;
/** A thread that never sleeps computes, however few cores the machine has left for it. */
const LEAST_TICKS = 5;

/** before: the main thread's figures a moment after the signal; null where the system does not tell. seconds: since then. */
export function whyNotOpen(pid: number, port: number, before: ThreadFigures | null, seconds: number): string {
  const listener = listenerOn(pid, port);
  if (listener !== null)
    return listener.pid === null
      ? `port ${port} is taken by another process; start it with --inspect-port=0, or end that one`
      : `port ${port} is taken by process ${listener.pid} (${printable(listener.name)}); end that one first`;
  const now = mainThreadFigures(pid);
  const native = `when that is over it opens its inspector (port ${port}), which then stays open until it ends`;
  if (before === null || now === null)
    return `it listens to SIGUSR1 itself, hangs in native code, runs without an inspector, or port ${port} is taken (its own stderr says so)`;
  const ticks = now.cpuTicks - before.cpuTicks;
  const neverSlept = now.switches === before.switches;
  if (neverSlept ? ticks >= LEAST_TICKS : ticks / TICKS_PER_SECOND > BUSY_SHARE * seconds)
    return `its main thread computes in native code all the time; ${native}`;
  if (neverSlept)
    return `its main thread did not run at all: it waits in native code (execSync, Atomics.wait and the like); ${native}. Or it listens to SIGUSR1 itself and has nothing to do`;
  return 'its main thread runs, so it listens to SIGUSR1 itself, and its handler has run; or it runs without an inspector';
}
