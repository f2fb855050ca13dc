import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counter, gauge, histogram, stats, timer } from '../../agent/index';
import { currentBinding } from '../../agent/registration';
import { RecordingWriter } from './recording-writer';

const binding = currentBinding();
let writer: RecordingWriter;

function attach(next: RecordingWriter | null): void {
  binding.writer = next;
  binding.generation++;
}

beforeEach(() => {
  writer = new RecordingWriter();
  attach(writer);
});
afterEach(() => attach(null));

describe('instruments', () => {
  it('write under kind, name, unit and sorted labels', () => {
    counter('jobs', { labels: { zone: 'a', kind: 'x' } }).add();
    gauge('length').set(-7.5);
    histogram('payload', { unit: 'By' }).record(1234.5);
    expect(writer.written).toEqual([
      { series: '2 jobs  kind x zone a', value: 1 },
      { series: '3 length ', value: -7.5 },
      { series: '1 payload By', value: 1234.5 },
    ]);
  });

  it('made before the agent starts begin to write with it, and follow it to another memory', () => {
    attach(null);
    const jobs = counter('jobs');
    jobs.add();
    attach(writer);
    jobs.add(2);
    const other = new RecordingWriter();
    other.series(1, 'first', '', []);
    attach(other);
    jobs.add(3);
    expect(writer.written).toEqual([{ series: '2 jobs ', value: 2 }]);
    expect(other.written).toEqual([{ series: '2 jobs ', value: 3 }]);
  });

  it('ignore what cannot be used', () => {
    const jobs = counter('jobs');
    for (const delta of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'x' as unknown as number]) jobs.add(delta);
    counter('').add();
    counter('line\nbreak').add();
    counter('x', { labels: { '': 'y' } }).add();
    counter(7n as unknown as string).add();
    counter('x', {
      labels: new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('hostile');
          },
        },
      ),
    }).add();
    expect(writer.written).toEqual([]);
  });

  it('are counted in stats', () => {
    const { series, dropped } = stats();
    writer.full = true;
    timer('spans', { spans: true }).time(() => {});
    expect(stats()).toMatchObject({ state: 'off', series: series + 1, dropped: dropped + 1 });
  });
});

describe('timer', () => {
  it('measures between start and stop, and nothing that began while the agent was off', () => {
    const t = timer('work');
    t.stop(t.start());
    attach(null);
    const token = t.start();
    expect(token).toBe(0);
    attach(writer);
    t.stop(token);
    expect(writer.written).toHaveLength(1);
    expect(writer.written[0]!.value).toBeLessThan(1e6);
  });

  it('passes results, exceptions and rejections through', async () => {
    const t = timer('work');
    const error = new Error('on purpose');
    expect(t.time(() => 5)).toBe(5);
    expect(() =>
      t.time(() => {
        throw error;
      }),
    ).toThrow(error);
    await expect(t.time(async () => 6)).resolves.toBe(6);
    await expect(t.time(() => Promise.reject(error))).rejects.toBe(error);
    expect(writer.written).toHaveLength(4);
  });

  it('waits for a promise, and does not start a lazy thenable', async () => {
    const t = timer('work');
    await t.time(() => new Promise((done) => setTimeout(done, 30)));
    expect(writer.written[0]!.value).toBeGreaterThan(25_000);
    let started = false;
    class Query {
      // biome-ignore lint/suspicious/noThenProperty: a query builder runs its query when it is awaited
      then(): void {
        started = true;
      }
    }
    t.time(() => new Query());
    await new Promise((done) => setTimeout(done, 5));
    expect(started).toBe(false);
  });

  it('wraps a function without changing what it looks like', () => {
    const owner = {
      factor: 3,
      scale(this: { factor: number }, by: number) {
        return by * this.factor;
      },
    };
    const wrapped = timer('scale').wrap(owner.scale);
    expect(wrapped.call(owner, 5)).toBe(15);
    expect([wrapped.name, wrapped.length]).toEqual(['scale', 1]);
    expect(writer.written).toHaveLength(1);
  });

  it('leaves spans when asked', () => {
    timer('span', { spans: true }).time(() => {});
    expect(writer.pushed).toMatchObject([{ kind: 3, a: 1, b: 0 }]);
  });
});
