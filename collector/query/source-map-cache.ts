/**
 * Source maps by what they are maps of, so that all agents of a service share one. What is asked for least lately goes
 * when there is no room; what nobody has asked for in a while goes too. A map that cannot be used is kept as the reason.
 */
import type { SourceMap } from '../profile/source-map/source-map';

export const SOURCE_MAP_BYTES = 64 * 1024 * 1024;
const UNUSED_MILLIS = 30 * 60_000;
const REASON_BYTES = 256;

type Entry = { map: SourceMap | string; byteSize: number; usedMillis: number };

export class SourceMapCache {
  #nowMillis: () => number;
  #bytesMax: number;
  /** In order of use, the latest last. */
  #entries = new Map<string, Entry>();
  #byteSize = 0;

  constructor(nowMillis: () => number, bytesMax = SOURCE_MAP_BYTES) {
    this.#nowMillis = nowMillis;
    this.#bytesMax = bytesMax;
  }

  get byteSize(): number {
    return this.#byteSize;
  }

  get(key: string): SourceMap | string | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    this.#entries.set(key, { ...entry, usedMillis: this.#nowMillis() });
    return entry.map;
  }

  put(key: string, map: SourceMap | string): void {
    this.#remove(key);
    const byteSize = key.length + (typeof map === 'string' ? REASON_BYTES : map.byteSize);
    this.#entries.set(key, { map, byteSize, usedMillis: this.#nowMillis() });
    this.#byteSize += byteSize;
    const unusedBefore = this.#nowMillis() - UNUSED_MILLIS;
    for (const [old, { usedMillis }] of this.#entries) {
      if (this.#byteSize <= this.#bytesMax && usedMillis >= unusedBefore) return;
      this.#remove(old);
    }
  }

  #remove(key: string): void {
    this.#byteSize -= this.#entries.get(key)?.byteSize ?? 0;
    this.#entries.delete(key);
  }
}
