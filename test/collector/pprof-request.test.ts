import { describe, expect, it } from 'vitest';
import { pprofFileName, readPprofRequest } from '../../collector/profile/pprof-request';

const read = (name: string, query = '') => readPprofRequest(name, new URLSearchParams(query));

describe('an address below /debug/pprof/', () => {
  it('takes 30 seconds of what takes time, whatever else is said', () => {
    for (const query of ['', 'seconds=', 'seconds=0', 'seconds=-3', 'seconds=abc', 'seconds=1.5', 'debug=1'])
      expect(read('profile', query)).toMatchObject({ seconds: 30, debug: 0 });
    expect(read('wall', 'seconds=7')).toMatchObject({ seconds: 7 });
  });

  it('is text of asyncwait and pool where debug says so, with seconds too; profile and wall have no text', () => {
    for (const name of ['asyncwait', 'pool'])
      expect(read(name, 'seconds=2&debug=1')).toEqual({ name, seconds: 2, debug: 1, gc: false });
    expect(read('wall', 'seconds=2&debug=1')).toMatchObject({ seconds: 2, debug: 0 });
  });

  it('compares then and now where seconds are given', () => {
    const asked = read('block', 'seconds=5');
    expect(asked).toEqual({ name: 'block', seconds: 5, debug: 0, gc: false });
    expect('status' in asked ? '' : pprofFileName(asked)).toBe('block-delta');
  });

  it("is refused in Go's words", () => {
    expect(read('nosuch')).toEqual({ status: 404, text: 'Unknown profile' });
    expect(read('toString')).toEqual({ status: 404, text: 'Unknown profile' });
    for (const query of ['seconds=0', 'seconds=-1', 'seconds=x', 'seconds=1.5']) {
      expect(read('block', query)).toEqual({
        status: 400,
        text: 'invalid value for "seconds" - must be a positive integer',
      });
    }
    expect(read('block', 'seconds=5&debug=1')).toEqual({
      status: 400,
      text: 'seconds and debug params are incompatible',
    });
  });
});
