/**
 * Whether a thread of this process gets less of the machine than it wants, by what the scheduler tells (Linux). A thread
 * that is ready and does not run cannot be told to hurry; one that runs all the time, or sleeps, has nobody to blame.
 */
import { ThreadCpu, threadState } from './thread-cpu';

export type ThreadFigures = {
  /** So far. The wait is counted when it ends. */
  cpuMicros: number;
  waitedMicros: number;
  isReady: boolean;
};

/** One look lasts so long, µs: on a busy machine a thread runs for some milliseconds at a time. */
export const LOOK_MICROS = 50e3;
/** Shares of a look: on a CPU, so that it has what it wants; ready without one, so that it has not. */
const ENOUGH_CPU = 0.8;
const MUCH_WAIT = 0.2;

export class Starvation {
  #before: ThreadFigures | null;
  #atMicros: number;
  #isStarved: boolean;

  /** figures: null where the system does not tell. */
  constructor(
    readonly figures: () => ThreadFigures | null,
    nowMicros: number,
  ) {
    this.#before = figures();
    this.#atMicros = nowMicros;
    this.#isStarved = this.#before !== null;
  }

  /** What the last look said; true in the first. */
  lasts(nowMicros: number): boolean {
    const before = this.#before;
    const span = nowMicros - this.#atMicros;
    if (span < LOOK_MICROS) return this.#isStarved;
    const now = this.figures();
    this.#before = now;
    this.#atMicros = nowMicros;
    this.#isStarved =
      before !== null &&
      now !== null &&
      now.cpuMicros - before.cpuMicros <= span * ENOUGH_CPU &&
      (now.isReady || now.waitedMicros - before.waitedMicros > span * MUCH_WAIT);
    return this.#isStarved;
  }
}

/** Of a thread by the kernel's id. */
export function readThreadFigures(tid: number): ThreadFigures | null {
  const thread = new ThreadCpu(tid);
  const cpuMicros = thread.micros();
  thread.close();
  if (cpuMicros === null) return null;
  return { cpuMicros, waitedMicros: thread.waitedMicros, isReady: threadState(tid) === 'R' };
}
