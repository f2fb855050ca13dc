/**
 * Reads every import line and holds it against the directions that ARCHITECTURE.md draws. An arrow that is not in
 * the table below is a decision: change the table and the document together, or change the import.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(__dirname, '..');

type Import = { file: string; to: string; typeOnly: boolean };
const FILES = ['assembly', 'agent', 'collector'].flatMap((folder) => filesBelow(join(ROOT, folder)));
const IMPORTS = FILES.flatMap(importsOf);

/** area → areas it may import from. Its own is always allowed. */
const ARROWS: Record<string, readonly string[]> = {
  assembly: [],
  'agent/wire': [],
  'agent/core': ['assembly'],
  'agent/routes': [],
  'agent/sources': ['agent', 'agent/core', 'agent/routes', 'agent/wire', 'assembly'],
  agent: ['agent/core', 'agent/routes', 'agent/sources', 'agent/wire', 'assembly', 'package.json'],
  'agent/aggregator': ['agent', 'agent/core', 'agent/wire', 'assembly', 'collector/profile', 'package.json'],
  'collector/profile': ['agent/wire', 'agent/core', 'assembly'],
};
/** Everything else of the collector may use the collector, but of the agent only this. */
const COLLECTOR_ARROWS = ['agent/wire', 'agent/core', 'assembly', 'package.json'];
/** What the agent thread may know of the main thread's side: data it is given, nothing that runs there. */
const AGGREGATOR_TYPES_ONLY_FROM = 'agent';

const INPUT_AND_OUTPUT =
  /^(node:)?(fs|net|http|https|tls|dgram|child_process|worker_threads|cluster|readline|tty)(\/|$)/;
const HEAVY_PACKAGES = ['ws', 'msgpackr', 'commander', '@assemblyscript/loader'];

describe('imports', () => {
  it('are found at all', () => {
    expect(IMPORTS.length).toBeGreaterThan(100);
    expect(importedBy('agent/register.ts')).toContain('./index.js');
  });

  it('follow the arrows', () => {
    const wrong = IMPORTS.filter(({ file, to }) => {
      if (!to.startsWith('.')) return false;
      const from = areaOf(file);
      const target = areaOf(resolved(file, to));
      if (target === from) return false;
      const allowed = ARROWS[from];
      if (allowed !== undefined) return !allowed.includes(target);
      return !COLLECTOR_ARROWS.includes(target) && !target.startsWith('collector');
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('of the command line come from the command line only', () => {
    const wrong = IMPORTS.filter(
      ({ file, to }) =>
        to.startsWith('.') &&
        areaOf(resolved(file, to)) === 'collector/cli' &&
        areaOf(file) !== 'collector/cli',
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('of assembly/ from TypeScript are the shared layout and nothing else', () => {
    const wrong = IMPORTS.filter(
      ({ file, to }) =>
        !file.startsWith('assembly/') &&
        to.includes('assembly/') &&
        !/assembly\/layout$/.test(resolved(file, to)),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it("never lead from the main thread's side to ws, msgpackr, the inspector or the agent thread's code", () => {
    for (const entry of ['agent/register.ts', 'agent/index.ts']) {
      const { files, packages } = reachable(entry);
      expect(
        files.filter((file) => file.startsWith('agent/aggregator/') || file.startsWith('collector/')),
      ).toEqual([]);
      for (const name of [
        'ws',
        'msgpackr',
        'msgpackr/index-no-eval',
        'inspector',
        'node:inspector',
        'commander',
      ]) {
        expect(packages).not.toContain(name);
      }
    }
  });

  it("of the main thread's side into the agent thread are types", () => {
    const wrong = IMPORTS.filter(
      ({ file, to, typeOnly }) =>
        areaOf(file) === 'agent/aggregator' &&
        to.startsWith('.') &&
        areaOf(resolved(file, to)) === AGGREGATOR_TYPES_ONLY_FROM &&
        !typeOnly &&
        !/agent\/(control|stderr|clock|thread-cpu|thread-data|options)$/.test(resolved(file, to)),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('keep input and output out of the profile model and the queries', () => {
    const wrong = IMPORTS.filter(
      ({ file, to, typeOnly }) =>
        /^collector\/(profile|query)\//.test(file) && !typeOnly && (INPUT_AND_OUTPUT.test(to) || to === 'ws'),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('name a heavy package in one file of a folder at most', () => {
    for (const name of HEAVY_PACKAGES) {
      const folders = new Map<string, string[]>();
      for (const { file, to, typeOnly } of IMPORTS) {
        if (typeOnly || (to !== name && !to.startsWith(`${name}/`))) continue;
        const folder = posix.dirname(file);
        folders.set(folder, [...new Set([...(folders.get(folder) ?? []), file])]);
      }
      expect([...folders.values()].filter((files) => files.length > 1)).toEqual([]);
    }
  });

  it('name only packages that package.json has, and no addon', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const known = Object.keys(devDependencies);
    const packages = new Set(
      IMPORTS.map(({ to }) => to)
        .filter((to) => !to.startsWith('.') && !to.startsWith('node:'))
        .map((to) => (to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : to.split('/')[0]!)),
    );
    for (const name of packages) {
      if (process.getBuiltinModule?.(name) === undefined) expect(known).toContain(name);
    }
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'));
}

function importsOf(file: string): Import[] {
  const text = withoutComments(readFileSync(join(ROOT, file), 'utf8'));
  const found: Import[] = [];
  for (const [, keyword, type, to] of text.matchAll(
    /^(import|export)(\s+type)?\b[^;'"]*?from\s+['"]([^'"]+)['"]/gm,
  )) {
    if (keyword !== undefined) found.push({ file, to: to!, typeOnly: type !== undefined });
  }
  for (const [, to] of text.matchAll(/^import\s+['"]([^'"]+)['"]/gm))
    found.push({ file, to: to!, typeOnly: false });
  for (const [, type, to] of text.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ file, to: to!, typeOnly: type !== undefined });
  }
  for (const [, to] of text.matchAll(/\brequire\(\s*['"]([^'"]+)['"]/g))
    found.push({ file, to: to!, typeOnly: false });
  return found;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

/** Relative imports as paths from the root, without extension. */
function resolved(file: string, to: string): string {
  return posix.join(dirname(file), to).replace(/\.(js|ts)$/, '');
}

function areaOf(path: string): string {
  if (path.startsWith('package.json')) return 'package.json';
  if (path.startsWith('assembly/')) return 'assembly';
  if (/^agent\/(core(-[a-z-]+)?(\.ts)?$|twin\/|webassembly\.d)/.test(path)) return 'agent/core';
  const folder = /^(agent|collector)\/([a-z-]+)\//.exec(path);
  return folder === null ? path.split('/')[0]! : `${folder[1]}/${folder[2]}`;
}

function importedBy(file: string): string[] {
  return IMPORTS.filter((one) => one.file === file).map(({ to }) => to);
}

/** Everything that is loaded when `entry` is: imports of types are not. */
function reachable(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const one of IMPORTS.filter((i) => i.file === file && !i.typeOnly)) {
      if (!one.to.startsWith('.')) packages.add(one.to);
      else files.add(`${resolved(file, one.to)}.ts`);
    }
  }
  return { files: [...files].filter((file) => FILES.includes(file)), packages: [...packages] };
}

function shown({ file, to }: Import): string {
  return `${file} → ${to}`;
}
