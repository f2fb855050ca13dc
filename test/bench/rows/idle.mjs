/**
 * What an agent costs a program that does nothing, once it rests: resident memory added (beside what a bare worker
 * thread adds, and one that has sampled main by the runtime's own means: less is not to be had), CPU of the whole
 * process, and wake-ups of all its threads. All programs rest side by side. Memory is told in its parts: anonymous (heaps,
 * stacks, what was allocated) and pages of files (code of the runtime that was run; every program on the machine that
 * runs it, too, shares them).
 */
import { setTimeout } from 'node:timers/promises';
import { agentOf, DATADOG, DD_TRACE, NONE, OURS, PYROSCOPE } from '../harness/agents.mjs';
import { startCollector, startSink } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { boundRow, peerOf, resultRow } from '../harness/result.mjs';
import { settings } from '../harness/settings.mjs';
import { interval, median, unpairedRatio } from '../harness/statistics.mjs';
import { residentParts, switches, threadCpuNanos } from '../harness/threads.mjs';

const WORKER = 'bare worker';
const SAMPLER = 'worker that sampled';
/** Modes of programs/idle.cjs. */
const MODES = { [WORKER]: 'worker', [SAMPLER]: 'sampler' };
const PEERS = [DATADOG, PYROSCOPE, DD_TRACE];
const NAMES = [NONE, WORKER, SAMPLER, OURS, ...PEERS];
const MIB = 2 ** 20;

export async function measure() {
  const collector = await startCollector();
  const sink = await startSink();
  const running = [];
  const failed = [];
  try {
    for (const name of NAMES) {
      for (let copy = 0; copy < settings.idleCopies; copy++) {
        try {
          running.push({ name, program: await startProgram(name, { collector, sink }) });
        } catch {
          failed.push(name);
        }
      }
    }
    await setTimeout(settings.idleSettleSeconds * 1000);
    const agents = (await collector.metric('ringtail_agents'))[0];
    const figures = await figuresOf(running);
    const note = `${agents} agents connected${failed.length > 0 ? `; did not start: ${[...new Set(failed)].join(', ')}` : ''}`;
    return rowsOf(figures, note);
  } finally {
    await Promise.all(running.map(({ program }) => program.stop()));
    await collector.close();
    await sink.close();
  }
}

async function startProgram(name, places) {
  const { execArgv, env } = agentOf(name, places);
  const rest = settings.quick ? { RINGTAIL_IDLE_AFTER_MILLIS: '3000' } : {};
  const args = name in MODES ? [MODES[name]] : [];
  const program = new Program({ file: `${PROGRAMS}/idle.cjs`, args, execArgv, env: { ...env, ...rest } });
  await program.tell('ready');
  return program;
}

/** By name: lists of { rssMib, anonymousMib, fileMib, cpuPercent, wakeUps }. */
async function figuresOf(running) {
  const before = running.map(({ program: { pid } }) => look(pid));
  await setTimeout(settings.idleSeconds * 1000);
  const figures = new Map(NAMES.map((name) => [name, []]));
  running.forEach(({ name, program: { pid } }, index) => {
    const from = before[index];
    const to = look(pid);
    const seconds = (to.at - from.at) / 1000;
    figures.get(name).push({
      rssMib: (to.anonymous + to.file) / MIB,
      anonymousMib: to.anonymous / MIB,
      fileMib: to.file / MIB,
      cpuPercent: (to.cpuNanos - from.cpuNanos) / seconds / 1e7,
      wakeUps: (to.switches - from.switches) / seconds,
    });
  });
  return figures;
}

function look(pid) {
  const cpuNanos = [...threadCpuNanos(pid).values()].reduce((sum, nanos) => sum + nanos, 0);
  return { at: performance.now(), ...residentParts(pid), switches: switches(pid), cpuNanos };
}

function rowsOf(figures, note) {
  const pick = (name, key) => figures.get(name).map((figure) => figure[key]);
  const added = (name, key = 'rssMib') => {
    const alone = median(pick(NONE, key));
    return pick(name, key).map((mib) => mib - alone);
  };
  const parts = (name) => {
    const [anonymous, file] = [added(name, 'anonymousMib'), added(name, 'fileMib')].map(median);
    return `${name} ${anonymous.toFixed(1)} + ${file.toFixed(1)}`;
  };
  const own = added(OURS);
  const ratios = own.map((mib) => mib / median(added(WORKER)));
  const rows = [
    boundRow({
      work: 'idle, memory added',
      unit: '× a bare worker',
      values: ratios,
      most: 1.4,
      floors: [WORKER, SAMPLER].map((name) => ({ name: `${name} MiB`, value: median(added(name)) })),
      note: `MiB anonymous + of files: ${[OURS, WORKER, SAMPLER].map(parts).join(', ')}; ${note}`,
    }),
  ];
  for (const name of PEERS.filter((peer) => figures.get(peer).length > 0)) {
    const ratio = unpairedRatio(own, added(name), median);
    const wanted = name === DD_TRACE ? 1.5 : 0;
    rows.push(
      resultRow({
        work: 'idle, memory added',
        unit: 'MiB',
        ours: interval(own),
        peer: peerOf(name, name, median(added(name))),
        ratio,
        goal: wanted === 0 ? '' : `≥ ${wanted}×`,
        met: wanted === 0 ? null : ratio[1] >= wanted,
      }),
    );
  }
  const floor = (key) => [{ name: 'no agent', value: median(pick(NONE, key)) }];
  const values = (key) => pick(OURS, key);
  rows.push(
    boundRow({
      work: 'idle, CPU',
      unit: '%',
      values: values('cpuPercent'),
      most: 0.2,
      floors: floor('cpuPercent'),
    }),
    boundRow({
      work: 'idle, wake-ups',
      unit: '/s',
      values: values('wakeUps'),
      most: 10,
      floors: floor('wakeUps'),
    }),
  );
  return rows;
}
