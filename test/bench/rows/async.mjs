/**
 * What following asynchronous resources adds to a timer, an immediate, an await and a request of the program, stacks
 * included: as it is by default, and always on, against the same agent with it off.
 */
import { join } from 'node:path';
import { agentOf, OURS } from '../harness/agents.mjs';
import { startCollector } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { resultRow } from '../harness/result.mjs';
import { settings } from '../harness/settings.mjs';
import { interval, median } from '../harness/statistics.mjs';

const MODES = ['off', 'auto', 'on'];
const WORKS = ['timer', 'immediate', 'await', 'request'];

export async function measure() {
  const collector = await startCollector();
  const rounds = new Map(MODES.map((mode) => [mode, []]));
  try {
    for (let round = 0; round < settings.programRounds; round++) {
      for (const mode of round % 2 === 0 ? MODES : [...MODES].reverse())
        rounds.get(mode).push(await run(mode));
    }
  } finally {
    await collector.close();
  }
  return WORKS.flatMap((work) => MODES.slice(1).map((mode) => row(work, mode)));

  async function run(mode) {
    const { execArgv, env } = agentOf(OURS, { collector });
    const file = join(PROGRAMS, 'async-work.cjs');
    const program = new Program({ file, execArgv, env: { ...env, RINGTAIL_ASYNC: mode } });
    const nanos = await program.tell('result');
    await program.ended();
    return nanos;
  }

  function row(work, mode) {
    const off = rounds.get('off').map((nanos) => nanos[work]);
    const added = rounds.get(mode).map((nanos, round) => nanos[work] - off[round]);
    const floors = [{ name: 'with it off', value: median(off) }];
    return resultRow({
      work: `${work}, followed (${mode}), added`,
      unit: 'ns',
      ours: interval(added),
      floors,
    });
  }
}
