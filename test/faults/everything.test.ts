/**
 * Everything at once, for half a minute; EVERYTHING_MINUTES makes the long form (`npm run soak -- --only everything`),
 * which also holds memory and cost against bounds.
 */
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { PPROF_PROFILES } from '../../collector/profile/pprof-request';
import { readPprof } from '../collector/pprof-reader';
import { ENDPOINTS } from '../soak/endpoints';
import { runEverything } from '../soak/everything';
import { conserved, rowOf, stallTiers } from '../soak/figures';

const MINUTES = Number(process.env.EVERYTHING_MINUTES ?? 0);
const SMOKE_SECONDS = 25;
/** From so many on, memory has settled enough for a slope to mean anything. */
const SLOPE_MINUTES = 20;
/** MB in ten minutes: what is ours on top of the same program without the agent; the collector. */
const GROWTH_MEGABYTES = 5;
/** Percent of a core that the agent's threads may take while nobody looks. */
const BUDGET_PERCENT = 1;
/** From so many on, every turn has come, and booting is not most of it. */
const TURNS_MINUTES = 5;

it('the list of what is asked for knows every profile', () => {
  const asked = new Set(ENDPOINTS.map(({ path }) => path.replace(/\?.*/, '')));
  expect(Object.keys(PPROF_PROFILES).filter((name) => !asked.has(name))).toEqual([]);
});

it(
  'a service with everything on comes through, and nothing of it is lost',
  async () => {
    const run = await runEverything(MINUTES * 60 || SMOKE_SECONDS, MINUTES > 0);
    const row = rowOf(run);
    console.log(`figures: ${JSON.stringify(row)}`);
    for (const { count, words } of run.tail.notes.values()) console.log(`note, ${count} times: ${words}`);

    expect.soft([run.outcome, run.controlOutcome, run.collectorExitCodes]).toEqual(['0', '0', [0, 0]]);
    expect.soft(run.strangeLines).toEqual([]);
    expect.soft(run.figures.agent.faults).toBe(0);
    for (const { faults } of run.askers) expect.soft(faults).toEqual([]);
    if (MINUTES === 0 || MINUTES >= TURNS_MINUTES)
      for (const { missing } of run.askers) expect.soft(missing).toEqual([]);
    for (const [what, done, told] of conserved(run)) expect.soft([what, told]).toEqual([what, done]);
    expect.soft(run.told.sum('ringtail_gaps_total')).toBe(0);
    for (const [tier, caused, seen] of stallTiers(run))
      if (tier !== '50ms') expect.soft(seen, tier).toBeGreaterThanOrEqual(caused);
    if (MINUTES >= TURNS_MINUTES) expect.soft(run.cost.alone!.threads).toBeLessThan(BUDGET_PERCENT);
    if (MINUTES >= SLOPE_MINUTES) {
      const growth = (name: string) => run.memory.of(name)?.slope ?? 0;
      // On Node 24 the program alone gains 5 to 6 MB in ten minutes, and under the agent, whose heap is larger, in proportion
      // more; both level off (60 requests a second: after four minutes).
      const itself = Math.max(0, growth('control'));
      expect.soft(growth('service') - itself).toBeLessThan(GROWTH_MEGABYTES + itself);
      expect.soft(growth('collector')).toBeLessThan(GROWTH_MEGABYTES);
      expect.soft(growth('agentHeap')).toBeLessThan(GROWTH_MEGABYTES);
    }
    expect.soft(run.tail.broken).toBe(0);
    expect.soft(run.dumps.length).toBeGreaterThan(0);
    for (const dump of run.dumps) JSON.parse(gunzipSync(dump).toString());
    expect.soft(readPprof(gunzipSync(run.runProfile)).samples.length).toBeGreaterThan(0);
  },
  (MINUTES + 4) * 60_000,
);
