/**
 * Tells where limits and settings of the process do not fit each other: once at the start, and what shows only later (the
 * heap's limit, the number of worker threads) when it is seen.
 */
import { environmentHints, FACT_MEMORY, numberOf, usableCpus } from '../wire/environment';

/** More worker threads than cores must last for so many seconds: jobs come and go. */
const LASTING_SECONDS = 10;

export class EnvironmentWatch {
  readonly #facts: readonly string[];
  readonly #note: (text: string) => void;
  #workers = 0;
  #excessSeconds = 0;
  #toldWorkers = 0;
  #toldHeap = false;
  #begun = false;

  constructor(facts: readonly string[], note: (text: string) => void) {
    this.#facts = facts;
    this.#note = note;
  }

  workerBegan(): void {
    this.#workers++;
  }

  workerEnded(): void {
    this.#workers = Math.max(0, this.#workers - 1);
  }

  /** heapLimitBytes: 0 while it is not known. */
  everySecond(heapLimitBytes: number): void {
    if (!this.#begun) for (const hint of environmentHints(this.#facts)) this.#note(hint);
    this.#begun = true;
    this.#lookAtHeap(heapLimitBytes);
    const cpus = usableCpus(this.#facts);
    this.#excessSeconds = cpus > 0 && this.#workers > cpus ? this.#excessSeconds + 1 : 0;
    if (this.#excessSeconds < LASTING_SECONDS || this.#workers <= this.#toldWorkers) return;
    this.#toldWorkers = this.#workers;
    this.#note(
      `${this.#workers} worker threads live on ${cpus} CPUs: where they compute, fewer do the same work with less memory`,
    );
  }

  #lookAtHeap(limitBytes: number): void {
    const memoryBytes = numberOf(this.#facts, FACT_MEMORY);
    if (this.#toldHeap || limitBytes === 0 || memoryBytes === 0 || limitBytes <= memoryBytes) return;
    this.#toldHeap = true;
    const [heap, memory] = [limitBytes, memoryBytes].map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`);
    this.#note(
      `the heap may grow to ${heap} and the cgroup ends the process at ${memory}: set --max-old-space-size to less than that`,
    );
  }
}
