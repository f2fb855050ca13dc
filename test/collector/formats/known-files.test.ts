/** Files as other programs write them: V8's own, speedscope's two kinds, folded text of flame graph scripts. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeFolded } from '../../../collector/profile/folded';
import type { Profile } from '../../../collector/profile/profile';
import { decodeProfileFile, encodeProfileFile } from '../../../collector/profile/profile-file';
import { total } from './random-profile';

const PROGRAM = `
function burnsTime(until) {
  let sum = 0;
  while (Date.now() < until)
    for (let i = 0; i < 1e5; i++) sum += i * i;
  return sum;
}
globalThis.kept = [];
function keepsMemory() { for (let i = 0; i < 3000; i++) kept.push({ text: 'x'.repeat(100) + i, i }); }
keepsMemory();
burnsTime(Date.now() + 300);
`;

/** The same under V8's tracing profiler; its events are the output. */
const TRACED = `
const session = new (require('node:inspector').Session)();
session.connect();
const traceEvents = [];
session.on('NodeTracing.dataCollected', ({ params }) => traceEvents.push(...params.value));
session.on('NodeTracing.tracingComplete', () => process.stdout.write(JSON.stringify({ traceEvents })));
const traceConfig = { includedCategories: ['disabled-by-default-v8.cpu_profiler'] };
session.post('NodeTracing.start', { traceConfig }, () => setTimeout(() => {
${PROGRAM}
session.post('NodeTracing.stop');
}, 50));
`;

/** The file that a profiler of V8 leaves. */
function v8File(flag: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'v8-'));
  try {
    const { NODE_V8_COVERAGE: _, ...env } = process.env;
    spawnSync(process.execPath, [flag, `${flag}-dir=${folder}`, '-e', PROGRAM], { env });
    return readFileSync(join(folder, readdirSync(folder)[0]!));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("V8's own files", () => {
  it('.cpuprofile: ticks are the hit counts and time is the time, by function and by line', () => {
    const bytes = v8File('--cpu-prof');
    const { format, profile } = decodeProfileFile(bytes);
    expect(format).toBe('cpuprofile');
    const json = JSON.parse(bytes.toString());
    const hits = json.nodes.reduce((sum: number, node: { hitCount: number }) => sum + node.hitCount, 0);
    expect(total(profile, 0)).toBe(hits);
    const [first] = json.timeDeltas;
    expect(total(profile, 1) / 1000).toBeCloseTo(json.endTime - json.startTime - first, -2);
    const burnt = encodeFolded(profile, 1)
      .split('\n')
      .filter((line) => /;burnsTime[^;]* \d+$/.test(line));
    const nanos = burnt.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    expect(nanos).toBeGreaterThan(150e6);
    expect(nanos).toBeLessThan(450e6);
    expect(leafLines(profile, 'burnsTime')).toContain(5);
  });

  it('.heapprofile: bytes are the self sizes', () => {
    const bytes = v8File('--heap-prof');
    const { format, profile } = decodeProfileFile(bytes);
    expect(format).toBe('heapprofile');
    // Not held against its list of samples: V8 goes on allocating between writing the one and the other.
    type Node = { selfSize: number; children: Node[] };
    const selfSizes = ({ selfSize, children }: Node): number =>
      children.reduce((sum, child) => sum + selfSizes(child), selfSize);
    const { head } = JSON.parse(bytes.toString()) as { head: Node };
    expect(total(profile)).toBe(selfSizes(head));
    expect(profile.head.sampleTypes).toEqual([{ type: 'inuse_space', unit: 'bytes' }]);
  });
});

describe('traces', () => {
  const file = (traceEvents: object[], more: object = {}) =>
    Buffer.from(JSON.stringify({ traceEvents, ...more }));
  const at = { pid: 1, tid: 2 };

  it("of V8's own profiler, as the runtime gives them", () => {
    const { stdout } = spawnSync(process.execPath, ['-e', TRACED], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    const { format, profile } = decodeProfileFile(Buffer.from(stdout));
    expect(format).toBe('perfetto');
    type Data = { timeDeltas?: number[]; endTime?: number; startTime?: number };
    const { traceEvents } = JSON.parse(stdout) as { traceEvents: { name: string; args: { data: Data } }[] };
    const data = traceEvents
      .filter(({ name }) => /^Profile(Chunk)?$/.test(name))
      .map(({ args }) => args.data);
    const deltas = data.flatMap(({ timeDeltas = [] }) => timeDeltas);
    expect(deltas.length).toBeGreaterThan(100);
    expect(total(profile, 0)).toBe(deltas.length);
    const lastMicros = deltas.reduce((sum, delta) => sum + delta, data[0]!.startTime!);
    const endMicros = Math.max(lastMicros, ...data.map(({ endTime = 0 }) => endTime));
    // V8 sometimes writes a record after a later one: the few µs that it goes back are no time.
    const back = deltas.slice(1).reduce((sum, delta) => sum + Math.max(0, -delta), 0);
    const nanos = (endMicros - data[0]!.startTime! - deltas[0]! + back) * 1000;
    expect(total(profile, 1)).toBe(nanos);
    const burnt = encodeFolded(profile, 1)
      .split('\n')
      .filter((line) => /;burnsTime[^;]* \d+$/.test(line))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    expect(burnt).toBeGreaterThan(150e6);
    expect(burnt).toBeLessThan(450e6);
  });

  it('of slices: the own time of each, by its track, whether they come as X or as B and E', () => {
    const { profile } = decodeProfileFile(
      file([
        { ph: 'M', name: 'process_name', pid: 1, args: { name: 'shop' } },
        { ph: 'M', name: 'thread_name', ...at, args: { name: 'main' } },
        { ph: 'X', name: 'inner', ...at, ts: 12, dur: 3 },
        { ph: 'X', name: 'outer', ...at, ts: 10, dur: 10 },
        { ph: 'B', name: 'begun', pid: 1, tid: 3, ts: 0 },
        { ph: 'B', name: 'within', pid: 1, tid: 3, ts: 2 },
        { ph: 'E', pid: 1, tid: 3, ts: 2.5 },
        { ph: 'i', name: 'passed over', ...at, ts: 4 },
        { ph: 'X', name: 'next', pid: 1, tid: 3, ts: 6, dur: 0.25 },
      ]),
    );
    expect(profile.head.sampleTypes[1]).toEqual({ type: 'wall', unit: 'nanoseconds' });
    expect(encodeFolded(profile, 1)).toBe(
      'begun 5500\nbegun;next 250\nbegun;within 500\nouter 7000\nouter;inner 3000\n',
    );
    expect(profile.labelSets.slice(1)).toEqual([
      ['process', 'shop', 'thread', 'main'],
      ['process', 'shop', 'thread', '3'],
    ]);
    expect(profile.head.durationNanos).toBe(20_000);
  });

  it('as a bare list, of several threads, each a label', () => {
    const node = (id: number, functionName: string, parent?: number) => ({
      id,
      parent,
      callFrame: { functionName },
    });
    const begins = (id: string, tid: number) => ({
      ph: 'P',
      name: 'Profile',
      id,
      pid: 1,
      tid,
      args: { data: { startTime: 100 } },
    });
    const chunk = (id: string, data: object) => ({
      ph: 'P',
      name: 'ProfileChunk',
      id,
      pid: 1,
      tid: 9,
      args: { data },
    });
    const { profile } = decodeProfileFile(
      Buffer.from(
        JSON.stringify([
          begins('0x1', 5),
          begins('0x2', 6),
          chunk('0x1', {
            cpuProfile: { nodes: [node(1, '(root)'), node(2, 'f', 1)], samples: [2] },
            timeDeltas: [10],
            lines: [7],
          }),
          chunk('0x2', { cpuProfile: { nodes: [node(1, 'g')], samples: [1] }, timeDeltas: [0] }),
          chunk('0x1', { cpuProfile: { samples: [2, 1] }, timeDeltas: [30, 5], lines: [7, 0] }),
          chunk('0x2', { endTime: 102 }),
        ]),
      ),
    );
    expect(encodeFolded(profile, 0)).toBe(' 1\nf 2\ng 1\n');
    expect(encodeFolded(profile, 1)).toBe('f 35000\ng 2000\n');
    expect(profile.labelSets.slice(1)).toEqual([
      ['thread', '5'],
      ['thread', '6'],
    ]);
    expect(leafLines(profile, 'f')).toEqual([7]);
  });

  it('of slices beside a profile that was begun and got no samples', () => {
    const begun = { ph: 'P', name: 'Profile', id: 1, ...at, args: { data: { startTime: 100 } } };
    const { profile } = decodeProfileFile(file([begun, { ph: 'X', name: 'slice', ...at, ts: 12, dur: 3 }]));
    expect(encodeFolded(profile, 1)).toBe('slice 3000\n');
  });

  it('of a slice that does not end, beside nothing else', () => {
    const { profile } = decodeProfileFile(file([{ ph: 'B', name: 'slice', ...at, ts: 12 }]));
    expect(encodeFolded(profile, 0)).toBe('slice 1\n');
  });

  it.each<[string, object[], RegExp]>([
    ['has neither samples nor slices', [{ ph: 'i' }], /neither samples nor slices/],
    [
      'has a chunk of no profile',
      [{ ph: 'P', name: 'ProfileChunk', id: 1, args: { data: {} } }],
      /chunks and no beginning/,
    ],
    ['has a slice without its time', [{ ph: 'X', name: 'x', dur: 1 }], /ts is not a number but undefined/],
  ])('that %s is refused', (_, events, words) => {
    expect(() => decodeProfileFile(file(events))).toThrow(words);
  });
});

describe('speedscope', () => {
  const file = (profiles: object[]) =>
    Buffer.from(
      JSON.stringify({
        $schema: 'https://www.speedscope.app/file-format-schema.json',
        shared: { frames: [{ name: 'a', file: '/x.js', line: 3 }, { name: 'b' }] },
        profiles,
      }),
    );

  it('evented: what lies between two events is the time of the open stack', () => {
    const events = [
      { type: 'O', frame: 0, at: 0 },
      { type: 'O', frame: 1, at: 2 },
      { type: 'C', frame: 1, at: 2.5 },
      { type: 'C', frame: 0, at: 4 },
      { type: 'O', frame: 1, at: 10 },
    ];
    const { profile } = decodeProfileFile(
      file([{ type: 'evented', name: 'main', unit: 'milliseconds', startValue: 0, endValue: 12, events }]),
    );
    expect(profile.head.sampleTypes).toEqual([{ type: 'time', unit: 'nanoseconds' }]);
    expect(encodeFolded(profile)).toBe('a (/x.js) 3500000\na (/x.js);b 500000\nb 2000000\n');
    expect(profile.head.durationNanos).toBe(12e6);
  });

  it('of several threads: one value, a label for each', () => {
    const thread = (name: string) => ({ type: 'sampled', name, unit: 'none', startValue: 0, endValue: 2 });
    const { profile } = decodeProfileFile(
      file([
        { ...thread('one'), samples: [[0, 1]], weights: [2] },
        { ...thread('two'), samples: [[0, 1], []], weights: [3, 1] },
      ]),
    );
    expect(encodeFolded(profile)).toBe(' 1\na (/x.js);b 5\n');
    expect(profile.labelSets.slice(1)).toEqual([
      ['profile', 'one'],
      ['profile', 'two'],
    ]);
  });
});

describe('folded text', () => {
  it('of flame graph scripts, gzipped, with places, blanks in names and a comment', () => {
    const text = '# by hand\nnode;operator new(unsigned int) 2\r\n\nnode;f (/a b.js:12) 3\n{closure};x 1\n';
    const { format, profile } = decodeProfileFile(gzipSync(text));
    expect(format).toBe('folded');
    expect(encodeFolded(profile)).toBe(
      'node;f (/a b.js) 3\nnode;operator new(unsigned int) 2\n{closure};x 1\n',
    );
    expect(leafLines(profile, 'f')).toEqual([12]);
  });

  it('says which line is none', () => {
    expect(() => decodeProfileFile(Buffer.from('a;b 1\nwhat is this\n'))).toThrow(
      'broken folded text: line 2 is not a stack and a number: "what is this"',
    );
    expect(() => decodeProfileFile(Buffer.from('what is this\n'))).toThrow(
      /no profile: it begins with "what/,
    );
  });
});

describe('a trace for the viewers of Perfetto and Chrome', () => {
  it('has a sample for each tick, below the nodes of its stack, and its time', () => {
    const { profile } = decodeProfileFile(Buffer.from('main;a 2\nmain;b 3\nmain 1\n'));
    let text = '';
    encodeProfileFile(profile, 'perfetto', (piece) => {
      text += piece;
    });
    const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
    const chunks = traceEvents.filter(({ name }) => name === 'ProfileChunk').map(({ args }) => args.data);
    const nodes = chunks.flatMap(({ cpuProfile }) => cpuProfile?.nodes ?? []);
    const samples = chunks.flatMap(({ cpuProfile }) => cpuProfile?.samples ?? []);
    const deltas = chunks.flatMap(({ timeDeltas = [] }) => timeDeltas);
    expect(samples).toHaveLength(6);
    expect(deltas).toHaveLength(6);
    for (const { id, parent = 0 } of nodes) expect(parent).toBeLessThan(id);
    const named = (id: number): string => {
      const node = nodes.find((one) => one.id === id)!;
      const parent = node.parent === undefined ? '' : `${named(node.parent)};`;
      return `${parent}${node.callFrame.functionName}`;
    };
    expect(samples.map(named).sort()).toEqual(['main', 'main;a', 'main;a', 'main;b', 'main;b', 'main;b']);
    expect(traceEvents.filter(({ ph }) => ph === 'M').map(({ name }) => name)).toContain('thread_name');
  });
});

type TraceEvent = {
  name: string;
  ph: string;
  args: {
    data: {
      cpuProfile?: {
        nodes: { id: number; parent?: number; callFrame: { functionName: string } }[];
        samples: number[];
      };
      timeDeltas?: number[];
    };
  };
};

function leafLines(profile: Profile, name: string): number[] {
  const lines = new Set<number>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const [leaf] = profile.locationsOf(profile.samples[sample * 2]!);
    if (profile.functionOf(leaf!).name === name) lines.add(profile.locations[leaf! * 2 + 1]!);
  }
  return [...lines];
}
