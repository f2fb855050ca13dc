/** The peers: installed next to their package.json with `npm ci`, without install scripts, when the lock file is newer. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BENCH } from './folders.mjs';

/** Loads a peer; throws where it does not run on this Node. */
export const requirePeer = createRequire(join(BENCH, 'package.json'));

export function installPeers() {
  if (modifiedMillis('node_modules/.package-lock.json') >= modifiedMillis('package-lock.json')) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: BENCH,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
}

/** Of a package in node_modules of `folder`. */
export function peerVersion(name, folder = BENCH) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function modifiedMillis(path) {
  try {
    return statSync(join(BENCH, path)).mtimeMs;
  } catch {
    return 0;
  }
}
