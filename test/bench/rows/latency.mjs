/**
 * The 99th percentile of an HTTP service's latency at 60 % of its capacity, against the same program without an agent:
 * ours and the peers beside A/A. Capacity is measured once, without an agent; all rounds get the same arrivals.
 */
import { join } from 'node:path';
import { AGAIN, CONTENDERS } from '../harness/agent-cost.mjs';
import { agentOf, NONE, OURS } from '../harness/agents.mjs';
import { startCollector, startSink } from '../harness/collector.mjs';
import { PROGRAMS } from '../harness/folders.mjs';
import { capacityOf, openLoop } from '../harness/open-loop.mjs';
import { Program } from '../harness/program.mjs';
import { peerOf, resultRow } from '../harness/result.mjs';
import { settings } from '../harness/settings.mjs';
import { interval, median, quantile } from '../harness/statistics.mjs';

const SHARE = 0.6;
const CAPACITY_SECONDS = 3;
const WARM_SECONDS = 3;
const PEERS = CONTENDERS.filter((name) => ![NONE, OURS, AGAIN].includes(name));

export async function measure() {
  const collector = await startCollector();
  const sink = await startSink();
  try {
    const places = { collector, sink };
    const perSecond = SHARE * (await withService(NONE, places, (port) => capacityOf(port, CAPACITY_SECONDS)));
    const p99 = new Map(CONTENDERS.map((name) => [name, []]));
    for (let round = 0; round < settings.latencyRounds; round++) {
      for (const name of round % 2 === 0 ? CONTENDERS : [...CONTENDERS].reverse()) {
        const millis = await withService(name, places, (port) =>
          openLoop(port, perSecond, settings.latencySeconds, round + 1),
        );
        p99.get(name).push(quantile(millis, 0.99));
      }
    }
    return rowsOf(p99, perSecond);
  } finally {
    await collector.close();
    await sink.close();
  }
}

async function withService(name, places, use) {
  const agent = agentOf(name === AGAIN ? NONE : name, places);
  const program = new Program({ file: join(PROGRAMS, 'http-service.cjs'), ...agent });
  try {
    const port = await program.tell('port');
    await capacityOf(port, WARM_SECONDS, 2);
    return await use(port);
  } finally {
    await program.stop();
  }
}

function rowsOf(p99, perSecond) {
  const alone = p99.get(NONE);
  const over = (name) => p99.get(name).map((millis, round) => millis / alone[round]);
  const again = interval(over(AGAIN));
  const own = interval(over(OURS));
  const work = 'p99 at 60 % load, × no agent';
  const floors = [{ name: 'no agent, ms', value: median(alone) }];
  const note = `${perSecond.toFixed(0)} requests/s, open loop, ${alone.length} rounds; met: ours within A/A's interval or below`;
  return [
    resultRow({
      work,
      unit: '×',
      ours: own,
      floors,
      goal: `≤ ${again[2].toFixed(2)} × (A/A)`,
      met: own[0] <= again[2],
      note,
    }),
    resultRow({ work: 'p99 at 60 % load, A/A', unit: '×', ours: again, floors }),
    ...PEERS.map((name) =>
      resultRow({ work, unit: '×', ours: own, peer: peerOf(name, name, median(over(name))), floors }),
    ),
  ];
}
