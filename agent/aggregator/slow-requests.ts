/**
 * Which requests leave as events of their own: the slowest of each second. All requests are in the histograms; these few
 * are for the join with stacks.
 */
const KEEP = 20;
/** A window takes a while to be read: what ends meanwhile has its last ticks in the next one. */
const WINDOW_READ_MICROS = 200e3;

export type Request = {
  startMicros: number;
  durationMicros: number;
  status: number;
  method: number;
  aborted: boolean;
  route: string;
};

/**
 * Up to which end requests leave where somebody asks at once what they did: those that ended later wait for the window
 * that their end is in, for a moment. ticksUntilMicros: up to when ticks are in.
 */
export function joinableUntil(ticksUntilMicros: number, nowMicros: number): number {
  return Math.max(ticksUntilMicros, nowMicros - WINDOW_READ_MICROS);
}

export class SlowRequests {
  #kept: Request[] = [];

  /** Keeps the request when it is among the slowest; only then it is made. */
  add(durationMicros: number, request: () => Request): void {
    if (this.#kept.length < KEEP) {
      this.#kept.push(request());
      return;
    }
    let fastest = 0;
    for (let i = 1; i < KEEP; i++)
      if (this.#kept[i]!.durationMicros < this.#kept[fastest]!.durationMicros) fastest = i;
    if (durationMicros > this.#kept[fastest]!.durationMicros) this.#kept[fastest] = request();
  }

  /** Those that ended by then; the others stay. */
  take(untilMicros: number): Request[] {
    const ended = ({ startMicros, durationMicros }: Request) => startMicros + durationMicros <= untilMicros;
    const taken = this.#kept.filter(ended);
    this.#kept = this.#kept.filter((request) => !ended(request));
    return taken;
  }
}
