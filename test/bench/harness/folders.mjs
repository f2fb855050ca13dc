/** Where things are. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BENCH = resolve(fileURLToPath(new URL('..', import.meta.url)));
export const ROOT = resolve(BENCH, '../..');
export const BUILD = join(ROOT, 'build');
/** What the benches build for themselves. */
export const BENCH_BUILD = join(BUILD, 'bench');
export const PROGRAMS = join(BENCH, 'programs');
export const WORKLOADS = join(BENCH, 'workloads');
export const REGISTER = join(BUILD, 'agent', 'register.js');
