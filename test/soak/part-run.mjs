/** One run of a part on a Node line: a vitest process with that Node, and what it printed of its figures. */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { environmentOf, installNode } from '../nodes.mjs';

/** What one test may take beyond --minutes before it counts as stuck. */
const TEST_MINUTES_MAX = 45;
const FIGURES = 'figures: ';

/**
 * { part, line, passed, seconds, load, told, figures }: told are the lines that the part prints of itself, figures what
 * it printed as an object, or null.
 */
export async function runPart({ part, line }, settings) {
  const node = installNode(line);
  const timeout = Math.round((TEST_MINUTES_MAX + settings.minutes) * 60_000);
  const words = ['node_modules/vitest/vitest.mjs', 'run', `--testTimeout=${timeout}`, '--reporter=default'];
  const start = performance.now();
  const child = spawn(node, [...words, ...part.files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...environmentOf(node), NO_COLOR: '1', ...part.env(settings) },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - start) / 1000;
  const lines = output.split('\n');
  const told = lines.filter((text) => /^\S.*: .*\d/.test(text) && !/^(stdout|JSON|figures:) /.test(text));
  const found = lines.findLast((text) => text.startsWith(FIGURES));
  const figures = found === undefined ? null : JSON.parse(found.slice(FIGURES.length));
  return { part, line, passed: code === 0, seconds, load: loadavg()[0], told, figures };
}
