/**
 * One program, and the two that serve its profiles: a collector, and the agent itself (RINGTAIL_PPROF). What a client
 * may count on it may count on at both.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { openCollector, type RunningCollector } from './running';

const REGISTER = resolve(__dirname, '../../build/agent/register.js');
const PROGRAM = join(__dirname, 'fixtures/everything.cjs');
const STARTS_WITHIN_MILLIS = 20_000;

export type Answer = {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
};

export type Target = {
  name: 'the collector' | "the agent's own port";
  /** http://127.0.0.1:port/debug/pprof/ */
  address: string;
  /** The same with the token in it, so that costly captures are not rationed. */
  proven: string;
  /** path: below /debug/pprof/. Redirects are not followed, bodies are left as they come. */
  ask(path: string, more?: { method?: string; withoutToken?: boolean }): Promise<Answer>;
};

export type Targets = {
  all: Target[];
  collector: RunningCollector;
  close(): Promise<void>;
};

/** Resolves when both serve it, and it has run for a moment. */
export async function openTargets(): Promise<Targets> {
  const collector = await openCollector();
  const program = startProgram(collector, 'everything', '127.0.0.1:0');
  const token = collector.agentEnvironment.RINGTAIL_TOKEN!;
  const own = await addressSaidBy(program);
  const all = [
    targetOf('the collector', `${collector.url}/debug/pprof/`, token),
    targetOf("the agent's own port", own, token),
  ];
  await untilConnected(collector, 'everything');
  return {
    all,
    collector,
    close: async () => {
      await ended(program);
      await collector.close();
    },
  };
}

export function startProgram(collector: RunningCollector, service: string, pprofAddress = ''): ChildProcess {
  return spawn(process.execPath, ['-r', REGISTER, PROGRAM], {
    env: {
      PATH: process.env.PATH ?? '',
      ...collector.agentEnvironment,
      ...(pprofAddress === '' ? {} : { RINGTAIL_PPROF: pprofAddress }),
      RINGTAIL_SERVICE: service,
      RINGTAIL_ASYNC: 'on',
      RINGTAIL_HEAP_SAMPLE_BYTES: '65520',
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

export async function ended(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const over = new Promise((done) => program.once('close', done));
  program.kill('SIGKILL');
  await over;
}

export async function untilConnected(
  { url }: RunningCollector,
  service: string,
  withinMillis = STARTS_WITHIN_MILLIS,
): Promise<void> {
  const deadline = Date.now() + withinMillis;
  for (;;) {
    const { status } = await fetch(`${url}/debug/pprof/cmdline?service=${service}`);
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error(`${service} has not connected: ${status}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function addressSaidBy(program: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let said = '';
    program.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [address] = /http:\S+\/debug\/pprof\//.exec(said) ?? [];
      if (address !== undefined) found(address);
    });
    program.once('close', () => failed(new Error(`the program ended before it served profiles: ${said}`)));
  });
}

export function targetOf(name: Target['name'], address: string, token: string): Target {
  return {
    name,
    address,
    proven: address.replace('//', `//reader:${token}@`),
    ask: (path, { method = 'GET', withoutToken = false } = {}) =>
      new Promise((resolve, reject) => {
        const headers = withoutToken ? {} : { authorization: `Bearer ${token}` };
        const asked = request(new URL(path, address), { method, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.once('error', reject);
          response.once('end', () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers as Record<string, string>,
              body: Buffer.concat(parts),
            }),
          );
        });
        asked.once('error', reject).end();
      }),
  };
}
