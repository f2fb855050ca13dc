/**
 * Whether an inlined leaf is given to the right function. V8 records a program of many files, and one of a single large
 * file; from each call that it did show, the callee is hidden, as it hides those that it inlined: what is left is the
 * caller and a line. Held against that, in ticks: how often a wrong function is named, how often none is. Beside it what
 * stands at that line of the caller's own script, which is all that the line tells without a search.
 */
import assert from 'node:assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOurs } from '../harness/bundle.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { cleanEnvironment } from '../harness/program.mjs';
import { resultRow } from '../harness/result.mjs';
import { settings } from '../harness/settings.mjs';

const INTERVAL_MICROS = 500;
const TICKS_MIN = 500;
const GOAL_WRONG_PERCENT = 5;
const ASKED_MAX = 200;

const WORKLOADS = [
  { name: 'many files', file: 'many-files.cjs', args: [String(settings.quick ? 3000 : 10_000)] },
  { name: 'one large file', file: 'compile.cjs', args: ['10'] },
];

export async function measure() {
  const rows = [];
  for (const workload of WORKLOADS) {
    const counts = await count(recorded(workload));
    assert.ok(counts.ticks >= TICKS_MIN, `${workload.name}: ${counts.ticks} ticks in calls that were shown`);
    const percent = (ticks) => (100 * ticks) / counts.ticks;
    const wrong = percent(counts.wrong);
    rows.push(
      resultRow({
        work: `inlined leaves given to a wrong function, ${workload.name}`,
        unit: '%',
        ours: [wrong, wrong, wrong],
        floors: [{ name: 'what stands at the line', value: percent(counts.wrongByLine) }],
        goal: `≤ ${GOAL_WRONG_PERCENT} %`,
        met: wrong <= GOAL_WRONG_PERCENT,
        note: `${percent(counts.unnamed).toFixed(1)} % stay with the caller; ${counts.ticks} ticks`,
      }),
    );
  }
  return rows;
}

function recorded({ file, args }) {
  const folder = mkdtempSync(join(tmpdir(), 'inlining-'));
  try {
    const words = ['--cpu-prof', '--cpu-prof-interval', String(INTERVAL_MICROS), '--cpu-prof-dir', folder];
    execFileSync(process.execPath, [...words, '--cpu-prof-name', 'p.json', join(PROGRAMS, file), ...args], {
      env: cleanEnvironment(),
      stdio: 'ignore',
    });
    return JSON.parse(readFileSync(join(folder, 'p.json'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function count({ nodes }) {
  const { InlinedCallees, ScriptFiles, innermostAt } = loadOurs();
  // A process that is old enough for every file; those of packages are older still.
  const scripts = new ScriptFiles(Date.now() - 100_000);
  const callees = new InlinedCallees(scripts);
  const calls = callsIn(nodes);
  await untilRead(scripts, calls);
  const counts = { ticks: 0, right: 0, wrong: 0, unnamed: 0, wrongByLine: 0 };
  for (let round = 0; round < 2; round++) {
    for (const key of Object.keys(counts)) counts[key] = 0;
    for (const { caller, callee, line, ticks } of calls) {
      const credited = callees.locate(caller);
      const owner = callees.locate(callee);
      if (credited === null || owner === null) continue;
      if (callees.isInside(credited, line) || !callees.isInside(owner, line)) continue;
      const truth = innermostAt(scripts.textOf(callee.url).functions, line);
      const isTruth = ({ url, range }) => url === callee.url && range.line === truth?.line;
      const told = callees.ownerOf(credited, line, caller, []);
      counts.ticks += ticks;
      if (told === 'unnamed') counts.unnamed += ticks;
      else counts[isTruth(told) ? 'right' : 'wrong'] += ticks;
      const there = innermostAt(scripts.textOf(caller.url).functions, line);
      if (there !== null && !isTruth({ url: caller.url, range: there })) counts.wrongByLine += ticks;
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
  return counts;
}

/** Ticks of functions that were called by another of a file. */
function callsIn(nodes) {
  const parents = new Map();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  return nodes.flatMap((node) => {
    const caller = parents.get(node.id)?.callFrame;
    if (!caller?.url.startsWith('file:') || !node.callFrame.url.startsWith('file:')) return [];
    return (node.positionTicks ?? []).map(({ line, ticks }) => ({
      caller,
      callee: node.callFrame,
      line,
      ticks,
    }));
  });
}

async function untilRead(scripts, calls) {
  const urls = new Set(calls.flatMap(({ caller, callee }) => [caller.url, callee.url]));
  for (let i = 0; i < ASKED_MAX; i++) {
    if ([...urls].every((url) => scripts.textOf(url) !== undefined)) return;
    await new Promise((done) => setTimeout(done, 200));
  }
}
