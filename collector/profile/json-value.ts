/** Values of parsed JSON from anywhere: each is what is asked for, or the file is broken. `what` names it in the error. */
import { broken } from './profile-error';

export type JsonRecord = { readonly [key: string]: unknown };

export function recordOf(format: string, what: string, value: unknown): JsonRecord {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonRecord;
  throw wrong(format, what, 'an object', value);
}

export function listOf(format: string, what: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(format, what, 'a list', value);
}

/** A list, or none where the member is missing. */
export function optionalListOf(format: string, what: string, value: unknown): readonly unknown[] {
  return value === undefined || value === null ? [] : listOf(format, what, value);
}

/** A finite number. */
export function numberOf(format: string, what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(format, what, 'a number', value);
}

/** A string, '' where the member is missing. */
export function textOf(format: string, what: string, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw wrong(format, what, 'a string', value);
}

function wrong(format: string, what: string, wanted: string, value: unknown): Error {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  return broken(format, `${what} is not ${wanted} but ${got}`);
}
