/**
 * The slices of a trace by track, put in order: each after those that it lies in, with the time that is its own. A slice
 * that ends later than what it lies in ends with that.
 */
import { figureOf } from './figure';
import { type JsonRecord, textOf } from './json-value';
import { TRACE_FORMAT, trackIdOf } from './trace-tracks';

export type Slice = { name: string; startMicros: number; endMicros: number; ownMicros: number };
export type SliceTrack = { pid: string; tid: string; slices: readonly Slice[] };

type Track = {
  pid: string;
  tid: string;
  slices: Slice[];
  open: { name: string; startMicros: number }[];
  lastMicros: number;
};

export class EndedSlices {
  readonly #tracks = new Map<string, Track>();
  /** Begun: whether they end is seen at the end. */
  count = 0;

  /** An event of kind X, B or E. What ends and has not begun is passed over. */
  read(event: JsonRecord): void {
    const track = this.#trackOf(event);
    const at = figureOf(TRACE_FORMAT, 'ts', event.ts);
    track.lastMicros = Math.max(track.lastMicros, at);
    if (event.ph === 'E') {
      const begun = track.open.pop();
      if (begun !== undefined) this.#add(track, begun.name, begun.startMicros, at);
      return;
    }
    this.count++;
    const name = textOf(TRACE_FORMAT, 'name of an event', event.name) || '(unnamed)';
    if (event.ph === 'B') return void track.open.push({ name, startMicros: at });
    const duration = event.dur === undefined ? 0 : figureOf(TRACE_FORMAT, 'dur', event.dur);
    this.#add(track, name, at, at + Math.max(0, duration));
    track.lastMicros = Math.max(track.lastMicros, at + duration);
  }

  *tracks(): IterableIterator<SliceTrack> {
    for (const track of this.#tracks.values()) {
      // What has not ended lasts as long as the track.
      for (const { name, startMicros } of track.open.splice(0))
        this.#add(track, name, startMicros, track.lastMicros);
      yield { pid: track.pid, tid: track.tid, slices: nested(track.slices) };
    }
  }

  #add(track: Track, name: string, startMicros: number, endMicros: number): void {
    track.slices.push({ name, startMicros, endMicros: Math.max(startMicros, endMicros), ownMicros: 0 });
  }

  #trackOf(event: JsonRecord): Track {
    const pid = trackIdOf('pid', event.pid);
    const tid = trackIdOf('tid', event.tid);
    const key = `${pid} ${tid}`;
    let track = this.#tracks.get(key);
    if (track === undefined) {
      track = { pid, tid, slices: [], open: [], lastMicros: Number.NEGATIVE_INFINITY };
      this.#tracks.set(key, track);
    }
    return track;
  }
}

function nested(slices: Slice[]): Slice[] {
  slices.sort((a, b) => a.startMicros - b.startMicros || b.endMicros - a.endMicros);
  const open: Slice[] = [];
  for (const slice of slices) {
    while (open.length > 0 && open.at(-1)!.endMicros <= slice.startMicros) open.pop();
    const outer = open.at(-1);
    if (outer !== undefined) slice.endMicros = Math.min(slice.endMicros, outer.endMicros);
    slice.ownMicros = slice.endMicros - slice.startMicros;
    if (outer !== undefined) outer.ownMicros -= slice.ownMicros;
    open.push(slice);
  }
  return slices;
}
