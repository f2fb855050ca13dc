import { describe, expect, it } from 'vitest';
import { ObjectSizes, objectCount } from '../../../../agent/aggregator/heap/object-size';

const INTERVAL = 524_160;
const productOf = (size: number) => size * objectCount(size, INTERVAL);

describe('object sizes', () => {
  const sizes = new ObjectSizes(INTERVAL);

  it('are found again out of what V8 tells, for all small ones', () => {
    for (let size = 16; size <= 80; size += 8) expect(sizes.sizeOf(productOf(size))).toBe(size);
    for (const size of [96, 104, 112, 120, 128, 144, 152, 160, 168, 192, 208, 224, 240, 848])
      expect(sizes.sizeOf(productOf(size))).toBe(size);
  });

  it('always explain the product, and are never too large', () => {
    for (let size = 16; size <= 100_000; size += 8) {
      const found = sizes.sizeOf(productOf(size));
      expect(found).toBeLessThanOrEqual(size);
      expect(productOf(found)).toBe(productOf(size));
    }
  });

  it('are off by a factor of five at the most up to 256 bytes', () => {
    for (let size = 16; size <= 256; size += 8)
      expect(size / sizes.sizeOf(productOf(size))).toBeLessThanOrEqual(5);
  });

  it('count an object that nothing explains as one', () => {
    expect(sizes.sizeOf(8_000_003)).toBe(8_000_003);
  });
});
