/**
 * The agent's one way to speak: a line on stderr, once per cause. It writes to the descriptor, because touching
 * process.stderr would open a stream that the host did not ask for. A line that cannot be written is dropped.
 */
import { writeSync } from 'node:fs';

const STDERR = 2;
const LINE_CHARS_MAX = 1000;
const said = new Set<string>();

export function sayOnce(cause: string, text: string): void {
  if (said.has(cause)) return;
  said.add(cause);
  const line = text.replace(/\s+/g, ' ');
  const short = line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX - 3)}...` : line;
  try {
    writeSync(STDERR, `ringtail: ${short}\n`);
  } catch {
    // A closed or full stderr is the host's business.
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
