import { describe, expect, it } from 'vitest';
import { InlinedCallees, type Owner } from '../../../agent/aggregator/inlined-callees';
import type { ScriptSource, V8CallFrame } from '../../../agent/aggregator/profile-reader';
import { scriptsOf } from './script-texts';

const WORK = `// a line
// a line
// a line
// a line
// a line
function parse(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += i;
  return sum;
}
module.exports = { parse };
`;
const MAIN = `const { parse } = require('./work.js');
function handle(text) {
  return parse(text);
}

function innocent(text) {
  let sum = 1;
  for (let i = 0; i < text.length; i++) sum *= i;
  return sum;
}
module.exports = { handle, innocent };
`;

/** The frame of the function whose parameter list is the first after `name` in the source. */
function frameOf(sources: Record<string, string>, url: string, name: string): V8CallFrame {
  const lines = sources[url]!.split('\n');
  const lineNumber = lines.findIndex((line) => line.includes(`${name}(`) && line.trimEnd().endsWith('{'));
  const columnNumber = lines[lineNumber]!.indexOf('(', lines[lineNumber]!.indexOf(name));
  return { functionName: name, scriptId: '1', url, lineNumber, columnNumber };
}

function ask(
  sources: Record<string, string>,
  [url, name]: [string, string],
  line: number,
  more: { children?: V8CallFrame[]; callees?: InlinedCallees } = {},
): Owner {
  const callees = more.callees ?? new InlinedCallees(scriptsOf(sources));
  const frame = frameOf(sources, url, name);
  const credited = callees.locate(frame);
  expect(credited?.range.name).toBe(name);
  if (callees.isInside(credited, line)) return 'own';
  return callees.ownerOf(credited!, line, frame, more.children ?? []);
}

const told = (owner: Owner) => (typeof owner === 'string' ? owner : `${owner.range.name} ${owner.url}`);

describe('a line outside of the credited function', () => {
  const two = { 'file:///main.js': MAIN, 'file:///work.js': WORK };

  it("is the imported function's that it names, not one's that stands there in its own script", () => {
    expect(told(ask(two, ['file:///main.js', 'handle'], 8))).toBe('parse file:///work.js');
  });

  it('is unnamed where nothing leads to a function there', () => {
    expect(ask({ 'file:///main.js': MAIN }, ['file:///main.js', 'handle'], 8)).toBe('unnamed');
    expect(ask(two, ['file:///main.js', 'handle'], 400)).toBe('unnamed');
  });

  it('is not asked for where the text at hand has another function than V8 shows', () => {
    const callees = new InlinedCallees(scriptsOf(two));
    const frame = { ...frameOf(two, 'file:///main.js', 'handle'), columnNumber: 3 };
    expect(callees.locate(frame)?.range.name).toBe('handle');
    expect(callees.locate({ ...frame, functionName: 'exports.handle' })?.range.name).toBe('handle');
    expect(callees.locate({ ...frame, functionName: 'shifted' })).toBe(null);
  });

  it("is the credited function's own where it is inside", () => {
    expect(ask(two, ['file:///main.js', 'handle'], 3)).toBe('own');
  });

  it('is found behind a function between, and behind a script that hands names on', () => {
    const sources = {
      'file:///main.js': `import { work } from './index.js';\nfunction handle(x) {\n  return work(x);\n}\n`,
      'file:///index.js': `export { work } from './between.js';\n`,
      'file:///between.js': `import { parse } from './work.js';\n\n\n\nexport function work(x) {\n  return parse(x);\n}\n`,
      'file:///work.js': `${'\n'.repeat(20)}${WORK}`,
    };
    expect(told(ask(sources, ['file:///main.js', 'handle'], 28))).toBe('parse file:///work.js');
  });

  it('is unnamed where two that are equally near stand there', () => {
    const sources = {
      'file:///main.js': `const a = require('./a.js');\nconst b = require('./b.js');\nfunction handle(x) {\n  return a.left(x) + b.right(x);\n}\n`,
      'file:///a.js': `${'\n'.repeat(9)}function left(x) {\n  return x + 1;\n}\n`,
      'file:///b.js': `${'\n'.repeat(9)}function right(x) {\n  return x + 2;\n}\n`,
    };
    expect(ask(sources, ['file:///main.js', 'handle'], 11)).toBe('unnamed');
  });

  it("is not what another function on the credited one's line calls", () => {
    const line =
      'const { parse } = require("./work.js"); function runs(x) { return x.go(); } function calls(x) { return parse(x); }';
    const sources = { 'file:///main.js': line, 'file:///work.js': WORK };
    const callees = new InlinedCallees(scriptsOf(sources));
    const ownerAt = (functionName: string) => {
      const columnNumber = line.indexOf('(', line.indexOf(functionName));
      const frame = { functionName, scriptId: '1', url: 'file:///main.js', lineNumber: 0, columnNumber };
      return told(callees.ownerOf(callees.locate(frame)!, 8, frame, []));
    };
    expect(ownerAt('runs')).toBe('unnamed');
    expect(ownerAt('calls')).toBe('parse file:///work.js');
  });

  it('is the constructor of a class that is made anew, not of any other', () => {
    const text = `class Box {\n  constructor() {\n    this.x = 1;\n  }\n}\nfunction makes() {\n  return new Box();\n}\nfunction other() {\n  return new Map();\n}\n`;
    const sources = { 'file:///main.js': text };
    expect(told(ask(sources, ['file:///main.js', 'makes'], 3))).toBe('constructor file:///main.js');
    expect(ask(sources, ['file:///main.js', 'other'], 3)).toBe('unnamed');
  });

  it('is a function of its own script that it gives to another, which calls it by name', () => {
    const sources = {
      'file:///main.js': `const { each } = require('./each.js');\n${'\n'.repeat(20)}const task = {\n  go(x) {\n    return x + 1;\n  },\n};\nfunction run(list) {\n  return each(list, task);\n}\n`,
      'file:///each.js': `function each(list, task) {\n  for (const one of list) task.go(one);\n}\nmodule.exports = { each };\n`,
    };
    expect(told(ask(sources, ['file:///main.js', 'run'], 24))).toBe('go file:///main.js');
  });

  it('is in a large script what V8 has shown below, else what stands there, but not the wrapper around all', () => {
    const sources = {
      'file:///large.js': `(function () {\n\n\n  function each(list, task) {\n    return task.go(list);\n  }\n  function other() {\n    return 1;\n  }\n\n})();\n`,
      'file:///main.js': `${'\n'.repeat(6)}const task = {\n  go(x) {\n    return x + 1;\n  },\n};\n`,
    };
    const scripts = { ...scriptsOf(sources), isLarge: (url: string) => url === 'file:///large.js' };
    const callees = new InlinedCallees(scripts);
    const credited: [string, string] = ['file:///large.js', 'each'];
    expect(ask(sources, credited, 2, { callees })).toBe('unnamed');
    expect(told(ask(sources, credited, 8, { callees }))).toBe('other file:///large.js');
    callees.sees(frameOf(sources, ...credited), frameOf(sources, 'file:///main.js', 'go'), 1);
    expect(told(ask(sources, credited, 8, { callees }))).toBe('go file:///main.js');
  });

  it('is a function that V8 has shown below, once it has', () => {
    const sources = {
      'file:///main.js': `function run(task) {\n  return task.go();\n}\n`,
      'file:///task.js': `${'\n'.repeat(9)}class Task {\n  go() {\n    return 1;\n  }\n}\n`,
    };
    const callees = new InlinedCallees(scriptsOf(sources));
    const credited: [string, string] = ['file:///main.js', 'run'];
    expect(ask(sources, credited, 12, { callees })).toBe('unnamed');
    callees.sees(frameOf(sources, ...credited), frameOf(sources, 'file:///task.js', 'go'), 1);
    expect(told(ask(sources, credited, 12, { callees }))).toBe('go file:///task.js');
  });

  it('is the function of another script that V8 showed before it inlined it, and not one that it only names', () => {
    const sources = {
      'file:///main.js': `const { parse } = require('./other.js');\nfunction run(x) {\n  return parse(x);\n}\n`,
      'file:///other.js': `${'\n'.repeat(9)}function parse() {\n  return 1;\n}\n`,
      'file:///shown.js': `${'\n'.repeat(9)}function parse() {\n  return 2;\n}\n`,
    };
    const run = frameOf(sources, 'file:///main.js', 'run');
    const parse = frameOf(sources, 'file:///shown.js', 'parse');
    const before = new InlinedCallees(scriptsOf(sources));
    before.sees(run, parse, 1);
    expect(told(ask(sources, ['file:///main.js', 'run'], 11, { callees: before }))).toBe(
      'parse file:///shown.js',
    );
    const after = new InlinedCallees(scriptsOf(sources));
    expect(told(ask(sources, ['file:///main.js', 'run'], 11, { callees: after }))).toBe(
      'parse file:///other.js',
    );
    // Also when thousands of others have been seen since, so that it was forgotten.
    for (let round = 0; round < 2; round++) {
      after.sees(run, parse, 1);
      expect(told(ask(sources, ['file:///main.js', 'run'], 11, { callees: after }))).toBe(
        'parse file:///shown.js',
      );
      for (let i = 2; i < 3000; i++)
        after.sees({ ...run, url: `file:///many.js`, lineNumber: i }, parse, round * 3000 + i);
    }
  });

  it('is a function of the same script that is used as a value, as in a table', () => {
    const sources = {
      'file:///main.js': `const table = [first, second];\nfunction dispatch(i) {\n  return table[i]();\n}\nfunction first() {\n  return 1;\n}\nfunction second() {\n  return 2;\n}\nfunction called() {\n  return called2();\n}\n`,
    };
    expect(told(ask(sources, ['file:///main.js', 'dispatch'], 9))).toBe('second file:///main.js');
    expect(ask(sources, ['file:///main.js', 'dispatch'], 12)).toBe('unnamed');
  });

  it('is asked for again when its text was not to be had', () => {
    const scripts = scriptsOf(two);
    let now = false;
    const late: ScriptSource = {
      ...scripts,
      textOf: (url) => (now || url.endsWith('main.js') ? scripts.textOf(url) : undefined),
    };
    const callees = new InlinedCallees(late);
    expect(ask(two, ['file:///main.js', 'handle'], 8, { callees })).toBe('unnamed');
    now = true;
    expect(told(ask(two, ['file:///main.js', 'handle'], 8, { callees }))).toBe('parse file:///work.js');
  });
});

describe('ticks of a caller that are all on one line', () => {
  const sources = {
    'file:///main.js': `const { parse } = require('./work.js');
function lone(text) {
  const sum = parse(text);
}
function two(text) {
  return parse(text) + JSON.stringify(text);
}
function quick() {
  return plain();
}
function plain() {
  return 1;
}
function again(n) {
  while (n > 0) again(n - 1);
  return again(n);
}
`,
    'file:///work.js': WORK,
  };
  const from = (name: string, line: number, ticks = 50) =>
    told(
      new InlinedCallees(scriptsOf(sources)).calledFrom(
        frameOf(sources, 'file:///main.js', name),
        line,
        ticks,
      ),
    );

  it('are those of a function with a loop, where the line only calls it', () => {
    expect(from('lone', 3)).toBe('parse file:///work.js');
  });

  it('stay where they are few, or where the line does more', () => {
    expect(from('lone', 3, 2)).toBe('own');
    expect(from('two', 6)).toBe('own');
  });

  it("stay where the name is a builtin's, and another script or a class has a method by it", () => {
    const text = `const { parse } = JSON;\n\nclass Config {\n  parse(x) {\n    while (x) x--;\n  }\n}\nfunction handle(x) {\n  return parse(x);\n}\n`;
    const withOther = `const { parse } = JSON;\nrequire('./work.js');\n\n\n\n\nfunction handle(x) {\n  return parse(x);\n}\n`;
    for (const [main, line] of [
      [text, 9],
      [withOther, 8],
    ] as const) {
      const scripts = { 'file:///main.js': main, 'file:///work.js': WORK };
      const frame = frameOf(scripts, 'file:///main.js', 'handle');
      expect(new InlinedCallees(scriptsOf(scripts)).calledFrom(frame, line, 50)).toBe('own');
    }
  });

  it('stay where the function has no loop or is the caller itself', () => {
    expect(from('quick', 9)).toBe('own');
    expect(from('again', 16)).toBe('own');
  });

  it('are asked for again when the text was not to be had', () => {
    const scripts = scriptsOf(sources);
    let now = false;
    const late: ScriptSource = {
      ...scripts,
      textOf: (url) => (now ? scripts.textOf(url) : undefined),
      linesOf: (...lines) => (now ? scripts.linesOf(...lines) : ''),
    };
    const callees = new InlinedCallees(late);
    const lone = frameOf(sources, 'file:///main.js', 'lone');
    expect(callees.calledFrom(lone, 3, 50)).toBe('own');
    now = true;
    expect(told(callees.calledFrom(lone, 3, 50))).toBe('parse file:///work.js');
  });
});

describe('a line that holds all ticks of a function', () => {
  const sources = {
    'file:///main.js': `const { parse } = require('./work.js');
console.log(parse(text), JSON.parse(text));
function runs(text) {
  return JSON.stringify(text) + text.parse(1);
}
`,
    'file:///work.js': WORK,
  };
  const top: V8CallFrame = {
    functionName: '',
    scriptId: '1',
    url: 'file:///main.js',
    lineNumber: 0,
    columnNumber: 0,
  };
  const mayHide = (frame: V8CallFrame, line: number, children: V8CallFrame[] = []) =>
    new InlinedCallees(scriptsOf(sources)).mayHide(frame, line, children);

  it('may hide a function that it calls by its bare name and that is not shown', () => {
    expect(mayHide(top, 2)).toBe(true);
    expect(mayHide(top, 2, [frameOf(sources, 'file:///work.js', 'parse')])).toBe(false);
    expect(mayHide(frameOf(sources, 'file:///main.js', 'runs'), 4)).toBe(false);
  });
});
