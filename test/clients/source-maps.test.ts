/** TypeScript programs, bundled and run under the preload, as `go tool pprof` shows them: by their sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BundleForm, MAPPED_FOLDER, writeBundle } from '../bundles';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector } from './running';

/** Without optimizing compilers V8 inlines nothing: then every function is a frame, in a bundle of one line too. */
const NO_INLINING = ['--no-opt', '--no-maglev'];
const FOR_MILLIS = 60_000;
const MAIN = join(MAPPED_FOLDER, 'main.ts');

describe.runIf(needGo('source maps'))('source maps in go tool pprof', () => {
  let folder: string;
  let collector: RunningCollector;
  const programs: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ringtail-source-maps-'));
    collector = await openCollector();
  });

  afterAll(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await collector?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a bundle of the fixture and saves a profile of it. */
  async function profiled(
    name: string,
    form: BundleForm,
    nodeOptions: readonly string[] = [],
  ): Promise<string> {
    const file = join(folder, name);
    await writeBundle(file, form);
    return run(file, nodeOptions);
  }

  async function run(file: string, nodeOptions: readonly string[] = []): Promise<string> {
    const service = file.replace(/.*\//, '').replaceAll('.', '-');
    const args = [...NO_INLINING, ...nodeOptions, '--import', REGISTER, file, String(FOR_MILLIS)];
    const program = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH ?? '', ...collector.agentEnvironment, RINGTAIL_SERVICE: service },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    programs.push(program);
    const url = `${collector.url}/debug/pprof/profile?seconds=2&service=${service}`;
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(url);
      if (response.status === 200) {
        program.kill('SIGKILL');
        const saved = join(folder, `${service}.pb.gz`);
        writeFileSync(saved, new Uint8Array(await response.arrayBuffer()));
        return saved;
      }
      if (attempt > 50) throw new Error(`no profile: ${response.status} ${await response.text()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  const top = async (saved: string) => (await goPprof('-top', saved)).stdout;

  const listed = async (name: string, saved: string) => (await goPprof(`-list=^${name}$`, saved)).stdout;
  const firstRow = (text: string) => text.split('\n').find((line) => /^\s*[\d.]+m?s\s/.test(line)) ?? '';

  it('names the functions of a minified program of one line, and lists its TypeScript', async () => {
    const saved = await profiled('min.js', { minify: true });
    const text = await top(saved);
    expect(firstRow(text)).toMatch(/ burnDeclared$/);
    expect(text).toMatch(/source maps: \d+ functions named by their sources$/m);
    const list = await listed('burnDeclared', saved);
    expect(list).toContain(`burnDeclared in ${MAIN}`);
    expect(list).toMatch(/[\d.]+m?s\s+\d+:function burnDeclared\(rounds: number\): number \{/);
    const { stdout: raw } = await goPprof('-raw', saved);
    const [, generated] = /burnDeclared \/\S*main\.ts:\d+(?::\d+)? s=\d+\((.*)\)/.exec(raw) ?? [];
    expect(generated, raw).toMatch(/^\w$/);
  });

  it('lists the hot lines of an ECMAScript module that holds its map itself', async () => {
    const saved = await profiled('lines.mjs', { map: 'inline', format: 'esm' }, ['--enable-source-maps']);
    const list = await listed('burnDeclared', saved);
    expect(list).toContain(`burnDeclared in ${MAIN}`);
    expect(list).toMatch(/[\d.]+m?s\s+\d+:\s+(for \(let index|product =)/);
  });

  it('leaves a program as it is whose map is not there, and says why', async () => {
    const file = join(folder, 'missing.js');
    await writeBundle(file, { minify: true });
    rmSync(`${file}.map`);
    const text = await top(await run(file));
    expect(firstRow(text)).toMatch(/ \w$/);
    expect(text).toMatch(
      /source maps: 0 functions .*, \d+ left as they are: \d+ cannot be read \(ENOENT\)$/m,
    );
  });

  it('says nothing of a program that names no map', async () => {
    const text = await top(await profiled('hidden.js', { map: 'hidden' }));
    expect(firstRow(text)).toMatch(/ burnDeclared$/);
    expect(text).not.toContain('source maps');
  });

  it("names them in the profiles of the agent's own port, too", async () => {
    const file = join(folder, 'own.js');
    await writeBundle(file, { minify: true });
    const program = spawn(process.execPath, [...NO_INLINING, '-r', REGISTER, file, String(FOR_MILLIS)], {
      env: { PATH: process.env.PATH ?? '', HOME: folder, RINGTAIL_PPROF: '127.0.0.1:0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    programs.push(program);
    const address = await new Promise<string>((found) => {
      let said = '';
      program.stderr.on('data', (text) => {
        said += text;
        const [url] = /http:\S+\/debug\/pprof\//.exec(said) ?? [];
        if (url !== undefined) found(url);
      });
    });
    const { stdout } = await goPprof('-top', `${address}profile?seconds=2`);
    expect(firstRow(stdout)).toMatch(/ burnDeclared$/);
    expect(stdout).toMatch(/^source maps: \d+ functions named by their sources$/m);
  });
});
