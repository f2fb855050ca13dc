/**
 * Culprits that V8 does not name, because it inlined them into a function of another file, or compiled them before the
 * sampler began. Each must be the first of `go tool pprof -top`, with what it really took.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { readTop, rowOf } from './top';

const MILLIS = 3000;
const folder = mkdtempSync(join(tmpdir(), 'inlined-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function topOf(program: string) {
  const file = join(folder, `${program}.pb.gz`);
  const script = join(__dirname, `fixtures/inlined/${program}.cjs`);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    RINGTAIL_OUT: file,
    RINGTAIL_BUDGET_PERCENT: '100',
  };
  await promisify(execFile)(process.execPath, ['-r', REGISTER, script, String(MILLIS)], { env });
  const { stdout } = await goPprof('-top', '-nodecount=40', file);
  return { top: readTop(stdout), stdout };
}

describe.runIf(needGo('inlined functions'))('what V8 credits to a caller', () => {
  it("is shown as another file's function, and not as one that stands at the same lines", async () => {
    const { top, stdout } = await topOf('main');
    expect(top.rows[0]?.name, stdout).toBe('parses');
    expect(rowOf(top, 'isInnocent').flat, stdout).toBe(0);
    expect(rowOf(top, 'parses').flat / top.total, stdout).toBeGreaterThan(0.7);
  });

  it('is shown as the function that was hot from the first line on', async () => {
    const { top, stdout } = await topOf('first-line');
    expect(top.rows[0]?.name, stdout).toBe('spins');
    expect(rowOf(top, 'spins').flat / top.total, stdout).toBeGreaterThan(0.9);
  });
});
