/**
 * Events of the recent past, many of them and alike: a row of seven numbers each, in chunks that come as they are needed
 * and are let go whole, the oldest first. An event that is added costs seven stores and no object.
 */
import type { RecordedEvent } from './recorded';

const FIELDS = 7;
const CHUNK_ROWS = 512;
export const CHUNK_BYTES = CHUNK_ROWS * FIELDS * 8;

/** endMicros: the latest end of its events. */
type Chunk = { rows: Float64Array; count: number; endMicros: number };

export class EventRing {
  #chunks: Chunk[] = [];

  get byteSize(): number {
    return this.#chunks.length * CHUNK_BYTES;
  }

  /** When the oldest chunk's last event ended, µs; Infinity where the newest chunk is the only one. */
  get oldestMicros(): number {
    return this.#chunks.length < 2 ? Number.POSITIVE_INFINITY : this.#chunks[0]!.endMicros;
  }

  /** True when a new chunk was begun. */
  add(
    kind: number,
    threadId: number,
    startMicros: number,
    durationMicros: number,
    a: number,
    b: number,
    label: number,
  ): boolean {
    let chunk = this.#chunks[this.#chunks.length - 1];
    const full = chunk === undefined || chunk.count === CHUNK_ROWS;
    if (full) {
      chunk = { rows: new Float64Array(CHUNK_ROWS * FIELDS), count: 0, endMicros: 0 };
      this.#chunks.push(chunk);
    }
    const { rows } = chunk!;
    const at = chunk!.count++ * FIELDS;
    rows[at] = kind;
    rows[at + 1] = threadId;
    rows[at + 2] = startMicros;
    rows[at + 3] = durationMicros;
    rows[at + 4] = a;
    rows[at + 5] = b;
    rows[at + 6] = label;
    chunk!.endMicros = Math.max(chunk!.endMicros, startMicros + durationMicros);
    return full;
  }

  /** Lets the oldest chunk go. Gives how many of its events ended after `micros`. */
  dropOldest(micros: number): number {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return 0;
    let later = 0;
    for (const { startMicros, durationMicros } of eventsOf(chunk))
      if (startMicros + durationMicros > micros) later++;
    return later;
  }

  clear(): void {
    this.#chunks = [];
  }

  /** Those that touch [from, to], in the order they came. */
  *between(fromMicros: number, toMicros: number): IterableIterator<RecordedEvent> {
    for (const chunk of this.#chunks) {
      if (chunk.endMicros < fromMicros) continue;
      for (const event of eventsOf(chunk)) {
        const { startMicros, durationMicros } = event;
        if (startMicros <= toMicros && startMicros + durationMicros >= fromMicros) yield event;
      }
    }
  }
}

function* eventsOf({ rows, count }: Chunk): IterableIterator<RecordedEvent> {
  for (let at = 0; at < count * FIELDS; at += FIELDS) {
    yield {
      kind: rows[at]!,
      threadId: rows[at + 1]!,
      startMicros: rows[at + 2]!,
      durationMicros: rows[at + 3]!,
      a: rows[at + 4]!,
      b: rows[at + 5]!,
      label: rows[at + 6]!,
    };
  }
}
