/** Programs that do what few do: the agent's own needs (timers, stderr, its files, a place on `process`) are not theirs to break. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { REGISTER, runProgram, scratchFolder } from './program';

const INDEX = JSON.stringify(REGISTER.replace('register', 'index'));
/** Far more than an exit takes, far less than the deadlines that it had run into. */
const EXIT_MILLIS = 900;
const BURN = (millis: number) => `for (const end = Date.now() + ${millis}; Date.now() < end; );`;

const scratch = scratchFolder();
afterAll(() => scratch.remove());
const inScratch = { cwd: scratch.path };

function script(name: string, text: string): string {
  const path = join(scratch.path, name);
  writeFileSync(path, text);
  return path;
}

describe('a host with tools of its own', () => {
  it('runs its tests by `node --test`', async () => {
    const file = script('one.test.cjs', `require('node:test')('one', () => {});`);
    const { code, stdout, stderr } = await runProgram(['-r', REGISTER, '--test', file], inScratch);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/pass 1/);
  });

  it('gets its file of --heap-prof', async () => {
    const flags = ['-r', REGISTER, '--heap-prof', '--heap-prof-name=own.heapprofile'];
    const { code, stderr } = await runProgram([...flags, '-e', 'setTimeout(() => {}, 700)'], inScratch);
    expect([code, stderr]).toEqual([0, '']);
    expect(readdirSync(scratch.path)).toContain('own.heapprofile');
  });

  it('has labels although its setTimeout is not Node’s', async () => {
    const text = `
      const { setTimeout: own } = globalThis;
      globalThis.setTimeout = (run, millis) => { own(run, millis); return 1; };
      require(${INDEX}).withLabels({ tenant: 'a' }, async () => { for (let i = 0; i < 2e6; i++) await null; console.log('done'); });`;
    const { code, stdout } = await runProgram(['-r', REGISTER, script('timers.cjs', text)], inScratch);
    expect([code, stdout]).toEqual([0, 'done\n']);
  });

  it('may await stop() with its timers mocked', async () => {
    const text = `
      const ringtail = require(${INDEX});
      ringtail.start();
      setTimeout(async () => {
        require('node:test').mock.timers.enable();
        await ringtail.stop();
        console.log('stopped');
      }, 700);`;
    const { code, stdout } = await runProgram([script('mocked.cjs', text)], {
      ...inScratch,
      hangMillis: 8000,
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining('stopped')]);
  });

  it('may have closed `process` for what is new', async () => {
    const text = `
      Object.preventExtensions(process);
      const { readdirSync } = require('node:fs');
      const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);
      const before = threads();
      require(${INDEX}).start();
      setTimeout(() => console.log(threads() - before), 1500);`;
    const { code, stdout, stderr } = await runProgram([script('closed.cjs', text)], inScratch);
    expect([code, stdout]).toEqual([0, '0\n']);
    expect(stderr).toMatch(/^ringtail: the agent is off: .*\n$/);
  });
});

describe('an exit', () => {
  const busy = script('busy.cjs', `setTimeout(() => { ${BURN(1500)} console.log('done'); }, 100);`);

  it('is quick, and told, where the profile cannot be written', async () => {
    writeFileSync(join(scratch.path, 'afile'), '');
    for (const out of ['afile/x.pb.gz', `${'n'.repeat(300)}.pb.gz`]) {
      const env = { RINGTAIL_OUT: join(scratch.path, out), RINGTAIL_SUMMARY: '1' };
      const { code, stderr, millis } = await runProgram(['-r', REGISTER, busy], { ...inScratch, env });
      expect(code).toBe(0);
      expect(stderr).toMatch(/the profile cannot be written: /);
      expect(stderr).toMatch(/CPU/);
      expect(millis).toBeLessThan(1700 + EXIT_MILLIS);
    }
  });

  it('is not held up by what the agent’s thread writes to its own stderr', async () => {
    const text = `setTimeout(() => { ${BURN(300)} console.log('done'); }, 13000);`;
    const env = { RINGTAIL_OUT: join(scratch.path, 'afile/x.pb.gz') };
    const running = runProgram(['-r', REGISTER, script('long.cjs', text)], { ...inScratch, env });
    const { code, millis } = await running;
    expect(code).toBe(0);
    expect(millis).toBeLessThan(13_300 + 1000 + EXIT_MILLIS);
  }, 30_000);

  it('is quick where nobody reads stderr any more', async () => {
    const env = { RINGTAIL_SUMMARY: '1' };
    const during = ({ stderr }: { stderr: { destroy(): void } | null }) => stderr?.destroy();
    const outcome = await runProgram(['-r', REGISTER, busy], { ...inScratch, env, during } as never);
    expect(outcome.code).toBe(0);
    expect(outcome.millis).toBeLessThan(1700 + EXIT_MILLIS);
  });

  it('says that there is no profile of what has ended before the agent was ready', async () => {
    const env = { RINGTAIL_OUT: join(scratch.path, 'short.pb.gz') };
    const { code, stderr } = await runProgram(['-r', REGISTER, '-e', '0'], { ...inScratch, env });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/ended before the agent was ready/)]);
  });
});

describe('files of several processes', () => {
  it('keep each its own where they begin together', async () => {
    const folder = join(scratch.path, 'together');
    mkdirSync(folder);
    const busy = script('brief.cjs', BURN(900));
    const env = { RINGTAIL_OUT: join(folder, 'cpu.pb.gz') };
    const all = [0, 1, 2].map(() => runProgram(['-r', REGISTER, busy], { ...inScratch, env }));
    const outcomes = await Promise.all(all);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(readdirSync(folder).length).toBe(3);
    expect(outcomes.filter(({ stderr }) => stderr.includes('is there already')).length).toBe(2);
  });
});
