/** What is read of a profile at most. A file comes from anywhere: each bound is checked before memory is taken for it. */
import { ProfileError } from './profile-error';

/** Of a file, after decompression. */
export const PROFILE_BYTES_MAX = 256 * 1024 * 1024;
/** Of strings, functions, locations, frames or nodes of a file, each. */
export const PROFILE_ENTRIES_MAX = 4_000_000;
/** Of one stack, inlined calls included. */
export const STACK_FRAMES_MAX = 65_536;
/** Calls inlined into one location. */
export const LOCATION_LINES_MAX = 1024;
/** Of all stacks together, as they are walked. */
export const WALKED_FRAMES_MAX = 50_000_000;
/** Distinct stacks, each of their prefixes counted. */
export const NODES_MAX = 8_000_000;
/** Values of one sample. */
export const SAMPLE_TYPES_MAX = 64;
/** Lines and columns: larger ones are not known. */
export const LINE_MAX = 2 ** 31 - 1;

/** Throws where there are too many. */
export function checkCount(format: string, what: string, count: number, max: number): void {
  if (count <= max) return;
  throw new ProfileError('ERR_PROFILE_LIMIT', `${format} with ${count} ${what}: at most ${max} are read`);
}

/** A line or column of a file: 0 for what makes no sense. */
export function lineOf(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LINE_MAX ? value : 0;
}
