/**
 * Worker threads that are terminated in the middle of anything, while they are sampled where that is the default, or
 * RINGTAIL_WORKERS=1 asks for it. WORKER_TERMINATIONS makes the long form (`npm run soak -- --only workers`).
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { WorkerSampling } from '../../agent/aggregator/worker-sampling';
import { samplerThreads } from '../bench/harness/threads.mjs';
import { openCollector } from '../clients/running';
import { REGISTER, runProgram } from './program';

const CHURN = join(__dirname, 'fixtures/worker-churn.cjs');
const TERMINATIONS = Number(process.env.WORKER_TERMINATIONS ?? 100);
const AT_ONCE = 6;
/** What a worker may take until its end, on a busy machine. */
const WORKER_MILLIS = 400;
const LOOK_MILLIS = 20;
/** V8 has a thread for each thread that it samples, and another one each time that main's sampling starts anew. */
const SAMPLERS_OF_MAIN = 3;
const { RINGTAIL_WORKERS = '' } = process.env;
const IS_SAMPLED = WorkerSampling.isWanted(RINGTAIL_WORKERS === '1' ? 'on' : 'auto');
const HANG_MILLIS = 20_000 + TERMINATIONS * WORKER_MILLIS;

it(
  'a program outlives its worker threads',
  async () => {
    const collector = await openCollector();
    try {
      const samplers = new Set<number>();
      const look = (child: ChildProcess) => {
        const timer = setInterval(() => {
          for (const tid of samplersOf(child)) samplers.add(tid);
        }, LOOK_MILLIS);
        child.once('exit', () => clearInterval(timer));
      };
      const { code, signal, stdout } = await runProgram(
        ['-r', REGISTER, CHURN, String(TERMINATIONS), String(AT_ONCE)],
        {
          hangMillis: HANG_MILLIS,
          during: look,
          env: {
            ...collector.agentEnvironment,
            RINGTAIL_MAX_WINDOW_MILLIS: '1000',
            ...(RINGTAIL_WORKERS === '' ? {} : { RINGTAIL_WORKERS }),
          },
        },
      );
      const last = stdout.trim().split('\n').at(-1);
      console.log(`${process.version}: ${last}, at least ${samplers.size} threads were sampled`);
      expect([code, signal]).toEqual([0, null]);
      expect(Number(/done: (\d+) terminated/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(TERMINATIONS);
      if (process.platform === 'linux')
        expect(samplers.size > SAMPLERS_OF_MAIN, `${samplers.size} samplers`).toBe(IS_SAMPLED);
    } finally {
      await collector.close();
    }
  },
  HANG_MILLIS + 30_000,
);

function samplersOf({ pid }: ChildProcess): number[] {
  try {
    return samplerThreads(pid);
  } catch {
    return [];
  }
}
