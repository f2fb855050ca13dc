/** Dumps of the flight recorder: made, gzipped, and kept as a file or in memory. Loaded at the first one. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { version } from '../../../package.json';
import { say } from '../../stderr';
import { aboutComments } from '../profiles/about-comments';
import { DumpFiles } from './dump-files';
import type { FlightHost } from './flight-recorder';
import { writeRecord } from './record-trace';
import type { Recorded, RecordedIncident } from './recorded';
import type { Recorder } from './recorder';

/** A fast level: this thread's time is what compressing costs. */
const GZIP_LEVEL = 1;
/** Text is handed on in pieces of so many characters. */
const PIECE_CHARS = 65_536;

/** hang: the one that lasts, if one does. */
export type DumpsHost = FlightHost & { recorder: Recorder; hang(): RecordedIncident | null };

export class Dumps {
  readonly #host: DumpsHost;
  readonly #files: DumpFiles | null;
  #last: Uint8Array | string = '';
  #failed = false;

  constructor(host: DumpsHost) {
    this.#host = host;
    const { recordDir, recordFiles } = host.options;
    this.#files = recordDir === '' ? null : new DumpFiles(resolve(recordDir), recordFiles);
  }

  /** The last `seconds`, as gzipped JSON. */
  make(reason: string, seconds: number): Uint8Array {
    const now = this.#host.nowMicros();
    return this.between(reason, now - seconds * 1e6, now);
  }

  between(reason: string, fromMicros: number, toMicros: number): Uint8Array {
    const { identity, nowMicros } = this.#host;
    const startMillis = Date.now() - (nowMicros() - fromMicros) / 1000;
    const pieces: Buffer[] = [];
    let text = '';
    const write = (more: string) => {
      text += more;
      if (text.length < PIECE_CHARS) return;
      pieces.push(Buffer.from(text));
      text = '';
    };
    writeRecord(
      this.#read(fromMicros, toMicros),
      {
        service: identity.service,
        pid: process.pid,
        other: {
          reason,
          service: identity.service,
          instance: identity.instance,
          pid: process.pid,
          node: process.version,
          ringtail: version,
          startTime: new Date(startMillis).toISOString(),
          startMicros: fromMicros,
          about: aboutComments(this.#host.context()),
        },
      },
      write,
    );
    pieces.push(Buffer.from(text));
    return gzipSync(Buffer.concat(pieces), { level: GZIP_LEVEL });
  }

  /** With the hang that lasts, up to now. */
  #read(fromMicros: number, toMicros: number): Recorded {
    const recorded = this.#host.recorder.read(fromMicros, toMicros);
    const hang = this.#host.hang();
    if (hang === null) return recorded;
    const durationMicros = Math.max(hang.durationMicros, toMicros - hang.startMicros);
    return { ...recorded, incidents: [...recorded.incidents, { ...hang, durationMicros }] };
  }

  /** Gives where it is, in words; '' where it could not be kept, which is told once. */
  keep(bytes: Uint8Array, reason: string): string {
    if (this.#files === null) {
      this.#last = bytes;
      return 'to memory (/debug/pprof/recorder?last=1)';
    }
    try {
      const path = this.#files.write(bytes, reason, Date.now());
      this.#last = path;
      this.#failed = false;
      return `to ${path}`;
    } catch (error) {
      if (!this.#failed) say(`the flight recorder cannot be dumped: ${(error as Error).message}`);
      this.#failed = true;
      return '';
    }
  }

  /** The last that was kept; null where there is none, or its file has gone. */
  last(): Uint8Array | null {
    if (this.#last === '') return null;
    if (typeof this.#last !== 'string') return this.#last;
    try {
      return readFileSync(this.#last);
    } catch {
      return null;
    }
  }
}
