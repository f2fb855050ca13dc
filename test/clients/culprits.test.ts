/**
 * Programs with a known culprit, one for each profile: it must come first, and its value must be what the program
 * measured of itself, within the error stated in the table. Two of them run at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REGISTER } from '../faults/program';
import { goPprof, needGo } from './go';
import { openCollector, type RunningCollector } from './running';
import { ended, untilConnected } from './targets';
import { readTop, rowOf, type Top } from './top';

const PROGRAMS = join(__dirname, 'fixtures/culprits');
const LANES = 2;
const WARM_MILLIS = 1500;

type Truth = { atMillis: number; [name: string]: number };

/** of: what the value is held against. rate: by so much it grew in a second; total: so much it was. */
type Row = {
  program: string;
  argument?: string;
  /** Below /debug/pprof/. */
  profile: string;
  culprit: string;
  /** In the unit of the type; `share` is of everything in the program's own functions, 0 to 1. */
  value?: 'share';
  of: { name: string; as: 'rate' | 'total' };
  errorPercent: number;
  environment?: Record<string, string>;
};

const ROWS: Row[] = [
  {
    program: 'hot-loop',
    profile: 'profile?seconds=3',
    culprit: 'countsPrimes',
    value: 'share',
    of: { name: 'share', as: 'total' },
    errorPercent: 8,
    environment: { RINGTAIL_CPU_HZ: '499', RINGTAIL_BUDGET_PERCENT: '100' },
  },
  {
    program: 'churn',
    profile: 'allocs?seconds=3',
    culprit: 'copiesOrders',
    of: { name: 'bytes', as: 'rate' },
    errorPercent: 25,
    environment: { RINGTAIL_HEAP_SAMPLE_BYTES: '65520', RINGTAIL_BUDGET_PERCENT: '100' },
  },
  {
    program: 'leak',
    profile: 'heap?gc=1',
    culprit: 'opensSession',
    of: { name: 'bytes', as: 'total' },
    errorPercent: 35,
    environment: { RINGTAIL_HEAP_SAMPLE_BYTES: '16384', RINGTAIL_BUDGET_PERCENT: '100' },
  },
  ...['timers', 'tickers'].map((argument): Row => {
    const culprit = argument === 'timers' ? 'leaksTimers' : 'leaksTickers';
    return {
      program: 'pending',
      argument,
      profile: 'goroutine',
      culprit,
      of: { name: 'count', as: 'total' },
      errorPercent: 10,
      environment: { RINGTAIL_ASYNC: 'on' },
    };
  }),
  {
    program: 'pending',
    argument: 'promises',
    profile: 'goroutine?seconds=3',
    culprit: 'leaksPromises',
    of: { name: 'count', as: 'rate' },
    errorPercent: 20,
    environment: { RINGTAIL_ASYNC: 'on' },
  },
  {
    program: 'blocked',
    argument: 'stall',
    profile: 'block?seconds=4',
    culprit: 'parsesHugeBody',
    of: { name: 'nanos', as: 'rate' },
    errorPercent: 25,
  },
  {
    program: 'blocked',
    argument: 'command',
    profile: 'block?seconds=4',
    culprit: 'convertsImage',
    of: { name: 'nanos', as: 'rate' },
    errorPercent: 25,
  },
  {
    program: 'blocked',
    argument: 'lock',
    profile: 'mutex?seconds=4',
    culprit: 'incrementsLocked',
    of: { name: 'nanos', as: 'rate' },
    errorPercent: 25,
  },
  {
    program: 'queues',
    argument: 'pool',
    profile: 'mutex?seconds=4',
    culprit: 'resizesImage',
    of: { name: 'nanos', as: 'rate' },
    errorPercent: 20,
  },
  {
    program: 'queues',
    argument: 'port',
    profile: 'mutex?seconds=4',
    culprit: 'asksForHash',
    of: { name: 'nanos', as: 'rate' },
    errorPercent: 20,
  },
  {
    program: 'garbage',
    profile: 'wall?seconds=3',
    culprit: '(garbage collector)',
    of: { name: 'nanos', as: 'rate' },
    // Steps of collections count, too, that perf_hooks does not tell of.
    errorPercent: 40,
  },
  {
    program: 'workers',
    profile: 'threadcreate',
    culprit: 'startsWorker',
    of: { name: 'count', as: 'total' },
    errorPercent: 0,
  },
  {
    program: 'starved-pool',
    profile: 'asyncwait?seconds=4',
    culprit: 'hashesPasswords',
    of: { name: 'nanos', as: 'rate' },
    errorPercent: 25,
    environment: { RINGTAIL_ASYNC: 'on', UV_THREADPOOL_SIZE: '1' },
  },
];

type Measured = { top: Top; text: string; low: number; high: number };

let collector: RunningCollector;
let folder: string;
const lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());
const programs = new Set<ChildProcess>();
let nextLane = 0;

/** Runs after what is in its lane already. */
function inLane<Result>(work: () => Promise<Result>): Promise<Result> {
  const lane = nextLane++ % LANES;
  const turn = lanes[lane]!.then(work);
  lanes[lane] = turn.catch(() => {});
  return turn;
}

function start(
  service: string,
  program: string,
  argument = '',
  environment: Record<string, string> = {},
): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--max-inlined-bytecode-size=0', '-r', REGISTER, join(PROGRAMS, `${program}.cjs`), argument],
    {
      env: {
        PATH: process.env.PATH ?? '',
        ...collector.agentEnvironment,
        RINGTAIL_SERVICE: service,
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  programs.add(child);
  return child;
}

function told(child: ChildProcess): Promise<Truth> {
  return new Promise((resolve, reject) => {
    child.once('message', (truth) => resolve(truth as Truth));
    child.once('close', () => reject(new Error('the program ended')));
    child.send('tell');
  });
}

function addressOf(profile: string, service: string): string {
  const token = collector.agentEnvironment.RINGTAIL_TOKEN;
  const base = collector.url.replace('//', `//reader:${token}@`);
  return `${base}/debug/pprof/${profile}${profile.includes('?') ? '&' : '?'}service=${service}`;
}

async function running<Result>(
  [service, ...rest]: Parameters<typeof start>,
  work: (child: ChildProcess) => Promise<Result>,
): Promise<Result> {
  const child = start(service, ...rest);
  try {
    await untilConnected(collector, service);
    await new Promise((done) => setTimeout(done, WARM_MILLIS));
    return await work(child);
  } finally {
    await ended(child);
    programs.delete(child);
  }
}

const serviceOf = ({ program, argument }: Row) =>
  argument === undefined ? program : `${program}-${argument}`;

function measure(row: Row): Promise<Measured> {
  const service = serviceOf(row);
  return running([service, row.program, row.argument, row.environment], async (child) => {
    const before = await told(child);
    const { stdout } = await goPprof(
      '-top',
      '-nodefraction=0',
      `-show=${shown(row.program)}|garbage collector`,
      addressOf(row.profile, service),
    );
    const after = await told(child);
    const { name, as } = row.of;
    const seconds = Number(/seconds=(\d+)/.exec(row.profile)?.[1] ?? 0);
    const rate = (1000 * (after[name]! - before[name]!)) / (after.atMillis - before.atMillis);
    const [low, high] = as === 'rate' ? [rate * seconds, rate * seconds] : [before[name]!, after[name]!];
    const slack = row.errorPercent / 100;
    return { top: readTop(stdout), text: stdout, low: low! * (1 - slack), high: high! * (1 + slack) };
  });
}

/** Frames of the program's own file alone: what others take is theirs who called them. */
function shown(program: string): string {
  return `culprits/${program}\\.cjs`;
}

describe.runIf(needGo('known culprits'))('the culprit', () => {
  const measured = new Map<Row, Promise<Measured>>();
  let faster: Promise<Top>;
  let leaner: Promise<Top>;
  let latencies: Promise<{ text: string; truth: Truth }>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'culprits-'));
    collector = await openCollector();
    for (const row of ROWS)
      measured.set(
        row,
        inLane(() => measure(row)),
      );
    faster = inLane(() => compared('slow-join', 'slow', 'fast', 'profile?seconds=2'));
    leaner = inLane(() => compared('reuse', 'fresh', 'reused', 'allocs?seconds=2'));
    latencies = inLane(timed);
    for (const one of [...measured.values(), faster, leaner, latencies]) one.catch(() => {});
  });

  afterAll(async () => {
    await Promise.all([...programs].map(ended));
    await collector?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(ROWS.map((row) => [serviceOf(row), row.profile, row.culprit, row.errorPercent, row] as const))(
    'of %s in %s is %s, within %i %%',
    async (_service, _profile, culprit, _error, row) => {
      const { top, text, low, high } = await measured.get(row)!;
      const { flat } = rowOf(top, culprit);
      const all = top.rows.reduce((sum, own) => sum + own.flat, 0);
      const value = row.value === 'share' ? flat / all : flat;
      console.log(`${process.version} ${serviceOf(row)} ${culprit}: ${value}, ${low} to ${high} wanted`);
      expect(top.rows[0]?.name, text).toBe(culprit);
      expect(value, text).toBeGreaterThanOrEqual(low);
      expect(value, text).toBeLessThanOrEqual(high);
    },
    90_000,
  );

  /** A program in its first way and in its second one, each as a file: what the second has more. */
  async function compared(program: string, first: string, second: string, profile: string): Promise<Top> {
    const files: string[] = [];
    for (const argument of [first, second]) {
      const service = `${program}-${argument}`;
      const file = await running([service, program, argument], async () => {
        const url = `${collector.url}/debug/pprof/${profile}&service=${service}`;
        const saved = join(folder, `${service}.pb.gz`);
        writeFileSync(saved, Buffer.from(await (await fetch(url)).arrayBuffer()));
        return saved;
      });
      files.push(file);
    }
    const [before = '', after = ''] = files;
    const { stdout } = await goPprof(
      '-top',
      '-nodefraction=0',
      `-show=${shown(program)}`,
      `-diff_base=${before}`,
      after,
    );
    return readTop(stdout);
  }

  it('of a difference is what became faster', async () => {
    const top = await faster;
    expect(top.rows[0]?.name, JSON.stringify(top)).toBe('joinsSlowly');
    expect(rowOf(top, 'joinsSlowly').flat).toBeLessThan(-0.3e9);
    expect(rowOf(top, 'joinsOnce').flat).toBeGreaterThanOrEqual(0);
  }, 90_000);

  it('of a difference of allocations is what no longer allocates', async () => {
    const top = await leaner;
    expect(top.type).toBe('alloc_space');
    expect(top.rows[0]?.name, JSON.stringify(top)).toBe('makesList');
    // 100 lists of 0.8 MB and what they grew from; a busy machine makes fewer.
    expect(rowOf(top, 'makesList').flat).toBeLessThan(-40e6);
    expect(rowOf(top, 'fillsList').flat).toBeLessThan(4e6);
  }, 90_000);

  function timed(): Promise<{ text: string; truth: Truth }> {
    return running(['slow-route', 'slow-route'], async (child) => {
      await new Promise((done) => setTimeout(done, 2500));
      const truth = await told(child);
      return { text: await (await fetch(`${collector.url}/metrics`)).text(), truth };
    });
  }

  it.each([
    ['http_server_request_duration_seconds', 'http_route="/reports/:id"', 'http_route="/users"'],
    ['http_client_request_duration_seconds', 'server_port="SLOW"', 'server_port="FAST"'],
  ])(
    'of latency in %s is what the client saw, within 20 %%',
    async (name, slow, fast) => {
      const { text, truth } = await latencies;
      const mean = (label: string) => {
        const wanted = label.replace('SLOW', String(truth.slowPort)).replace('FAST', String(truth.fastPort));
        const lines = text
          .split('\n')
          .filter((line) => line.includes('service="slow-route"') && line.includes(wanted));
        const [sum, count] = ['sum', 'count'].map((part) =>
          lines
            .filter((line) => line.startsWith(`${name}_${part}{`))
            .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0),
        );
        return sum! / count!;
      };
      const seconds = truth.nanos! / truth.count! / 1e9;
      console.log(`${process.version} slow-route ${name}: ${mean(slow)} s, ${seconds} wanted`);
      expect(mean(slow), text).toBeGreaterThan(0.8 * seconds);
      expect(mean(slow), text).toBeLessThan(1.2 * seconds);
      expect(mean(fast), text).toBeLessThan(mean(slow) / 2);
    },
    90_000,
  );
});
