/** Memory of processes over a run. The first third of it is their warm-up, unless something is known to fill for longer. */
import { residentBytes } from '../bench/harness/threads.mjs';
import { type Point, slopePer } from './slope';

const SLOPE_SECONDS = 600;
const MEGABYTE = 1e6;

export class MemoryMeter {
  readonly #begin = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #points = new Map<string, Point[]>();

  /** bytesNow: by name; what is not known is left out. warmShares: how much of the run is warm-up, where not a third. */
  constructor(
    readonly bytesNow: () => Readonly<Record<string, number | null>>,
    everyMillis: number,
    readonly warmShares: Readonly<Record<string, number>> = {},
  ) {
    this.#timer = setInterval(() => this.#look(), everyMillis);
    this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** MB at the end, and MB gained in ten minutes after the warm-up; null for what was never known. */
  of(name: string): { megabytes: number; slope: number } | null {
    const points = this.#points.get(name);
    if (points === undefined) return null;
    const { seconds, value } = points.at(-1)!;
    const late = points.filter((point) => point.seconds > seconds * (this.warmShares[name] ?? 1 / 3));
    return { megabytes: value / MEGABYTE, slope: slopePer(SLOPE_SECONDS, late) / MEGABYTE };
  }

  #look(): void {
    const seconds = (performance.now() - this.#begin) / 1000;
    for (const [name, value] of Object.entries(this.bytesNow())) {
      if (value === null) continue;
      const points = this.#points.get(name) ?? [];
      this.#points.set(name, points);
      points.push({ seconds, value });
    }
  }
}

/** Resident bytes of a process; null when it has ended, or where the system does not tell. */
export function residentBytesOf(pid: number): number | null {
  try {
    return residentBytes(pid) || null;
  } catch {
    return null;
  }
}
