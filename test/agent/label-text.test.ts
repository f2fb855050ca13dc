import fc from 'fast-check';
import { expect, it } from 'vitest';
import { labelsOfText, labelText } from '../../agent/wire/label-text';

it('labels come back from their text, whatever they hold', () => {
  const labels = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()), { minLength: 1 });
  fc.assert(
    fc.property(labels, (pairs) => {
      expect(labelsOfText(labelText(pairs.flat()))).toEqual(pairs.flat());
    }),
  );
  expect(labelsOfText('')).toEqual([]);
  expect(labelsOfText('plain')).toEqual(['label', 'plain']);
  expect(labelText(['a=b', 'c,d%'])).toBe('a%3Db=c%2Cd%25');
});
