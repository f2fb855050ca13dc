import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ScriptFiles } from '../../../agent/aggregator/script-files';

const folder = mkdtempSync(join(tmpdir(), 'ringtail-scripts-'));
const scripts = new ScriptFiles(Date.now() + 60_000);

afterEach(() => vi.restoreAllMocks());
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

describe('the text of a script', () => {
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return pathToFileURL(path).href;
  };

  it('is read by lines, tells what it imports, hands on and uses as values', () => {
    const work = write('work.js', 'function works() {}\nmodule.exports = { works };\n');
    const main = write(
      'main.js',
      "const { works } = require('./work');\nconst fs = require('node:fs');\nrequire('./none');\nconst é = [first];\nfunction first() {\n  second();\n}\nfunction second() {}\n",
    );
    expect(scripts.linesOf(main, 4, 6)).toBe('const é = [first];\nfunction first() {\n  second();\n');
    expect(scripts.linesOf(main, 90, 95)).toBe('');
    expect(scripts.importsOf(main)).toEqual([work]);
    expect(scripts.boundTo(main, 'works')).toBe(work);
    expect(scripts.boundTo(main, 'fs')).toBe(null);
    expect([...scripts.valuesOf(main)]).toEqual(['first']);
    expect([...scripts.exportsOf(work)!]).toContain('works');
    expect(scripts.exportsOf(write('index.js', "export * from './work.js';\n"))).toBe(null);
  });

  it('is none where V8 counts its lines otherwise', () => {
    const hourAgo = Date.now() / 1000 - 3600;
    const textOf = (text: string) => {
      const url = write('ends.js', text);
      utimesSync(fileURLToPath(url), hourAgo, hourAgo);
      return new ScriptFiles(Date.now() - 60_000).textOf(url);
    };
    for (const end of ['\r', '\u2028', '\u2029']) {
      const text = `const text = \`a${end}\`;\nfunction first() {}\n`;
      expect(textOf(text)).toBe(null);
      expect(textOf(text + '// filler\n'.repeat(60_000))).toBe(null);
    }
    expect(textOf('function first() {}\r\n')?.functions.length).toBe(1);
  });

  it('is kept of hundreds of small scripts, of large ones only of the last, of one with too many functions never', () => {
    let millis = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => (millis += 10_000));
    const many = new ScriptFiles(millis + 3_600_000);
    const urls = Array.from({ length: 600 }, (_, i) => write(`small-${i}.js`, `function small${i}() {}\n`));
    const first = urls.map((url) => many.textOf(url));
    expect(urls.map((url) => many.textOf(url)).every((text, i) => text === first[i])).toBe(true);
    const large = ['1', '2', '3'].map((i) => write(`functions-${i}.js`, '()=>0,'.repeat(50_000)));
    const texts = large.map((url) => many.textOf(url));
    expect(texts.map((text) => text?.functions.length)).toEqual([50_000, 50_000, 50_000]);
    expect(many.textOf(large[2]!)).toBe(texts[2]);
    expect(many.textOf(large[0]!)).not.toBe(texts[0]);
    expect(many.textOf(write('functions.js', '()=>0,'.repeat(130_000)))).toBe(null);
  });

  it.skipIf(process.platform === 'win32')('is none of a named pipe, and nobody waits for it', () => {
    const path = join(folder, 'pipe.js');
    execFileSync('mkfifo', [path]);
    // A reader that waits would be let go by this writer.
    const writer = spawn('sh', ['-c', 'sleep 2; timeout 3 sh -c "echo > $0"', path], { stdio: 'ignore' });
    const from = performance.now();
    expect(new ScriptFiles(Date.now() + 60_000).textOf(pathToFileURL(path).href)).toBe(null);
    expect(performance.now() - from).toBeLessThan(1500);
    writer.kill();
  });

  it('is not read for the long line of a bundle', () => {
    const line = 'function a() { b(); } ';
    const bundle = write('bundle.js', `first();\n${line.repeat(10_000)}\nlast();\n`);
    expect(scripts.textOf(bundle)?.functions.length).toBe(10_000);
    expect(scripts.linesOf(bundle, 2, 2)).toBe('');
    expect(scripts.linesOf(bundle, 3, 3)).toBe('last();\n');
  });

  it('of a large one is to be had when the process is old enough for it, and of others not right after that', async () => {
    const large = write('large.js', `function largeÜber() {}\n${'// filler\n'.repeat(120_000)}`);
    const small = write('small.js', 'function small() {}\n');
    const hourAgo = Date.now() / 1000 - 3600;
    for (const url of [large, small]) utimesSync(fileURLToPath(url), hourAgo, hourAgo);
    expect(new ScriptFiles(Date.now() - 3000).textOf(large)).toBe(undefined);
    const old = new ScriptFiles(Date.now() - 60_000);
    expect(old.textOf(large)?.functions.map(({ name }) => name)).toEqual(['largeÜber']);
    expect(old.isLarge(large)).toBe(true);
    expect(old.textOf(small)).toBe(undefined);
    await expect.poll(() => old.textOf(small)?.functions.length, { timeout: 3000 }).toBe(1);
  });

  it('is none where the file has changed since the process began, or is gone', () => {
    const late = new ScriptFiles(Date.now() - 60_000);
    expect(late.textOf(write('changed.js', 'function changed() {}\n'))).toBe(null);
    expect(late.textOf(pathToFileURL(join(folder, 'gone.js')).href)).toBe(null);
    expect(late.textOf('node:fs')).toBe(null);
  });
});
