import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withPreload } from '../../collector/cli/node-options';

it('is read by Node as meant: spaces, quotes and backslashes in the path, other options kept', () => {
  for (const name of ['plain', 'with space', 'quo"te', 'back\\slash', "apo'strophe"]) {
    const folder = mkdtempSync(join(tmpdir(), `ringtail ${name} `));
    try {
      const preload = join(folder, 'preload.js');
      writeFileSync(preload, 'process.stdout.write("preloaded ")');
      const options = withPreload('--max-old-space-size=64', preload);
      const env = { ...process.env, NODE_OPTIONS: options };
      const script =
        'process.stdout.write(String(v8.getHeapStatistics().heap_size_limit < 128 * 1024 * 1024))';
      expect(execFileSync(process.execPath, ['-e', script], { env, encoding: 'utf8' })).toBe(
        'preloaded true',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
