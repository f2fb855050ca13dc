import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { folderProblem } from '../../../../agent/aggregator/recorder/folder-problem';

const folder = mkdtempSync(join(tmpdir(), 'ringtail-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('why nothing could be written into a folder', () => {
  it('is nothing where it is there, or can be made, and nothing is made for the answer', () => {
    expect(folderProblem(folder)).toBe('');
    expect(folderProblem(join(folder, 'a', 'b'))).toBe('');
    expect(existsSync(join(folder, 'a'))).toBe(false);
  });

  it('is a file in its way', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(folderProblem(file)).toBe(`${file} is no folder`);
    expect(folderProblem(join(file, 'a', 'b'))).toBe(`${file} is no folder`);
  });

  it('is a folder that takes nothing from this user, unless that is root', () => {
    chmodSync(folder, 0o500);
    const isRoot = process.getuid?.() === 0;
    expect(folderProblem(join(folder, 'a'))).toMatch(isRoot ? /^$/ : /^EACCES: .*'.*ringtail-folder-/);
    chmodSync(folder, 0o700);
  });
});
