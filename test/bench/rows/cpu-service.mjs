/**
 * What sampling at 99 Hz costs the demo service under its fixed load. All contenders run beside each other, each with the
 * same requests at the same time: what else the machine does meets all of them alike, and the cost of a request in the same
 * window can be compared to a percent. (One after the other, two services without an agent differed by up to 20 %.)
 */
import assert from 'node:assert';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AGAIN, CONTENDERS, costRows } from '../harness/agent-cost.mjs';
import { NONE, observedAgentOf } from '../harness/agents.mjs';
import { loadOurs } from '../harness/bundle.mjs';
import { startCollector, startSink } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { settings } from '../harness/settings.mjs';
import { samplerThreads, threadCpuNanos } from '../harness/threads.mjs';

const MOST_PERCENT = 1;
/** Two of the service's stalls. */
const WINDOW_SECONDS = 14;

export async function measure() {
  const collector = await startCollector();
  const sink = await startSink();
  const services = [];
  try {
    // One after the other, lest five starts on two cores look like load.
    for (const name of CONTENDERS) services.push(await startService(name, { collector, sink }));
    await setTimeout(settings.serviceWarmSeconds * 1000);
    for (const service of services) service.look(0);
    for (let window = 0; window < settings.serviceWindows; window++) {
      await setTimeout(WINDOW_SECONDS * 1000);
      const [rateHz = 0] = await collector.metric('ringtail_instance_sampling_hertz');
      for (const service of services) service.look(rateHz);
    }
    const costs = new Map();
    for (const service of services) costs.set(service.name, await service.windows());
    return costRows('demo service', costs, MOST_PERCENT);
  } finally {
    for (const service of services) await service.stop();
    await collector.close();
    await sink.close();
  }
}

/** { name, look(rateHz), windows(), stop() }: each window lies between two looks. */
async function startService(name, places) {
  const agent = observedAgentOf(name === AGAIN ? NONE : name, places);
  const program = new Program({ file: join(PROGRAMS, 'service.cjs'), ...agent });
  const { Load } = loadOurs();
  const load = new Load(await program.tell('port'));
  const { agentThreads } = await program.tell('observed');
  load.start();
  const looks = [];
  return {
    name,
    look(rateHz) {
      const { answered, failed } = load.counts;
      const { pid } = program;
      const at = performance.now();
      looks.push({
        at,
        answered,
        failed,
        rateHz,
        cpu: threadCpuNanos(pid),
        samplers: new Set(samplerThreads(pid)),
      });
    },
    async windows() {
      program.send('finish');
      const { rotations, atMillis } = await program.tell('result');
      const offsetMillis = atMillis - performance.now();
      return looks.slice(1).map((to, index) => {
        const from = looks[index];
        assert.equal(to.failed, from.failed, `${to.failed - from.failed} requests failed with ${name}`);
        const answered = to.answered - from.answered;
        assert.ok(answered > 0, `the service answered nothing with ${name}: it was not under load`);
        const spent = (isCounted) =>
          [...to.cpu].reduce(
            (sum, [tid, nanos]) => (isCounted(tid) ? sum + nanos - (from.cpu.get(tid) ?? 0) : sum),
            0,
          );
        const percent = (nanos) => nanos / (to.at - from.at) / 1e4;
        const pauseMillis = rotations
          .filter(([start]) => start >= from.at + offsetMillis && start < to.at + offsetMillis)
          .reduce((sum, [start, end, waited]) => sum + end - start - waited, 0);
        const parts = {
          agent: percent(spent((tid) => agentThreads.includes(tid))),
          sampler: percent(spent((tid) => to.samplers.has(tid))),
          rotations: percent(pauseMillis * 1e6),
        };
        return { cpu: spent(() => true) / answered, parts, rateHz: to.rateHz };
      });
    },
    async stop() {
      load.stop();
      await program.stop();
    },
  };
}
