/**
 * The CPU of V8's sampler threads, those that have ended too. V8 makes such a thread at each start of sampling and ends it
 * at each stop, and a thread that has ended tells nothing any more: what was read of it last is kept.
 */
import { samplerThreadIds, ThreadCpu } from '../thread-cpu';

/** What is needed of a thread: its CPU so far, µs, null when it is gone. */
export type SamplerThread = Pick<ThreadCpu, 'micros' | 'close'>;

/** A start is answered later than it is asked for, by one of several samplers: one look more finds its thread. */
const LOOKS = 2;

export class SamplerThreads {
  #looks = LOOKS;
  readonly #living = new Map<number, { thread: SamplerThread; lastMicros: number }>();
  #endedMicros = 0;

  constructor(
    readonly ids: () => number[] = samplerThreadIds,
    readonly open: (tid: number) => SamplerThread = (tid) => new ThreadCpu(tid),
  ) {}

  /** False from a start or stop of a sampler until they were looked for. */
  get known(): boolean {
    return this.#looks === 0 && this.#living.size > 0;
  }

  /** CPU of all of them so far, µs: it never gets less. */
  micros(): number {
    let living = 0;
    for (const tid of [...this.#living.keys()]) living += this.#read(tid);
    return this.#endedMicros + living;
  }

  /** A sampler is about to start or to stop. Those that end now are read a last time. */
  change(): void {
    this.micros();
    this.#looks = LOOKS;
  }

  /** Finds those there are now. CPU counts from a thread's birth. */
  find(): void {
    this.micros();
    for (const tid of this.ids())
      if (!this.#living.has(tid)) this.#living.set(tid, { thread: this.open(tid), lastMicros: 0 });
    this.#looks = Math.max(0, this.#looks - 1);
  }

  /** One that is gone is moved to the sum of the ended: its id may come again. Gives 0 for it then. */
  #read(tid: number): number {
    const living = this.#living.get(tid)!;
    const micros = living.thread.micros();
    if (micros !== null) {
      living.lastMicros = Math.max(living.lastMicros, micros);
      return living.lastMicros;
    }
    this.#endedMicros += living.lastMicros;
    living.thread.close();
    this.#living.delete(tid);
    return 0;
  }
}
