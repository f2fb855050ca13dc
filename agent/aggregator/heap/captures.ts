/**
 * Captures of what lives on main's heap: asked for, on a schedule, near the heap limit. Keeps the last one, which
 * answers whoever must not have a new one, and the sites of those before it, which growth is read from.
 */
import { setTimeout as after } from 'node:timers/promises';
import { type HeapPoint, largestSites } from '../../../collector/profile/heap-sites';
import { evidence, leakSuspects } from '../../../collector/profile/leak-suspects';
import { lastOrdinal, type OrdinalAt, sitesOf } from './heap-profile';
import type { HeapReading, HeapSampler, HeapWindow } from './heap-sampler';
import type { PauseBudget } from './pause-budget';

export type Capture = { reading: HeapReading; atMillis: number; reason: CaptureReason };
export type CaptureReason = 'asked' | 'scheduled' | 'near the heap limit';

const POINTS_MAX = 60;
const SITES_MAX = 200;
const ORDINALS_MAX = 256;
/** When a suspect is worth telling without being asked, and how many are. */
const FIRM_CERTAINTY = 3;
const FIRM_CAPTURES = 4;
const TOLD_MAX = 20;
/** Captures sooner after one another than that do not tell growth from noise, ms. */
const POINT_APART_MILLIS = 1000;

export class Captures {
  last: Capture | null = null;
  /** Until when a window runs, µs: the sampler does nothing else so long. 0 while none does. */
  windowEndMicros = 0;
  #points: HeapPoint[] = [];
  /** Since the sampler's last start. */
  #ordinals: OrdinalAt[] = [];
  #runSinceMicros = 0;
  #runId = 0;
  readonly #told = new Set<string>();

  constructor(
    readonly sampler: HeapSampler,
    readonly budget: PauseBudget,
  ) {}

  /** Oldest first. */
  get points(): readonly HeapPoint[] {
    return this.#points;
  }

  async live(reason: CaptureReason, gc = false): Promise<Capture> {
    return this.#keep(await this.sampler.read(gc), reason);
  }

  /** Everything that is allocated in so long. Rejects, at once, when the asker has gone. */
  async window(
    intervalBytes: number,
    millis: number,
    signal: AbortSignal,
  ): Promise<HeapWindow & { capture: Capture }> {
    const window = await this.sampler.window(intervalBytes, () => {
      this.windowEndMicros = this.sampler.nowMicros() + millis * 1000;
      return after(millis, undefined, { signal }).finally(() => {
        this.windowEndMicros = 0;
      });
    });
    this.budget.learn(
      window.allocated.atMicros,
      window.allocated.pauseMicros,
      window.allocated.usedBytesBefore,
    );
    return { ...window, capture: this.#keep(window.live, 'asked') };
  }

  /** Leak suspects that stand firm by now and were not told before, in words. */
  takeNewSuspects(): string[] {
    return leakSuspects(this.#points)
      .filter(({ site, certainty, capturesAll }) => {
        const firm = certainty >= FIRM_CERTAINTY && capturesAll >= FIRM_CAPTURES;
        if (!firm || this.#told.has(site) || this.#told.size >= TOLD_MAX) return false;
        this.#told.add(site);
        return true;
      })
      .map((suspect) => `leak suspect: ${evidence(suspect)}`);
  }

  #keep(reading: HeapReading, reason: CaptureReason): Capture {
    const { atMicros, pauseMicros, usedBytesBefore, sinceMicros, profile } = reading;
    const atMillis = Date.now();
    this.budget.learn(atMicros, pauseMicros, usedBytesBefore);
    if (this.#runSinceMicros !== sinceMicros) {
      this.#runSinceMicros = sinceMicros;
      this.#runId++;
      this.#ordinals = [{ atMicros: sinceMicros, ordinal: 0 }];
    }
    const ordinals = [...this.#ordinals, { atMicros, ordinal: lastOrdinal(profile) }];
    this.last = { reading, atMillis, reason };
    const before = this.#points.at(-1);
    if (
      before !== undefined &&
      before.runId === this.#runId &&
      atMillis - before.atMillis < POINT_APART_MILLIS
    )
      return this.last;
    this.#ordinals =
      ordinals.length > ORDINALS_MAX ? ordinals.filter((_, index) => index % 2 === 0) : ordinals;
    const sites = largestSites(sitesOf(reading, ordinals), SITES_MAX);
    // Of older captures nobody asks for stacks.
    for (const value of before?.sites.values() ?? []) value.stack = [];
    this.#points.push({ atMillis, runId: this.#runId, sites });
    if (this.#points.length > POINTS_MAX) this.#thin();
    return this.last;
  }

  /** Every second of the older half goes: the span stays, the resolution of what is long ago does not. */
  #thin(): void {
    const older = this.#points.length >> 1;
    this.#points = this.#points.filter((_, index) => index >= older || index % 2 === 0);
  }
}
