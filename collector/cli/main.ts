#!/usr/bin/env node
/** The `ringtail` command: reads the words, runs the command, turns what went wrong into a message and an exit code. */
import { version } from '../../package.json';
import { CliError, describeError, EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from './cli-error';
import { buildProgram, helpOf, parsedWords, type UsageProblem, usageProblem } from './program';

async function main(words: string[]): Promise<number> {
  const debug = words.includes('--debug');
  let exitCode = EXIT_OK;
  const program = buildProgram(version, (code) => {
    exitCode = code;
  });
  try {
    if (words.length === 0) program.help({ error: true });
    await program.parseAsync(parsedWords(words, program), { from: 'user' });
    return exitCode;
  } catch (error) {
    const problem = usageProblem(error);
    if (problem !== null) return usageExit(problem, helpOf(words, program), debug);
    process.stderr.write(describeError(error, debug));
    return error instanceof CliError ? error.exitCode : EXIT_FAILURE;
  }
}

/** Help and version were asked for and are printed already. */
function usageExit({ asked, message }: UsageProblem, help: string, debug: boolean): number {
  if (asked) return EXIT_OK;
  if (message === '') return EXIT_USAGE;
  const error = new CliError('ERR_CLI_USAGE', message, `see: ${help}`, EXIT_USAGE);
  process.stderr.write(describeError(error, debug));
  return EXIT_USAGE;
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
