import { describe, expect, it } from 'vitest';
import { Dictionary } from '../../../agent/aggregator/dictionary';
import { createTables } from '../../../agent/core';

function setUp() {
  const dictionary = new Dictionary(createTables({ forceTwin: true }));
  /** Frames as `name@file`, root first; the last one stands at a line. */
  const stackOf = (line: number, ...frames: string[]) =>
    frames.reduce((parent, frame, index) => {
      const [name = '', url = ''] = frame.split('@');
      return dictionary.stack(
        parent,
        dictionary.function(name, url, 1, 1),
        index === frames.length - 1 ? line : 0,
      );
    }, 0);
  return { dictionary, stackOf };
}

describe('the entry of a stack', () => {
  it('is the same below one function that was called from one place, whatever it calls and at whatever line it is', () => {
    const { dictionary, stackOf } = setUp();
    const timer = ['processTimers@node:internal/timers', 'tick@file:///app.js'];
    const entries = [
      stackOf(3, ...timer),
      stackOf(9, ...timer),
      stackOf(5, ...timer, 'work@file:///work.js'),
      stackOf(0, ...timer, 'readFileSync@node:fs', 'open@'),
    ].map((stack) => dictionary.entryOf(stack));
    expect(new Set(entries).size).toBe(1);
    expect(entries[0]).toBeGreaterThan(0);
  });

  it('tells functions apart, and the ways into one', () => {
    const { dictionary, stackOf } = setUp();
    const entries = [
      stackOf(1, 'processTimers@node:internal/timers', 'tick@file:///app.js'),
      stackOf(1, 'processTimers@node:internal/timers', 'tock@file:///app.js'),
      stackOf(1, 'onread@node:net', 'tick@file:///app.js'),
    ].map((stack) => dictionary.entryOf(stack));
    expect(new Set(entries).size).toBe(3);
  });

  it('is none where nothing of the program is in it, and after a new epoch', () => {
    const { dictionary, stackOf } = setUp();
    expect(dictionary.entryOf(0)).toBe(0);
    expect(dictionary.entryOf(stackOf(1, '(program)@', 'parse@node:url'))).toBe(0);
    const before = stackOf(1, 'a@file:///a.js', 'b@file:///b.js');
    expect(dictionary.entryOf(before)).toBeGreaterThan(0);
    dictionary.clear();
    expect(dictionary.entryOf(stackOf(1, 'onread@node:net', 'parse@node:url'))).toBe(0);
  });
});
