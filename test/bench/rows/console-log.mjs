/** What a console.log costs more while the agent's inspector session is connected; stdout is /dev/null. */
import { join } from 'node:path';
import { agentOf, NONE, OURS } from '../harness/agents.mjs';
import { startCollector } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { Program } from '../harness/program.mjs';
import { resultRow } from '../harness/result.mjs';
import { settings } from '../harness/settings.mjs';
import { interval, median } from '../harness/statistics.mjs';

export async function measure() {
  const collector = await startCollector();
  const micros = new Map([
    [NONE, []],
    [OURS, []],
  ]);
  try {
    for (let round = 0; round < settings.programRounds; round++) {
      for (const name of round % 2 === 0 ? [NONE, OURS] : [OURS, NONE]) {
        const file = join(PROGRAMS, 'console-lines.cjs');
        const program = new Program({
          file,
          args: [String(settings.consoleLines)],
          ...agentOf(name, { collector }),
        });
        micros.get(name).push((await program.tell('result')).microsPerLine);
        await program.ended();
      }
    }
  } finally {
    await collector.close();
  }
  const added = micros.get(OURS).map((value, round) => value - micros.get(NONE)[round]);
  const floors = [{ name: 'no agent, whole call', value: median(micros.get(NONE)) }];
  return [resultRow({ work: 'console.log, added', unit: 'µs', ours: interval(added), floors })];
}
