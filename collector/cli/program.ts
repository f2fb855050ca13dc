/**
 * The words of the command line: commands, options, help. What a command does is loaded when it runs, so that
 * `--help` stays quick and `run` stays small.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import {
  DEFAULT_RETENTION_MILLIS,
  DEFAULT_STORE_BYTES,
  RETENTION_MAX_MILLIS,
  RETENTION_MIN_MILLIS,
  STORE_BYTES_MIN,
} from '../store/memory-store';
import { DEFAULT_COLLECTOR_URL, DEFAULT_HOST, DEFAULT_PORT } from './collector-url';
import {
  ATTACH_EXAMPLES,
  COLLECTOR_EXAMPLES,
  DEMO_EXAMPLES,
  PROGRAM_EXAMPLES,
  RUN_EXAMPLES,
  TAIL_EXAMPLES,
} from './examples';
import { addReportCommands } from './reports/report-commands';

const HELP_COLUMNS = 80;
/** What is answered at once, wherever it stands. */
const ANSWERED = ['-h', '--help', '-V', '--version'];
const SECONDS_MAX = 7 * 24 * 3600;
const STORE_MB_MAX = 64 * 1024;
const MINUTE = 60_000;
const MEBIBYTE = 1024 * 1024;
const minutes = numberOf('minutes', RETENTION_MIN_MILLIS / MINUTE, RETENTION_MAX_MILLIS / MINUTE);
const mebibytes = numberOf('MiB', STORE_BYTES_MIN / MEBIBYTE, STORE_MB_MAX);

/** What commander hands over: a flag that was not given is not there. */
type DemoWords = { seconds?: number; port?: number; plain?: boolean };
type CollectorWords = {
  host: string;
  port: number;
  retentionMinutes: number;
  storeMb: number;
  data?: string;
  requireToken?: boolean;
};
type AttachWords = { service?: string; seconds?: number; stop?: boolean; keepCode?: boolean };
type TailWords = { instance?: string; url?: string; json?: boolean; plain?: boolean; seconds?: number };

/** `done` receives the exit code of the command that ran. */
export function buildProgram(version: string, done: (exitCode: number) => void): Command {
  const program = new Command('ringtail')
    .description('Always-on profiler and flight recorder for Node.js.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print the stacks of errors, with any command')
    .configureHelp({ helpWidth: HELP_COLUMNS })
    .configureOutput({ outputError: () => {} })
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride()
    .addHelpText('before', PROGRAM_EXAMPLES);

  command(program, 'demo', 'a sample service, its load and the live view', DEMO_EXAMPLES)
    .option('--seconds <n>', 'end by itself after this long, with a summary', seconds)
    .option('--port <n>', `port of the collector (else ${DEFAULT_PORT} or the next free one)`, port)
    .option('--plain', 'plain lines instead of the live view')
    .action(async ({ seconds, port, plain = false }: DemoWords) => {
      const { demoCommand } = require('./demo/demo-command') as typeof import('./demo/demo-command');
      done(await demoCommand({ seconds, port, plain }));
    });

  command(program, 'collector', 'receive, keep and serve what agents send', COLLECTOR_EXAMPLES)
    .option('--host <address>', 'loopback address to listen on', DEFAULT_HOST)
    .option('--port <n>', 'port to listen on (0: any free one)', port, DEFAULT_PORT)
    .option(
      '--retention-minutes <n>',
      'how long what came is kept',
      minutes,
      DEFAULT_RETENTION_MILLIS / MINUTE,
    )
    .option(
      '--store-mb <n>',
      'memory for it, MiB; the oldest goes first, and is counted',
      mebibytes,
      DEFAULT_STORE_BYTES / MEBIBYTE,
    )
    .option('--data <dir>', "folder for the collector's own files (holds nothing yet)")
    .option('--require-token', 'ask readers for the token too, also on loopback')
    .action(async ({ host, port, retentionMinutes, storeMb, data, requireToken = false }: CollectorWords) => {
      const { collectorCommand } = require('./collector-command') as typeof import('./collector-command');
      done(await collectorCommand({ host, port, retentionMinutes, storeMb, data, requireToken }));
    });

  command(program, 'tail', 'watch services live, second by second', TAIL_EXAMPLES)
    .argument('[service]', 'only this service')
    .option('--instance <name>', 'only this instance')
    .option('--url <address>', `the collector (else RINGTAIL_COLLECTOR, else ${DEFAULT_COLLECTOR_URL})`)
    .option('--json', 'one JSON object a line')
    .option('--plain', 'plain lines instead of the live view')
    .option('--seconds <n>', 'end by itself after this long', seconds)
    .action(async (service: string | undefined, words: TailWords) => {
      const { instance, url, json = false, plain = false, seconds } = words;
      const { tailCommand } = require('./tail-command') as typeof import('./tail-command');
      done(await tailCommand({ service, instance, url, json, plain, seconds }));
    });

  command(program, 'run', 'run a program with the agent preloaded', RUN_EXAMPLES)
    .usage('-- <program> [arguments]')
    .argument('<program...>', 'the program and its arguments')
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { runCommand } = require('./run-command') as typeof import('./run-command');
      done(await runCommand(words));
    });

  command(program, 'attach', 'start the agent in a process that runs without it', ATTACH_EXAMPLES)
    .argument('<pid>', 'a Node.js process of yours', pid)
    .option('--service <name>', 'what it is called (else as it would call itself)')
    .option('--seconds <n>', 'end the agent there after this long', seconds)
    .option('--keep-code', 'do not make V8 compile hot code again (README, Limits)')
    .option('--stop', 'end the agent there')
    .action(async (pid: number, { service, seconds, stop = false, keepCode = false }: AttachWords) => {
      const { attachCommand } =
        require('./attach/attach-command') as typeof import('./attach/attach-command');
      done(await attachCommand({ pid, service, seconds, stop, keepCode }));
    });

  addReportCommands({ command: (...words) => command(program, ...words), seconds, done });
  return program;
}

/** Where to read on: the help of the command that the words begin with. */
export function helpOf(words: readonly string[], program: Command): string {
  const named = commandOf(words, program);
  return `ringtail ${named === undefined ? '' : `${named.name()} `}--help`;
}

/** The words to parse: a command that does not exist has no help, which commander would answer with the program's. */
export function parsedWords(words: readonly string[], program: Command): readonly string[] {
  const isUnknown = firstOf(words) !== undefined && commandOf(words, program) === undefined;
  return isUnknown ? words.filter((word) => !ANSWERED.includes(word)) : words;
}

function commandOf(words: readonly string[], program: Command): Command | undefined {
  return program.commands.find((command) => command.name() === firstOf(words));
}

function firstOf(words: readonly string[]): string | undefined {
  return words.find((word) => !word.startsWith('-'));
}

/** asked: help or the version, already printed. message: '' where the help itself is the message. */
export type UsageProblem = { asked: boolean; message: string };

/** What commander throws instead of a result; null for anything else. */
export function usageProblem(error: unknown): UsageProblem | null {
  if (!(error instanceof CommanderError)) return null;
  const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  return { asked: error.exitCode === 0, message: error.code === 'commander.help' ? '' : message };
}

/** A subcommand has the program's settings already; --debug is read before commander sees it. */
function command(program: Command, name: string, description: string, examples: string): Command {
  return program
    .command(name)
    .description(description)
    .addHelpText('before', examples)
    .addOption(new Option('--debug').hideHelp());
}

function seconds(typed: string): number {
  const value = Number(typed);
  if (typed.trim() !== '' && value > 0 && value <= SECONDS_MAX) return value;
  throw new InvalidArgumentError(`It must be a number of seconds above 0, at most ${SECONDS_MAX}.`);
}

function numberOf(unit: string, least: number, most: number): (typed: string) => number {
  return (typed) => {
    const value = Number(typed);
    if (typed.trim() !== '' && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number of ${unit} from ${least} to ${most}.`);
  };
}

function pid(typed: string): number {
  if (/^[1-9]\d{0,9}$/.test(typed)) return Number(typed);
  throw new InvalidArgumentError('It must be the id of a process.');
}

function port(typed: string): number {
  const value = Number(typed);
  if (typed.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
}
