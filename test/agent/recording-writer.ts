/** A writer that remembers what was written into it. */
import type { CoreWriter } from '../../agent/core';

export type Written = { series: string; value: number };
export type Pushed = { kind: number; a: number; b: number; startMicros: number; durationMicros: number };

export class RecordingWriter implements CoreWriter {
  readonly slot = 0;
  readonly names: string[] = [];
  readonly written: Written[] = [];
  readonly pushed: Pushed[] = [];
  full = false;

  /** What was written into the series of a name, whatever their labels. */
  of(name: string): Written[] {
    return this.written.filter(({ series }) => series.split(' ')[1] === name);
  }

  push(kind: number, a: number, b: number, startMicros: number, durationMicros: number): number {
    if (this.full) return -1;
    this.pushed.push({ kind, a, b, startMicros, durationMicros });
    return 1;
  }

  series(kind: number, name: string, unit: string, labels: readonly string[]): number {
    const key = [kind, name, unit, ...labels].join(' ');
    if (!this.names.includes(key)) this.names.push(key);
    return this.names.indexOf(key) + 1;
  }

  record(series: number, value: number): void {
    this.written.push({ series: this.names[series - 1]!, value });
  }

  recordInt(series: number, value: number): void {
    this.record(series, value);
  }

  add(series: number, delta: number): void {
    this.record(series, delta);
  }

  set(series: number, value: number): void {
    this.record(series, value);
  }

  detach(): void {}
}
