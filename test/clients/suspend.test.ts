/** SIGSTOP for five seconds: nobody ran, so there is one suspension and no stall, and the stream goes on afterwards. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TailLine } from '../../collector/tail/schema';
import { REGISTER } from '../faults/program';
import { openCollector, type RunningCollector, watchTail } from './running';

const STOPPED_MILLIS = 5000;
const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

let collector: RunningCollector;
beforeAll(async () => {
  collector = await openCollector();
});
afterAll(() => collector.close());

it('tells a stopped process as suspended, once, and never as stalled', { retry: 1 }, async () => {
  const lines: TailLine[] = [];
  const tail = await watchTail(collector, 'stopped', (line) => lines.push(line));
  const child = spawn(process.execPath, ['-r', REGISTER, '-e', 'setInterval(() => {}, 20)'], {
    env: { ...process.env, ...collector.agentEnvironment, RINGTAIL_SERVICE: 'stopped' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await wait(2500);
    child.kill('SIGSTOP');
    await wait(STOPPED_MILLIS);
    const before = lines.length;
    child.kill('SIGCONT');
    await wait(3000);
    const notices = lines.filter((line) => line.type === 'notice' && line.kind === 'suspended');
    expect(notices, JSON.stringify(notices)).toHaveLength(1);
    const seconds = lines.filter((line) => line.type === 'second');
    expect(seconds.flatMap((line) => line.stalls)).toEqual([]);
    expect(seconds.filter((line) => line.hang !== null)).toEqual([]);
    expect(lines.slice(before).filter((line) => line.type === 'second').length).toBeGreaterThan(0);
  } finally {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    tail.close();
  }
});
