import { describe, expect, it } from 'vitest';
import { randomBytes } from '../../../agent/wire/random-bytes';

describe('random bytes', () => {
  it('have the length asked for and never come twice', () => {
    const seen = new Set(Array.from({ length: 100 }, () => randomBytes(16).toString('hex')));
    expect(seen.size).toBe(100);
    for (const length of [0, 1, 32, 256]) expect(randomBytes(length)).toHaveLength(length);
  });

  it('use all values of a byte', () => {
    const values = new Set(Array.from({ length: 40 }, () => [...randomBytes(256)]).flat());
    expect(values.size).toBe(256);
  });
});
