/**
 * Worker threads that are terminated in the middle of anything, while they are sampled where that is the default, or
 * RINGTAIL_WORKERS=1 asks for it. WORKER_TERMINATIONS makes the long form (`npm run soak -- --only workers`).
 */
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { WorkerSampling } from '../../agent/aggregator/worker-sampling';
import { connected, openCollector } from '../clients/running';
import { readPprof } from '../collector/pprof-reader';
import { REGISTER, runProgram } from './program';

const CHURN = join(__dirname, 'fixtures/worker-churn.cjs');
const TERMINATIONS = Number(process.env.WORKER_TERMINATIONS ?? 100);
const AT_ONCE = 6;
/** What a worker may take until its end, on a busy machine. */
const WORKER_MILLIS = 400;
const CAPTURE_SECONDS = 3;
const { RINGTAIL_WORKERS = '' } = process.env;
const IS_SAMPLED = WorkerSampling.isWanted(RINGTAIL_WORKERS === '1' ? 'on' : 'auto');
const HANG_MILLIS = 20_000 + TERMINATIONS * WORKER_MILLIS;

it(
  'a program outlives its worker threads',
  async () => {
    const collector = await openCollector();
    try {
      const running = runProgram(['-r', REGISTER, CHURN, String(TERMINATIONS), String(AT_ONCE)], {
        hangMillis: HANG_MILLIS,
        env: {
          ...collector.agentEnvironment,
          RINGTAIL_MAX_WINDOW_MILLIS: '1000',
          RINGTAIL_SERVICE: 'churn',
          ...(RINGTAIL_WORKERS === '' ? {} : { RINGTAIL_WORKERS }),
        },
      });
      await connected(collector, 'churn', 0);
      const url = `${collector.url}/debug/pprof/profile?seconds=${CAPTURE_SECONDS}&service=churn`;
      const { samples } = readPprof(gunzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())));
      const ofWorkers = samples.filter(({ labels }) =>
        labels.some((label) => /worker-\d/.test(label)),
      ).length;
      const { code, signal, stdout } = await running;
      console.log(
        `${process.version}: ${stdout.trim().split('\n').at(-1)}, ${ofWorkers} of ${samples.length} stacks were those of workers`,
      );
      expect([code, signal]).toEqual([0, null]);
      expect(Number(/done: (\d+) terminated/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(TERMINATIONS);
      expect(ofWorkers > 0, `${ofWorkers} stacks of workers`).toBe(IS_SAMPLED);
    } finally {
      await collector.close();
    }
  },
  HANG_MILLIS + 30_000,
);
