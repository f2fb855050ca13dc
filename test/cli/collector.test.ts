import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import {
  COMMAND_FILE,
  type Ended,
  type RunningCommand,
  runCommandLine,
  startCommand,
} from './command-process';

const home = mkdtempSync(join(tmpdir(), 'ringtail-home-'));
afterAll(() => rmSync(home, { recursive: true }));
const odd = { HOME: join(home, "it's odd"), XDG_RUNTIME_DIR: '' };
const run = promisify(execFile);
const env = { HOME: home, XDG_RUNTIME_DIR: '' };

async function startedCollector(): Promise<{ collector: RunningCommand; url: string }> {
  const collector = startCommand(['collector', '--port', '0'], env);
  let text = '';
  collector.child.stdout?.on('data', (chunk: string) => {
    text += chunk;
  });
  await collector.wrote('/metrics');
  return { collector, url: /http:\/\/127\.0\.0\.1:\d+/.exec(text)![0] };
}

function stopped(collector: RunningCommand, signal: NodeJS.Signals): Promise<Ended> {
  collector.child.kill(signal);
  return collector.ended;
}

describe('ringtail collector', () => {
  it('says what to type next, answers, and ends in order', async () => {
    const { collector, url } = await startedCollector();
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n');
    const { code, stdout, stderr } = await stopped(collector, 'SIGTERM');
    expect([code, stderr]).toEqual([0, '']);
    const address = url.replace('http', 'ws');
    expect(stdout).toContain(`RINGTAIL_COLLECTOR=${address} ringtail run -- node app.js`);
    expect(stdout).toContain(`ringtail tail --url ${address}`);
    expect(stdout).toContain(join(home, '.local', 'state', 'ringtail', 'token'));
  });

  it('with --require-token prints lines that a shell runs as they are', async () => {
    const collector = startCommand(['collector', '--port', '0', '--require-token'], odd);
    await collector.wrote('/metrics\n');
    try {
      const lines = collector.written();
      const line = (name: string) => new RegExp(`^  ${name} +(.*)$`, 'm').exec(lines)?.[1] ?? '';
      const shell = (text: string) => run('sh', ['-c', text], { env: { ...process.env, ...odd } });
      expect((await shell(`${line('metrics')} -sSf`)).stdout).toContain('ringtail_');
      const tail = line('live').replace(
        'ringtail tail',
        `"${process.execPath}" "${COMMAND_FILE}" tail --seconds 1`,
      );
      expect((await shell(tail)).stderr).toContain('no service yet');
      const address = /"(.*)\/debug/.exec(line('profile'))?.[1];
      expect((await shell(`echo "${address}"`)).stdout).toMatch(
        /^http:\/\/:[0-9a-f]{64}@127\.0\.0\.1:\d+\n$/,
      );
    } finally {
      await stopped(collector, 'SIGTERM');
    }
  });

  it('ends with 130 at Ctrl-C', async () => {
    const { collector } = await startedCollector();
    expect((await stopped(collector, 'SIGINT')).code).toBe(130);
  });

  it('keeps what came for as long as it is told', async () => {
    const words = ['collector', '--port', '0', '--retention-minutes', '2', '--store-mb', '8'];
    const collector = startCommand([...words, '--data', home], env);
    await collector.wrote('/metrics\n');
    const { stderr } = await stopped(collector, 'SIGTERM');
    expect(stderr).toContain('keeps the last 2 minutes');
  });

  it.each([
    ['--retention-minutes', '0.5', 'minutes from 1 to 1440'],
    ['--retention-minutes', 'ever', 'minutes from 1 to 1440'],
    ['--store-mb', '0', 'MiB from 1 to'],
  ])('%s %s is a usage error', async (flag, value, words) => {
    const { code, stderr } = await runCommandLine(['collector', flag, value], env);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  it('says why it does not start', async () => {
    const { collector, url } = await startedCollector();
    const busy = await runCommandLine(['collector', '--port', new URL(url).port], env);
    expect(busy.code).toBe(1);
    expect(busy.stderr).toContain('choose another port with --port [ERR_COLLECTOR_PORT_BUSY]');
    await stopped(collector, 'SIGTERM');
    const open = await runCommandLine(['collector', '--host', '0.0.0.0'], env);
    expect(open.code).toBe(1);
    expect(open.stderr).toContain('got 0.0.0.0');
  });
});
