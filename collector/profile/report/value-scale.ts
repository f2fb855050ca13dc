/** Values of one sample type as text: one unit for a whole report, chosen by its largest value, so that columns compare. */
import type { ValueType } from '../profile';
import { isBytes, timeUnitNanos } from '../value-type';

type Step = { suffix: string; size: number; digits: number };

const TIME: readonly Step[] = [
  { suffix: ' s', size: 1e9, digits: 2 },
  { suffix: ' ms', size: 1e6, digits: 2 },
  { suffix: ' µs', size: 1e3, digits: 2 },
  { suffix: ' ns', size: 1, digits: 0 },
];
const BYTES: readonly Step[] = [
  { suffix: ' GiB', size: 2 ** 30, digits: 2 },
  { suffix: ' MiB', size: 2 ** 20, digits: 2 },
  { suffix: ' KiB', size: 2 ** 10, digits: 2 },
  { suffix: ' B', size: 1, digits: 0 },
];

const COLUMNS_MIN = 11;

export class ValueScale {
  readonly #step: Step;
  /** What a value is multiplied by to be in the steps' base unit. */
  readonly #factor: number;
  readonly #columns: number;

  constructor({ unit }: ValueType, largest: number) {
    const nanos = timeUnitNanos(unit);
    const steps = nanos !== null ? TIME : isBytes(unit) ? BYTES : [];
    this.#factor = nanos ?? 1;
    const size = Math.abs(largest) * this.#factor;
    this.#step = steps.find((step) => size >= step.size) ??
      steps.at(-1) ?? { suffix: '', size: 1, digits: 0 };
    this.#columns = Math.max(COLUMNS_MIN, this.signed(-Math.abs(largest)).length + 1);
  }

  /** Width of a column of such values, signed ones too, with a space before the longest at least. */
  get columns(): number {
    return this.#columns;
  }

  /** `1.20 s`, `512.00 KiB`, `1,024`. */
  text(value: number): string {
    const { suffix, size, digits } = this.#step;
    const scaled = (value * this.#factor) / size;
    return `${grouped(scaled.toFixed(digits))}${suffix}`;
  }

  /** With its sign: `+1.20 s`. What rounds to nothing has none. */
  signed(value: number): string {
    const text = this.text(Math.abs(value));
    if (!/[1-9]/.test(text)) return text;
    return value < 0 ? `-${text}` : `+${text}`;
  }
}

/** `51.0 %`; of nothing it is nothing. */
export function percentOf(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)} %`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',');
}
