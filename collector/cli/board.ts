/**
 * What the live view knows: the newest second of each instance, its recent stalls and its losses so far. Fed with
 * tail lines, read by the view; pure apart from its own memory, which is bounded.
 */
import type { TailLine, TailNotice, TailSecond } from '../tail/schema';

const INSTANCES_MAX = 64;
const STALLS_KEPT = 8;
const CPU_KEPT = 60;
/** An instance that left is shown this long. */
const GONE_SHOWN_MILLIS = 30_000;

export type BoardEntry = {
  service: string;
  instance: string;
  second: TailSecond | null;
  notice: TailNotice | null;
  /** Newest first. */
  stalls: TailSecond['stalls'];
  lost: Map<string, number>;
  cpuPercents: number[];
  lastAtMillis: number;
  gone: boolean;
};

export class Board {
  readonly #entries = new Map<string, BoardEntry>();

  add(line: TailLine): void {
    const entry = this.#entry(line);
    entry.lastAtMillis = line.atMillis;
    if (line.type === 'notice') {
      entry.notice = line;
      entry.gone = line.kind === 'goodbye' || line.kind === 'ended-without-goodbye';
      return;
    }
    entry.second = line;
    entry.gone = false;
    entry.stalls = [...line.stalls].reverse().concat(entry.stalls).slice(0, STALLS_KEPT);
    if (line.cpu.processPercent !== null) entry.cpuPercents.push(line.cpu.processPercent);
    if (entry.cpuPercents.length > CPU_KEPT) entry.cpuPercents.shift();
    for (const { reason, count } of line.drops) entry.lost.set(reason, (entry.lost.get(reason) ?? 0) + count);
  }

  /** Hanging instances first, those that left last, by name otherwise. Forgets the ones long gone. */
  entries(nowMillis: number): BoardEntry[] {
    for (const [key, entry] of this.#entries) {
      if (entry.gone && nowMillis - entry.lastAtMillis > GONE_SHOWN_MILLIS) this.#entries.delete(key);
    }
    return [...this.#entries.values()].sort(
      (a, b) => rank(a) - rank(b) || compare(a.service, b.service) || compare(a.instance, b.instance),
    );
  }

  #entry(line: TailLine): BoardEntry {
    const key = JSON.stringify([line.service, line.instance]);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= INSTANCES_MAX) this.#forgetOldest();
    const { service, instance, atMillis } = line;
    const entry: BoardEntry = {
      service,
      instance,
      second: null,
      notice: null,
      stalls: [],
      lost: new Map(),
      cpuPercents: [],
      lastAtMillis: atMillis,
      gone: false,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #forgetOldest(): void {
    let oldestKey = '';
    let oldestMillis = Number.POSITIVE_INFINITY;
    for (const [key, entry] of this.#entries) {
      if (entry.lastAtMillis < oldestMillis) [oldestKey, oldestMillis] = [key, entry.lastAtMillis];
    }
    this.#entries.delete(oldestKey);
  }
}

function rank(entry: BoardEntry): number {
  if (entry.gone) return 2;
  return entry.second?.hang == null ? 1 : 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
