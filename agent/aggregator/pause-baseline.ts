/**
 * What pauses of garbage collection are usual, learned from the program itself. Pauses grow with the heap, so they are
 * kept by its level: bands that each reach a fifth higher than the one below. Every five seconds the heap is looked at.
 * While it stays within 120 % of its moving baseline, the level is the baseline's; a heap that has passed it is judged
 * at its own level, until the baseline has followed. Minor and major collections are told apart.
 *
 * Of each level the newest pauses are kept, and their quantiles are taken of those: p95 is the limit. A level that has
 * seen too few pauses borrows the nearest one's.
 */
/** How often the heap is looked at, µs. */
export const SAMPLE_MICROS = 5e6;
/** A heap of more than so much of its moving baseline is under pressure. */
const GATE = 1.2;
/** Share of a new sample in the moving baseline: it follows within a minute or two. */
const BASELINE_SHARE = 0.1;
const PAUSES_MIN = 20;
const PAUSES_MAX = 256;
const LEVELS_MAX = 32;

export type PauseLimits = {
  /** Pauses they were learned from. */
  count: number;
  /** µs. */
  p90: number;
  p95: number;
  p99: number;
  /** Heap that the level begins at, bytes. */
  heapBytes: number;
};

/** The newest pauses of a level, a ring. */
type Level = {
  pauses: Float64Array;
  next: number;
  count: number;
  usedAt: number;
  limits: PauseLimits | null;
};

export class PauseBaseline {
  #baselineBytes = 0;
  #level = 0;
  #sampledMicros = Number.NEGATIVE_INFINITY;
  #uses = 0;
  readonly #levels = new Map<string, Level>();

  /** The moving baseline of the heap, bytes; 0 before the first sample. */
  get baselineBytes(): number {
    return this.#baselineBytes;
  }

  /** Looks at the heap when that is due; true when it did. */
  sample(nowMicros: number, heapUsedBytes: number): boolean {
    if (nowMicros - this.#sampledMicros < SAMPLE_MICROS || !(heapUsedBytes > 0)) return false;
    this.#sampledMicros = nowMicros;
    const before = this.#baselineBytes || heapUsedBytes;
    const pressed = heapUsedBytes > before * GATE;
    this.#baselineBytes = before + (heapUsedBytes - before) * BASELINE_SHARE;
    this.#level = levelOf(pressed ? heapUsedBytes : this.#baselineBytes);
    return true;
  }

  add(type: string, micros: number): void {
    const level = this.#open(type);
    level.pauses[level.next] = micros;
    level.next = (level.next + 1) % PAUSES_MAX;
    level.count = Math.min(PAUSES_MAX, level.count + 1);
    level.limits = null;
  }

  /** What is usual for collections of this type now; null until enough was seen of them at any level. */
  limits(type: string): PauseLimits | null {
    let nearest: { level: Level; height: number } | null = null;
    for (const [key, level] of this.#levels) {
      const [levelType, height] = key.split(' ');
      if (levelType !== type || level.count < PAUSES_MIN) continue;
      const far = Math.abs(Number(height) - this.#level);
      if (nearest === null || far < Math.abs(nearest.height - this.#level))
        nearest = { level, height: Number(height) };
    }
    if (nearest === null) return null;
    const { level, height } = nearest;
    level.limits ??= limitsOf(level.pauses.slice(0, level.count), GATE ** height);
    return level.limits;
  }

  /** The level at hand of a type; the one that was not used for longest gives way. */
  #open(type: string): Level {
    const key = `${type} ${this.#level}`;
    let level = this.#levels.get(key);
    if (level === undefined) {
      if (this.#levels.size >= LEVELS_MAX) this.#levels.delete(this.#leastUsed());
      level = { pauses: new Float64Array(PAUSES_MAX), next: 0, count: 0, usedAt: 0, limits: null };
      this.#levels.set(key, level);
    }
    level.usedAt = ++this.#uses;
    return level;
  }

  #leastUsed(): string {
    let [oldest, usedAt] = ['', Number.POSITIVE_INFINITY];
    for (const [key, level] of this.#levels)
      if (level.usedAt < usedAt) [oldest, usedAt] = [key, level.usedAt];
    return oldest;
  }
}

function levelOf(bytes: number): number {
  return Math.max(0, Math.floor(Math.log(bytes) / Math.log(GATE)));
}

function limitsOf(pauses: Float64Array, heapBytes: number): PauseLimits {
  pauses.sort();
  const at = (quantile: number) => pauses[Math.ceil(quantile * pauses.length) - 1]!;
  return { count: pauses.length, p90: at(0.9), p95: at(0.95), p99: at(0.99), heapBytes };
}
