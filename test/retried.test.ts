import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startVitest } from 'vitest/node';
import Retried from './retried.mjs';

it('tells why a test failed that passed when it was run once more, and of no other', async () => {
  const folder = mkdtempSync(join(__dirname, 'retried-'));
  try {
    writeFileSync(
      join(folder, 'some.test.ts'),
      `import { expect, it } from 'vitest';
       let runs = 0;
       it('passes at once', () => {});
       it('passes later', () => expect.soft(++runs, 'how often it ran').toBe(2));`,
    );
    const file = join(folder, 'retried.json');
    const vitest = await startVitest('test', [], {
      root: folder,
      config: false,
      watch: false,
      retry: 1,
      reporters: [new Retried(file)],
    });
    await vitest.close();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([
      expect.stringMatching(/^some\.test\.ts > passes later\n {2}how often it ran: expected 1 to be 2/),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
