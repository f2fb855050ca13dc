/**
 * What an agent costs a program of fixed work. Each round runs every contender once, the program without an agent
 * twice, so that A/B (agent against none) stands beside A/A (none against none). The headline is what can be told apart
 * exactly: CPU of the agent's own thread and of V8's sampler thread, and the time the main thread spent in rotations.
 */
import { DATADOG, NONE, OURS, PYROSCOPE } from './agents.mjs';
import { boundRow, peerOf, resultRow } from './result.mjs';
import { settings } from './settings.mjs';
import { interval, median, unpairedRatio } from './statistics.mjs';

export const AGAIN = 'no agent again';
const PEERS = [DATADOG, PYROSCOPE];
export const CONTENDERS = [NONE, OURS, AGAIN, ...PEERS];

/**
 * run(name) gives { cpu, parts, rateHz } of one run: cpu in any one unit, parts the headline's three in percent. Runs the rounds, the order turning
 * with each.
 */
export async function costRounds(run) {
  const costs = new Map(CONTENDERS.map((name) => [name, []]));
  for (let round = 0; round < settings.programRounds; round++) {
    for (const name of round % 2 === 0 ? CONTENDERS : [...CONTENDERS].reverse())
      costs.get(name).push(await run(name));
  }
  return costs;
}

export function costRows(program, costs, mostPercent) {
  const cpu = (name) => costs.get(name).map((cost) => cost.cpu);
  const added = (name) => cpu(name).map((value, round) => 100 * (value / cpu(NONE)[round] - 1));
  const parts = costs.get(OURS).map((cost) => cost.parts);
  const part = (key) => median(parts.map((percents) => percents[key])).toFixed(2);
  const rates = costs.get(OURS).map(({ rateHz }) => rateHz);
  const rate = `sampling rate ${median(rates).toFixed(0)} Hz (lowest ${Math.min(...rates).toFixed(0)})`;
  const rows = [
    boundRow({
      work: `CPU at 99 Hz, ${program}`,
      unit: '%',
      values: parts.map(({ agent, sampler, rotations }) => agent + sampler + rotations),
      most: mostPercent,
      note: `agent thread ${part('agent')} %, sampler thread ${part('sampler')} %, rotations ${part('rotations')} %; ${rate}`,
    }),
    resultRow({ work: `A/A, ${program}`, unit: '%', ours: interval(added(AGAIN)) }),
  ];
  const own = added(OURS);
  const aa = { name: 'A/A', value: median(added(AGAIN)) };
  const peers = PEERS.map((name) => ({ name, values: added(name) })).sort(
    (a, b) => median(a.values) - median(b.values),
  );
  peers.forEach(({ name, values }, place) => {
    const ratio = unpairedRatio(own, values, median);
    const sound = median(own) > 0 && ratio.every((value) => value > 0);
    rows.push(
      resultRow({
        work: `A/B, ${program}`,
        unit: '%',
        ours: interval(own),
        peer: peerOf(name, name, median(values)),
        ratio: sound ? ratio : null,
        floors: [aa],
        goal: place === 0 ? '≥ 2× the best' : '',
        met: place === 0 ? sound && ratio[1] >= 2 : null,
        note: sound ? '' : 'what was added is not above the noise: no ratio',
      }),
    );
  });
  return rows;
}
