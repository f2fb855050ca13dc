import { describe, expect, it } from 'vitest';
import {
  boundIn,
  exportsIn,
  importsIn,
  isDeclaredBy,
  loneCallOn,
  valuesIn,
  wordsOf,
} from '../../../agent/aggregator/script-words';

const LENGTH = 150_000;
const filled = (text: string) => text.repeat(LENGTH / text.length);

describe('the words of a text', () => {
  it('are found in no time in one that is made to be slow', () => {
    const texts = [
      'exports = {\n',
      'export {\n',
      '/* ',
      ' ',
      '\n',
      `function${' '.repeat(1000)}`,
      'import ',
      'const {',
    ].map(filled);
    for (const text of [...texts, `const a = async${filled(' ')}`]) {
      for (const read of [boundIn, exportsIn, importsIn, valuesIn, wordsOf]) {
        const from = performance.now();
        read(text);
        expect(performance.now() - from, `${read.name} of ${text.slice(0, 20)}`).toBeLessThan(500);
      }
    }
    const from = performance.now();
    loneCallOn(`function${filled(' ')}`);
    expect(performance.now() - from).toBeLessThan(500);
  });

  it('leave comments out, also one without an end as text', () => {
    expect([...wordsOf('a(); // b()\nc(); /* d() */ e("/*"); f();').called]).toEqual(['a', 'c', 'e', 'f']);
    expect([...wordsOf('// b()\nc();').called]).toEqual(['c']);
  });

  it('tell functions that are declared and used as values', () => {
    const declared =
      'export async function one() {}\nfunction* two() {}\nfunction three() {}\nfunction four() {}\n';
    const text = `${declared}const table = [one, two];\nthree();\nexport { four };\n`;
    expect([...valuesIn(text)]).toEqual(['one', 'two']);
    expect([...exportsIn(text)!]).toEqual(['four']);
  });

  it('tell what a name is bound to, and what declares one', () => {
    const text = `import a, { b as c, d } from './one.js';\nimport * as e from "two";\nconst { f, g: h } = require('three');\nlet i = require("four");\nconst { j } = JSON;\n`;
    expect(Object.fromEntries(boundIn(text))).toMatchObject({
      a: './one.js',
      c: './one.js',
      d: './one.js',
      e: 'two',
      f: 'three',
      h: 'three',
      i: 'four',
    });
    expect(boundIn(text).has('j')).toBe(false);
    for (const before of [
      'export function run',
      'function* run ',
      'const run = ',
      'let run = async ',
      'run = async function* named',
    ])
      expect(isDeclaredBy(before, 'run'), before).toBe(true);
    for (const before of ['  run', '  async run', 'exports.run = ', 'run: function ', 'return run'])
      expect(isDeclaredBy(before, 'run'), before).toBe(false);
  });

  it('tell the lone call of a line', () => {
    expect(loneCallOn('  const sum = parse(text);')).toBe('parse');
    expect(loneCallOn('async function run(text) { return parse(text); }')).toBe('parse');
    expect(loneCallOn('function (text) { parse(text) }')).toBe('parse');
    expect(loneCallOn('if (parse(text)) other();')).toBe(null);
  });
});
