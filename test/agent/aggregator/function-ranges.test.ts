import { describe, expect, it } from 'vitest';
import { innermostAt, rangeOf } from '../../../agent/aggregator/function-ranges';
import { scanFunctions } from '../../../agent/aggregator/function-scanner';

const folded = (source: string) =>
  (scanFunctions(source) ?? []).map(
    ({ name, line, column, endLine }) => `${name} ${line}:${column}-${endLine}`,
  );

describe('scanFunctions', () => {
  it('finds declarations, methods, arrows and function expressions with their last line', () => {
    const source = [
      'function first(a, b) {',
      '  return a + b;',
      '}',
      'class Box {',
      '  constructor() {',
      '    this.x = 1;',
      '  }',
      '  get size() { return 1; }',
      '}',
      'const arrow = (x) => {',
      '  return x;',
      '};',
      'const short = x =>',
      '  x * 2;',
      'exports.named = function () {',
      '};',
    ].join('\n');
    expect(folded(source)).toEqual([
      'first 1:15-3',
      'constructor 5:14-7',
      'size 8:11-8',
      'arrow 10:15-12',
      'short 13:15-14',
      'named 15:26-16',
    ]);
  });

  it('puts a function where V8 puts it', async () => {
    const source =
      'function outer(a) {\n  const inner = (b) => {\n    return a / b;\n  };\n  return inner(2);\n}';
    expect(folded(source)).toEqual(['outer 1:15-6', 'inner 2:17-4']);
  });

  it('is not led astray by braces in strings, templates, comments and regular expressions', () => {
    const source = [
      'function odd() {',
      "  const a = '}'; // }",
      '  const b = `}${`{${1}`}`;',
      '  /* } */ const c = /[}/]{2}/.test(a) / 2;',
      '  return b + c;',
      '}',
      'function next() {',
      '}',
    ].join('\n');
    expect(folded(source)).toEqual(['odd 1:13-6', 'next 7:14-8']);
  });

  it('does not take statements for functions', () => {
    const source =
      'if (a) {\n}\nfor (const x of y) {\n}\nwhile (b) {\n}\nswitch (c) {\n}\ntry {\n} catch (e) {\n}';
    expect(folded(source)).toEqual([]);
  });

  it('knows a function by what it is assigned to, not by what its parameters are', () => {
    const source = [
      'const arrow = (a, b = 1) => {',
      '};',
      'exports.named = function ({ strict = false } = {}) {',
      '};',
      'const object = {',
      '  key: async ({ a: b }) => {},',
      "  'quoted name'(a) {},",
      '  [computed](a) {},',
      '};',
    ].join('\n');
    expect((scanFunctions(source) ?? []).map(({ name }) => name)).toEqual(['arrow', 'named', 'key', '', '']);
  });

  it("tells a constructor's class", () => {
    const source =
      'class One extends mix({ a: 1 }) {\n  go(a = {}) {}\n  constructor() {\n  }\n}\nconst Two = class {\n  constructor(a) {\n  }\n};\nconst plain = {\n  constructor() {\n  }\n};';
    const classes = (scanFunctions(source) ?? []).map(({ name, className }) => `${name} ${className ?? ''}`);
    expect(classes).toEqual(['go ', 'constructor One', 'constructor Two', 'constructor ']);
    const properties = 'const a = { class: 1, run() {} };\nconst b = { class() {}, go() {} };';
    expect((scanFunctions(properties) ?? []).map(({ name }) => name)).toEqual(['run', 'class', 'go']);
  });

  it('gives nothing for text whose brackets do not close', () => {
    expect(scanFunctions('function broken() { ( }')).toBeNull();
    expect(scanFunctions("const a = 'never closed\n")).toBeNull();
  });
});

describe('lookups', () => {
  const ranges = scanFunctions(
    'function outer() {\n  function inner() {\n    return 1;\n  }\n  return inner();\n}\nfunction a() {} function b() {}',
  )!;

  it('gives the innermost function of a line', () => {
    expect(innermostAt(ranges, 3)?.name).toBe('inner');
    expect(innermostAt(ranges, 5)?.name).toBe('outer');
    expect(innermostAt(ranges, 99)).toBeNull();
  });

  it('says nothing where two functions share the line', () => {
    expect(innermostAt(ranges, 7)).toBeNull();
  });

  it('finds a function by its position, and by line alone only where that is unique', () => {
    expect(rangeOf(ranges, 2, 17)?.name).toBe('inner');
    expect(rangeOf(ranges, 2, 1)?.name).toBe('inner');
    expect(rangeOf(ranges, 7, 3)).toBeNull();
  });
});
