import { describe, expect, it } from 'vitest';
import { Dictionary } from '../../../agent/aggregator/dictionary';
import { InlinedCallees } from '../../../agent/aggregator/inlined-callees';
import {
  OWN_URL,
  ROTATION_FUNCTION,
  readProfile,
  type ScriptSource,
  type V8Node,
} from '../../../agent/aggregator/profile-reader';
import { createTables } from '../../../agent/core';
import { SampleState } from '../../../assembly/layout';
import { scriptsOf } from './script-texts';

const NO_SCRIPTS = scriptsOf({});
const STATE_NAMES = ['js', 'gc', 'program', 'idle', 'blocked'];

const node = (
  id: number,
  functionName: string,
  hitCount: number,
  children: number[] = [],
  more: Partial<V8Node> & { url?: string; line?: number } = {},
): V8Node => ({
  id,
  callFrame: {
    functionName,
    scriptId: '1',
    url: more.url ?? 'file:///app.js',
    lineNumber: (more.line ?? 1) - 1,
    columnNumber: 0,
  },
  hitCount,
  children,
  ...(more.positionTicks === undefined ? {} : { positionTicks: more.positionTicks }),
});

/** Folded text of a profile's ticks: path, state, ticks. */
function read(nodes: V8Node[], samples: number[], options: { after?: number; scripts?: ScriptSource } = {}) {
  const names: string[] = [''];
  const dictionary = new Dictionary(createTables({ forceTwin: true }));
  const nameOf = new Map<number, string>();
  const define = dictionary.function.bind(dictionary);
  dictionary.function = (name, url, line, column) => {
    const id = define(name, url, line, column);
    nameOf.set(id, name);
    return id;
  };
  const paths = new Map<number, string>([[0, '']]);
  const intern = dictionary.stack.bind(dictionary);
  dictionary.stack = (parent, functionId, line) => {
    const id = intern(parent, functionId, line);
    paths.set(
      id,
      `${paths.get(parent) === '' ? '' : `${paths.get(parent)};`}${nameOf.get(functionId)}${line > 0 ? `:${line}` : ''}`,
    );
    return id;
  };
  const profile = {
    nodes,
    startTime: 1000,
    endTime: 1000 + samples.length * 10,
    samples,
    timeDeltas: samples.map(() => 10),
  };
  const window = readProfile(
    profile,
    options.after ?? 0,
    dictionary,
    new InlinedCallees(options.scripts ?? NO_SCRIPTS),
  );
  const counts = new Map<string, number>();
  window.stack.forEach((stack, i) => {
    const key = `${paths.get(stack)} ${STATE_NAMES[window.state[i]!]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  void names;
  return { window, folded: [...counts].map(([path, ticks]) => `${path} ${ticks}`).sort() };
}

describe('readProfile', () => {
  it('weighs by hitCount, not by the number of samples', () => {
    const nodes = [node(1, '(root)', 0, [2, 3], { url: '' }), node(2, 'busy', 2), node(3, 'other', 1)];
    const { folded, window } = read(nodes, [2, 2, 2, 2, 2, 3, 3]);
    expect(folded).toEqual(['busy js 2', 'other js 1']);
    expect(window.atMicros).toHaveLength(3);
  });

  it('keeps ticks that have hits but no sample left', () => {
    const { folded } = read([node(1, '(root)', 0, [2], { url: '' }), node(2, 'busy', 3)], [2]);
    expect(folded).toEqual(['busy js 3']);
  });

  it('tells idle, program, garbage collection and blocking builtins apart', () => {
    const nodes = [
      node(1, '(root)', 0, [2, 3, 4, 5], { url: '' }),
      node(2, '(idle)', 1, [], { url: '' }),
      node(3, '(program)', 1, [], { url: '' }),
      node(4, '(garbage collector)', 1, [], { url: '' }),
      node(5, 'spawnSync', 0, [6], { url: 'node:internal/child_process' }),
      node(6, 'spawn', 1, [], { url: '' }),
    ];
    expect(read(nodes, [2, 3, 4, 6]).folded).toEqual([
      '(garbage collector) gc 1',
      '(idle) idle 1',
      '(program) program 1',
      'spawnSync;spawn blocked 1',
    ]);
  });

  it('leaves out what the window before has already told', () => {
    const nodes = [node(1, '(root)', 0, [2], { url: '' }), node(2, 'busy', 4)];
    const { window } = read(nodes, [2, 2, 2, 2], { after: 1020 });
    expect([...window.atMicros]).toEqual([1030, 1040]);
    expect(window.startMicros).toBe(1020);
  });

  it('puts the rotation and all below it under one frame of its own', () => {
    const nodes = [
      node(1, '(root)', 0, [2], { url: '' }),
      node(2, 'main', 0, [3]),
      node(3, ROTATION_FUNCTION, 1, [4], { url: '' }),
      node(4, 'profileEnd', 1, [], { url: '' }),
    ];
    expect(read(nodes, [3, 4]).folded).toEqual(['(ringtail) js 2']);
  });

  it('shows what the agent does under one frame, and not what the program does through it', () => {
    const ours = (line: number) => ({ url: `${OWN_URL}index.js`, line });
    const nodes = [
      node(1, '(root)', 0, [2, 7], { url: '' }),
      node(2, 'main', 0, [3]),
      node(3, 'record', 2, [4, 5], ours(10)),
      node(4, 'now', 1, [], { url: 'node:perf_hooks' }),
      node(5, 'run', 1, [6], { url: 'node:async_hooks' }),
      node(6, 'handles', 3),
      node(7, 'listOnTimeout', 0, [8], { url: 'node:internal/timers' }),
      node(8, 'look', 4, [], ours(20)),
    ];
    expect(read(nodes, [3, 3, 4, 5, 6, 6, 6, 8, 8, 8, 8]).folded).toEqual([
      'listOnTimeout;(ringtail) js 4',
      'main;(ringtail) js 4',
      'main;handles js 3',
    ]);
  });

  it('repairs a leaf whose line belongs to an inlined callee, and counts it', () => {
    const text = 'function caller() {\n  return callee();\n}\nfunction callee() {\n  return 1;\n}';
    const scripts = scriptsOf({ 'file:///app.js': text });
    const nodes = [
      node(1, '(root)', 0, [2], { url: '' }),
      node(2, 'caller', 5, [], {
        line: 1,
        positionTicks: [
          { line: 2, ticks: 2 },
          { line: 5, ticks: 3 },
        ],
      }),
    ];
    const { folded, window } = read(nodes, [2, 2, 2, 2, 2], { scripts });
    expect(folded).toEqual(['caller:2 js 2', 'caller;callee:5 js 3']);
    expect(window.repairedTicks).toBe(3);
    expect(window.jsTicks).toBe(5);
  });

  it('takes a line that calls Atomics.wait for blocked, not for CPU', () => {
    const scripts = scriptsOf({ 'file:///app.js': 'function w() {\n  Atomics.wait(a, 0, 0);\n}' });
    const nodes = [
      node(1, '(root)', 0, [2], { url: '' }),
      node(2, 'w', 2, [], { positionTicks: [{ line: 2, ticks: 2 }] }),
    ];
    const { window } = read(nodes, [2, 2], { scripts });
    expect([...window.state]).toEqual([SampleState.Blocked, SampleState.Blocked]);
    expect(window.jsTicks).toBe(0);
  });
});
