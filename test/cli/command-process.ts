/** Runs the built command line as people do: as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const COMMAND_FILE = join(__dirname, '..', '..', 'build', 'cli.js');

export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

export type RunningCommand = {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when the text is on either stream; rejects when the process ends without it. */
  wrote(text: string): Promise<void>;
  /** All of stdout so far. */
  written(): string;
};

export function startCommand(words: readonly string[], env: Record<string, string> = {}): RunningCommand {
  if (!existsSync(COMMAND_FILE)) throw new Error(`${COMMAND_FILE} is missing: run npm run build first`);
  const { RINGTAIL_COLLECTOR: _url, ...inherited } = process.env;
  const child = spawn(process.execPath, [COMMAND_FILE, ...words], {
    env: { ...inherited, TZ: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...texts }));
  });
  const wrote = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => (texts.stdout + texts.stderr).includes(text) && resolve();
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      look();
      void ended.then((e) => reject(new Error(`ended without writing '${text}': ${e.stdout}${e.stderr}`)));
    });
  return { child, ended, wrote, written: () => texts.stdout };
}

export function runCommandLine(words: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return startCommand(words, env).ended;
}
