/**
 * What the program calls itself when nobody said: OTEL_SERVICE_NAME, the name in the nearest package.json above the
 * main script, the script's own name. Never throws: a file that cannot be read is a file that says nothing.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isText } from './options';

/** Folders looked at on the way up. */
const LEVELS_MAX = 32;
const NAMELESS = 'node';

/** script: the main script's absolute path, or undefined in a program without one (node -e). */
export function serviceName(
  otelName: string | undefined,
  script: string | undefined,
  readText = readUtf8,
): string {
  if (isText(otelName)) return otelName;
  if (script === undefined) return NAMELESS;
  const ownName = basename(script).replace(/\.[cm]?[jt]sx?$/, '');
  return nearestPackageName(dirname(script), readText) ?? (isText(ownName) ? ownName : NAMELESS);
}

function nearestPackageName(folder: string, readText: (path: string) => string): string | undefined {
  let current = folder;
  for (let level = 0; level < LEVELS_MAX; level++) {
    const name = packageName(join(current, 'package.json'), readText);
    if (name !== undefined) return name;
    const parent = dirname(current);
    if (parent === current) return undefined;
    current = parent;
  }
  return undefined;
}

function packageName(path: string, readText: (path: string) => string): string | undefined {
  try {
    const { name } = JSON.parse(readText(path)) as { name?: unknown };
    return isText(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function readUtf8(path: string): string {
  return readFileSync(path, 'utf8');
}
