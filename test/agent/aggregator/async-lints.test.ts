/** What is told of live asynchronous resources that look like a leak. */
import { describe, expect, it } from 'vitest';
import { AsyncLints } from '../../../agent/aggregator/async-lints';
import type { AsyncPageReader, LiveResource } from '../../../agent/aggregator/async-page';
import { AsyncBit } from '../../../assembly/layout';

/** A page that has `counts` of a type, made on stacks 1, 2, ... of one function each. */
class FakePage {
  counts: { type: string; stack: number; count: number; ageMicros?: number }[] = [];
  activeCount = 0;
  now = 0;

  *live(): IterableIterator<LiveResource> {
    for (const { type, stack, count, ageMicros = 0 } of this.counts) {
      for (let id = 0; id < count; id++) {
        const createdMicros = this.now - ageMicros;
        yield { id, type, stack, weight: 1, delayMillis: 0, hasRun: false, createdMicros };
      }
    }
  }
  active = () => new Map([['Timeout', this.activeCount]]);
  parentOf = (stack: number) => (stack === 9 ? 3 : 0);
  lineOf = (stack: number) => stack * 10;
  functionOf = (stack: number) =>
    stack === 9
      ? { name: 'timeout', url: 'node:internal/abort_controller', line: 0, column: 0 }
      : { name: `f${stack}`, url: '/srv/app.js', line: 0, column: 0 };
}

/** Looks every ten seconds; gives what was told. */
function told(
  page: FakePage,
  looks: number,
  change: (look: number) => void,
  state = AsyncBit.Hooks,
): string[] {
  const notes: string[] = [];
  const lints = new AsyncLints(page as unknown as AsyncPageReader, (text) => notes.push(text));
  for (let look = 1; look <= looks; look++) {
    change(look);
    page.now = look * 10e6;
    lints.everySecond(page.now, state);
  }
  return notes;
}

describe('lints on live asynchronous resources', () => {
  it('name the function whose intervals nobody clears, once', () => {
    const page = new FakePage();
    const notes = told(page, 12, (look) => {
      page.counts = [{ type: 'Interval', stack: 3, count: 50 + look }];
    });
    expect(notes).toEqual(['54 intervals made at f3 (/srv/app.js:30), 3 more since: clear them']);
  });

  it('tell again after ten minutes', () => {
    const page = new FakePage();
    const notes = told(page, 66, (look) => {
      page.counts = [{ type: 'Interval', stack: 3, count: 50 + look }];
    });
    expect(notes).toHaveLength(2);
  });

  it('say nothing of what comes and goes, or is few', () => {
    const page = new FakePage();
    const notes = told(page, 30, (look) => {
      page.counts = [
        { type: 'Interval', stack: 3, count: 100 + (look % 3) },
        { type: 'TCPWRAP', stack: 2, count: 500 + look },
        { type: 'Timeout', stack: 1, count: 3000 },
      ];
    });
    expect(notes).toEqual([]);
  });

  it('name sockets that become more and more, and timers of abort signals as such', () => {
    const page = new FakePage();
    const notes = told(page, 5, (look) => {
      page.counts = [
        { type: 'TCPWRAP', stack: 2, count: 1000 + look * 10 },
        { type: 'Timeout', stack: 9, count: 1100 + look * 10 },
      ];
    });
    expect(notes).toEqual([
      '1140 timers of abort signals made at f3 (/srv/app.js:30), 30 more since: abort or share them',
      '1040 TCPWRAP made at f2 (/srv/app.js:20), 30 more since',
    ]);
  });

  it('name promises that do not settle', () => {
    const page = new FakePage();
    const notes = told(page, 1, () => {
      page.counts = [{ type: 'PROMISE', stack: 1, count: 150, ageMicros: 45e6 }];
      page.now = 10e6;
    });
    expect(notes).toEqual(['150 promises made at f1 (/srv/app.js:10) have not settled, the oldest for 45 s']);
  });

  it('tell more than ten thousand that rise, also by the count of types alone', () => {
    const page = new FakePage();
    const rise = (look: number) => {
      page.activeCount = 10_000 + look * 100;
    };
    expect(told(page, 6, rise, 0)).toEqual([
      '10400 live asynchronous resources, and they become more and more',
    ]);
  });
});
