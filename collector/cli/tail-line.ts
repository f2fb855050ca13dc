/** The edge of the tail: text from the socket becomes a TailLine, or null when it is none. */
import type { TailLine } from '../tail/schema';
import { CliError } from './cli-error';

const SECOND_PARTS = ['cpu', 'loop', 'gc', 'http', 'memory', 'sampler'] as const;
const SECOND_LISTS = ['hot', 'stalls', 'drops'] as const;

/** Throws a CliError for another version of the schema: the reader would show wrong figures. */
export function parseTailLine(text: string): TailLine | null {
  const value = parseObject(text);
  if (value === null) return null;
  if (value.v !== 1) {
    throw new CliError(
      'ERR_CLI_TAIL_VERSION',
      `the collector sends tail lines of version ${String(value.v)}, this ringtail reads version 1`,
      'install the same version of ringtail on both sides',
    );
  }
  if (typeof value.service !== 'string' || typeof value.instance !== 'string') return null;
  if (typeof value.atMillis !== 'number') return null;
  const whole = value.type === 'second' ? isSecond(value) : value.type === 'notice' && isNotice(value);
  return whole ? (value as TailLine) : null;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isSecond(value: Record<string, unknown>): boolean {
  return (
    SECOND_PARTS.every((part) => isObject(value[part])) &&
    SECOND_LISTS.every((list) => Array.isArray(value[list]))
  );
}

function isNotice(value: Record<string, unknown>): boolean {
  return typeof value.kind === 'string' && typeof value.text === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
