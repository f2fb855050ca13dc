/**
 * What a reader on another core costs the producer. Each line of the ring must come back from the reader's core before
 * it can be written again, so the figure is the machine's as much as ours: between cores that share a cache it is
 * nearly nothing, between those that do not (and a virtual machine may be moved from one to the other at any time) some
 * hundred nanoseconds a line. The floors say which it was: the way of a line there and back, plain stores into
 * memory that the other core has read, and a core that is busy without touching our memory.
 *
 *   a push     alone, in a tight loop, which is nobody's program: the other core drains every 50 µs
 *   a span     two clock reads and a push, the least that a program does for a record; drained every 2 ms
 */
import assert from 'node:assert';
import { BURST, timedBursts } from '../harness/bursts.mjs';
import { Mode, startOtherCore } from '../harness/other-core.mjs';
import { resultRow } from '../harness/result.mjs';
import { alternate } from '../harness/rounds.mjs';
import { median, ratioInterval } from '../harness/statistics.mjs';

const SPAN = 3;
const RECORDS = 8192;
const SLOWED_MOST = 1.05;
const TRIES = 10;
const TURNS = 20;

export async function measure() {
  const other = await startOtherCore();
  const push = pushes(other.writer);
  const span = spans(other.writer);
  const plain = plainStores(other.plain);
  const here = (count) =>
    assert.equal(
      other.reader.drain(0, BURST, () => {}),
      count,
    );
  try {
    const results = await alternate([
      contender(other, 'push', Mode.Rest, push, here),
      contender(other, 'push, busy', Mode.Burn, push, here),
      contender(other, 'push, drained', Mode.DrainOften, push, other.await, 50),
      contender(other, 'span', Mode.Rest, span, here),
      contender(other, 'span, drained', Mode.DrainOften, span, other.await, 2000),
      contender(other, 'plain', Mode.Rest, plain, () => {}),
      contender(other, 'plain, read', Mode.Rest, plain, () => {
        other.set(Mode.ReadPlain);
        other.await(1);
      }),
      thereAndBack(other),
    ]);
    const slowed = (name, by) => ratioInterval(results.get(name), results.get(`${name}, ${by}`));
    const floors = [
      { name: 'busy core ×', value: slowed('push', 'busy')[0] },
      { name: 'plain stores ×', value: slowed('plain', 'read')[0] },
      { name: 'a line there and back ns', value: median(results.get('there and back')) },
    ];
    return [
      ['push', 'a push while drained elsewhere'],
      ['span', 'a span while drained elsewhere'],
    ].map(([name, work]) => {
      const ours = slowed(name, 'drained');
      const note = `${median(results.get(name)).toFixed(1)} ns alone, ${median(results.get(`${name}, drained`)).toFixed(1)} ns drained`;
      return resultRow({
        work,
        unit: '×',
        ours,
        floors: name === 'push' ? floors : [],
        goal: `≤ ${SLOWED_MOST}×`,
        met: ours[2] <= SLOWED_MOST,
        note,
      });
    });
  } finally {
    await other.close();
  }
}

function contender(other, name, mode, burst, after, pauseMicros = 0) {
  return {
    name,
    run(count) {
      other.set(mode, pauseMicros);
      const nanos = timedBursts(count, burst, after);
      other.rest();
      return nanos;
    },
  };
}

function pushes(writer) {
  return (count) => {
    for (let index = 0; index < count; index++) writer.push(SPAN, index, 7, index, 2);
  };
}

function spans(writer) {
  return (count) => {
    for (let index = 0; index < count; index++) {
      const start = performance.now();
      const end = performance.now();
      writer.push(SPAN, index, 7, start, end - start);
    }
  };
}

/** The words of a record without a protocol. */
function plainStores(memory) {
  const words = new Uint32Array(memory);
  const cells = new Float64Array(memory);
  let tail = 0;
  return (count) => {
    for (let index = 0; index < count; index++) {
      const place = tail & (RECORDS - 1);
      const word = place * 8;
      words[word] = SPAN;
      words[word + 1] = index;
      words[word + 2] = 7;
      words[word + 3] = tail;
      cells[place * 4 + 2] = index;
      cells[place * 4 + 3] = 2;
      tail++;
    }
  };
}

/** A word that this core and the other one write in turn: the best of a few tries, as either may lose its core to others. */
function thereAndBack(other) {
  return {
    name: 'there and back',
    run(count) {
      other.set(Mode.Answer);
      let best = Number.POSITIVE_INFINITY;
      for (let tries = 0; tries < TRIES; tries++) {
        const start = process.hrtime.bigint();
        other.turns(TURNS);
        best = Math.min(best, Number(process.hrtime.bigint() - start) / TURNS);
      }
      other.rest();
      return best * count;
    },
  };
}
