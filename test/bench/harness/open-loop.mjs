/**
 * Load on an HTTP service. Closed: as many requests as it can answer, which is its capacity. Open: requests leave by a
 * clock of their own (Poisson arrivals), whether those before are answered or not, and the time of each runs from when it
 * was to leave: a service that stands still makes everything behind it late, and nothing is omitted.
 */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from './random.mjs';

/** Answers a second with `lanes` requests at any time under way. */
export async function capacityOf(port, seconds, lanes = 16) {
  const agent = new Agent({ keepAlive: true });
  const start = performance.now();
  const end = start + seconds * 1000;
  let answered = 0;
  const lane = async () => {
    while (performance.now() < end) {
      await get(port, agent);
      answered++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  agent.destroy();
  return answered / ((performance.now() - start) / 1000);
}

/** Milliseconds of every request that was to leave within `seconds`. Rejects when one fails. */
export async function openLoop(port, perSecond, seconds, seed) {
  const agent = new Agent({ keepAlive: true });
  const random = seededRandom(seed);
  const pending = [];
  const start = performance.now();
  for (let due = 0; due < seconds * 1000; due += (-Math.log(1 - random()) * 1000) / perSecond) {
    const early = start + due - performance.now();
    if (early > 0) await sleep(Math.ceil(early));
    // A timer is late by up to a millisecond; what leaves late because of it is late for everybody.
    pending.push(get(port, agent).then(() => performance.now() - start - due));
  }
  const millis = await Promise.all(pending);
  agent.destroy();
  return millis;
}

function get(port, agent) {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume();
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      );
    })
      .on('error', reject)
      .end();
  });
}
