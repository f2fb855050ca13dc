import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runCommandLine, startCommand } from './command-process';
import { type FakeCollector, startFakeCollector } from './fake-collector';
import { HANGING, notice, second } from './tail-fixtures';

let collector: FakeCollector | null = null;
afterEach(async () => {
  await collector?.close();
  collector = null;
});

describe('ringtail tail', () => {
  it('prints the lines of --json exactly, ends after --seconds with 0', async () => {
    collector = await startFakeCollector();
    const tail = startCommand([
      'tail',
      'shop',
      '--instance',
      'host-1',
      '--url',
      collector.url,
      '--json',
      '--seconds',
      '2',
    ]);
    await collector.connected();
    const lines = [second(), HANGING, notice({ text: 'escape \u009b31m' })];
    for (const line of lines) collector.send(JSON.stringify(line));
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(lines);
    expect(stdout).not.toContain('\u009b');
    expect(collector.asked).toEqual(['/v1/tail?service=shop&instance=host-1']);
  });

  it('prints plain lines when its output is no terminal, and passes over what is no tail line', async () => {
    collector = await startFakeCollector();
    const tail = startCommand(['tail', '--url', collector.url, '--seconds', '2']);
    await collector.connected();
    for (const text of ['', '[]', 'no json', '{"v":1,"type":"second"}', JSON.stringify(HANGING)])
      collector.send(text);
    const { code, stdout } = await tail.ended;
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^12:00:00 shop\/host-1 {2}cpu 41.3 %/);
    expect(stdout).toContain('  HANG javascript for 1.50 s, still: spinForever (cart.js:40) < checkout');
    expect(stdout).not.toContain('\x1b');
  });

  it('connects again when the collector comes back, and says so', async () => {
    collector = await startFakeCollector();
    const tail = startCommand(['tail', '--url', collector.url]);
    await collector.connected();
    const { port } = collector;
    await collector.close();
    await tail.wrote('trying again');
    collector = await startFakeCollector({ port });
    await tail.wrote('connected again');
    collector.send(JSON.stringify(second()));
    await tail.wrote('shop/host-1');
    tail.child.kill('SIGINT');
    expect((await tail.ended).code).toBe(130);
  });

  it('gives up after 5 s when nothing was ever there, and says what to start', async () => {
    const gone = await startFakeCollector();
    await gone.close();
    const startMillis = Date.now();
    const { code, stderr } = await runCommandLine(['tail', '--url', gone.url]);
    expect(code).toBe(1);
    expect(stderr).toContain(`no collector at 127.0.0.1:${gone.port} (ECONNREFUSED) [ERR_CLI_UNREACHABLE]`);
    expect(stderr).toContain(`start one with: ringtail collector --port ${gone.port} `);
    expect(stderr).toContain('choose another with --url or RINGTAIL_COLLECTOR');
    expect(Date.now() - startMillis).toBeGreaterThan(4500);
    expect(Date.now() - startMillis).toBeLessThan(8000);
  });

  it.each([[[]], [['--json']]])(
    'fails when it was never connected until --seconds ended %j',
    async (more) => {
      const gone = await startFakeCollector();
      await gone.close();
      const { code, stdout, stderr } = await runCommandLine([
        'tail',
        '--url',
        gone.url,
        '--seconds',
        '1',
        ...more,
      ]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`no collector at 127.0.0.1:${gone.port} (ECONNREFUSED) [ERR_CLI_UNREACHABLE]`);
    },
  );

  it('says what it waits for, and what is there instead where the collector tells', async () => {
    const metrics = [
      'ringtail_instance_heard_seconds{service="web",instance="a"} 0.1',
      'ringtail_instance_heard_seconds{service="cart \\"2\\"",instance="b"} 0.1',
      'ringtail_instance_heard_seconds{service="web",instance="c"} 0.1',
    ].join('\n');
    const words = ['tail', 'nosuch', '--seconds', '2', '--url'];
    collector = await startFakeCollector({ metrics });
    expect((await runCommandLine([...words, collector.url])).stderr).toBe(
      `ringtail: connected to 127.0.0.1:${collector.port}; no service nosuch yet; connected are: cart "2", web\n`,
    );
    await collector.close();
    collector = await startFakeCollector({ metrics: '' });
    expect((await runCommandLine([...words, collector.url, '--json'])).stderr).toContain(
      '; no service yet: ',
    );
    await collector.close();
    collector = await startFakeCollector();
    expect((await runCommandLine([...words, collector.url])).stderr).toContain('; waiting for nosuch\n');
  });

  it('says why a token that was given is not sent, and sends no other', async () => {
    const home = mkdtempSync(join(tmpdir(), 'ringtail-home-'));
    try {
      const folder = join(home, '.local', 'state', 'ringtail');
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, 'token'), 'found-by-itself-0123456789', { mode: 0o600 });
      collector = await startFakeCollector();
      const words = ['tail', '--url', collector.url, '--seconds', '1'];
      const bad = await runCommandLine(words, { RINGTAIL_TOKEN: 'bad', HOME: home, XDG_RUNTIME_DIR: '' });
      expect(bad.stderr.split('\n')[0]).toBe(
        'ringtail: RINGTAIL_TOKEN is not sent: a token has 16 to 512 characters, got 3',
      );
      await runCommandLine(words, { RINGTAIL_TOKEN: 'given-on-purpose-0123456789' });
      expect(collector.authorizations).toEqual([undefined, 'Bearer given-on-purpose-0123456789']);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('tells a refusal at once, in the words of the collector', async () => {
    collector = await startFakeCollector({ status: 401, body: 'a token is needed\n' });
    const { code, stderr } = await runCommandLine(['tail', '--url', collector.url]);
    expect(code).toBe(1);
    expect(stderr).toContain('answered 401: a token is needed [ERR_CLI_REFUSED]');
    expect(stderr).toContain('RINGTAIL_TOKEN');
  });

  it('refuses lines of another version instead of showing wrong figures', async () => {
    collector = await startFakeCollector();
    const tail = startCommand(['tail', '--url', collector.url]);
    await collector.connected();
    collector.send(JSON.stringify({ ...second(), v: 2 }));
    const { code, stderr } = await tail.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('[ERR_CLI_TAIL_VERSION]');
  });

  it('ends quietly when its reader leaves', async () => {
    collector = await startFakeCollector();
    const tail = startCommand(['tail', '--url', collector.url, '--json']);
    await collector.connected();
    tail.child.stdout?.destroy();
    const timer = setInterval(() => collector?.send(JSON.stringify(second())), 50);
    const { code, stderr } = await tail.ended.finally(() => clearInterval(timer));
    expect([code, stderr]).toEqual([0, '']);
  });
});
