import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, printable, printableJson, widthColumns } from '../../collector/profile/printable';

describe('printable text', () => {
  it('holds nothing that a terminal acts on, whatever came in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
      }),
    );
  });

  it('keeps the value of JSON while escaping what a terminal acts on', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(/[\p{Cc}]/u);
      }),
    );
  });

  it('cuts to a width in columns, also between wide characters', () => {
    expect(cutText('abcdef', 4)).toBe('abc…');
    expect(cutText('日本語', 4)).toBe('日…');
    expect(cutText('日本語', 6)).toBe('日本語');
    expect(cutText('ab', 4, true)).toBe('ab  ');
    expect(widthColumns('e\u0301日')).toBe(3);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        expect(widthColumns(cutText(printable(text), columns))).toBeLessThanOrEqual(columns);
        expect(widthColumns(cutText(printable(text), columns, true))).toBe(columns);
      }),
    );
  });
});
