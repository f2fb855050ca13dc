/** A program leaves the same way with and without the agent: same code, signal and output, and soon. */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CollectorStand, muteCollector, noCollector, realCollector } from './collectors';
import {
  agentLines,
  copyAgent,
  inTurns,
  type Outcome,
  REGISTER,
  runProgram,
  scratchFolder,
  visible,
} from './program';
import { type ModuleSystem, NODE_LINE, programText, READY, WAYS_OUT, type WayOut } from './ways-out';

const LONGER_MILLIS = 500;
const SYSTEMS: ModuleSystem[] = ['cjs', 'esm'];

const scratch = scratchFolder();
const stands: Record<string, CollectorStand> = {};
let fakeRegister = '';

beforeAll(async () => {
  stands.up = await realCollector();
  stands.mute = await muteCollector();
  stands.down = await noCollector();
  fakeRegister = await copyAgent(join(scratch.path, 'fake'), 'fake');
});

afterAll(async () => {
  await Promise.all(Object.values(stands).map((stand) => stand.close()));
  scratch.remove();
});

describe.each(WAYS_OUT)('$name', (way) => {
  it.each(SYSTEMS)('is the same under the agent (%s)', async (system) => {
    const script = written(way, system);
    const conditions = Object.entries(stands).map(([state, { env }]) => ({ state, env }));
    const run = (args: string[], env: Record<string, string> = {}) =>
      runProgram([...args, script], { env, during: (child) => signalWhenReady(child, way) });
    const [bare, ...watched] = await inTurns([
      () => run([]),
      ...conditions.map(
        ({ env }) =>
          () =>
            run(['-r', REGISTER], env),
      ),
    ]);
    for (const [index, outcome] of watched.entries()) {
      const { state, env } = conditions[index]!;
      expect(visible(outcome), `collector ${state}`).toEqual(visible(bare!));
      const lines = agentLines(outcome).filter((line) => !(way.abrupt && line === NODE_LINE));
      expect(lines, `collector ${state}`).toEqual([]);
      const runs = { bare: () => run([]), under: () => run(['-r', REGISTER], env) };
      expect(await addedMillis(bare!, outcome, runs), `collector ${state}`).toBeLessThanOrEqual(
        LONGER_MILLIS,
      );
    }
  });
});

describe('a collector that is killed', () => {
  it.each(SYSTEMS)('takes no program with it (%s)', async (system) => {
    const script = written(WAYS_OUT.find(({ name }) => name === 'return')!, system);
    const bare = await runProgram([script]);
    const collector = await realCollector();
    const outcome = await runProgram(['-r', REGISTER, script], {
      env: collector.env,
      during: (child) => child.stdout?.once('data', () => setTimeout(collector.kill, 200)),
    });
    await collector.close();
    expect(visible(outcome)).toEqual(visible(bare));
    expect(agentLines(outcome)).toEqual([]);
  });
});

describe('a wedged agent thread', () => {
  it.each(SYSTEMS)('delays the exit by no more than the deadline (%s)', async (system) => {
    const script = written(WAYS_OUT.find(({ name }) => name === 'process.exit(7)')!, system);
    const runs = {
      bare: () => runProgram([script]),
      under: () => runProgram(['-r', fakeRegister, script], { env: { RINGTAIL_LABELS: 'thread=wedged' } }),
    };
    const [bare, outcome] = [await runs.bare(), await runs.under()];
    expect(visible(outcome)).toEqual(visible(bare));
    expect(outcome.millis).toBeGreaterThan(bare.millis + 200);
    expect(await addedMillis(bare, outcome, runs)).toBeLessThanOrEqual(LONGER_MILLIS);
  });
});

function written(way: WayOut, system: ModuleSystem): string {
  const script = join(scratch.path, `${way.name.replace(/\W+/g, '-')}.${system === 'cjs' ? 'cjs' : 'mjs'}`);
  writeFileSync(script, programText(way, system));
  return script;
}

function signalWhenReady(child: ChildProcess, { signal }: WayOut): void {
  if (signal === undefined) return;
  child.stdout?.on('data', (text) => String(text).includes(READY) && child.kill(signal));
}

type Runs = { bare: () => Promise<Outcome>; under: () => Promise<Outcome> };

/** A machine that is busy with something else slows single runs: only a delay that stays counts. */
async function addedMillis(bare: Outcome, under: Outcome, runs: Runs): Promise<number> {
  let added = under.millis - bare.millis;
  for (let attempt = 0; attempt < 3 && added > LONGER_MILLIS; attempt++) {
    const without = await runs.bare();
    added = Math.min(added, (await runs.under()).millis - without.millis);
  }
  return added;
}
