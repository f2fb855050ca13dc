/**
 * Sets of samples to column bytes and back (assembly/columns.ts says how they look). One scratch serves both ways: the
 * arrays are copied into the core's memory at once, one call does the rest.
 */
import { CoreLimit, CoreRefusal } from '../assembly/layout';
import type { SampleArrays, SampleColumns } from './core';
import { CoreError } from './core-error';
import type { CoreEngine, CoreExports } from './core-exports';

const RECENT_BYTES = CoreLimit.ColumnRecentStacks * 4;
const ARRAY_BYTES = 8 + 4 + 4 + 1;
const COLUMN_BYTES = CoreLimit.ColumnSamples * CoreLimit.ColumnSampleBytes + CoreLimit.ColumnLengthBytes;

export class Columns {
  /** What the scratch takes of the memory. */
  static readonly bytes = RECENT_BYTES + CoreLimit.ColumnSamples * ARRAY_BYTES + COLUMN_BYTES;

  readonly #core: CoreExports;
  readonly #recentAt: number;
  readonly #timesAt: number;
  readonly #stacksAt: number;
  readonly #labelsAt: number;
  readonly #statesAt: number;
  readonly #bytesAt: number;
  readonly #times: Float64Array;
  readonly #stacks: Uint32Array;
  readonly #labels: Uint32Array;
  readonly #states: Uint8Array;
  readonly #bytes: Uint8Array;

  constructor({ core, buffer }: CoreEngine, base: number) {
    const most = CoreLimit.ColumnSamples;
    this.#core = core;
    this.#recentAt = base;
    this.#timesAt = base + RECENT_BYTES;
    this.#stacksAt = this.#timesAt + most * 8;
    this.#labelsAt = this.#stacksAt + most * 4;
    this.#statesAt = this.#labelsAt + most * 4;
    this.#bytesAt = this.#statesAt + most;
    this.#times = new Float64Array(buffer, this.#timesAt, most);
    this.#stacks = new Uint32Array(buffer, this.#stacksAt, most);
    this.#labels = new Uint32Array(buffer, this.#labelsAt, most);
    this.#states = new Uint8Array(buffer, this.#statesAt, most);
    this.#bytes = new Uint8Array(buffer, this.#bytesAt, COLUMN_BYTES);
  }

  encode(startMicros: number, { atMicros, stack, state, label }: SampleArrays): Uint8Array {
    const count = atMicros.length;
    const alike = stack.length === count && state.length === count && (!label || label.length === count);
    if (!alike || count > CoreLimit.ColumnSamples) {
      const lengths = [count, stack.length, state.length, label?.length ?? count].join(', ');
      throw new CoreError(
        'ERR_COLUMNS',
        `columns need arrays of one length up to ${CoreLimit.ColumnSamples}, got ${lengths}`,
      );
    }
    this.#times.set(atMicros);
    this.#stacks.set(stack);
    this.#states.set(state);
    if (label) this.#labels.set(label);
    const length = this.#core.columnsEncode(
      this.#timesAt,
      this.#stacksAt,
      label ? this.#labelsAt : 0,
      this.#statesAt,
      count,
      startMicros,
      this.#recentAt,
      this.#bytesAt,
    );
    return this.#bytes.slice(0, length);
  }

  decode(bytes: Uint8Array, count: number, startMicros: number): SampleColumns {
    if (!Number.isInteger(count) || count < 0 || count > CoreLimit.ColumnSamples) {
      throw new CoreError(
        'ERR_COLUMNS',
        `sample count must be a whole number up to ${CoreLimit.ColumnSamples}, got ${count}`,
      );
    }
    if (!Number.isFinite(startMicros)) {
      throw new CoreError('ERR_COLUMNS', `columns need a finite start, got ${startMicros} µs`);
    }
    if (bytes.length > count * CoreLimit.ColumnSampleBytes + CoreLimit.ColumnLengthBytes) {
      throw new CoreError('ERR_COLUMNS', `${bytes.length} bytes are too many for ${count} samples`);
    }
    this.#bytes.set(bytes);
    const result = this.#core.columnsDecode(
      this.#bytesAt,
      bytes.length,
      count,
      startMicros,
      this.#timesAt,
      this.#stacksAt,
      this.#labelsAt,
      this.#statesAt,
      this.#recentAt,
    );
    if (result === CoreRefusal.Malformed) {
      throw new CoreError('ERR_COLUMNS', `${bytes.length} bytes are not ${count} samples`);
    }
    return {
      count,
      atMicros: this.#times.subarray(0, count),
      stack: this.#stacks.subarray(0, count),
      state: this.#states.subarray(0, count),
      label: this.#labels.subarray(0, count),
    };
  }
}
