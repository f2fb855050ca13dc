/**
 * The agent's one way to speak: a line on stderr, once per cause. It writes to the descriptor, because touching
 * process.stderr would open a stream that the host did not ask for. A line that cannot be written is dropped.
 */
import { writeSync } from 'node:fs';

const STDERR = 2;
const LINE_CHARS_MAX = 1000;
const said = new Set<string>();

/** text: a function where the words cost more than a comparison. Never throws. */
export function sayOnce(cause: string, text: string | (() => string)): void {
  if (said.has(cause)) return;
  said.add(cause);
  try {
    const line = (typeof text === 'string' ? text : text()).replace(/\s+/g, ' ');
    const short = line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX - 3)}...` : line;
    say(short);
  } catch {
    // The words could not be made.
  }
}

/** A line of its own, each time it is said. Never throws: a pipe that is full or whose reader has gone is the host's business. */
export function say(text: string): void {
  try {
    writeSync(STDERR, `ringtail: ${text}\n`);
  } catch {
    // Then nobody reads it.
  }
}

/** Any thrown value as a few words. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'unknown error';
  }
}
