/**
 * `ringtail run -- node app.js`: runs a program with the agent preloaded and is otherwise not there: same standard
 * streams, signals passed on, the program's exit code or signal handed back.
 */
import { spawn } from 'node:child_process';
import { builtFile } from './built-files';
import { CliError } from './cli-error';
import { environmentUrl, silentWords, tailWords } from './collector-url';
import { withPreload } from './node-options';
import { probe } from './probe';

/** SIGINT and SIGQUIT reach a program at a terminal by themselves: passing them on would deliver them twice. */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

export async function runCommand(words: readonly string[]): Promise<number> {
  const [file = '', ...args] = words;
  const url = environmentUrl();
  const from = process.env.RINGTAIL_COLLECTOR ? 'RINGTAIL_COLLECTOR' : 'RINGTAIL_COLLECTOR is not set';
  process.stderr.write(`ringtail: sending to ${url} (${from}); watch it with: ${tailWords(url)}\n`);
  const endProbe = probe(url, () => {
    process.stderr.write(`ringtail: ${silentWords(url)}\n`);
  });
  const child = spawn(file, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      NODE_OPTIONS: withPreload(process.env.NODE_OPTIONS, builtFile('agent/register.js')),
    },
  });
  const listeners = new Map<NodeJS.Signals, () => void>();
  for (const signal of PASSED_ON) listeners.set(signal, () => child.kill(signal));
  for (const signal of FROM_TERMINAL) listeners.set(signal, () => process.stdin.isTTY || child.kill(signal));
  for (const [signal, listener] of listeners) process.on(signal, listener);
  try {
    const { code, signal } = await ended(child, file);
    for (const [name, listener] of listeners) process.off(name, listener);
    if (signal !== null) await dieOf(signal);
    return code ?? 1;
  } finally {
    endProbe();
    for (const [name, listener] of listeners) process.off(name, listener);
  }
}

function ended(
  child: ReturnType<typeof spawn>,
  file: string,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'no such program' : error.message;
      reject(
        new CliError('ERR_CLI_SPAWN', `cannot run '${file}': ${why}`, 'try: ringtail run -- node app.js'),
      );
    });
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** Ends this process by the same signal, so that whoever waits for it sees what happened. */
async function dieOf(signal: NodeJS.Signals): Promise<void> {
  process.kill(process.pid, signal);
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
