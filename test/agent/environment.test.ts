/** What is told of the machine and the settings of a process, and which of them do not fit each other. */
import { describe, expect, it } from 'vitest';
import { environmentFacts } from '../../agent/aggregator/environment-facts';
import { EnvironmentWatch } from '../../agent/aggregator/environment-watch';
import { identityOf } from '../../agent/identity';
import { knownFlags } from '../../agent/known-flags';
import { readOptions } from '../../agent/options';
import {
  environmentHints,
  environmentText,
  fingerprintOf,
  numberOf,
  usableCpus,
} from '../../agent/wire/environment';

describe('flags', () => {
  it('that are known are told by name, with values that are numbers, and nothing else of a command line', () => {
    const given = [
      '--max_old_space_size=4096',
      '-r',
      '/srv/secret.js',
      '--import=./x.mjs',
      '-e',
      '--token',
      '-pS3cret',
    ];
    const options =
      '--enable-source-maps  --title="worker -r \\"--import x" --env-file=.env --stack-size=1.5x --max-old-space-size=4096';
    expect(knownFlags(given, options)).toEqual([
      '--enable-source-maps',
      '--env-file',
      '--import',
      '--max-old-space-size=4096',
      '--stack-size',
      '-e',
      '-r',
    ]);
    expect(knownFlags([`--stack-size=${'1'.repeat(5000)}`])).toEqual(['--stack-size']);
    expect(knownFlags([], '"-r" "--wat\\')).toEqual(['-r']);
  });

  it('and the size of the pool are part of who the process is', () => {
    const { options } = readOptions({}, {});
    for (const [size, threads] of [
      [undefined, 4],
      ['', 1],
      ['-5', 1024],
      ['16', 16],
      ['0', 1],
      ['9999', 1024],
      ['abc', 1],
    ] as const)
      expect(identityOf(options, { UV_THREADPOOL_SIZE: size }).poolThreads).toBe(threads);
  });
});

describe('the environment of a process', () => {
  it('has versions, limits and flags', () => {
    const facts = environmentFacts(['--enable-source-maps'], 4);
    const text = environmentText(facts);
    expect(text).toMatch(
      /^environment [0-9a-f]{8}: node \d+\.\d+\.\d+, v8 \S+, uv \S+, on \w+ \w+, CPUs \d+/,
    );
    expect(text).toMatch(/pool threads at start 4, flags --enable-source-maps$/);
    expect(numberOf(facts, 'CPUs')).toBeGreaterThan(0);
    expect(environmentText([])).toBe('');
  });

  it('has the same fingerprint only where it is the same', () => {
    const facts = ['node', '20.20.2', 'CPUs', '2'];
    expect(fingerprintOf(facts)).toBe(fingerprintOf([...facts]));
    expect(fingerprintOf(['node', '20.20.2', 'CPUs', '3'])).not.toBe(fingerprintOf(facts));
    expect(fingerprintOf(['node', '20.20.2CPUs', '', '2'])).not.toBe(fingerprintOf(facts));
  });
});

describe('hints', () => {
  it('tell of a quota below the CPUs that the program sees', () => {
    const facts = ['CPUs', '8', 'CPU quota', '1.5', 'pool threads at start', '4'];
    expect(environmentHints(facts)).toEqual([
      expect.stringMatching(/sees 8 CPUs and its cgroup gives it 1\.5: .* for 2$/),
    ]);
    expect(usableCpus(facts)).toBe(2);
    expect(environmentHints(['CPUs', '2', 'CPU quota', '1.5'])).toEqual([]);
  });

  it('tell of a pool that is much larger than the machine', () => {
    expect(environmentHints(['CPUs', '2', 'pool threads at start', '128'])).toEqual([
      expect.stringMatching(/pool has 128 threads .* on 2 CPUs/),
    ]);
    expect(environmentHints(['CPUs', '1', 'pool threads at start', '4'])).toEqual([]);
    expect(environmentHints([])).toEqual([]);
  });

  it('come once, and once more when worker threads stay more than the cores', () => {
    const notes: string[] = [];
    const watch = new EnvironmentWatch(['CPUs', '2', 'memory limit', String(2 ** 30)], (text) =>
      notes.push(text),
    );
    const seconds = (count: number) => {
      for (let second = 0; second < count; second++) watch.everySecond(2 ** 31);
    };
    seconds(2);
    expect(notes).toEqual([
      expect.stringMatching(/heap may grow to 2048 MiB .* ends the process at 1024 MiB/),
    ]);
    for (let i = 0; i < 3; i++) watch.workerBegan();
    seconds(5);
    watch.workerEnded();
    seconds(20);
    expect(notes).toHaveLength(1);
    watch.workerBegan();
    seconds(30);
    expect(notes.slice(1)).toEqual([expect.stringMatching(/^3 worker threads live on 2 CPUs/)]);
    for (let i = 0; i < 2; i++) watch.workerBegan();
    seconds(30);
    expect(notes).toHaveLength(3);
  });
});
