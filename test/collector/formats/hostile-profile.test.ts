import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePprof } from '../../../collector/profile/pprof';
import { ProfileError } from '../../../collector/profile/profile-error';
import {
  decodeProfileFile,
  encodeProfileFile,
  type ProfileFormat,
} from '../../../collector/profile/profile-file';
import { PROFILE_BYTES_MAX } from '../../../collector/profile/profile-limits';
import { randomProfile } from './random-profile';

const READABLE: ProfileFormat[] = ['pprof', 'cpuprofile', 'heapprofile', 'folded', 'speedscope', 'perfetto'];

/** Either a profile or a coded error: nothing else may come out. */
function read(bytes: Uint8Array): string {
  try {
    return decodeProfileFile(bytes).format;
  } catch (error) {
    if (error instanceof ProfileError) return error.code;
    throw error;
  }
}

/** A message field of profile.proto. */
function field(number: number, content: Uint8Array | number[]): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), Buffer.from(content)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest < 128 ? rest : (rest % 128) | 128);
    if (rest < 128) return Buffer.from(bytes);
  }
}

const NO_STRING = field(6, []);
const SAMPLE_TYPE = field(1, [8, 0, 16, 0]);

describe('bytes from anywhere', () => {
  it('make a profile or a coded error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        read(bytes);
        read(gzipSync(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it.each(READABLE)('that were a %s until some of them changed do too', (format) => {
    const kind = format === 'heapprofile' ? 'heap' : 'cpu';
    const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255), fc.boolean());
    const codes = new Set<string>();
    fc.assert(
      fc.property(
        randomProfile(kind, 2 ** 40),
        fc.array(change, { minLength: 1, maxLength: 5 }),
        (profile, changes) => {
          const pieces: Buffer[] = [];
          const index = profile.head.sampleTypes.length - 1;
          if (format === 'pprof') pieces.push(encodePprof(profile));
          else encodeProfileFile(profile, format, (piece) => pieces.push(Buffer.from(piece)), index);
          let bytes = Buffer.concat(pieces);
          for (const [at, byte, cut] of changes) {
            const place = Math.floor(at * bytes.length);
            if (cut) bytes = bytes.subarray(0, place);
            else if (bytes.length > place) bytes[place] = byte;
          }
          codes.add(read(bytes));
        },
      ),
      { numRuns: 1500 },
    );
    expect([...codes]).toContain('ERR_PROFILE_BROKEN');
  });

  it('that unpack to more than is read are refused before they are unpacked', () => {
    const bomb = gzipSync(Buffer.alloc(PROFILE_BYTES_MAX + 1));
    expect(() => decodeProfileFile(bomb)).toThrow(/larger than 268435456 bytes: take a shorter one/);
    expect(() => decodeProfileFile(bomb.subarray(0, 1000))).toThrow(/broken gzip: unexpected end of file/);
  });
});

describe('a profile.proto', () => {
  it.each<[string, Buffer[], RegExp]>([
    [
      'that ends within a field',
      [SAMPLE_TYPE, Buffer.from([0x32, 0x7f])],
      /ends within a field at byte 8 of 8/,
    ],
    [
      'with a number of eleven bytes',
      [Buffer.from([8, ...Array(11).fill(0xff)])],
      /a number of more than ten bytes/,
    ],
    ['with a wire type that is none', [Buffer.from([0x0b, 0])], /wire type 3 at byte 1/],
    ['with a field number 0', [Buffer.from([2, 0])], /field number 0/],
    ['without strings', [SAMPLE_TYPE], /its first string is not the empty one/],
    ['without sample types', [NO_STRING, field(4, [8, 1])], /no sample types/],
    ['whose string is not there', [NO_STRING, field(1, [8, 5])], /string 5 of 1/],
    [
      'whose location is not there',
      [SAMPLE_TYPE, NO_STRING, field(2, [10, 1, 9, 18, 1, 1])],
      /names location 9/,
    ],
    [
      'whose function is not there',
      [SAMPLE_TYPE, NO_STRING, field(4, [8, 1, 34, 2, 8, 7])],
      /names function 7/,
    ],
    ['whose location has no id', [SAMPLE_TYPE, NO_STRING, field(4, [16, 1])], /a location has no id/],
    [
      'whose sample has too few values',
      [SAMPLE_TYPE, NO_STRING, field(2, [])],
      /0 values, the profile 1 sample types/,
    ],
    [
      'whose samples are no messages',
      [SAMPLE_TYPE, NO_STRING, Buffer.from([16, 1])],
      /field 2 has wire type 0, not 2/,
    ],
  ])('%s is refused in words', (_, parts, words) => {
    expect(() => decodeProfileFile(Buffer.concat(parts))).toThrow(words);
  });

  it('that repeats a location of many lines is refused before it is walked', () => {
    const lines = Buffer.concat(Array.from({ length: 1000 }, () => field(4, [])));
    const location = field(4, Buffer.concat([Buffer.from([8, 1]), lines]));
    const path = Buffer.alloc(1_000_000, 1);
    const sample = field(2, Buffer.concat([field(1, path), field(2, [1])]));
    const bytes = Buffer.concat([SAMPLE_TYPE, NO_STRING, location, sample]);
    const startMillis = performance.now();
    expect(() => decodeProfileFile(bytes)).toThrow(/frames in a stack: at most 65536 are read/);
    expect(performance.now() - startMillis).toBeLessThan(5000);
  });

  it('with ids of 64 bits and unpacked numbers is read, as other writers make them', () => {
    const id = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    const bytes = Buffer.concat([
      SAMPLE_TYPE,
      field(2, [8, ...id, 16, 7]),
      field(4, [8, ...id, 24, 0x80, 0x20]),
      NO_STRING,
    ]);
    const { profile } = decodeProfileFile(bytes);
    expect(profile.values).toEqual([7]);
    expect(profile.functionOf(1).name).toBe('0000000000001000');
  });
});

describe('JSON', () => {
  const frame = { functionName: 'f', scriptId: '1', url: '', lineNumber: 0, columnNumber: 0 };
  const node = (id: number, children: number[]) => ({ id, callFrame: frame, hitCount: 1, children });
  const cpu = { startTime: 0, endTime: 9 };
  const shared = { frames: [{ name: 'f' }] };
  const sampled = { type: 'sampled', name: '', unit: 'none', startValue: 0, endValue: 1 };
  const evented = { type: 'evented', name: '', unit: 'none', startValue: 0, endValue: 1 };
  const open = { type: 'O', frame: 0, at: 1 };

  it.each<[string, object, RegExp]>([
    ['of a trace', { traceEvents: [] }, /broken trace: there are neither samples nor slices in it/],
    ['of anything else', { a: 1 }, /JSON of no known profile/],
    ['of nodes in a circle', { ...cpu, nodes: [node(1, [2]), node(2, [1])] }, /node 1 has two parents/],
    [
      'of a node that hangs on none',
      { ...cpu, nodes: [node(1, []), node(2, [])] },
      /1 nodes hang on no other/,
    ],
    ['of a child that is not there', { ...cpu, nodes: [node(1, [3])] }, /node 3 is a child and not there/],
    ['of two nodes with one id', { ...cpu, nodes: [node(1, []), node(1, [])] }, /two nodes have the id 1/],
    [
      'of a sample of no node',
      { ...cpu, nodes: [node(1, [])], samples: [4], timeDeltas: [1] },
      /names node 4/,
    ],
    [
      'of too few deltas',
      { ...cpu, nodes: [node(1, [])], samples: [1], timeDeltas: [] },
      /1 samples and 0 timeDeltas/,
    ],
    ['of a head that is none', { head: 3 }, /head is not an object but number/],
    ['of a negative size', { head: { callFrame: frame, selfSize: -1 } }, /a selfSize of -1/],
    [
      'of a frame that is not there',
      { shared, profiles: [{ ...sampled, samples: [[1]], weights: [1] }] },
      /frame 1 of 1/,
    ],
    [
      'of too few weights',
      { shared, profiles: [{ ...sampled, samples: [[0]], weights: [] }] },
      /1 samples and 0 weights/,
    ],
    [
      'of a weight in words',
      { shared, profiles: [{ ...sampled, samples: [[0]], weights: ['1'] }] },
      /a weight is not a number but string/,
    ],
    [
      'of time that goes back',
      { shared, profiles: [{ ...evented, events: [open, { ...open, at: 0 }] }] },
      /goes back from 1 to 0/,
    ],
    [
      'of what closes unopened',
      { shared, profiles: [{ ...evented, events: [{ ...open, type: 'C' }] }] },
      /frame 0 closes while none is open/,
    ],
  ])('%s is refused in words', (_, json, words) => {
    expect(() => decodeProfileFile(Buffer.from(JSON.stringify(json)))).toThrow(words);
  });

  it('nested as deep as a stack may be is read without recursion, and written again', () => {
    const depth = 20_000;
    const callFrame = JSON.stringify(frame);
    const text = `{"head":${`{"callFrame":${callFrame},"selfSize":1,"children":[`.repeat(depth)}${']}'.repeat(depth)}}`;
    const { profile } = decodeProfileFile(Buffer.from(text));
    expect(profile.sampleCount).toBe(depth);
    let written = '';
    encodeProfileFile(profile, 'heapprofile', (piece) => {
      written += piece;
    });
    expect(decodeProfileFile(Buffer.from(written)).profile.sampleCount).toBe(depth);
  });
});

describe('figures that no number tells exactly', () => {
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const x = (ts: number, dur: number) => ({ ph: 'X', name: 'x', pid: 1, tid: 1, ts, dur });
  const root = { id: 1, callFrame: { functionName: 'f' } };
  const cpu = { nodes: [{ ...root, hitCount: 1 }], startTime: 0, endTime: 9, samples: [1], timeDeltas: [0] };
  const sampled = [
    { ph: 'P', name: 'Profile', id: 1, pid: 1, tid: 1, args: { data: { startTime: 0, endTime: 9 } } },
    {
      ph: 'P',
      name: 'ProfileChunk',
      id: 1,
      pid: 1,
      args: { data: { cpuProfile: { nodes: [root], samples: [1, 1] }, timeDeltas: [0, 4] } },
    },
  ];
  const drawn = { sampleType: 'bytes/bytes', valuePerMicro: 1e308 };
  const speedscope = { type: 'sampled', unit: 'none', startValue: 0, endValue: 1, samples: [[0]] };

  it.each<[string, Buffer, RegExp]>([
    ['what a trace was drawn of', json({ traceEvents: sampled, otherData: drawn }), /a value comes to/],
    ['times of slices', json([x(-1e308, 1e308), x(1e308, 1e308)]), /ts comes to -1e\+308: at most 9007199/],
    ['a duration', json([x(0, 1e300)]), /dur comes to 1e\+300/],
    [
      'a sum of slices',
      json([x(0, 2 ** 53 - 1), x(2 ** 53 - 1, 2 ** 53 - 1)]),
      /a value comes to 18014398509481\d+/,
    ],
    ['a beginning', json({ ...cpu, startTime: -1e308 }), /startTime comes to/],
    ['an end', json({ ...cpu, endTime: 1e308 }), /endTime comes to/],
    ['a time between samples', json({ ...cpu, timeDeltas: [1e17] }), /a timeDelta comes to/],
    ['hits', json({ ...cpu, nodes: [{ ...root, hitCount: 1e300 }] }), /hitCount comes to/],
    ['a size', json({ head: { ...root, selfSize: 1e300 } }), /broken heapprofile: a value comes to/],
    [
      'a weight',
      json({ shared: { frames: [{ name: 'f' }] }, profiles: [{ ...speedscope, weights: [1e300] }] }),
      /broken speedscope: a value comes to/,
    ],
    ['a folded number', Buffer.from('f 1e999'), /broken folded: a value comes to Infinity/],
    ['a sum', Buffer.from('f 9e18\nf 9e18'), /a value comes to 18000000000000000000/],
  ])('are refused: %s', (_, bytes, words) => {
    expect(() => decodeProfileFile(bytes)).toThrow(words);
    expect(read(bytes)).toBe('ERR_PROFILE_BROKEN');
  });

  it('do not come of any double in a trace: what is read is written, and read again', () => {
    const time = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
    const slice = fc.record({
      ph: fc.constantFrom('X', 'B', 'E'),
      name: fc.constant('f'),
      ts: time,
      dur: time,
    });
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.array(slice, { minLength: 1, maxLength: 4 }), (events) => {
        const code = read(json(events));
        codes.add(code);
        if (code.startsWith('ERR_')) return;
        expect(read(encodePprof(decodeProfileFile(json(events)).profile))).toBe('pprof');
      }),
      { numRuns: 1000 },
    );
    expect([...codes]).toEqual(expect.arrayContaining(['perfetto', 'ERR_PROFILE_BROKEN']));
  });
});

describe('more than is walked', () => {
  const depth = 20_000;

  it('in slices is refused', () => {
    const events = Array.from({ length: depth }, (_, ts) => ({ ph: 'B', name: 'f', pid: 1, tid: 1, ts }));
    const bytes = Buffer.from(JSON.stringify(events));
    expect(() => decodeProfileFile(bytes)).toThrow(/trace with 500\d+ frames: at most 50000000 are read/);
    const few = Buffer.from(JSON.stringify([...events.slice(0, 1000), { ...events[0], ph: 'E', ts: 1000 }]));
    expect(decodeProfileFile(few).profile.sampleCount).toBe(1000);
  });

  it("in V8's nodes is refused, of all threads together", () => {
    const chain = Array.from({ length: 8000 }, (_, index) => ({
      id: index + 1,
      callFrame: { functionName: 'f' },
      ...(index > 0 && { parent: index }),
    }));
    const thread = (id: number) => [
      { ph: 'P', name: 'Profile', id, pid: 1, tid: id, args: { data: { startTime: 0 } } },
      {
        ph: 'P',
        name: 'ProfileChunk',
        id,
        pid: 1,
        args: {
          data: {
            cpuProfile: { nodes: chain, samples: chain.map((node) => node.id) },
            timeDeltas: chain.map(() => 1),
          },
        },
      },
    ];
    const one = Buffer.from(JSON.stringify(thread(1)));
    expect(decodeProfileFile(one).profile.sampleCount).toBe(8000);
    const two = Buffer.from(JSON.stringify([...thread(1), ...thread(2)]));
    expect(() => decodeProfileFile(two)).toThrow(/with 500\d+ frames: at most 50000000 are read/);
  });
});

describe('a trace', () => {
  const begins = { ph: 'P', name: 'Profile', pid: 1, tid: 1, args: { data: { startTime: 5 } } };

  it.each<[string, object, RegExp]>([
    ['pid', { ph: 'X', name: 'x', ts: 0, pid: { toString: 1 } }, /pid is neither a number nor a string/],
    ['tid', { ph: 'X', name: 'x', ts: 0, pid: 1, tid: { toString: 1 } }, /tid is neither/],
    [
      'tid of a name',
      { ph: 'M', name: 'thread_name', tid: [{ toString: 1 }], args: { name: 'a' } },
      /tid is/,
    ],
    ['id', { ...begins, id: { toString: 1 } }, /broken trace: id is neither/],
  ])('whose %s is an object is refused in words', (_, event, words) => {
    expect(() => decodeProfileFile(Buffer.from(JSON.stringify([event])))).toThrow(words);
  });

  it('of more profiles than a call takes arguments is read', () => {
    const events = Array.from({ length: 150_000 }, (_, id) => ({ ...begins, id }));
    expect(decodeProfileFile(Buffer.from(JSON.stringify(events))).profile.sampleCount).toBe(0);
  });
});

describe('a speedscope file', () => {
  const profile = { type: 'sampled', unit: 'seconds', startValue: 0, endValue: 2, samples: [], weights: [] };
  const file = (profiles: object[]) => Buffer.from(JSON.stringify({ shared: { frames: [] }, profiles }));

  it('of more profiles than a call takes arguments is read, the longest of them its duration', () => {
    const profiles = Array.from({ length: 150_000 }, () => profile);
    expect(decodeProfileFile(file(profiles)).profile.head.durationNanos).toBe(2e9);
  });

  it('whose end is an object has no duration', () => {
    const { head } = decodeProfileFile(file([{ ...profile, endValue: { valueOf: 1, toString: 1 } }])).profile;
    expect(head.durationNanos).toBe(0);
  });
});
