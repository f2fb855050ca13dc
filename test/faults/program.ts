/**
 * Runs a program as a stranger would, with or without the agent, and tells everything that the outside can see: exit
 * code, signal, output, time. The environment is made from nothing, so that the machine's own settings stay out.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Outcome = {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
  millis: number;
};

export type RunOptions = {
  env?: Record<string, string>;
  cwd?: string;
  /** The Node.js to run; this one by default. */
  node?: string;
  /** A shell line in which "$@" is the program: for ulimit and the like. */
  shell?: string;
  /** It hangs when it has not ended by itself by then; HANG_MILLIS by default. */
  hangMillis?: number;
  /** Called with the running child: to signal it, or its collector. */
  during?: (child: ChildProcess) => void;
};

/** A program that has not ended by itself by now hangs. */
const HANG_MILLIS = 20_000;
const FAKE_THREAD = resolve(__dirname, 'fixtures/fake-thread.js');

export const BUILD_FOLDER = process.env.TEST_AGENT_FOLDER ?? resolve(__dirname, '../../build/agent');
export const REGISTER = join(BUILD_FOLDER, 'register.js');

export function runProgram(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { shell, node = process.execPath } = options;
  const [command, argv] =
    shell === undefined ? [node, args] : ['/bin/sh', ['-c', shell, 'sh', node, ...args]];
  const startedAt = performance.now();
  const child = spawn(command, [...argv], {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.during?.(child);
  const outcome: Outcome = { code: null, signal: null, stdout: '', stderr: '', millis: 0 };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (outcome.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
  const hung = setTimeout(() => child.kill('SIGKILL'), options.hangMillis ?? HANG_MILLIS);
  return new Promise((done, failed) => {
    child.on('error', failed);
    child.on('exit', () => (outcome.millis = performance.now() - startedAt));
    child.on('close', (code, signal) => {
      clearTimeout(hung);
      done({ ...outcome, code, signal });
    });
  });
}

/** What must not change: all but the time and stderr. */
export function visible({ code, signal, stdout }: Outcome): Pick<Outcome, 'code' | 'signal' | 'stdout'> {
  return { code, signal, stdout };
}

/** Lines that the agent, or Node because of the agent, added to stderr. */
export function agentLines({ stderr }: Outcome): string[] {
  return stderr
    .split('\n')
    .filter((line) => /ringtail|debugger|inspector/i.test(line) && !/^\s+at /.test(line));
}

/** A folder of its own for each use; removed by `remove`. */
export function scratchFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'host-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Copies the built agent into `folder`, for faults in its own files; returns the preload. */
export async function copyAgent(folder: string, thread: 'real' | 'fake' = 'real'): Promise<string> {
  if (!existsSync(REGISTER)) throw new Error(`no built agent in ${BUILD_FOLDER}: run "npm run build" first`);
  await cp(BUILD_FOLDER, folder, { recursive: true });
  if (thread === 'fake') await cp(FAKE_THREAD, join(folder, 'thread.js'));
  return join(folder, 'register.js');
}

/** Runs `jobs` a few at a time, results in order: two cores are all there is. */
export async function inTurns<T>(jobs: readonly (() => Promise<T>)[], concurrency = 2): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const runner = async () => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await jobs[index]!();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runner));
  return results;
}
