import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine, startCommand } from './command-process';

const folder = mkdtempSync(join(tmpdir(), 'ringtail-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

describe('ringtail run', () => {
  it('passes arguments and the exit code through, and says on stderr where the data goes', async () => {
    const file = program('code.js', 'console.log(process.argv.slice(2).join()); process.exitCode = 7;');
    const { code, stdout, stderr } = await runCommandLine([
      'run',
      '--',
      process.execPath,
      file,
      '--json',
      '-h',
    ]);
    expect([code, stdout]).toEqual([7, '--json,-h\n']);
    expect(stderr.split('\n')[0]).toBe(
      'ringtail: sending to ws://127.0.0.1:7411 (RINGTAIL_COLLECTOR is not set); watch it with: ringtail tail',
    );
  });

  it('says with which address the tail shows it, where that is not the default', async () => {
    const { stderr } = await runCommandLine(['run', '--', process.execPath, '-e', '0'], {
      RINGTAIL_COLLECTOR: 'ws://127.0.0.1:7999',
    });
    expect(stderr.split('\n')[0]).toMatch(/; watch it with: ringtail tail --url ws:\/\/127\.0\.0\.1:7999$/);
  });

  it('says where nobody listens there, and nothing where somebody does', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const words = ['run', '--', process.execPath, '-e', 'setTimeout(() => {}, 300)'];
    const env = { RINGTAIL_COLLECTOR: `ws://127.0.0.1:${port}` };
    const answered = await runCommandLine(words, env);
    expect(answered.stderr).toContain(`sending to ws://127.0.0.1:${port} (RINGTAIL_COLLECTOR); watch it`);
    expect(answered.stderr).not.toContain('no collector answers');
    await new Promise((resolve) => server.close(resolve));
    const { code, stderr } = await runCommandLine(words, env);
    expect(code).toBe(0);
    expect(stderr.split('\n')[1]).toBe(
      `ringtail: no collector answers there yet: ringtail collector --port ${port}`,
    );
  });

  it('preloads the agent by absolute path, so another working folder is no matter', async () => {
    const file = program(
      'agent.js',
      'console.log(Object.getOwnPropertySymbols(process).map(String).join());',
    );
    const shell = program('elsewhere.sh', `cd / && exec "${process.execPath}" "${file}"`);
    const { code, stdout } = await runCommandLine(['run', '--', 'sh', shell]);
    expect(code).toBe(0);
    expect(stdout).toContain('ringtail');
  });

  it('keeps NODE_OPTIONS that are there', async () => {
    const file = program('options.js', 'console.log(process.env.NODE_OPTIONS);');
    const { stdout } = await runCommandLine(['run', process.execPath, file], {
      NODE_OPTIONS: '--no-warnings',
    });
    expect(stdout).toMatch(/^--no-warnings --require \S+register\.js\n$/);
  });

  it('hands signals on and ends by the signal that ended the program', async () => {
    const file = program('wait.js', 'console.log("up"); setInterval(() => {}, 1000);');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const run = startCommand(['run', '--', process.execPath, file]);
      await run.wrote('up');
      run.child.kill(signal);
      const ended = await run.ended;
      expect([ended.code, ended.signal]).toEqual([null, signal]);
    }
  });

  it('lets the program answer a signal itself', async () => {
    const file = program(
      'answer.js',
      'process.on("SIGTERM", () => process.exit(5)); console.log("up"); setInterval(() => {}, 1000);',
    );
    const run = startCommand(['run', '--', process.execPath, file]);
    await run.wrote('up');
    run.child.kill('SIGTERM');
    expect((await run.ended).code).toBe(5);
  });

  it('says so when there is no such program, or it cannot be run', async () => {
    const none = await runCommandLine(['run', '--', 'no-such-program']);
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("cannot run 'no-such-program': no such program [ERR_CLI_SPAWN]");
    const file = program('data.txt', 'no program');
    chmodSync(file, 0o600);
    expect((await runCommandLine(['run', '--', file])).stderr).toContain('[ERR_CLI_SPAWN]');
  });
});
