/** Tail lines to render: one of each kind of second and notice, with fixed figures. */
import type { TailNotice, TailSecond } from '../../collector/tail/schema';

/** Noon in UTC; the tests run with TZ=UTC. */
export const NOON_MILLIS = Date.UTC(2026, 0, 15, 12, 0, 0);

export function second(changes: Partial<TailSecond> = {}): TailSecond {
  return {
    v: 1,
    type: 'second',
    atMillis: NOON_MILLIS,
    spanMillis: 1000,
    service: 'shop',
    instance: 'host-1',
    cpu: { processPercent: 41.25, mainPercent: 38, agentPercent: 0.6 },
    loop: { utilization: 0.42, delayMillis: { p50: 1.1, p99: 12.34, max: 356 } },
    gc: { count: 12, totalMillis: 8.1, maxMillis: 1.9 },
    http: { requestsPerSecond: 100, p50Millis: 2.1, p99Millis: 30, errors: 1, aborted: 2 },
    memory: {
      rssBytes: 98 * 1024 * 1024,
      heapUsedBytes: 34.5 * 1024 * 1024,
      heapLimitBytes: 2096 * 1024 * 1024,
    },
    hot: [
      {
        function: 'slowReportTotals',
        file: '/srv/shop/report.js',
        line: 21,
        selfPercent: 43.2,
        totalPercent: 45,
      },
      { function: 'JSON.parse', file: '', line: 0, selfPercent: 6, totalPercent: 6 },
    ],
    hang: null,
    stalls: [],
    drops: [],
    sampler: {
      state: 'on',
      rateHz: 99,
      windowMillis: 1000,
      ticks: 41,
      repairedPercent: 3,
      unnamedPercent: 0,
    },
    ...changes,
  };
}

export function notice(changes: Partial<TailNotice> = {}): TailNotice {
  return {
    v: 1,
    type: 'notice',
    atMillis: NOON_MILLIS,
    service: 'shop',
    instance: 'host-1',
    kind: 'connected',
    text: 'node 20.20.2',
    ...changes,
  };
}

export const HANGING = second({
  hang: {
    kind: 'javascript',
    sinceMillis: NOON_MILLIS - 1500,
    forMillis: 1500,
    stack: ['(root)', 'onRequest (server.js:5)', 'checkout (cart.js:12)', 'spinForever (cart.js:40)'],
  },
});

export const STALLED = second({
  stalls: [
    {
      startMillis: NOON_MILLIS - 600,
      forMillis: 352,
      kind: 'javascript',
      stack: ['(root)', 'rebuildNow (service.js:90)', 'rebuildSearchIndex (index.js:20)'],
    },
  ],
  drops: [{ reason: 'ring-full', count: 17 }],
});
