/** `go tool pprof` from Debian. Where it is missing, tests say so loudly; in CI that is a failure. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const hasGo = spawnSync('go', ['version']).status === 0;

/** Call at the top of a test file: false means "skip", and then the reason has been printed. */
export function needGo(what: string): boolean {
  if (hasGo) return true;
  if (process.env.CI !== undefined)
    throw new Error(`${what}: no go in PATH, and nothing may be skipped in CI (apt-get install golang-go)`);
  console.warn(`\n*** SKIPPED: ${what}: go tool pprof is not installed (apt-get install golang-go)\n`);
  return false;
}

/** What `go tool pprof` prints on stdout; its own files go to a folder that is removed. */
export async function goPprof(...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'go-'));
  try {
    return await promisify(execFile)('go', ['tool', 'pprof', ...words], {
      env: {
        ...process.env,
        PPROF_TMPDIR: folder,
        HOME: folder,
        GOFLAGS: '',
        GOCACHE: join(folder, 'cache'),
      },
      maxBuffer: 64 * 1024 * 1024,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
