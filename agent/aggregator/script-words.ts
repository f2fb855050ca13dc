/**
 * What the text of a script says about who calls whom, by words alone and without a parser. Strings are words too: they
 * can only add a caller that is none, never hide one.
 */
import { STATEMENT_WORDS } from './function-scanner';

const WORD = /[A-Za-z_$\u00a1-\uffff][\w$\u00a1-\uffff]*/g;
const IMPORTS = /(?:\brequire\s*\(\s*|\bfrom\s*|\bimport\s*\(?\s*)(?:'([^'\n]+)'|"([^"\n]+)")/g;
const BOUND =
  /\b(?:import\s+([\w$\s{},*]{1,1000})\bfrom\s*|(?:const|let|var)\s+([\w$]+|\{[\w$\s:,]{1,1000}\})\s*=\s*require\s*\(\s*)["']([^"'\n]+)["']/g;
const DECLARATION =
  /\bfunction\s*(?:\*\s*)?([\w$]+)\s*$|(?<![.\w$])([\w$]+)\s*=\s*(?:async\s*)?(?:function\b\s*(?:\*\s*)?[\w$]*\s*)?$/;
const DECLARATION_MAX = 200;
const EXPORTS =
  /(?:\bmodule\s*\.\s*)?\bexports\b(?:\s*\.\s*[\w$]+)?\s*=\s*(?:\{[^}]*\}?|[^;\n]*)|\bexport\s+(?:default\s+[\w$]+\s*;|\{[^}]*\}?)/g;
const EXPORT_GETTER = /\bdefineProperty\s*\(\s*exports\s*,\s*["'][\w$]+["']/g;
const HANDS_ALL_ON = /\bexport\s*\*|\b__exportStar\s*\(|\bmodule\s*\.\s*exports\s*=\s*require\s*\(/;
const COMMENTS = /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*/g;
const LINE_COMMENTS = /(?<![:'"`\\])\/\/[^\n]*/g;
const CALL_FOLLOWS = /^\s*(?:\?\.\s*)?\(/;
const PROPERTY_OR_KEY_FOLLOWS = /^\s*(?:\??\.|:|=(?!=))/;
/** What stands before `function` is looked at from there: at every place of a text it takes minutes in a run of spaces. */
const DECLARED =
  /\bfunction(?<=(?:^|[;{}\n])[ \t]*(?:export\s+(?:default\s+)?)?(?:async\s+)?function)\s*(?:\*\s*)?([A-Za-z_$][\w$]*)|\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s*=\s*(?:async\s*)?(?=function\b|\(|[\w$]+\s*=>)/g;
const INSTANCE_OF = /\binstanceof\s+[\w$]+/g;
const LOOP = /\b(?:for|while|do)\b/;
/** A line, or the only one of a function, on which nothing else can take long than the function that it calls. */
const LONE_CALL =
  /^\s*(?:(?:async\s+)?function(?:\s+[\w$]+)?\s*\([\w$\s,]*\)\s*\{\s*)?(?:(?:const|let|var)\s+[\w$]+\s*=\s*|[\w$.]+\s*[+-]?=\s*|return\s+|void\s+)?(?:await\s+)?([A-Za-z_$][\w$]*)\s*\(([\w$\s,.'"]*)\)\s*;?\s*(?:\}\s*;?)?\s*(?:\/\/.*)?$/;
const RESERVED = new Set(
  (
    'await async break case catch class const continue debugger default delete do else export extends false finally for ' +
    'function if import in instanceof let new null of return static super switch this throw true try typeof undefined ' +
    'var void while with yield'
  ).split(' '),
);
const BARE_CALL = /(?<![.\w$])([A-Za-z_$][\w$]*)\(/g;
const NO_FUNCTIONS = new Set([...STATEMENT_WORDS, 'function', 'super', 'import', 'require']);

/** Identifiers of a function's text: those that are called, or made anew, and those that stand for a value. */
export type Words = { called: ReadonlySet<string>; values: ReadonlySet<string> };

/** The constructor of a class without a name counts as called where anything is made anew. */
export function wordsOf(source: string): Words {
  const called = new Set<string>();
  const values = new Set<string>();
  const text = withoutComments(source);
  let before = '';
  for (const match of text.matchAll(WORD)) {
    const [word] = match;
    const next = text.slice(match.index + word.length, match.index + word.length + 8);
    const isNew = before === 'new';
    before = word;
    if (word === 'new') called.add('constructor');
    else if (word === 'super' && CALL_FOLLOWS.test(next)) called.add(word);
    else if (RESERVED.has(word)) continue;
    else if (isNew || CALL_FOLLOWS.test(next)) called.add(word);
    else if (!PROPERTY_OR_KEY_FOLLOWS.test(next)) values.add(word);
  }
  return { called, values };
}

/** The identifiers that a script exports by a list, by name or by a getter; null: whatever others export. */
export function exportsIn(source: string): Set<string> | null {
  if (HANDS_ALL_ON.test(source)) return null;
  const lists = [...(source.match(EXPORTS) ?? []), ...(source.match(EXPORT_GETTER) ?? [])];
  return new Set((lists.join(' ').match(WORD) ?? []).filter((word) => !RESERVED.has(word)));
}

/** What a script imports or requires by a constant name, as it is written there. */
export function importsIn(source: string): string[] {
  const found = new Set<string>();
  for (const [, single, double] of source.matchAll(IMPORTS)) found.add((single ?? double)!);
  return [...found];
}

/** Names that a script binds to what it imports or requires, and the name of that as it is written there. */
export function boundIn(source: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, imported, required, name] of source.matchAll(BOUND))
    for (const [word] of (imported ?? required)!.matchAll(WORD))
      if (!RESERVED.has(word)) found.set(word, name!);
  return found;
}

/** Whether what stands before a function's parameters makes it one that is called by `name` alone, unlike a method. */
export function isDeclaredBy(before: string, name: string): boolean {
  const words = before.slice(-DECLARATION_MAX).match(DECLARATION);
  return words !== null && (words[1] ?? words[2]) === name;
}

/**
 * Functions that a script uses as values: declared by a name of their own, and neither called nor declared where they
 * stand. Such a function may be called from anywhere. To export one is no use: who imports it must name it.
 */
export function valuesIn(source: string): Set<string> {
  const declared = new Set<string>();
  for (const [, name, assigned] of source.matchAll(DECLARED)) declared.add((name ?? assigned)!);
  const text = source.replace(EXPORTS, '').replace(DECLARED, ' ').replace(INSTANCE_OF, ' ');
  const { values } = wordsOf(text);
  return new Set([...declared].filter((name) => values.has(name)));
}

/** The function that is called on a line which does nothing else, or null. */
export function loneCallOn(line: string): string | null {
  const name = LONE_CALL.exec(line)?.[1];
  return name === undefined || NO_FUNCTIONS.has(name) ? null : name;
}

/** Behind the last end of a comment none is looked for: the search from each of many beginnings would take minutes. */
function withoutComments(source: string): string {
  const last = source.lastIndexOf('*/');
  const end = last < 0 ? 0 : last + 2;
  return source.slice(0, end).replace(COMMENTS, ' ') + source.slice(end).replace(LINE_COMMENTS, ' ');
}

/** The functions that a line calls by their bare names. */
export function bareCallsOn(line: string): string[] {
  return [...line.matchAll(BARE_CALL)].map(([, name]) => name!).filter((name) => !NO_FUNCTIONS.has(name));
}

export function hasLoop(text: string): boolean {
  return LOOP.test(text);
}
