/**
 * Where a source of a map lies, so that `-list` finds it: a path from the root where the map's own place tells one.
 * Sources that bundlers name by a scheme of their own (`webpack://app/./src/x.ts`) become relative to the project, which
 * is where people start `go tool pprof`; other addresses stay as they are.
 */
import { posix, win32 } from 'node:path';
import { fileURLToPath } from 'node:url';

const WINDOWS_FILE = /^[A-Za-z]:[\\/]|^\\\\/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]+:/;
/** `webpack://name/`, `turbopack:///[project]/`, and what loaders append. */
const BUNDLER_SOURCE =
  /^(?:webpack|webpack-internal|turbopack|rspack):\/\/[^/]*\/(?:\[project\]\/)?(?:\.\/)?([^?]*)/;

/** mapFile: absolute path of the file that holds the map. */
export function sourcePath(mapFile: string, sourceRoot: string, source: string): string {
  const named =
    isAbsolute(source) || sourceRoot === '' ? source : `${sourceRoot.replace(/\/$/, '')}/${source}`;
  const [, inProject] = BUNDLER_SOURCE.exec(named) ?? [];
  if (inProject !== undefined) return inProject === '' ? named : inProject;
  if (named.startsWith('file:')) return fileOfUrl(named);
  if (isAbsolute(named)) return named;
  const { dirname, resolve } = WINDOWS_FILE.test(mapFile) ? win32 : posix;
  return resolve(dirname(mapFile), named);
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || WINDOWS_FILE.test(path) || SCHEME.test(path);
}

function fileOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
