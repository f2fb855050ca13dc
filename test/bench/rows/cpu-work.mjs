/** What sampling at 99 Hz costs two programs of fixed work, a TypeScript compile and JSON churn, percent of main's CPU. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AGAIN, costRounds, costRows } from '../harness/agent-cost.mjs';
import { NONE, OURS, observedAgentOf } from '../harness/agents.mjs';
import { startCollector, startSink } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { settings } from '../harness/settings.mjs';

const SAMPLER_THREAD = 'v8:ProfEvntProc';
const RATE_POLL_MILLIS = 500;
const WORKS = [
  { work: 'TypeScript compile', file: 'compile.cjs', amount: settings.compileFiles, mostPercent: 2 },
  { work: 'JSON churn', file: 'json-churn.cjs', amount: settings.churnRounds, mostPercent: 1 },
];

export async function measure() {
  const collector = await startCollector();
  const sink = await startSink();
  try {
    const rows = [];
    for (const { work, file, amount, mostPercent } of WORKS) {
      const costs = await costRounds((name) => workRun(name, file, amount, { collector, sink }));
      rows.push(...costRows(work, costs, mostPercent));
    }
    return rows;
  } finally {
    await collector.close();
    await sink.close();
  }
}

async function workRun(name, file, amount, places) {
  const agent = observedAgentOf(name === AGAIN ? NONE : name, places);
  const program = new Program({ file: join(PROGRAMS, file), args: [String(amount)], ...agent });
  const told = program.tell('result');
  const rateHz = name === OURS ? await lowestRate(places.collector, told) : 0;
  const { threads, rotations, cpuMicros } = await told;
  const { agentThreads } = await program.tell('observed');
  // A peer may keep its program alive after the work: it is told to stop, and is not measured any more.
  await program.stop();
  const main = threads.find(({ tid }) => tid === program.pid);
  const percentOf = (chosen) => (100 * chosen.reduce((sum, { nanos }) => sum + nanos, 0)) / main.nanos;
  const pauses = rotations.map(([start, end, waited]) => ({ nanos: (end - start - waited) * 1e6 }));
  const parts = {
    agent: percentOf(threads.filter(({ tid }) => agentThreads.includes(tid))),
    sampler: percentOf(threads.filter(({ name: comm }) => comm === SAMPLER_THREAD)),
    rotations: percentOf(pauses),
  };
  return { cpu: cpuMicros, parts, rateHz };
}

/** The lowest sampling rate that the collector was told until the work is over; 0 when it was told none. */
async function lowestRate(collector, over) {
  let lowest = Number.POSITIVE_INFINITY;
  for (let done = false; !done; ) {
    done = await Promise.race([over.then(() => true), setTimeout(RATE_POLL_MILLIS, false)]);
    for (const rate of await collector.metric('ringtail_instance_sampling_hertz')) {
      if (rate > 0) lowest = Math.min(lowest, rate);
    }
  }
  return Number.isFinite(lowest) ? lowest : 0;
}
