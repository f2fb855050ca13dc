/**
 * Recording into a thread's own histograms, in JavaScript on the core's memory: it is over before a call into
 * WebAssembly has begun. V8 puts it into its caller, and the memory's views are constants to it.
 *
 * The straight paths take values between the extremes since the reader last looked, in an octave that has its page; all
 * else goes apart, to assembly/histogram.ts. A look of the reader takes the extremes away, so one word tells both. It is read by a plain load,
 * because JavaScript's atomic one is a call on some Node lines: the news may come late, and between this thread's look at an
 * extreme and its store of a wider one. Then extremes are those of the snapshot before, which the reader does not believe.
 * The order of loads and stores is that of test/faults/model/histogram-steps.ts.
 */
import { CoreLimit, CoreRegion, HistogramWord } from '../assembly/layout';
import type { CoreExports } from './core-exports';

/** Octave of a whole number v: this less the leading zeros of v - 1. */
const WHOLE_OCTAVE = 31 - CoreLimit.LowestExponent;
/** As in assembly/buckets.ts. */
const FIRST_PLACE = CoreLimit.LowestBiasedExponent << 8;
const PLACES = CoreLimit.Octaves << 8;

const DIRECTORY = HistogramWord.Directory >> 2;
const SUM = HistogramWord.Sum >> 3;
const SUM_UNIT = 2 ** -40;
const LOWEST = HistogramWord.Lowest >> 3;
const HIGHEST = HistogramWord.Highest >> 3;
const TABLE = CoreRegion.BucketTable >> 2;
const WHOLE_TABLE = CoreRegion.WholeTable >> 2;

/** The core's memory as words and as f64. */
export type RecorderViews = { words: Int32Array; cells: Float64Array };

/** `base` is what histogramCreate of the same core gave. */
export type Recorder = {
  /** Any f64. */
  record(base: number, value: number): void;
  /** A whole number below 2^31. */
  recordInt(base: number, value: number): void;
};

export function openRecorder(
  { histogramRecordApart }: Pick<CoreExports, 'histogramRecordApart'>,
  { words, cells }: RecorderViews,
): Recorder {
  const scratch = new Float64Array(1);
  const halves = new Int32Array(scratch.buffer);

  function record(base: number, value: number): void {
    const whole = value | 0;
    if (whole === value) recordInt(base, whole);
    else recordFraction(base, value);
  }

  function recordInt(base: number, given: number): void {
    const value = given | 0;
    const zeros = Math.clz32(value - 1);
    const word = base >> 2;
    const cell = base >> 3;
    const page = words[word + DIRECTORY + WHOLE_OCTAVE - zeros]!;
    if (page === 0 || value < 1 || value < cells[cell + LOWEST]! || value > cells[cell + HIGHEST]!) {
      histogramRecordApart(base, value);
      return;
    }
    const below = (((value << (zeros - 1)) << 1) - 1) | 0; // all ones for a power of two
    const place = ((below + words[WHOLE_TABLE + ((below >>> 23) & 255)]!) | 0) >>> 23; // 256 for the leading one
    const bucket = (page >> 2) + place - 256;
    cells[cell + SUM] = cells[cell + SUM]! + value * SUM_UNIT;
    words[bucket] = (words[bucket]! + 1) | 0;
  }

  /**
   * The same on the upper half of the value's bits. The lower half can add 1 to the sum, and the 1 that is taken off to
   * make upper bounds inclusive is felt by powers of two alone, no other bound being a start of a cell: what either could
   * move to another bucket (one value in 2,000) goes apart.
   */
  function recordFraction(base: number, value: number): void {
    scratch[0] = value;
    const high = halves[1]!;
    const sum = (high + words[TABLE + 1 + ((high >>> 12) & 255) * 2]!) | 0;
    const place = (sum >>> 12) - FIRST_PLACE;
    const word = base >> 2;
    const cell = base >> 3;
    const page = place >= 0 && place < PLACES ? words[word + DIRECTORY + (place >> 8)]! : 0;
    if (
      page === 0 ||
      ((sum + 1) & 0xfff) < 2 ||
      value < cells[cell + LOWEST]! ||
      value > cells[cell + HIGHEST]!
    ) {
      histogramRecordApart(base, value);
      return;
    }
    const bucket = (page >> 2) + (place & 255);
    cells[cell + SUM] = cells[cell + SUM]! + value * SUM_UNIT;
    words[bucket] = (words[bucket]! + 1) | 0;
  }

  return { record, recordInt };
}
