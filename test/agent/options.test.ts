import { describe, expect, it } from 'vitest';
import { OPTION_TABLE, readOptions, type StartOptions } from '../../agent/options';

const read = (env: Record<string, string>, given: StartOptions = {}) => readOptions(env, given);

describe('options', () => {
  it('are the table’s defaults when nothing is said', () => {
    const { options, problems } = read({});
    expect(problems).toEqual([]);
    expect(options).toEqual(
      Object.fromEntries(Object.entries(OPTION_TABLE).map(([name, row]) => [name, row.initial])),
    );
    expect(options).toMatchObject({
      collectorUrl: 'ws://127.0.0.1:7411',
      cpuHz: 99,
      stallMillis: 200,
      queueBytes: 8388608,
    });
  });

  it.each([
    ['RINGTAIL_CPU_HZ', '0', 'cpuHz', 0],
    ['RINGTAIL_CPU_HZ', '1000', 'cpuHz', 1000],
    ['RINGTAIL_BUDGET_PERCENT', '0.5', 'budgetPercent', 0.5],
    ['RINGTAIL_COLLECTOR', 'wss://collector.example:443/x', 'collectorUrl', 'wss://collector.example:443/x'],
    ['RINGTAIL_SERVICE', 'häuser', 'service', 'häuser'],
    ['RINGTAIL_LABELS', 'team=web, zone = a=b', 'labels', ['team', 'web', 'zone', 'a=b']],
    ['RINGTAIL_ENABLED', 'false', 'enabled', false],
    ['RINGTAIL_PPROF', '6060', 'pprofAddress', '127.0.0.1:6060'],
    ['RINGTAIL_PPROF', ':6060', 'pprofAddress', '127.0.0.1:6060'],
    ['RINGTAIL_PPROF', 'localhost:6061', 'pprofAddress', 'localhost:6061'],
    ['RINGTAIL_PPROF', '[::1]:6060', 'pprofAddress', '[::1]:6060'],
    ['RINGTAIL_OUT', 'cpu-%p.pb.gz', 'outFile', 'cpu-%p.pb.gz'],
    ['RINGTAIL_SUMMARY', '1', 'summary', true],
    ['RINGTAIL_RECOMPILE', 'start', 'recompile', 'start'],
  ] as const)('%s=%s is %s %j', (variable, got, name, expected) => {
    const { options, problems } = read({ [variable]: got });
    expect(problems).toEqual([]);
    expect(options[name]).toEqual(expected);
  });

  it.each([
    ['RINGTAIL_CPU_HZ', '1001'],
    ['RINGTAIL_PPROF', '0.0.0.0:6060'],
    ['RINGTAIL_PPROF', '127.0.0.1:70000'],
    ['RINGTAIL_PPROF', 'example.com:6060'],
    ['RINGTAIL_CPU_HZ', '-1'],
    ['RINGTAIL_CPU_HZ', '99Hz'],
    ['RINGTAIL_CPU_HZ', '0x10'],
    ['RINGTAIL_CPU_HZ', ' '],
    ['RINGTAIL_COLLECTOR', 'http://127.0.0.1:7411'],
    ['RINGTAIL_COLLECTOR', 'ws://'],
    ['RINGTAIL_COLLECTOR', '127.0.0.1:7411'],
    ['RINGTAIL_SERVICE', 'line\nbreak'],
    ['RINGTAIL_SERVICE', 'x'.repeat(256)],
    ['RINGTAIL_LABELS', 'novalue'],
    ['RINGTAIL_LABELS', '=x'],
    ['RINGTAIL_LABELS', Array.from({ length: 33 }, (_, n) => `k${n}=v`).join()],
    ['RINGTAIL_ENABLED', 'yes'],
    ['RINGTAIL_ENABLED', 'constructor'],
    ['RINGTAIL_QUEUE_BYTES', '1e9'],
  ])('refuse %s=%j, say so and use the default', (variable, got) => {
    const { options, problems } = read({ [variable]: got });
    expect(options).toEqual(read({}).options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${variable} must be .*, got .*: using `));
    expect(problems[0]).toMatch(/^\P{Cc}+$/u);
  });

  it.each([
    ['RINGTAIL_LABELS', 'none'],
    ['RINGTAIL_OUT', 'none'],
    ['RINGTAIL_PPROF', 'none'],
    ['RINGTAIL_ENABLED', '1'],
    ['RINGTAIL_SUMMARY', '0'],
    ['RINGTAIL_ASYNC', 'auto'],
    ['RINGTAIL_RECOMPILE', 'auto'],
    ['RINGTAIL_CPU_HZ', '99'],
    ['RINGTAIL_SERVICE', 'what the program is called'],
    ['RINGTAIL_COLLECTOR', 'ws://127.0.0.1:7411'],
  ])('a bad %s is told with its default in words that people type: %s', (variable, used) => {
    expect(read({ [variable]: '\n' }).problems).toEqual([expect.stringMatching(/: using /)]);
    expect(read({ [variable]: '\n' }).problems[0]!.split(': using ')[1]).toBe(used);
  });

  it('name an unknown variable and what was probably meant', () => {
    expect(read({ RINGTAIL_CPUHZ: '1', RINGTAIL_ZZZZZZZZZZZZ: '1', OTHER: 'x' }).problems).toEqual([
      'unknown option "RINGTAIL_CPUHZ" (did you mean RINGTAIL_CPU_HZ?)',
      'unknown option "RINGTAIL_ZZZZZZZZZZZZ"',
    ]);
    expect(
      read({ RINGTAIL_TOKEN: 'secret', RINGTAIL_TOKEN_FILE: 'f', RINGTAIL_SERVICE: '' }).problems,
    ).toEqual([]);
  });

  it('take the API before the environment, but never a switched-off agent', () => {
    const env = { RINGTAIL_CPU_HZ: '50', RINGTAIL_FLUSH_MILLIS: '500', RINGTAIL_ENABLED: '0' };
    const { options } = read(env, { cpuHz: 10, enabled: true, labels: { team: 'web' } });
    expect(options).toMatchObject({ cpuHz: 10, flushMillis: 500, enabled: false, labels: ['team', 'web'] });
  });

  it('survive anything given by the API', () => {
    const odd = [
      null,
      Number.NaN,
      {},
      [],
      '',
      Symbol.iterator,
      10n,
      () => 1,
      { toString: 1 },
      Object.create(null),
    ];
    for (const name of Object.keys(OPTION_TABLE)) {
      for (const value of odd) {
        const { options, problems } = read({}, { [name]: value } as StartOptions);
        expect(Object.keys(options)).toEqual(Object.keys(OPTION_TABLE));
        expect(problems.length).toBeLessThanOrEqual(1);
      }
    }
    expect(read({}, { cpuhz: 1 } as StartOptions).problems).toEqual([
      'unknown option "cpuhz" (did you mean cpuHz?)',
    ]);
  });
});
