/** A value as it may stand in a line on stderr: on one line, without control characters, short. Never throws. */

const CHARS_MAX = 80;

export function shown(value: unknown): string {
  const written = literal(value).replace(/\p{Cc}/gu, '?');
  return written.length > CHARS_MAX ? `${written.slice(0, CHARS_MAX - 3)}...` : written;
}

function literal(value: unknown): string {
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}
