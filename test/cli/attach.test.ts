/** `ringtail attach`: a process that was started without the agent is profiled, and left as it was. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { listeningPorts } from '../../collector/cli/attach/process-facts';
import { openCollector, type RunningCollector, watchTail } from '../clients/running';
import { untilConnected } from '../clients/targets';
import { runCommandLine, startCommand } from './command-process';

/** Tells a line of JSON about itself each time it is sent one, and hangs or ends when it is told to. */
const PROGRAM = `
// More bytecode than V8 puts into a caller: else it stands under its name only if V8 says so (README, Limits).
const filler = Array.from({ length: 150 }, (_, i) => 'if (process.never === ' + i + ') console.log(' + i + ');');
const burnsOften = new Function('return function burnsOften() {' + filler.join('') + 'for (const end = Date.now() + 20; Date.now() < end; ); }')();
function hangsNow(millis) { for (const end = Date.now() + millis; Date.now() < end; ); }
setInterval(burnsOften, 40);
process.stdin.setEncoding('utf8').on('data', (word) => {
  if (word.startsWith('hang')) return setTimeout(hangsNow, 10, Number(word.slice(4)));
  if (word === 'end') process.exit(3);
  const events = process.eventNames().map((name) => [String(name), process.listenerCount(name)]);
  const symbols = Object.getOwnPropertySymbols(process).map(String);
  console.log(JSON.stringify([events, symbols, Object.keys(process.env).length, process.execArgv, process.moduleLoadList.includes('NativeModule inspector')]));
});
console.log('up');
`;
const CYCLES = Number(process.env.ATTACH_CYCLES ?? 4);

const folder = mkdtempSync(join(tmpdir(), 'attach-'));
const script = join(folder, 'app.js');
writeFileSync(script, PROGRAM);

class Target {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  #text = '';

  constructor(
    words: readonly string[] = [script],
    readonly environment: Record<string, string> = {},
    program = process.execPath,
  ) {
    this.child = spawn(program, words, {
      env: { PATH: process.env.PATH ?? '', HOME: folder, ...environment },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
    this.ended = new Promise((done) => this.child.once('exit', done));
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Its next line, after it was sent a word. */
  async line(word = ''): Promise<string> {
    const from = word === '' ? 0 : this.#text.length;
    if (word !== '') this.child.stdin!.write(word);
    for (;;) {
      const end = this.#text.indexOf('\n', from);
      if (end >= 0) return this.#text.slice(from, end);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  threads(): number {
    return process.platform === 'linux' ? readdirSync(`/proc/${this.pid}/task`).length : 0;
  }
}

let collector: RunningCollector;
let target: Target | null = null;
beforeAll(async () => {
  collector = await openCollector();
});
afterEach(async () => {
  target?.child.kill('SIGKILL');
  await target?.ended;
  target = null;
});
afterAll(async () => {
  await collector.close();
  rmSync(folder, { recursive: true });
});

const attach = (...words: string[]) => runCommandLine(['attach', ...words], collector.agentEnvironment);
/** What comes of a service's notes until its tail is closed. */
async function notesOf(service: string) {
  const notes: string[] = [];
  const tail = await watchTail(collector, service, (line) => {
    if (line.type === 'notice') notes.push(line.text);
  });
  return { tail, notes };
}
const heardOf = async (service: string) =>
  (await (await fetch(`${collector.url}/metrics`)).text()).includes(`service="${service}"`);

describe('a process that runs without the agent', () => {
  it('is profiled, and is afterwards as it was, again and again', async () => {
    target = new Target([script], { RINGTAIL_TOKEN: collector.agentEnvironment.RINGTAIL_TOKEN! });
    await target.line();
    const before = await target.line('tell');
    const threads = target.threads();
    const { tail, notes } = await notesOf('cycle-0');
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const service = `cycle-${cycle}`;
      const { code, stderr } = await attach(String(target.pid), '--service', service);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/^ringtail: attached to \d+ \(Node\.js v/)]);
      expect(stderr).toContain('ringtail: What ran hot before sampling began');
      await untilConnected(collector, service);
      if (cycle === 0) {
        const words = ['top', '--service', service, '--seconds', '2', '--url', collector.url];
        const { stdout } = await runCommandLine(words, collector.agentEnvironment);
        const [, , first] = stdout.split('\n');
        expect(first, [...notes, stdout].join('\n')).toContain('burnsOften');
        const again = await attach(String(target.pid));
        expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('runs in process')]);
      }
      const left = await attach(String(target.pid), '--stop');
      expect([left.code, left.stderr]).toEqual([0, expect.stringContaining('has said goodbye')]);
    }
    tail.close();
    expect(await target.line('tell')).toBe(before);
    // Our own connection's threads end with it, a moment later.
    await expect.poll(() => target!.threads(), { timeout: 3000 }).toBe(threads);
    const none = await attach(String(target.pid), '--stop');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no agent runs in process')]);
    target.child.stdin!.write('end');
    expect(await target.ended).toBe(3);
  });

  it('is left by itself after --seconds, and its code with --keep-code', async () => {
    target = new Target([script], { RINGTAIL_TOKEN: collector.agentEnvironment.RINGTAIL_TOKEN! });
    await target.line();
    const { tail, notes } = await notesOf('brief');
    const words = ['--service', 'brief', '--seconds', '2', '--keep-code'];
    const { code, stderr } = await attach(String(target.pid), ...words);
    tail.close();
    expect([code, stderr]).toEqual([0, expect.stringMatching(/attached[\s\S]*has said goodbye/)]);
    expect(stderr).not.toContain('What ran hot');
    expect(await heardOf('brief')).toBe(true);
    expect(notes.join('\n')).toContain('pid ');
    expect(notes.join('\n')).not.toContain('hot');
  });

  it('that hangs is told where, gets the agent when it does not any more, and then for all of --seconds', async () => {
    target = new Target([script], { RINGTAIL_TOKEN: collector.agentEnvironment.RINGTAIL_TOKEN! });
    await target.line();
    const before = await target.line('tell');
    target.child.stdin!.write('hang 4000');
    await new Promise((done) => setTimeout(done, 300));
    const words = ['attach', String(target.pid), '--service', 'hung', '--seconds', '2'];
    const command = startCommand(words, collector.agentEnvironment);
    await command.wrote('hangs; the agent starts when');
    await command.wrote('attached to');
    const attachedMillis = performance.now();
    const { code, stderr } = await command.ended;
    expect(performance.now() - attachedMillis).toBeGreaterThan(1800);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /It hangs in:\n {2}hangsNow \S*app\.js:5\n[\s\S]*attached to[\s\S]*has said goodbye/,
    );
    expect(await heardOf('hung')).toBe(true);
    expect(await target.line('tell')).toBe(before);
    if (process.platform === 'linux') expect(listeningPorts(target.pid)).toEqual([]);
  });

  it.each([
    ['attach', [], 'nothing was started', 6000],
    ['attach --stop', ['--stop'], 'it stays', 4000],
  ])('that hangs is as it was when a waiting %s is interrupted', async (_, words, told, millis) => {
    target = new Target();
    await target.line();
    const before = await target.line('tell');
    target.child.stdin!.write(`hang ${millis}`);
    await new Promise((done) => setTimeout(done, 300));
    const command = startCommand(['attach', String(target.pid), ...words], collector.agentEnvironment);
    await command.wrote('hangsNow');
    command.child.kill('SIGINT');
    const { code, stderr } = await command.ended;
    expect([code, stderr]).toEqual([130, expect.stringMatching(`interrupted: .*${told}`)]);
    expect(stderr).not.toContain('attached to');
    if (words.length === 0 && process.platform === 'linux')
      expect(stderr).toContain('it closes its inspector');
    // The connection's timer runs after that of the program.
    await expect.poll(() => target!.line('tell'), { timeout: 8000 }).toBe(before);
    if (process.platform === 'linux')
      await expect.poll(() => listeningPorts(target!.pid), { timeout: 3000 }).toEqual([]);
  });

  it('that hangs gets no agent of an attach that was killed, and closes its inspector itself', async () => {
    target = new Target();
    await target.line();
    const before = await target.line('tell');
    target.child.stdin!.write('hang 4000');
    await new Promise((done) => setTimeout(done, 300));
    const command = startCommand(['attach', String(target.pid)], collector.agentEnvironment);
    await command.wrote('hangsNow');
    command.child.kill('SIGKILL');
    expect(await target.line('tell')).toBeDefined();
    await expect.poll(() => target!.line('tell'), { timeout: 3000 }).toBe(before);
    if (process.platform === 'linux') expect(listeningPorts(target.pid)).toEqual([]);
    expect(
      readdirSync(tmpdir()).filter((name) => name.startsWith(`ringtail-attach-${command.child.pid}-`)),
    ).toEqual([]);
  });

  it('is known as Node.js also where its program has another name', async () => {
    const program = join(folder, 'shop-server');
    copyFileSync(process.execPath, program);
    target = new Target([script], {}, program);
    await target.line();
    const { code, stderr } = await attach(String(target.pid), '--seconds', '1');
    expect([code, stderr]).toEqual([0, expect.stringContaining('has said goodbye')]);
  });

  const openAlready = process.platform === 'linux' ? ['--inspect', '--inspect=0'] : ['--inspect'];
  it.each(openAlready)('is left with the inspector that it had open by %s', async (flag) => {
    target = new Target([flag, script]);
    await target.line();
    const { code, stderr } = await attach(String(target.pid), '--seconds', '1');
    expect([code, stderr]).toEqual([0, expect.stringContaining('has said goodbye')]);
    expect(stderr).toMatch(/inspector of \d+ is open \(port \d+\): there is no CPU profile/);
    if (process.platform === 'linux') expect(listeningPorts(target.pid)).toHaveLength(1);
  });
});

describe('what cannot be attached to', () => {
  it('is told, and not harmed', async () => {
    const programs = [
      ['sleep', ['30']],
      ['bash', ['-c', 'trap "exit 9" USR1; echo up; while :; do sleep 0.05; done']],
    ] as const;
    for (const [program, words] of process.platform === 'linux' ? programs : []) {
      const other = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
      if (program === 'bash') await new Promise((done) => other.stdout.once('data', done));
      const refused = await attach(String(other.pid));
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringContaining('is no Node.js: it runs /'),
      ]);
      await new Promise((done) => setTimeout(done, 200));
      expect(other.exitCode ?? other.signalCode).toBe(null);
      other.kill();
    }
    const none = await attach('999999999');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('there is no process')]);
    const word = await attach('node');
    expect([word.code, word.stderr]).toEqual([2, expect.stringContaining('the id of a process')]);
  });

  it.runIf(process.platform === 'linux')('is told why its inspector does not open', async () => {
    const programs = [
      [
        "process.on('SIGUSR1', () => {}); setInterval(() => {}, 50); console.log('up');",
        'listens to SIGUSR1 itself',
      ],
      ["console.log('up'); require('child_process').execSync('sleep 8');", 'waits in native code'],
      [
        "console.log('up'); require('crypto').pbkdf2Sync('a', 'b', 2 ** 31 - 1, 64, 'sha512');",
        'computes in native code',
      ],
    ];
    const looks = programs.map(async ([text = '', why]) => {
      const program = new Target(['-e', text]);
      await program.line();
      const { code, stderr } = await attach(String(program.pid));
      program.child.kill('SIGKILL');
      await program.ended;
      expect([code, stderr]).toEqual([1, expect.stringContaining(why!)]);
      expect(stderr).toContain('did not open its inspector');
    });
    await Promise.all(looks);
  });

  it.runIf(process.platform === 'linux')('is told who has taken its port', async () => {
    const other = createServer().listen(9229, '127.0.0.1');
    await new Promise((done) => other.once('listening', done));
    target = new Target();
    await target.line();
    const { code, stderr } = await attach(String(target.pid));
    await new Promise((done) => other.close(done));
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`port 9229 is taken by process ${process.pid} (`),
    ]);
  });
});
