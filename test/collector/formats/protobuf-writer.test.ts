import { describe, expect, it } from 'vitest';
import { ProtobufWriter, varintSize } from '../../../collector/profile/protobuf';
import { ProtobufReader } from '../../../collector/profile/protobuf-reader';

describe('the protobuf writer', () => {
  it.each([1, 127, 128, 2 ** 31, 2 ** 53 - 1, 2 ** 62, -1, -(2 ** 53) + 1, -(2 ** 63)])(
    'writes %d',
    (value) => {
      const writer = new ProtobufWriter();
      writer.integer(1, value);
      const bytes = writer.finish();
      const reader = new ProtobufReader(bytes);
      expect(reader.next()).toBe(true);
      expect(reader.signed()).toBe(value);
      expect(bytes.length).toBe(1 + varintSize(value));
    },
  );

  it.each([Infinity, -Infinity, NaN, 1e300, 2 ** 64, -1e300])(
    'throws for %d, which no int64 holds',
    (value) => {
      expect(() => new ProtobufWriter().integer(1, value)).toThrow(RangeError);
      if (!(value < 0)) expect(() => varintSize(value)).toThrow(RangeError);
    },
  );
});
