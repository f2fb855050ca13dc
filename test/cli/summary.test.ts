import { beforeAll, describe, expect, it } from 'vitest';
import { parseFigures } from '../../collector/cli/demo/metrics-figures';
import { DemoSummary } from '../../collector/cli/demo/summary';
import { STALLED, second } from './tail-fixtures';

beforeAll(() => {
  process.env.TZ = 'UTC';
});

const METRICS = `# TYPE ringtail_gc_pause_seconds summary
ringtail_gc_pause_seconds{service="other",quantile="0.5"} 9
ringtail_gc_pause_seconds{service="demo",quantile="0.5"} 0.0021
ringtail_gc_pause_seconds{service="demo",quantile="0.99"} 0.0095
ringtail_gc_pause_seconds_count{service="demo"} 1234
ringtail_http_request_seconds_count{service="demo"} 1500
`;

describe("the demo's summary", () => {
  it('reads a service from the metrics, null for what is not there', () => {
    expect(parseFigures(METRICS, 'demo')).toEqual({
      requests: 1500,
      gcPauses: 1234,
      gcP50Millis: 2.1,
      gcP99Millis: 9.5,
    });
    expect(parseFigures('ringtail_gc_pause_seconds{service="demo",quantile="0.5"} NaN\n', 'demo')).toEqual({
      requests: null,
      gcPauses: null,
      gcP50Millis: null,
      gcP99Millis: null,
    });
  });

  it('adds up the seconds, functions weighted by the CPU time of each, however long it was', () => {
    const summary = new DemoSummary();
    const busy = { function: 'busy', file: '', line: 0, selfPercent: 80, totalPercent: 90 };
    const rest = { function: 'rest', file: '', line: 0, selfPercent: 100, totalPercent: 100 };
    summary.add({ ...STALLED, hot: [busy], cpu: { processPercent: 95, mainPercent: 90, agentPercent: 1 } });
    summary.add(second({ hot: [rest], cpu: { processPercent: 15, mainPercent: 10, agentPercent: 3 } }));
    const short = { processPercent: 55, mainPercent: 100, agentPercent: 2 };
    summary.add(second({ hot: [rest], spanMillis: 0, cpu: short }));
    const load = { sent: 1500, answered: 1490, failed: 3, leftOut: 7 };
    expect(summary.lines(20.02, load, parseFigures(METRICS, 'demo'))).toEqual([
      'summary of 20 seconds; the agent told of 2.0 of them',
      '  requests   1,500 seen by the agent; the load sent 1,500, 3 failed, 7 left out',
      '  samples    123 ticks',
      '  hottest    self',
      '           72.0 %  busy',
      '           10.0 %  rest',
      '  stalls     1, the longest:',
      '    11:59:59  352 ms  javascript  rebuildSearchIndex (index.js:20) < rebuildNow (service.js:90) < (root)',
      '  gc pauses  1,234: p50 2.10 ms, p99 9.50 ms, max 1.90 ms',
      '  lost       17 ring-full',
      "  cost       service 55.0 % of a core, ringtail's threads 2.0 % of a core, rss 98.0 MiB",
    ]);
  });
});
