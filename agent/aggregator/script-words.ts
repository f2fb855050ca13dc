/**
 * What the text of a script says about who calls whom, by words alone and without a parser. Comments and strings are words
 * too: they can only add a caller that is none, never hide one.
 */

const WORD = /[A-Za-z_$\u00a1-\uffff][\w$\u00a1-\uffff]*/g;
const IMPORTS = /(?:\brequire\s*\(\s*|\bfrom\s*|\bimport\s*\(?\s*)(?:'([^'\n]+)'|"([^"\n]+)")/g;
const EXPORTS =
  /(?:\bmodule\s*\.\s*)?\bexports\b(?:\s*\.\s*[\w$]+)?\s*=\s*(?:\{[^}]*\}|[^;\n]*)|\bexport\s+(?:default\s+[\w$]+\s*;|\{[^}]*\})/g;
const EXPORT_GETTER = /\bdefineProperty\s*\(\s*exports\s*,\s*["'][\w$]+["']/g;
const HANDS_ALL_ON = /\bexport\s*\*|\b__exportStar\s*\(|\bmodule\s*\.\s*exports\s*=\s*require\s*\(/;
const LOOP = /\b(?:for|while|do)\b/;
/** A line, or the only one of a function, on which nothing else can take long than the function that it calls. */
const LONE_CALL =
  /^\s*(?:(?:async\s+)?function\s*[\w$]*\s*\([\w$\s,]*\)\s*\{\s*)?(?:(?:const|let|var)\s+[\w$]+\s*=\s*|[\w$.]+\s*[+-]?=\s*|return\s+|void\s+)?(?:await\s+)?([A-Za-z_$][\w$]*)\s*\(([\w$\s,.'"]*)\)\s*;?\s*(?:\}\s*;?)?\s*(?:\/\/.*)?$/;
const RESERVED = new Set(
  (
    'await async break case catch class const continue debugger default delete do else export extends false finally for ' +
    'function if import in instanceof let new null of return static super switch this throw true try typeof undefined ' +
    'var void while with yield'
  ).split(' '),
);
const NO_FUNCTIONS = new Set([
  'if',
  'for',
  'while',
  'switch',
  'catch',
  'with',
  'function',
  'super',
  'import',
  'require',
]);

/** The identifiers of a text; `constructor` where it makes a new object. */
export function wordsIn(text: string): Set<string> {
  const words = new Set(text.match(WORD) ?? []);
  if (words.has('new')) words.add('constructor');
  for (const word of words) if (RESERVED.has(word)) words.delete(word);
  return words;
}

/** The identifiers that a script exports by a list, by name or by a getter; null: whatever others export. */
export function exportsIn(source: string): Set<string> | null {
  if (HANDS_ALL_ON.test(source)) return null;
  const lists = [...(source.match(EXPORTS) ?? []), ...(source.match(EXPORT_GETTER) ?? [])];
  return wordsIn(lists.join(' '));
}

/** What a script imports or requires by a constant name, as it is written there. */
export function importsIn(source: string): string[] {
  const found = new Set<string>();
  for (const [, single, double] of source.matchAll(IMPORTS)) found.add((single ?? double)!);
  return [...found];
}

/**
 * Functions that a script uses as values: neither called nor declared where they stand. Such a function may be called from
 * anywhere. To export one is no use: who imports it must name it.
 */
export function valuesIn(source: string, functions: readonly { name: string }[]): Set<string> {
  const named = new Set(functions.map(({ name }) => name));
  const text = source.replace(EXPORTS, '');
  const found = new Set<string>();
  for (const match of text.matchAll(WORD)) {
    const [word] = match;
    if (!named.has(word) || found.has(word)) continue;
    const before = text.slice(Math.max(0, match.index - 12), match.index);
    if (/\b(?:function|class|const|let|var|async)\s*\*?\s*$/.test(before)) continue;
    const after = text.slice(match.index + word.length, match.index + word.length + 12);
    if (/^\s*[(:]/.test(after) || /^\s*=(?!=)/.test(after)) continue;
    found.add(word);
  }
  return found;
}

/** The function that is called on a line which does nothing else, or null. */
export function loneCallOn(line: string): string | null {
  const name = LONE_CALL.exec(line)?.[1];
  return name === undefined || NO_FUNCTIONS.has(name) ? null : name;
}

export function hasLoop(text: string): boolean {
  return LOOP.test(text);
}
