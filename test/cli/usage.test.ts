import { describe, expect, it } from 'vitest';
import { runCommandLine } from './command-process';

const COMMANDS = [
  ...['demo', 'collector', 'tail', 'run', 'attach'],
  ...['top', 'tree', 'peek', 'list', 'traces', 'diff', 'export'],
];

describe('help', () => {
  it('shows examples first, on 80 columns, and lists only commands that exist', async () => {
    for (const words of [['--help'], ...COMMANDS.map((command) => [command, '--help'])]) {
      const { code, stdout, stderr } = await runCommandLine(words);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout.startsWith('Examples:\n  ')).toBe(true);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    }
    const { stdout } = await runCommandLine(['--help']);
    const listed = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}(\w+)/gm)].map(
      ([, name]) => name,
    );
    expect(listed).toEqual(COMMANDS);
  });

  it('is an answer to nothing at all, on stderr, and a usage error', async () => {
    const { code, stdout, stderr } = await runCommandLine([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: ringtail <command>');
  });

  it('prints the version of the package', async () => {
    const { version } = require('../../package.json') as { version: string };
    expect((await runCommandLine(['--version'])).stdout).toBe(`${version}\n`);
  });
});

describe('usage errors', () => {
  it.each([
    [['tial'], "unknown command 'tial' (Did you mean tail?)"],
    [['doctor', '--help'], "unknown command 'doctor'"],
    [['gate', '-h', '--version'], "unknown command 'gate'"],
    [['tail', '--jsno'], "unknown option '--jsno' (Did you mean --json?)"],
    [['tail', '--seconds', 'soon'], "argument 'soon' is invalid. It must be a number of seconds"],
    [['demo', '--seconds', '-1'], "argument '-1' is invalid. It must be a number of seconds"],
    [
      ['collector', '--port', '70000'],
      "argument '70000' is invalid. It must be a whole number from 0 to 65535",
    ],
    ...['ftp://x', 'http:/nonsense', 'garbage', 'ws://'].map((url): [string[], string] => [
      ['tail', '--url', url],
      `--url must be an address like ws://127.0.0.1:7411, got '${url}'`,
    ]),
    [['top', '--by', 'line'], "argument 'line' is invalid. Allowed choices are function, file, package."],
    [['top', '-n', '-1'], "argument '-1' is invalid. It must be a whole number, 0 for all"],
    [['top', '--focus', '['], "argument '[' is invalid. It must be a regular expression: "],
    [['tree', '--min', 'much'], "argument 'much' is invalid. It must be a percentage from 0 to 100"],
    [['export', '--format', 'svg'], "argument 'svg' is invalid. Allowed choices are pprof, cpuprofile,"],
    [['list'], "missing required argument 'regex'"],
    [['run'], "missing required argument 'program'"],
  ])('%j: says what was got and what is allowed, exit 2', async (words, message) => {
    const { code, stdout, stderr } = await runCommandLine(words);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain('[ERR_CLI_USAGE]');
    expect(stderr).not.toContain('    at ');
  });

  it('names the help of the command that was meant', async () => {
    expect((await runCommandLine(['tail', '--jsno'])).stderr).toContain('see: ringtail tail --help\n');
    expect((await runCommandLine(['--debug', 'demo', '--jsno'])).stderr).toContain(
      'see: ringtail demo --help',
    );
    expect((await runCommandLine(['tial'])).stderr).toContain('see: ringtail --help\n');
  });

  it.each([[['tail']], [['run', 'attach', '--', process.execPath, '--version']]])(
    '%j: takes from the environment only what an agent takes too',
    async (words) => {
      for (const url of ['garbage', 'http:/nonsense', 'http://127.0.0.1:7411']) {
        const { code, stdout, stderr } = await runCommandLine(words, { RINGTAIL_COLLECTOR: url });
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toContain(
          `RINGTAIL_COLLECTOR must be an address like ws://127.0.0.1:7411, got '${url}'`,
        );
        expect(stderr).toContain('it begins with ws:// or wss://, and a host name follows');
        expect(stderr).not.toContain('sending to');
      }
    },
  );

  it('shows the stack when asked with --debug', async () => {
    const { code, stderr } = await runCommandLine(['tail', '--debug', '--url', 'ftp://x']);
    expect(code).toBe(2);
    expect(stderr).toContain('    at ');
  });
});
