/**
 * The Node lines: the one that runs the bench and, in build/nodes, the newest binary of the others as npm has them
 * (the binary itself, no install script; never in node_modules, where it would shadow `node`).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD } from './folders.mjs';

const LINES = ['20', '22', '24', '26'];

/** One { line, binary } for each line that this machine can have; ours first. */
export function nodeLines() {
  const own = process.versions.node.split('.')[0];
  const others = LINES.filter((line) => line !== own).map((line) => ({ line, binary: installedNode(line) }));
  return [{ line: own, binary: process.execPath }, ...others.filter(({ binary }) => binary !== '')];
}

function installedNode(line) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(BUILD, 'nodes', line);
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const binary = join(folder, 'node_modules', name, 'bin', file);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const words = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', `${name}@${line}`];
  const options = { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' };
  const { status } = spawnSync('npm', words, options);
  if (status === 0 && existsSync(binary)) return binary;
  process.stderr.write(
    `bench: no Node ${line} for this machine: npm install ${name}@${line} gave ${status}\n`,
  );
  return '';
}
