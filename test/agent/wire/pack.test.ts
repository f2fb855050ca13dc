import fc from 'fast-check';
import { Packr, Unpackr } from 'msgpackr/index-no-eval';
import { describe, expect, it } from 'vitest';
import { type Packable, pack } from '../../../agent/wire/pack';
import { unpack } from '../../../agent/wire/unpack';

const SETTINGS = {
  useRecords: false,
  structuredClone: false,
  moreTypes: false,
  int64AsType: 'number',
} as const;
const packr = new Packr(SETTINGS);
const unpackr = new Unpackr(SETTINGS);
const DEPTH = 8;

const edges = [0, 31, 32, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53];
const number = fc.oneof(
  fc.constantFrom(
    ...edges,
    ...edges.map((edge) => -edge),
    -33,
    -129,
    -32_769,
    -(2 ** 31) - 1,
    -0,
    Number.NaN,
  ),
  fc.integer(),
  fc.double(),
  fc.double({ noDefaultInfinity: true }).map(Math.fround),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.nat(300).map((length) => 'é'.repeat(length)),
  fc.constantFrom(70_000, 65_536, 65_535, 256, 255, 32, 31).map((length) => 'x'.repeat(length)),
);
const binary = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(255, 256, 65_535, 65_536).map((length) => new Uint8Array(length).fill(7)),
);
const { value } = fc.letrec<{ value: Packable }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    number,
    text,
    binary,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 20 }),
  ),
}));

/** Values with binaries as hex, -0 as 0: what must survive the way. */
function plain(given: unknown): unknown {
  if (given instanceof Uint8Array) return ['bytes', Buffer.from(given).toString('hex')];
  if (Array.isArray(given)) return given.map(plain);
  return Object.is(given, -0) ? 0 : given;
}

describe('pack', () => {
  it('writes what the library of the other side reads', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(plain(unpackr.unpack(pack(given)))).toEqual(plain(given));
      }),
    );
  });

  it('writes every form at its edges, and none longer than the library', () => {
    for (const given of [
      ...edges,
      ...edges.map((edge) => -edge),
      ...edges.slice(0, 9).map((length) => 'x'.repeat(length)),
    ]) {
      expect(plain([given, unpackr.unpack(pack(given))])).toEqual(plain([given, given]));
      expect(pack(given).length).toBeLessThanOrEqual(packr.pack(given).length);
    }
    for (const length of [0, 15, 16, 65_535, 65_536]) {
      expect(unpackr.unpack(pack(new Array(length).fill(1)))).toHaveLength(length);
    }
  });

  it('gives bytes of their own', () => {
    const first = pack(['a', 1]);
    const copy = Uint8Array.from(first);
    pack(['b'.repeat(200_000), 2]);
    pack(['c', 3]);
    expect(first).toEqual(copy);
  });
});

describe('unpack', () => {
  it('reads what pack and the library write', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(plain(unpack(pack(given), DEPTH))).toEqual(plain(given));
        expect(plain(unpack(packr.pack(given), DEPTH))).toEqual(plain(given));
      }),
    );
  });

  it('reads 64-bit integers and 32-bit floats', () => {
    expect(unpack(Buffer.from('cf0000000100000001', 'hex'), 1)).toBe(2 ** 32 + 1);
    expect(unpack(Buffer.from('d3ffffffffffffffff', 'hex'), 1)).toBe(-1);
    expect(unpack(Buffer.from('ca3fc00000', 'hex'), 1)).toBe(1.5);
  });

  it.each([
    ['nothing', '', /ends 1 bytes early/],
    ['a map', '81a16101', /kind 0x81/],
    ['an extension', 'd40001', /kind 0xd4/],
    ['a string that ends early', 'a36162', /early/],
    ['an array longer than the message', 'ddffffffff', /no room for 4294967295 values/],
    ['a binary longer than the message', 'c6ffffffff00', /early/],
    ['two values', '0101', /1 bytes follow/],
    ['deeper nesting than allowed', '919191919191919191', /too deep/],
  ])('refuses %s', (_what, hex, words) => {
    expect(() => unpack(Buffer.from(hex, 'hex'), DEPTH)).toThrow(words);
  });

  it('gives a value or a RangeError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          unpack(bytes, DEPTH);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
