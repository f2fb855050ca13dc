/**
 * What is measured of our own TypeScript: entry.ts bundled by rolldown into build/bench/entry.cjs.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { BENCH, BENCH_BUILD, BUILD } from './folders.mjs';

const CORE = join(BUILD, 'agent', 'core.wasm');

/** Throws when the repository is not built. */
export async function buildBundle() {
  if (!existsSync(CORE)) throw new Error(`no ${CORE}: run npm run build first`);
  mkdirSync(BENCH_BUILD, { recursive: true });
  const bundle = await rolldown({ input: join(BENCH, 'entry.ts'), platform: 'node', logLevel: 'warn' });
  await bundle.write({ file: join(BENCH_BUILD, 'entry.cjs'), format: 'cjs' });
  await bundle.close();
  copyFileSync(CORE, join(BENCH_BUILD, 'core.wasm'));
}

const require = createRequire(join(BENCH_BUILD, 'bench.cjs'));

export function loadOurs() {
  return require('./entry.cjs');
}
