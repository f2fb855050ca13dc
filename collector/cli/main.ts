#!/usr/bin/env node
/** The `ringtail` command: reads the words, runs the command, turns what went wrong into a message and an exit code. */
import { CommanderError } from 'commander';
import { version } from '../../package.json';
import { CliError, describeError, EXIT_FAILURE, EXIT_OK, EXIT_USAGE } from './cli-error';
import { buildProgram } from './program';

async function main(words: string[]): Promise<number> {
  const debug = words.includes('--debug');
  let exitCode = EXIT_OK;
  const program = buildProgram(version, (code) => {
    exitCode = code;
  });
  try {
    if (words.length === 0) program.help({ error: true });
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(error, debug);
    process.stderr.write(describeError(error, debug));
    return error instanceof CliError ? error.exitCode : EXIT_FAILURE;
  }
}

/** Help and version were asked for and printed; anything else that commander throws is a usage error. */
function usageExit(error: CommanderError, debug: boolean): number {
  if (error.exitCode === 0) return EXIT_OK;
  if (error.code === 'commander.help') return EXIT_USAGE;
  const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  const usage = new CliError('ERR_CLI_USAGE', message, 'see: ringtail --help', EXIT_USAGE);
  process.stderr.write(describeError(usage, debug));
  return EXIT_USAGE;
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
