/**
 * What a preload adds to a program that does nothing (`node -e 0` in effect) and to one of 500 ms, whose agent thread
 * runs by then: the start up to the first line of the program, and the exit after its last. Alternating program starts.
 */
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { agentOf, DATADOG, DD_TRACE, NONE, OURS, PYROSCOPE } from '../harness/agents.mjs';
import { startCollector, startSink } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { cleanEnvironment } from '../harness/program.mjs';
import { boundRow, peerOf, resultRow } from '../harness/result.mjs';
import { settings } from '../harness/settings.mjs';
import { interval, median, unpairedRatio } from '../harness/statistics.mjs';

const DOWN = 'ringtail, collector down';
const PEERS = [DATADOG, PYROSCOPE, DD_TRACE];
const LONG_MILLIS = 500;
const PROGRAM_MILLIS_MAX = 20_000;
/** This peer keeps a program alive for ever: it is left by process.exit. */
const KEEPS_ALIVE = new Set([PYROSCOPE]);

export async function measure() {
  const collector = await startCollector();
  const sink = await startSink();
  const down = { url: '', env: { ...collector.env, RINGTAIL_COLLECTOR: 'ws://127.0.0.1:9' } };
  const configured = new Map(
    [NONE, OURS, ...PEERS].map((name) => [name, agentOf(name, { collector, sink })]),
  );
  configured.set(DOWN, agentOf(OURS, { collector: down, sink }));
  try {
    const short = await startRounds(configured, 0);
    const long = await startRounds(
      new Map([...configured].filter(([name]) => !PEERS.includes(name))),
      LONG_MILLIS,
    );
    return [...shortRows(short), ...longRows(long)];
  } finally {
    await collector.close();
    await sink.close();
  }
}

function shortRows(times) {
  const rows = [OURS, DOWN].flatMap((name) => [
    boundRow({ work: startWork(name), unit: 'ms', values: added(times, name, 'start'), most: 20 }),
    boundRow({ work: `exit of node -e 0, ${name}`, unit: 'ms', values: added(times, name, 'exit'), most: 5 }),
  ]);
  const own = added(times, OURS, 'whole');
  const peers = PEERS.map((name) => [name, added(times, name, 'whole')]);
  peers.sort(([, a], [, b]) => median(a) - median(b));
  peers.forEach(([name, values], place) => {
    const ratio = unpairedRatio(own, values, median);
    const goal = place === 0 ? '≥ 2× the best' : '';
    rows.push(
      resultRow({
        work: 'start and exit of node -e 0',
        unit: 'ms',
        ours: interval(own),
        peer: peerOf(name, name, median(values)),
        ratio,
        floors: [{ name: 'node alone', value: median(times.get(NONE).map(({ whole }) => whole)) }],
        goal,
        met: goal === '' ? null : ratio[1] >= 2,
      }),
    );
  });
  return rows;
}

function startWork(name) {
  return `start of node -e 0, ${name}`;
}

function longRows(times) {
  return [OURS, DOWN].map((name) =>
    boundRow({
      work: `exit after ${LONG_MILLIS} ms, ${name}`,
      unit: 'ms',
      values: added(times, name, 'exit'),
      most: 20,
    }),
  );
}

/** Milliseconds that an agent adds, round by round, over the same round without one. */
function added(times, name, part) {
  return times.get(name).map((time, round) => time[part] - times.get(NONE)[round][part]);
}

/** Times of each configuration: { start, exit, whole } in ms, one a round. */
async function startRounds(configured, millis) {
  const times = new Map([...configured.keys()].map((name) => [name, []]));
  for (let round = -1; round < settings.startRounds; round++) {
    const order = round % 2 === 0 ? [...configured] : [...configured].reverse();
    for (const [name, agent] of order) {
      const time = await startOnce(agent, millis, KEEPS_ALIVE.has(name) ? 'leave' : 'return');
      if (round >= 0) times.get(name).push(time);
    }
  }
  return times;
}

function startOnce({ execArgv, env }, millis, end) {
  return new Promise((resolve, reject) => {
    const words = [...execArgv, join(PROGRAMS, 'moment.cjs'), String(millis), end];
    const spawned = process.hrtime.bigint();
    const child = spawn(process.execPath, words, {
      env: cleanEnvironment(env),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PROGRAM_MILLIS_MAX,
    });
    let told = '';
    child.stdout.setEncoding('latin1').on('data', (text) => {
      told += text;
    });
    let exited = 0n;
    child.on('exit', () => {
      exited = process.hrtime.bigint();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const moments = told.trim().split(' ');
      try {
        assert.equal(signal ?? code, 0, `${words.join(' ')} ended with ${signal ?? code}`);
        assert.equal(moments.length, 2, `the program told ${JSON.stringify(told)}`);
      } catch (error) {
        reject(error);
        return;
      }
      const [first, last] = moments.map(BigInt);
      resolve({
        start: Number(first - spawned) / 1e6,
        exit: Number(exited - last) / 1e6,
        whole: Number(exited - spawned) / 1e6,
      });
    });
  });
}
