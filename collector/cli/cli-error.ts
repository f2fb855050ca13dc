/**
 * Every failure the command line tells. A message says what was got; `advice` says what to do about it; the code is
 * stable and may be searched for.
 */

/** 0 ok, 1 failure, 2 usage, 130 interrupted. */
export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;

/** All codes of the command line. */
export type CliErrorCode =
  | 'ERR_CLI_USAGE' // the words typed make no command
  | 'ERR_CLI_UNREACHABLE' // nothing answered at the collector's address
  | 'ERR_CLI_REFUSED' // the collector answered and said no
  | 'ERR_CLI_TAIL_VERSION' // the collector sends lines this version cannot read
  | 'ERR_CLI_FILE' // a file could not be read or written
  | 'ERR_CLI_NO_MATCH' // no function has such a name
  | 'ERR_CLI_ATTACH' // a process could not be reached, or is not as it must be
  | 'ERR_CLI_SPAWN' // a program could not be started
  | 'ERR_CLI_NOT_BUILT' // a built file is missing
  | 'ERR_CLI_PORT_BUSY' // another program listens there
  | 'ERR_CLI_DEMO_ENDED' // the demo's service ended by itself
  | 'ERR_CLI_DEMO_SILENT'; // the demo's agent sent nothing

export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly advice: string;
  readonly exitCode: number;

  constructor(code: CliErrorCode, message: string, advice: string, exitCode: number = EXIT_FAILURE) {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

/** What goes to stderr for any thrown value. The stack only when asked for. */
export function describeError(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `ringtail: ${String(error)}\n`;
  const code = 'code' in error && typeof error.code === 'string' ? ` [${error.code}]` : '';
  const advice = error instanceof CliError && error.advice !== '' ? `\n  ${error.advice}` : '';
  const stack = debug && error.stack !== undefined ? `\n${error.stack}` : '';
  return `ringtail: ${error.message}${code}${advice}${stack}\n`;
}
