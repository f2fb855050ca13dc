import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Cost } from '../../../agent/aggregator/cost';
import { SamplerThreads } from '../../../agent/aggregator/sampler-threads';
import { ThreadCpu } from '../../../agent/thread-cpu';

/** Threads by id, with their CPU so far; one that is taken out has ended. */
function samplersOf(cpu: Map<number, number>): SamplerThreads {
  return new SamplerThreads(
    () => [...cpu.keys()],
    (tid) => {
      // A descriptor is of one thread: it tells nothing of another that gets the same id.
      const born = cpu.get(tid)!;
      let ended = false;
      return {
        micros: () => {
          const micros = cpu.get(tid);
          if (micros === undefined || micros < born) ended = true;
          return ended ? null : micros!;
        },
        close() {},
      };
    },
  );
}

describe("the CPU of V8's sampler threads", () => {
  it('stays in the cost while sampling rests, and after it', () => {
    const cpu = new Map([[7, 1000]]);
    const samplers = samplersOf(cpu);
    const cost = new Cost(samplers);
    samplers.find();
    expect(cost.take().samplerCpuMicros).toBe(1000);
    cpu.set(7, 1500);
    samplers.change();
    cpu.delete(7);
    expect(samplers.micros()).toBe(1500);
    expect(cost.take().samplerCpuMicros).toBe(500);
    expect(cost.take().samplerCpuMicros).toBe(0);
    cpu.set(8, 40);
    samplers.change();
    samplers.find();
    expect(samplers.micros()).toBe(1540);
    expect(cost.take().samplerCpuMicros).toBe(40);
  });

  it('counts once those that go on while another starts', () => {
    const cpu = new Map([[7, 1000]]);
    const samplers = samplersOf(cpu);
    samplers.find();
    samplers.change();
    samplers.find();
    expect(samplers.known).toBe(false);
    cpu.set(9, 20);
    samplers.find();
    expect(samplers.known).toBe(true);
    expect(samplers.micros()).toBe(1020);
  });

  it('is that of both where the id of one that ended comes again', () => {
    const cpu = new Map([[7, 1000]]);
    const samplers = samplersOf(cpu);
    samplers.find();
    samplers.micros();
    cpu.set(7, 30);
    samplers.find();
    expect(samplers.micros()).toBe(1030);
  });

  it.skipIf(process.platform !== 'linux')('is kept of real threads that end', async () => {
    const text =
      "const{readlinkSync}=require('fs'),{parentPort:p}=require('worker_threads');for(const t=Date.now();Date.now()-t<30;);p.once('message',()=>p.close());p.postMessage(+readlinkSync('/proc/thread-self').split('/').pop())";
    const worker = new Worker(text, { eval: true });
    const tid = await new Promise<number>((resolve) => worker.once('message', resolve));
    const samplers = new SamplerThreads(() => [tid]);
    samplers.find();
    const before = samplers.micros();
    expect(before).toBeGreaterThan(1000);
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage('end');
    await ended;
    const thread = new ThreadCpu(tid);
    thread.close();
    expect(thread.micros()).toBe(null);
    expect(samplers.micros()).toBeGreaterThanOrEqual(before);
  });
});
