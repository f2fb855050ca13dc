/** `go tool pprof` on bytes of ours: what it makes of them, or null (loudly) where there is no Go. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** { total, flat: Map of name → value } of a sample type, all functions. */
export function goTop(bytes, sampleType) {
  if (spawnSync('go', ['version']).status !== 0) {
    process.stderr.write(
      '\n*** SKIPPED: go is not installed (apt-get install golang-go): not shown to go tool pprof\n',
    );
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), 'go-'));
  try {
    const file = join(folder, 'profile.pb');
    writeFileSync(file, bytes);
    const words = ['-top', '-nodecount=100000', '-nodefraction=0', '-edgefraction=0'];
    const env = {
      ...process.env,
      PPROF_TMPDIR: folder,
      HOME: folder,
      GOCACHE: join(folder, 'cache'),
      GOFLAGS: '',
    };
    const text = execFileSync('go', ['tool', 'pprof', ...words, `-sample_index=${sampleType}`, file], {
      env,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return parseTop(text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function parseTop(text) {
  const total = Number(/ of (\d+) total/.exec(text)?.[1]);
  const rows = text.matchAll(/^ *(\d+) +[\d.]+% +[\d.]+% +\d+ +[\d.]+% +(\S+)$/gm);
  return { total, flat: new Map(Array.from(rows, ([, flat, name]) => [name, Number(flat)])) };
}
