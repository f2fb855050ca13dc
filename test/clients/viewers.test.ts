/** Traces and exported profiles in a real viewer: what Chromium's DevTools draws is what the file says, and all of it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { type DevTools, type DrawnTrack, needChromium, openDevTools } from './dev-tools';
import { connected, openCollector } from './running';
import { readTrace, type TraceEvent } from './trace-events';

const PROGRAM = join(__dirname, 'fixtures/recorder.cjs');
const COMMAND_FILE = join(__dirname, '../../build/cli.js');

/** Tracks as the file has them, and what is drawn in them. */
function tracksOf(events: readonly TraceEvent[]): DrawnTrack[] {
  const names = events.filter(({ name }) => name === 'thread_name');
  return names
    .sort((left, right) => left.tid - right.tid)
    .map(({ tid, args }) => ({
      name: `${args!.name} (${tid})`,
      entries: events
        .filter((event) => event.tid === tid && (event.ph === 'X' || event.ph === 'i'))
        .map(({ name, dur = 0 }) => ({ name, micros: dur })),
    }))
    .filter(({ entries }) => entries.length > 0);
}

/** All together: where ticks stay out for a moment, a call is drawn in pieces. */
const lasted = (tracks: readonly DrawnTrack[], track: string, name: RegExp) =>
  tracks
    .filter((one) => one.name.startsWith(track))
    .flatMap(({ entries }) => entries)
    .filter((entry) => name.test(entry.name))
    .reduce((sum, { micros }) => sum + micros, 0);

describe.skipIf(!needChromium('traces in a viewer'))("Chromium's DevTools", () => {
  let folder: string;
  let devTools: DevTools;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'viewers-'));
    devTools = await openDevTools();
  }, 60_000);

  afterAll(async () => {
    await devTools?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('draws a dump of the flight recorder as it is: calls and the stall', async () => {
    const child = spawn(process.execPath, ['-r', REGISTER, PROGRAM, 'stall'], {
      env: { PATH: process.env.PATH ?? '', HOME: folder, RINGTAIL_RECORD_DIR: folder },
      stdio: 'ignore',
    });
    const ended = new Promise((done) => child.once('close', done));
    let dump: string | undefined;
    for (let tries = 0; dump === undefined && tries < 300; tries++) {
      await new Promise((done) => setTimeout(done, 50));
      dump = readdirSync(folder).find((name) => name.endsWith('-stall.json.gz'));
    }
    child.kill('SIGKILL');
    await ended;
    const bytes = readFileSync(join(folder, dump!));
    const drawn = await devTools.open(dump!, bytes);
    expect(drawn).toEqual(tracksOf(readTrace(gunzipSync(bytes).toString('utf8')).traceEvents));
    expect(drawn.map(({ name }) => name)).toEqual(expect.arrayContaining(['main thread (1)', 'stalls (2)']));
    expect(lasted(drawn, 'main thread', /^blocksTheLoop$/)).toBeGreaterThan(1e6);
    expect(lasted(drawn, 'stalls', /spin|blocksTheLoop/)).toBeGreaterThan(1e6);
  }, 60_000);

  it('draws a trace that was asked for', async () => {
    const collector = await openCollector();
    const child = spawn(process.execPath, ['-r', REGISTER, PROGRAM, 'serve'], {
      env: { PATH: process.env.PATH ?? '', ...collector.agentEnvironment, RINGTAIL_SERVICE: 'traced' },
      stdio: 'ignore',
    });
    const ended = new Promise((done) => child.once('close', done));
    try {
      await connected(collector, 'traced');
      const text = await (await fetch(`${collector.url}/debug/pprof/trace?seconds=2`)).text();
      const drawn = await devTools.open('trace.json', Buffer.from(text));
      expect(drawn).toEqual(tracksOf(readTrace(text).traceEvents));
      expect(lasted(drawn, 'main thread', /^handlesRequests$/)).toBeGreaterThan(0);
    } finally {
      child.kill('SIGKILL');
      await ended;
      await collector.close();
    }
  }, 60_000);

  it('draws an exported profile in the order of its call tree, and nothing twice', async () => {
    const from = join(folder, 'folded.txt');
    const to = join(folder, 'exported.json');
    writeFileSync(from, 'main;a 2\nmain;b;deep 3\nmain 1\nother 4\n');
    spawnSync(process.execPath, [COMMAND_FILE, 'export', from, '--format', 'perfetto', '-o', to]);
    const text = readFileSync(to, 'utf8');
    const [track, ...none] = await devTools.open(to, Buffer.from(text));
    expect(none).toEqual([]);
    const whole = track!.entries.reduce(
      (sum, { name, micros }) => sum + (name === 'main' || name === 'other' ? micros : 0),
      0,
    );
    const shares = track!.entries.map(({ name, micros }) => [name, Math.round((10 * micros) / whole)]);
    expect(shares.sort()).toEqual([
      ['a', 2],
      ['b', 3],
      ['deep', 3],
      ['main', 6],
      ['other', 4],
    ]);
  }, 60_000);
});
