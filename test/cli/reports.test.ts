import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeProfileFile, encodeProfileFile } from '../../collector/profile/profile-file';
import { COMMAND_FILE, runCommandLine } from './command-process';

let folder: string;
let folded: string;
let later: string;
let source: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reports-'));
  source = join(folder, 'app.js');
  writeFileSync(source, 'function parse() {\n  hot();\n}\n');
  folded = join(folder, 'one.folded');
  writeFileSync(folded, `main;handler;parse (${source}:2) 60\nmain;handler 30\nmain 10\n`);
  later = join(folder, 'two.folded.gz');
  writeFileSync(later, gzipSync(`main;handler;parse (${source}:2) 160\nmain;handler 30\nmain 10\n`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('reports of a file', () => {
  it.each([
    [
      'top',
      [],
      /^samples\/count: total 100\n.*function\n\s+60 {2}60\.0 % {2}60\.0 %\s+60 {2}60\.0 % {2}parse {2}/,
    ],
    ['top', ['--cum', '-n', '1'], / 10 {2}10\.0 %.*100\.0 % {2}main\n2 more: -n 0 shows all\n$/],
    ['top', ['--ignore', 'parse'], /total 100; 40 of it after filtering\n/],
    ['top', ['--by', 'package'], / 60\.0 % {2}\(own code\)\n/],
    ['tree', ['--min', '20%'], /100\.0 %\s+10 {2}main\n\s+90 {2}90\.0 %\s+30 {4}handler\n/],
    ['traces', ['-n', '1'], /60 {2}parse.*:2\n\s+handler\n\s+main\n\n2 more: -n 0 shows all\n$/],
  ])('%s %j', async (command, words, expected) => {
    const { code, stdout, stderr } = await runCommandLine([command, ...words, folded]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(expected);
  });

  it('list reads the source where the profile says, or below a folder', async () => {
    const there = await runCommandLine(['list', '^parse$', folded]);
    expect(there.stdout).toContain('         60         60      2:   hot();\n');
    const moved = join(folder, 'moved.folded');
    writeFileSync(moved, 'parse (/somewhere/else/app.js:2) 5\n');
    const lost = await runCommandLine(['list', 'parse', moved]);
    expect(lost.stdout).toContain('      2: (its source cannot be read here)\n');
    const found = await runCommandLine(['list', 'parse', moved, '--source-path', folder]);
    expect(found.stdout).toContain('          5          5      2:   hot();\n');
  });

  it('peek and diff', async () => {
    const peeked = await runCommandLine(['peek', 'handler', folded]);
    expect(peeked.stdout).toContain('         90 100.0 %  handler, 30 by itself\n');
    const plain = await runCommandLine(['diff', folded, later]);
    expect(plain.stdout).toMatch(/\+100\s+\+100\.0 %\s+\+100\s+\+100\.0 %\s+60\s+160 {2}parse/);
    const shares = await runCommandLine(['diff', '--normalize', folded, later]);
    expect(shares.stdout).toContain('normalized: values of after times 0.5000\n');
    expect(shares.stdout).toMatch(/\+20\s+\+20\.0 %.* {2}parse/);
  });

  it('tells on stderr what qualifies the figures, of each of two', async () => {
    const aged = 'not a new capture: this one was made 3 s ago (asked)';
    const path = join(folder, 'aged.pb.gz');
    const { profile } = decodeProfileFile(readFileSync(folded));
    const hint = 'shop host:1: hint: 40 % of a core went to threads that are not sampled: worker threads';
    const none = 'shop host:1: hint: pool of 128 threads on 2 CPUs';
    profile.head.comments.push(aged, 'host:1: no stacks: hooks are off', 'one allocation in 512 is sampled');
    profile.head.comments.push(hint, none);
    encodeProfileFile(profile, 'pprof', (piece) => writeFileSync(path, piece));
    const told = `ringtail: ${path}: ${aged}\nringtail: ${path}: host:1: no stacks: hooks are off\nringtail: ${path}: ${hint}\n`;
    expect((await runCommandLine(['top', path])).stderr).toBe(told);
    expect(await runCommandLine(['diff', folded, path])).toMatchObject({ code: 0, stderr: told });
  });

  it('export writes every format that fits, to a file or on', async () => {
    for (const format of ['pprof', 'cpuprofile', 'folded', 'speedscope', 'perfetto']) {
      const path = join(folder, `out.${format}`);
      const { code, stdout, stderr } = await runCommandLine([
        'export',
        folded,
        '--format',
        format,
        '-o',
        path,
      ]);
      expect([code, stdout, stderr]).toEqual([0, '', '']);
      if (format !== 'perfetto') expect(decodeProfileFile(readFileSync(path)).format).toBe(format);
    }
    const { stdout } = await runCommandLine(['export', later, '--format', 'folded', '--focus', 'handler']);
    expect(stdout).toBe(`main;handler 30\nmain;handler;parse (${source}) 160\n`);
  });

  it('ends quietly when its reader leaves', async () => {
    const large = join(folder, 'large.folded');
    writeFileSync(large, Array.from({ length: 50_000 }, (_, index) => `main;f${index} 1\n`).join(''));
    const child = spawn(process.execPath, [COMMAND_FILE, 'top', '-n', '0', large]);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });

  it('takes standard input', async () => {
    const child = spawn(process.execPath, [COMMAND_FILE, 'top', '-']);
    child.stdin.end('main;a 3\n');
    let stdout = '';
    for await (const text of child.stdout.setEncoding('utf8')) stdout += text;
    expect(stdout).toMatch(/ 3 100\.0 %.* {2}a\n/);
  });
});

describe('what cannot be', () => {
  it.each<[string[], string, string]>([
    [['top', '/no/such/file'], 'cannot read /no/such/file (ENOENT)', 'ERR_CLI_FILE'],
    [
      ['top', '127.0.0.1:6060'],
      'an address begins with http://, as in http://127.0.0.1:6060',
      'ERR_CLI_FILE',
    ],
    [['top', COMMAND_FILE], `${COMMAND_FILE}: no profile: it begins with "#!/usr`, 'ERR_PROFILE_UNKNOWN'],
    [['top', 'FOLDED', '--type', 'cpu'], "no sample type 'cpu': it has samples/count", 'ERR_PROFILE_UNFIT'],
    [
      ['list', 'nosuch', 'FOLDED'],
      'no function with samples has a name that matches /nosuch/',
      'ERR_CLI_NO_MATCH',
    ],
    [['export', 'FOLDED', '--format', 'heapprofile'], 'holds bytes, not samples/count', 'ERR_PROFILE_UNFIT'],
    [
      ['export', 'FOLDED', '-o', '/no/such/folder/x'],
      'cannot write /no/such/folder/x (ENOENT)',
      'ERR_CLI_FILE',
    ],
    [
      ['top', '--url', 'http://127.0.0.1:1'],
      'no answer from 127.0.0.1:1 (ECONNREFUSED)',
      'ERR_CLI_UNREACHABLE',
    ],
  ])('%j is told with its code, exit 1', async (words, message, errorCode) => {
    const typed = words.map((word) => (word === 'FOLDED' ? folded : word));
    const { code, stdout, stderr } = await runCommandLine(typed);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`[${errorCode}]`);
    expect(stderr).not.toContain('    at ');
  });
});

describe('reports of a collector', () => {
  let server: Server;
  let url: string;
  let answer: { status: number; body: string | Uint8Array };
  const asked: { path: string; headers: IncomingHttpHeaders }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push({ path: request.url!, headers: request.headers });
      response.statusCode = answer.status;
      response.end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const profile = (): Uint8Array => {
    const pieces: Uint8Array[] = [];
    encodeProfileFile(decodeProfileFile(Buffer.from('main;a 3\n')).profile, 'pprof', (piece) =>
      pieces.push(Buffer.from(piece)),
    );
    return Buffer.concat(pieces);
  };

  it('ask for what was typed, with the token that was given', async () => {
    answer = { status: 200, body: profile() };
    const words = ['--service', 'my shop', '--instance', 'a:1', '--seconds', '7', '--url', url];
    const top = await runCommandLine(['top', ...words], {
      RINGTAIL_TOKEN: 'a-token-of-the-tests-0123456789',
    });
    expect(top.code).toBe(0);
    expect(top.stdout).toMatch(/100\.0 % {2}a\n/);
    expect(top.stderr).toMatch(/^ringtail: 7 s of cpu from 127\.0\.0\.1:\d+ \.\.\.\n$/);
    expect(asked.at(-1)!.path).toBe('/debug/pprof/profile?seconds=7&service=my+shop&instance=a%3A1');
    expect(asked.at(-1)!.headers.authorization).toBe('Bearer a-token-of-the-tests-0123456789');
    await runCommandLine(['tree', '--profile', 'block', '--url', url]);
    expect(asked.at(-1)!.path).toBe('/debug/pprof/block');
    expect(asked.at(-1)!.headers.authorization).toBeUndefined();
    await runCommandLine(['diff', folded, `${url}/debug/pprof/heap?debug=0`]);
    expect(asked.at(-1)!.path).toBe('/debug/pprof/heap?debug=0');
  });

  it.each([
    ['', [], '/debug/pprof/profile?seconds=10'],
    ['/', ['--seconds', '2', '--service', 'shop'], '/debug/pprof/profile?seconds=2&service=shop'],
    ['/debug/pprof', ['--profile', 'heap'], '/debug/pprof/heap'],
    ['/debug/pprof/?service=shop', ['--profile', 'wall'], '/debug/pprof/wall?service=shop&seconds=10'],
    ['?seconds=3', [], '/debug/pprof/profile?seconds=3'],
  ])('ask who is at an address that names no profile: %j', async (path, words, expected) => {
    answer = { status: 200, body: profile() };
    const top = await runCommandLine(['top', `${url}${path}`, ...words]);
    expect(top.code, top.stderr).toBe(0);
    expect(asked.at(-1)!.path).toBe(expected);
  });

  it('tell its refusal in its own words', async () => {
    answer = { status: 400, body: '2 services are connected:\n  service=a\n  service=b\u001b[2J\n' };
    const { code, stderr } = await runCommandLine(['top', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toContain('answered 400: 2 services are connected:\n');
    expect(stderr).toContain('service=b[2J');
    expect(stderr).toContain('[ERR_CLI_REFUSED]\n  choose with --service, --instance');
  });

  it('tell which profiles there are where the one asked for is none of them', async () => {
    answer = { status: 404, body: 'Unknown profile\n' };
    const { code, stderr } = await runCommandLine(['top', '--profile', 'nope', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /answered 404: Unknown profile \[ERR_CLI_REFUSED\]\n {2}the profiles there are: cpu, wall, heap, /,
    );
    expect(stderr).not.toMatch(/trace|heapsnapshot/);
    answer.body = 'asynchronous resources are not followed: RINGTAIL_ASYNC=off\n';
    const off = await runCommandLine(['top', '--profile', 'goroutine', '--url', url]);
    expect(off.stderr).not.toContain('the profiles there are');
  });

  it('tell how to give the token where it lifts the refusal', async () => {
    answer = { status: 503, body: 'heap captures are made once a minute without the token: try again\n' };
    const { stderr } = await runCommandLine(['top', '--profile', 'heap', '--url', url]);
    expect(stderr).toContain('RINGTAIL_TOKEN_FILE');
    answer.body = 'the main thread is stuck in native code\n';
    const stuck = await runCommandLine(['top', '--profile', 'heap', '--url', url]);
    expect(stuck.stderr).not.toContain('RINGTAIL_TOKEN');
  });
});
