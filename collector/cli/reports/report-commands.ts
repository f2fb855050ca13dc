/** The words of the commands that read profiles: top, tree, peek, traces, list, diff, export. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { PROFILE_FORMATS, type ProfileFormat } from '../../profile/profile-file';
import { GROUPINGS, type Grouping } from '../../profile/report/top';
import { DEFAULT_COLLECTOR_URL } from '../collector-url';
import {
  DIFF_EXAMPLES,
  EXPORT_EXAMPLES,
  LIST_EXAMPLES,
  PEEK_EXAMPLES,
  TOP_EXAMPLES,
  TRACES_EXAMPLES,
  TREE_EXAMPLES,
} from '../examples';
import type { ReportWords } from './report';

const SOURCE = 'a file, - for stdin, or an address; else a collector is asked';
const ROWS_DEFAULT = 20;
const TRACES_DEFAULT = 10;
const MIN_PERCENT_DEFAULT = 0.5;

type Words = ReportWords & { n: number };
/** Makes a command; `seconds` reads a number of them. */
export type ReportProgram = {
  command: (name: string, description: string, examples: string) => Command;
  seconds: (typed: string) => number;
  done: (exitCode: number) => void;
};

export function addReportCommands({ command, seconds, done }: ReportProgram): void {
  const sourced = (made: Command) =>
    made
      .option('--profile <name>', 'cpu, wall, heap, block, ... of the collector', profileName, 'cpu')
      .option('--service <name>', "the collector's service, where there are several")
      .option('--instance <name>', 'only this instance')
      .option('--seconds <n>', 'how long to capture', seconds)
      .option('--url <address>', `the collector (else RINGTAIL_COLLECTOR, else ${DEFAULT_COLLECTOR_URL})`)
      .option('--type <name>', 'sample type, as in cpu or inuse_space (else the default)')
      .option('--focus <regex>', 'only stacks through a function or file like this', pattern)
      .option('--ignore <regex>', 'no stacks through a function or file like this', pattern);
  const rows = (made: Command, preset: number) =>
    made.option('-n <rows>', 'how many are shown (0: all)', count, preset);

  rows(sourced(command('top', 'the functions that took most, of a profile', TOP_EXAMPLES)), ROWS_DEFAULT)
    .argument('[source]', SOURCE)
    .option('--cum', 'sorted by what a function took with all it called')
    .addOption(new Option('--by <group>', 'what a row is').choices([...GROUPINGS]).default('function'))
    .action(async (source: string | undefined, words: Words & { cum?: boolean; by: Grouping }) => {
      const { topCommand } = require('./top-command') as typeof import('./top-command');
      done(await topCommand(source, { ...words, cum: words.cum === true, rows: words.n }));
    });

  sourced(command('tree', 'who calls whom, from the root', TREE_EXAMPLES))
    .argument('[source]', SOURCE)
    .option('--min <percent>', 'leave out what took less', percent, MIN_PERCENT_DEFAULT)
    .action(async (source: string | undefined, words: ReportWords & { min: number }) => {
      const { treeCommand } = require('./tree-command') as typeof import('./tree-command');
      done(await treeCommand(source, { ...words, minPercent: words.min }));
    });

  sourced(command('peek', 'a function between its callers and what it calls', PEEK_EXAMPLES))
    .argument('<regex>', 'matches names of functions', pattern)
    .argument('[source]', SOURCE)
    .action(async (wanted: RegExp, source: string | undefined, words: ReportWords) => {
      const { peekCommand } = require('./peek-command') as typeof import('./peek-command');
      done(await peekCommand(wanted, source, words));
    });

  sourced(command('list', 'source text with what its lines took', LIST_EXAMPLES))
    .argument('<regex>', 'matches names of functions', pattern)
    .argument('[source]', SOURCE)
    .option('--source-path <dir>', 'where to look for sources that are not at their own path (else here)')
    .action(
      async (wanted: RegExp, source: string | undefined, words: ReportWords & { sourcePath?: string }) => {
        const { listCommand } = require('./list-command') as typeof import('./list-command');
        done(await listCommand(wanted, source, { ...words, sourcePath: words.sourcePath ?? process.cwd() }));
      },
    );

  rows(sourced(command('traces', 'stacks with their labels', TRACES_EXAMPLES)), TRACES_DEFAULT)
    .argument('[source]', SOURCE)
    .action(async (source: string | undefined, words: Words) => {
      const { tracesCommand } = require('./traces-command') as typeof import('./traces-command');
      done(await tracesCommand(source, { ...words, rows: words.n }));
    });

  rows(sourced(command('diff', 'what changed between two profiles', DIFF_EXAMPLES)), ROWS_DEFAULT)
    .argument('<before>', 'a file, - for stdin, or an address')
    .argument('[after]', SOURCE)
    .option('--normalize', 'compare shares: after is scaled to the total of before')
    .action(async (before: string, after: string | undefined, words: Words & { normalize?: boolean }) => {
      const { diffCommand } = require('./diff-command') as typeof import('./diff-command');
      done(
        await diffCommand(before, after, { ...words, normalize: words.normalize === true, rows: words.n }),
      );
    });

  sourced(command('export', 'a profile in another format', EXPORT_EXAMPLES))
    .argument('[source]', SOURCE)
    .addOption(new Option('--format <name>', 'the format').choices([...PROFILE_FORMATS]).default('pprof'))
    .option('-o, --output <file>', 'where to write it (else standard output)')
    .action(
      async (source: string | undefined, words: ReportWords & { format: ProfileFormat; output?: string }) => {
        const { exportCommand } = require('./export-command') as typeof import('./export-command');
        done(await exportCommand(source, words));
      },
    );
}

function pattern(typed: string): RegExp {
  try {
    return new RegExp(typed);
  } catch (error) {
    throw new InvalidArgumentError(`It must be a regular expression: ${(error as Error).message}.`);
  }
}

function profileName(typed: string): string {
  if (/^[a-z]+$/.test(typed)) return typed;
  throw new InvalidArgumentError('It must be a name in small letters, like cpu or heap.');
}

function count(typed: string): number {
  const value = Number(typed);
  if (typed.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number, 0 for all.');
}

/** `0.5`, `0.5%`. */
function percent(typed: string): number {
  const value = Number(typed.replace(/%$/, ''));
  if (typed.trim() !== '' && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError('It must be a percentage from 0 to 100.');
}
