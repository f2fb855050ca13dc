/**
 * The Node lines, and the newest binary of each as npm has it (node-<platform>-<arch>: the binary itself, no install
 * script) in build/nodes, never in node_modules, where it would shadow `node`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

export const LINES = ['20', '22', '24', '26'];
export const OWN_LINE = process.versions.node.split('.')[0];
const NODES = resolve(import.meta.dirname, '../build/nodes');

/** Path of the newest binary of a line: this process' own for its own line. Throws where there is none for this machine. */
export function installNode(line) {
  if (line === OWN_LINE) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(NODES, line);
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const binary = join(folder, 'node_modules', name, 'bin', file);
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const words = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', `${name}@${line}`];
  const options = { cwd: folder, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' };
  const { status } = spawnSync('npm', words, options);
  if (status === 0 && existsSync(binary)) return binary;
  throw new Error(`no Node ${line} for this machine: npm install ${name}@${line} gave ${status}`);
}

/** The environment in which `node` is that binary. */
export function environmentOf(binary) {
  return { ...process.env, PATH: dirname(binary) + delimiter + process.env.PATH };
}
