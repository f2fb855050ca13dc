/** A pattern that no function's name matches. */
import { CliError } from '../cli-error';

export function noMatch(pattern: RegExp): CliError {
  return new CliError(
    'ERR_CLI_NO_MATCH',
    `no function with samples has a name that matches /${pattern.source}/`,
    'see what there is: ringtail top -n 0',
  );
}
