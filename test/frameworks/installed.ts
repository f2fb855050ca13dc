/**
 * The frameworks of this folder's package.json, which are no part of the project's own packages. `.ci/run` installs them;
 * elsewhere their tests are skipped, with a word, until `npm ci --prefix test/frameworks`.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe } from 'vitest';

const INSTALLED = existsSync(join(__dirname, 'node_modules'));
if (!INSTALLED && process.env.CI !== undefined)
  throw new Error('test/frameworks is not installed: run npm ci --prefix test/frameworks');
if (!INSTALLED)
  console.warn('SKIPPED: tests with real frameworks. npm ci --prefix test/frameworks installs them.');

export const describeWithFrameworks = describe.skipIf(!INSTALLED);

// biome-ignore lint/suspicious/noExplicitAny: they come without types of their own
export function framework(name: string): any {
  return createRequire(join(__dirname, 'package.json'))(name);
}
