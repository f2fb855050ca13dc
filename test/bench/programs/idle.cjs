/**
 * A program that does nothing until its channel closes; argv[2] 'worker': with a bare worker thread that does nothing;
 * 'sampler': with one that samples main's CPU for two seconds, and its heap from then on, by the runtime's own means.
 */
const { Worker } = require('node:worker_threads');

const WAIT = "require('node:worker_threads').parentPort.on('message', () => {});";
const SAMPLE = `
  const { Session } = require('node:inspector');
  const [cpu, heap] = [new Session(), new Session()];
  cpu.connectToMainThread();
  heap.connectToMainThread();
  cpu.post('Profiler.enable');
  cpu.post('Profiler.setSamplingInterval', { interval: 10101 });
  cpu.post('Profiler.start');
  heap.post('HeapProfiler.startSampling', { samplingInterval: 524160 });
  setTimeout(() => cpu.post('Profiler.stop', () => setImmediate(() => cpu.disconnect())), 2000);
`;
const TEXTS = { worker: WAIT, sampler: WAIT + SAMPLE };

const text = TEXTS[process.argv[2]];
if (text !== undefined) new Worker(text, { eval: true });
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
