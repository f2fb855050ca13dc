import { describe, expect, it } from 'vitest';
import { nearestName } from '../../agent/nearest';

const NAMES = ['RINGTAIL_SERVICE', 'RINGTAIL_PPROF', 'RINGTAIL_OUT'];

describe('nearestName', () => {
  it.each([
    ['RINGTAIL_SERVICES', 'RINGTAIL_SERVICE'],
    ['RINGTAIL_SREVICE', 'RINGTAIL_SERVICE'],
    ['RINGTAIL_PROF', 'RINGTAIL_PPROF'],
    ['RINGTAIL_OUTFILE', 'RINGTAIL_OUT'],
    ['SOMETHING_ELSE', ''],
    ['', ''],
  ])('%s is probably %s', (got, expected) => {
    expect(nearestName(got, NAMES)).toBe(expected);
  });
});
