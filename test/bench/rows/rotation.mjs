/**
 * How long the main thread stands still when a profiling window ends and the next begins: ours with the real agent
 * thread and 1 s windows at the most, `Profiler.stop` + `start`, and @datadog/pprof's rotation, once a second each, in
 * alternating runs of two programs: the demo service under load and a TypeScript compile.
 *
 * Peers are called from the main thread and timed there. Our rotation comes by interrupt from another thread: it is
 * timed on main around its JavaScript. The compiler's heartbeat, which beats every few microseconds, sees the gap
 * around it too; the middle of the difference is what the interrupt takes besides, and is added to every pause. Time that main waited for a CPU which others
 * kept busy is taken off every pause, theirs and ours.
 */
import assert from 'node:assert';
import { join } from 'node:path';
import { DATADOG, NONE, OURS, observedAgentOf } from '../harness/agents.mjs';
import { startCollector } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { boundRow, peerOf, resultRow } from '../harness/result.mjs';
import { underLoad } from '../harness/service.mjs';
import { settings } from '../harness/settings.mjs';
import { interval, quantile, unpairedRatio } from '../harness/statistics.mjs';

const STOP_START = 'Profiler.stop + start';
const PEER_WORDS = { [OURS]: '', [STOP_START]: 'inspector', [DATADOG]: 'datadog' };
const p99 = (values) => quantile(values, 0.99);
const longest = (values) => Math.max(...values);

export async function measure() {
  const collector = await startCollector();
  try {
    const service = await alternatePauses((name) => servicePauses(name, collector));
    const compile = await alternatePauses((name) => compilePauses(name, collector));
    const overhead = quantile(compile.get(OURS).overheads, 0.5);
    return [
      ...rowsOf('demo service', service, overhead, 2),
      ...rowsOf('TypeScript compile', compile, overhead, 5),
    ];
  } finally {
    await collector.close();
  }
}

async function alternatePauses(run) {
  const names = Object.keys(PEER_WORDS);
  const results = new Map(names.map((name) => [name, { pauses: [], overheads: [] }]));
  for (let round = 0; round < settings.rotationRounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const { pauses, overheads } = await run(name);
      assert.ok(pauses.length > 0, `${name} did not rotate`);
      results.get(name).pauses.push(...pauses);
      results.get(name).overheads.push(...overheads);
    }
  }
  return results;
}

async function servicePauses(name, collector) {
  const { execArgv, env } = agentFor(name, collector);
  const program = { file: join(PROGRAMS, 'service.cjs'), args: [PEER_WORDS[name]], execArgv, env };
  const { figures } = await underLoad(program, settings.rotationSeconds, async (running, over) => {
    await over;
    running.send('finish');
    return running.tell('result');
  });
  return pausesOf(name, figures);
}

async function compilePauses(name, collector) {
  const { execArgv, env } = agentFor(name, collector);
  const args = [String(settings.compileFiles), `beat:${PEER_WORDS[name]}`];
  const program = new Program({ file: join(PROGRAMS, 'compile.cjs'), args, execArgv, env });
  const result = await program.tell('result');
  await program.ended();
  return pausesOf(name, result);
}

function agentFor(name, collector) {
  const { execArgv, env } = observedAgentOf(name === OURS ? OURS : NONE, { collector });
  return { execArgv, env: { ...env, RINGTAIL_MAX_WINDOW_MILLIS: '1000' } };
}

/** Milliseconds of each pause, and what the gap around each of ours had besides. */
function pausesOf(name, { rotations, gaps, pauses }) {
  if (name !== OURS) return { pauses: pauses.map(length), overheads: [] };
  const overheads = rotations.flatMap((rotation) => {
    const gap = gaps.find(([from, to]) => from <= rotation[0] && rotation[1] <= to);
    return gap === undefined ? [] : [Math.max(0, length(gap) - length(rotation))];
  });
  return { pauses: rotations.map(length), overheads };
}

function length([start, end, waited]) {
  return Math.max(0, end - start - waited);
}

function rowsOf(program, results, overhead, mostMillis) {
  const own = results.get(OURS).pauses.map((pause) => pause + overhead);
  const note = `${own.length} rotations of ours; the interrupt around it, ${overhead.toFixed(3)} ms, is added to each`;
  const work = `rotation pause p99, ${program}`;
  const rows = [boundRow({ work, unit: 'ms', values: own, figure: p99, most: mostMillis, note })];
  for (const name of [STOP_START, DATADOG]) {
    const theirs = results.get(name).pauses;
    const ratio = unpairedRatio(own, theirs, p99);
    const peer = peerOf(name, name === DATADOG ? DATADOG : '', p99(theirs));
    const ours = interval(own, p99);
    rows.push(resultRow({ work, unit: 'ms', ours, peer, ratio, goal: '≥ 5×', met: ratio[1] >= 5 }));
  }
  rows.push(
    resultRow({ work: `rotation pause longest, ${program}`, unit: 'ms', ours: interval(own, longest) }),
  );
  return rows;
}
