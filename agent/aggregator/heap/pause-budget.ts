/**
 * What a heap capture would hold main up, predicted before it is made, and whether a scheduled one may be: never one
 * pause above the limit, never more than PAUSE_SHARE of the time between captures. A capture that somebody asks for is
 * rationed instead: who has not proven the token gets one a minute when the last one was felt.
 *
 * A forced collection stops main for as long as it takes to walk what lives; the major collections that the program has
 * anyway do most of that beside it, so their pauses are what it costs at the least. What captures really cost is learnt.
 */

/** Of wall time. */
const PAUSE_SHARE = 0.001;
/** Until one was made, µs a byte: 0.8 to 1.1 ms a MB were seen; without a collection, a few µs a sample. */
const COLLECTING_MICROS_PER_BYTE = 0.001;
const READING_MICROS_PER_BYTE = 0.00001;
/** Heaps grow and machines are busy: predictions are this much higher than what was learnt. */
const CAUTION = 1.25;
const MAJOR_PAUSES_KEPT = 5;
/** Not felt by anybody, µs: not rationed. */
const FELT_MICROS = 10_000;
const RATION_MICROS = 60e6;

export type PauseLimits = { pauseMicros: number; everyMicros: number };

export class PauseBudget {
  /** Captures so far, and what they held main up. */
  readonly made = { count: 0, pauseMicros: 0 };
  #majorMicros: number[] = [];
  #microsPerByte = 0;
  #last = { atMicros: Number.NEGATIVE_INFINITY, pauseMicros: 0 };

  /** A major collection of the program's own. */
  sawMajor(pauseMicros: number): void {
    this.#majorMicros.push(pauseMicros);
    if (this.#majorMicros.length > MAJOR_PAUSES_KEPT) this.#majorMicros.shift();
  }

  learn(atMicros: number, pauseMicros: number, usedBytes: number): void {
    this.made.count++;
    this.made.pauseMicros += pauseMicros;
    this.#last = { atMicros, pauseMicros };
    this.#microsPerByte = pauseMicros / Math.max(1, usedBytes);
  }

  predictedMicros(usedBytes: number, collects: boolean): number {
    const fallback = collects ? COLLECTING_MICROS_PER_BYTE : READING_MICROS_PER_BYTE;
    const byHeap = usedBytes * (this.#microsPerByte || fallback) * CAUTION;
    return collects ? Math.max(byHeap, ...this.#majorMicros) : byHeap;
  }

  /** Why a scheduled capture is not made, or ''. */
  refusal(usedBytes: number, collects: boolean, { pauseMicros, everyMicros }: PauseLimits): string {
    const predicted = this.predictedMicros(usedBytes, collects);
    const allowed = Math.min(pauseMicros, everyMicros * PAUSE_SHARE);
    if (predicted <= allowed) return '';
    return `a capture would pause main for about ${(predicted / 1000).toFixed(0)} ms, ${(allowed / 1000).toFixed(0)} ms are allowed`;
  }

  /** How long somebody without the token has to wait for a new capture, µs; 0 for not at all. */
  rationMicros(nowMicros: number): number {
    const { atMicros, pauseMicros } = this.#last;
    return pauseMicros <= FELT_MICROS ? 0 : Math.max(0, atMicros + RATION_MICROS - nowMicros);
  }
}
