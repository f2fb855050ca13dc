/** A ring and a worker on another core that drains it, and what else that core can do to this one (programs/other-core.cjs). */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadOurs } from './bundle.mjs';
import { PROGRAMS } from './folders.mjs';

const RING_BYTES = 8192 * 32;
const DONE = 32;
const PAUSE_MICROS = 64;
const BALL = 128;
const RESTS = 160;
const CONTROL_BYTES = 1024;

/** What the other core does. */
export const Mode = { Rest: 0, DrainOnce: 1, DrainOften: 2, Burn: 3, ReadPlain: 4, Answer: 5 };

export async function startOtherCore() {
  const ours = loadOurs();
  const memory = ours.createCoreMemory();
  const writer = ours.attachWriter(memory, 0);
  const reader = ours.attachReader(memory);
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES)); // its words lie in lines of their own
  const nanos = new Float64Array(new SharedArrayBuffer(8));
  const plain = new SharedArrayBuffer(RING_BYTES);
  const worker = new Worker(join(PROGRAMS, 'other-core.cjs'), {
    workerData: { memory, control, nanos, plain },
  });
  await new Promise((ready) => worker.once('message', ready));
  let expected = 0;

  function set(mode, pauseMicros = 0) {
    control[PAUSE_MICROS] = pauseMicros;
    Atomics.store(control, 0, mode);
    Atomics.notify(control, 0);
  }

  return {
    writer,
    reader,
    /** As large as the ring, shared with the other core. */
    plain,
    set,
    /** No reader works on the ring when this returns. */
    rest() {
      set(Mode.Rest);
      while (Atomics.load(control, RESTS) === 0);
    },
    /** Spins until `count` more records were taken, or readings made: after a sleep the next burst would begin on a cold core. */
    await(count) {
      expected += count;
      while (Atomics.load(control, DONE) !== (expected | 0));
    },
    /** Mode.Answer: `count` times a word is stored here and there in turn. */
    turns(count) {
      for (let turn = 0; turn < count; turn++) {
        const ball = control[BALL] + 1;
        Atomics.store(control, BALL, ball);
        while (Atomics.load(control, BALL) === ball);
      }
    },
    /** What the last drain of Mode.DrainOnce took. */
    nanos: () => nanos[0],
    close: () => worker.terminate(),
  };
}
