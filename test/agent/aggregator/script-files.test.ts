import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ScriptFiles } from '../../../agent/aggregator/script-files';

const folder = mkdtempSync(join(tmpdir(), 'ringtail-scripts-'));
const scripts = new ScriptFiles(Date.now() + 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe('the scripts that ticks fell into', () => {
  it("a program's are scanned for functions and waiting lines", () => {
    const path = join(folder, 'program.js');
    writeFileSync(path, 'function first() {\n  Atomics.wait(words, 0, 0);\n}\n');
    const text = scripts.textOf(pathToFileURL(path).href);
    expect(text?.functions.map(({ name }) => name)).toEqual(['first']);
    expect([...text!.waitLines]).toEqual([2]);
  });

  it("the agent's own are looked at for waiting lines alone", () => {
    const path = join(__dirname, '../../../agent/aggregator/script-files.ts');
    const text = scripts.textOf(pathToFileURL(path).href);
    expect(text?.functions).toEqual([]);
    expect(text!.waitLines.size).toBe(1);
  });
});
