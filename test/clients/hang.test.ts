/**
 * The main thread hangs for seconds: the tail says so while it lasts and names the function, and a profile asked for in
 * the middle of the hang is answered on time. Calls that JavaScript cannot be interrupted in are told as native, with the
 * last JavaScript before them; the stall that follows names the caller.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TailLine, TailSecond } from '../../collector/tail/schema';
import { REGISTER } from '../faults/program';
import { openCollector, type RunningCollector, watchTail } from './running';

const PROGRAM = join(__dirname, '../faults/fixtures/hangs.js');
/** What is told while it lasts: which kind, and for JavaScript which function. */
const NAMED = [
  ['loop', 'hangInLoop', ['javascript']],
  ['regex', 'hangInRegex', ['javascript']],
  ['wasm', 'hangInWasm', ['javascript']],
  ['wait', 'hangInWait', ['blocked', 'javascript']],
] as const;
const NATIVE = [
  ['parse', 'hangInParse'],
  ['sort', 'hangInSort'],
  ['pbkdf2', 'hangInPbkdf2'],
  ['exec', 'hangInExec'],
  ['brotli', 'hangInBrotli'],
] as const;

type Seen = {
  beganMillis: number;
  overMillis: number;
  lines: { atMillis: number; line: TailLine }[];
  answerMillis: number;
  profile: string;
};

/** Runs a hang with a tail beside it and a one-second profile asked for half a second into the hang. */
async function see(collector: RunningCollector, way: string): Promise<Seen> {
  const service = `hang-${way}`;
  const lines: Seen['lines'] = [];
  const tail = await watchTail(collector, service, (line) => lines.push({ atMillis: Date.now(), line }));
  const child = spawn(process.execPath, ['-r', REGISTER, PROGRAM, way], {
    env: { ...process.env, ...collector.agentEnvironment, RINGTAIL_SERVICE: service },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen: Seen = { beganMillis: 0, overMillis: 0, lines, answerMillis: 0, profile: '' };
  let asked: Promise<void> = Promise.resolve();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const [, word, millis] of text.matchAll(/(hang|over) (\d+)/g)) {
      if (word === 'over') seen.overMillis = Number(millis);
      else {
        seen.beganMillis = Number(millis);
        asked = askProfile(collector, service, seen);
      }
    }
  });
  await new Promise((resolve) => child.on('close', resolve));
  await asked;
  await new Promise((resolve) => setTimeout(resolve, 1200));
  tail.close();
  return seen;
}

async function askProfile(collector: RunningCollector, service: string, seen: Seen): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 500));
  const from = Date.now();
  const answer = await fetch(`${collector.url}/debug/pprof/profile?seconds=1&service=${service}`);
  const body = Buffer.from(await answer.arrayBuffer());
  seen.answerMillis = Date.now() - from;
  expect(answer.status, body.toString('utf8').slice(0, 200)).toBe(200);
  seen.profile = gunzipSync(body).toString('latin1');
}

const seconds = (seen: Seen) =>
  seen.lines.filter((entry): entry is { atMillis: number; line: TailSecond } => entry.line.type === 'second');

// Times of a machine that others use as well: once more before a miss counts.
describe('a main thread that hangs', { retry: 1 }, () => {
  let collector: RunningCollector;
  beforeAll(async () => {
    collector = await openCollector();
  });
  afterAll(() => collector.close());

  it.each(NAMED)('in %s: is named while it lasts, by tail and by profile', async (way, name, kinds) => {
    const seen = await see(collector, way);
    const during = seconds(seen).filter(
      ({ atMillis, line }) => line.hang !== null && atMillis < seen.overMillis,
    );
    expect(during.length).toBeGreaterThan(0);
    const named = during.find(({ line }) => line.hang!.stack.some((frame) => frame.includes(name)));
    expect(named, JSON.stringify(during.map(({ line }) => line.hang))).toBeDefined();
    expect(kinds).toContain(named!.line.hang!.kind);
    expect(named!.atMillis - seen.beganMillis).toBeLessThan(2000);
    expect(seen.answerMillis).toBeLessThan(1000 + 1500 + 500);
    if (way !== 'wait') expect(seen.profile).toContain(name);
  });

  it.each(NATIVE)(
    'in %s: is told as native while it lasts, and the stall names the caller',
    async (way, name) => {
      const seen = await see(collector, way);
      const during = seconds(seen).filter(
        ({ atMillis, line }) => line.hang !== null && atMillis < seen.overMillis,
      );
      expect(during.length).toBeGreaterThan(0);
      expect(during.map(({ line }) => line.hang!.kind)).toContain('native');
      expect(seen.answerMillis).toBeLessThan(1000 + 1500 + 500);
      const stalls = seconds(seen).flatMap(({ line }) => line.stalls);
      expect(
        stalls.find(({ stack }) => stack.some((frame) => frame.includes(name))),
        JSON.stringify(stalls),
      ).toBeDefined();
    },
  );
});
