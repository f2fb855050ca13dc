/** What sampling at 99 Hz costs the demo service under its fixed load, percent of wall time. */
import assert from 'node:assert';
import { join } from 'node:path';
import { AGAIN, costRounds, costRows } from '../harness/agent-cost.mjs';
import { NONE, OURS, observedAgentOf } from '../harness/agents.mjs';
import { startCollector, startSink } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { underLoad } from '../harness/service.mjs';
import { settings } from '../harness/settings.mjs';
import { samplerThreads, threadCpuNanos } from '../harness/threads.mjs';

const MOST_PERCENT = 1;

export async function measure() {
  const collector = await startCollector();
  const sink = await startSink();
  try {
    const costs = await costRounds((name) => serviceRun(name, { collector, sink }));
    return costRows('demo service', costs, MOST_PERCENT);
  } finally {
    await collector.close();
    await sink.close();
  }
}

async function serviceRun(name, places) {
  const agent = observedAgentOf(name === AGAIN ? NONE : name, places);
  const program = { file: join(PROGRAMS, 'service.cjs'), ...agent };
  const { figures, counts } = await underLoad(program, settings.serviceSeconds, async (running, over) => {
    const from = look(running.pid);
    await over;
    const to = look(running.pid);
    const [rateHz = 0] =
      name === OURS ? await places.collector.metric('ringtail_instance_sampling_hertz') : [];
    running.send('finish');
    const { rotations, atMillis } = await running.tell('result');
    const { agentThreads } = await running.tell('observed');
    const seconds = (to.at - from.at) / 1000;
    const spent = (tids) =>
      tids.reduce((sum, tid) => sum + (to.cpu.get(tid) ?? 0) - (from.cpu.get(tid) ?? 0), 0);
    const pauseMillis = rotations
      .filter(([start]) => start > atMillis - seconds * 1000)
      .reduce((sum, [start, end, waited]) => sum + end - start - waited, 0);
    const percent = (nanos) => nanos / seconds / 1e7;
    const parts = {
      agent: percent(spent(agentThreads)),
      sampler: percent(spent(to.samplers)),
      rotations: percent(pauseMillis * 1e6),
    };
    return { nanos: spent([...to.cpu.keys()]), parts, rateHz };
  });
  assert.equal(counts.failed, 0, `${counts.failed} requests failed with ${name}`);
  return { ...figures, cpu: figures.nanos / counts.answered };
}

function look(pid) {
  return { at: performance.now(), cpu: threadCpuNanos(pid), samplers: samplerThreads(pid) };
}
