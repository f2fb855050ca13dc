import { describe, expect, it } from 'vitest';
import { joinableUntil, type Request, SlowRequests } from '../../../agent/aggregator/slow-requests';

function requestOf(startMicros: number, durationMicros: number): Request {
  return { startMicros, durationMicros, status: 200, method: 1, aborted: false, route: '/' };
}

describe('slow requests', () => {
  it('wait for the window that their end is in, but not long', () => {
    const second = 1e6;
    const slow = new SlowRequests();
    const requests = [
      requestOf(0, second),
      requestOf(second / 2, second),
      requestOf(second / 2, second + 20e3),
    ];
    for (const request of requests) slow.add(request.durationMicros, () => request);
    const [windowEnds, now] = [1.5 * second, 1.53 * second];
    expect(slow.take(joinableUntil(windowEnds, now))).toEqual(requests.slice(0, 2));
    expect(slow.take(joinableUntil(windowEnds, now + 0.1 * second))).toEqual([]);
    expect(slow.take(joinableUntil(windowEnds, now + 0.2 * second))).toEqual(requests.slice(2));
    expect(slow.take(Number.POSITIVE_INFINITY)).toEqual([]);
  });
});
