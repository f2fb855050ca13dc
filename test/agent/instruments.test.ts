import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { counter, gauge, histogram, stats, timer } from '../../agent/index';
import { currentBinding } from '../../agent/registration';
import { UNIT_MICROS } from '../../agent/wire/schema';
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

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('hostile');
    },
    ownKeys() {
      throw new Error('hostile');
    },
  },
);

const ODD = [
  null,
  undefined,
  1n,
  '5',
  Symbol('s'),
  {},
  [],
  true,
  () => 1,
  hostile,
  { valueOf: () => 5 },
  {
    valueOf() {
      throw new Error('hostile');
    },
  },
];

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

  it('throw nothing, whatever they are given: it is ignored and counted', () => {
    const { refused } = stats();
    const target = { gauge: gauge('g'), counter: counter('c'), timer: timer('t', { spans: true }) };
    for (const value of [...ODD, Number.NaN, Infinity, -Infinity] as number[]) {
      target.gauge.set(value);
      if (value !== undefined) target.counter.add(value);
      target.timer.stop(value);
    }
    target.counter.add(-1);
    target.timer.stop(-1);
    target.timer.stop(Number.MAX_VALUE);
    const distribution = histogram('h');
    for (const value of ODD as number[]) distribution.record(value);
    expect(stats().refused - refused).toBe(ODD.length * 4 - 1 + 9 + 3);
    expect(writer.written).toEqual([]);
    expect(writer.pushed).toEqual([]);
  });

  it('leave what a histogram refuses to the core, which counts it with the series', () => {
    histogram('h').record(Number.NaN);
    expect(writer.written).toEqual([{ series: '1 h ', value: Number.NaN }]);
  });

  it('take any options: those that cannot be used make one that records nothing', () => {
    for (const make of [histogram, counter, gauge, timer]) {
      for (const options of [null, 5, 'x', {}] as never[]) make('usable', options);
      for (const odd of [5, 'text', { a: 1 }, { '': 'y' }, Symbol('s'), hostile]) {
        const made = make('odd', { labels: odd } as never);
        if ('record' in made) made.record(1);
        else if ('add' in made) made.add(1);
        else if ('set' in made) made.set(1);
        else made.stop(made.start());
      }
      make('odd', hostile as never);
    }
    histogram('odd', { unit: 5 as never }).record(1);
    expect(writer.written).toEqual([]);
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
    await timer('work').time(() =>
      Object.assign(new Promise((done) => setTimeout(done, 30)), { [Symbol('async id')]: 1 }),
    );
    expect(writer.written[1]!.value).toBeGreaterThan(25_000);
    let started = false;
    class Query {
      // biome-ignore lint/suspicious/noThenProperty: a query builder runs its query when it is awaited
      then(): void {
        started = true;
      }
    }
    const query = new Query();
    expect(t.time(() => query)).toBe(query);
    expect(writer.written).toHaveLength(3);
    await new Promise((done) => setTimeout(done, 5));
    expect(started).toBe(false);
  });

  it('gives promises of another class, or with properties of their own, back untouched', async () => {
    class Cancellable extends Promise<number> {}
    const others = [
      Cancellable.resolve(1),
      Object.assign(Promise.resolve(1), { child: {} }),
      new Proxy(Promise.resolve(1), {}),
      Object.create(Promise.prototype),
      hostile,
    ];
    for (const other of others) expect(timer('work').time(() => other) === other).toBe(true);
    expect(writer.written).toHaveLength(others.length);
  });

  it('measures no function at all without throwing', () => {
    const t = timer('work');
    expect(t.time(5 as never)).toBe(undefined);
    expect(t.wrap('text' as never)).toBe('text');
    expect(t.wrap(new Proxy(() => 7, { getOwnPropertyDescriptor: () => undefined }))()).toBe(7);
    expect(writer.written).toHaveLength(1);
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
    timer('first').time(() => {});
    timer('span', { spans: true }).time(() => {});
    const handle = writer.series(1, 'span', UNIT_MICROS, []);
    expect(handle).toBe(2);
    expect(writer.pushed).toMatchObject([{ kind: 3, a: handle, b: 0 }]);
  });
});
