/**
 * What strangers install: the packed tarball, unpacked in an empty folder elsewhere by npm without scripts or network.
 * It holds what it needs and nothing that it does not; preload, collector, tail and the API work from there.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = resolve(__dirname, '..');
const wait = (millis: number) => new Promise((done) => setTimeout(done, millis));

let folder: string;
let installed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stranger-'));
  // The build is there already (npm test makes it): packing must not make it again under other tests' feet.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    shell: process.platform === 'win32',
  });
  writeFileSync(join(folder, 'package.json'), '{"name":"stranger","private":true}');
  await run(
    'npm',
    ['install', '--offline', '--no-audit', '--no-fund', join(folder, stdout.trim().split('\n').pop()!)],
    { cwd: folder, shell: process.platform === 'win32' },
  );
  installed = join(folder, 'node_modules', 'ringtail');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isolated = () => ({
  PATH: process.env.PATH ?? '',
  HOME: folder,
  RINGTAIL_TOKEN: 'a-token-for-one-test-run',
});

describe('the package', () => {
  it('can be packed in a checkout that has nothing installed yet: what builds is set up first', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts.prepack).toBe('npm run -s setup && npm run -s build');
  });

  it('brings no dependency, no addon and no install script', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(manifest.scripts?.[script]).toBeUndefined();
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'ringtail',
    ]);
    const files = (at: string): string[] =>
      readdirSync(at).flatMap((name) =>
        statSync(join(at, name)).isDirectory() ? files(join(at, name)) : [join(at, name)],
      );
    expect(files(installed).filter((file) => file.endsWith('.node') || file.endsWith('.test.ts'))).toEqual(
      [],
    );
    expect(existsSync(join(installed, 'build/agent/core.wasm'))).toBe(true);
  });

  it('gives its API to CommonJS and to ESM, one and the same', async () => {
    writeFileSync(
      join(folder, 'api.cjs'),
      "const { timer } = require('ringtail'); console.log(typeof timer);",
    );
    writeFileSync(
      join(folder, 'api.mjs'),
      "import { timer, start } from 'ringtail'; import { createRequire } from 'node:module'; console.log(typeof start, timer === createRequire(import.meta.url)('ringtail/agent').timer);",
    );
    expect((await run(process.execPath, ['api.cjs'], { cwd: folder, env: isolated() })).stdout).toBe(
      'function\n',
    );
    expect((await run(process.execPath, ['api.mjs'], { cwd: folder, env: isolated() })).stdout).toBe(
      'function true\n',
    );
  });

  it('streams from a preloaded program to a collector, and tails it', async () => {
    const command = join(folder, 'node_modules/.bin/ringtail');
    const collector = spawn(process.execPath, [join(installed, 'build/cli.js'), 'collector', '--port', '0'], {
      cwd: folder,
      env: isolated(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let text = '';
      collector.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      for (let i = 0; i < 100 && !text.includes('http://'); i++) await wait(50);
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)![0].replace('http', 'ws');
      expect(existsSync(command)).toBe(true);
      const tail = run(
        process.execPath,
        [join(installed, 'build/cli.js'), 'tail', 'stranger', '--url', url, '--json', '--seconds', '5'],
        { cwd: folder, env: isolated() },
      );
      writeFileSync(join(folder, 'app.js'), "setTimeout(() => console.log('done'), 2000)");
      for (const flag of ['-r', '--import']) {
        const program = await run(process.execPath, [flag, 'ringtail/agent/register', 'app.js'], {
          cwd: folder,
          env: { ...isolated(), RINGTAIL_COLLECTOR: url },
        });
        expect(program).toEqual({ stdout: 'done\n', stderr: '' });
      }
      const kinds = (await tail).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ type, kind }) => kind ?? type);
      expect(kinds).toContain('second');
      expect(kinds).toContain('goodbye');
    } finally {
      collector.kill();
    }
  });
});
