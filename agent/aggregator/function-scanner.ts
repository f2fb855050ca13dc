/**
 * Which lines each function covers, found by scanning JavaScript text once: V8 tells where a function starts but not where
 * it ends, and the end is what shows that a sampled line belongs to an inlined callee (see leaf repair in
 * profile-reader.ts). Not a parser: it follows brackets, strings, templates, comments and regular expressions, and
 * knows a function by `function`, `=>`, or `name(...) {` where no statement keyword stands before the parenthesis.
 * Columns are where V8 puts a function: at its parameter list. Text it cannot follow gives no ranges, never wrong ones
 * on purpose: a scan whose brackets do not close is thrown away.
 */

import type { FunctionRange } from './function-ranges';

type Open = {
  close: string;
  range: FunctionRange | null;
  template: boolean;
  parenAt: number;
  className?: string;
};

/** assigned: what a function with these parameters is assigned to, and not what one of them is. */
type Paren = {
  before: string;
  assigned: string;
  line: number;
  column: number;
  declared: { name: string } | null;
};

/** What stands before parentheses without being called. */
export const STATEMENT_WORDS = new Set(['if', 'for', 'while', 'switch', 'catch', 'with']);
const REGEX_BEFORE = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'else',
  'do',
  'await',
  'yield',
  'instanceof',
]);
const LINE_START_WORDS = new Set([
  'const',
  'let',
  'var',
  'function',
  'class',
  'if',
  'for',
  'while',
  'return',
  'import',
  'export',
  'switch',
  'try',
  'throw',
  'async',
]);

/** The functions of a script in order of their start, or null when the text could not be followed or has more than `most`. */
export function scanFunctions(source: string, most = Number.POSITIVE_INFINITY): FunctionRange[] | null {
  return new Scanner(source, most).run();
}

class Scanner {
  #at = 0;
  #line = 1;
  #lineStart = 0;
  readonly #stack: Open[] = [];
  readonly #found: FunctionRange[] = [];
  /** Arrow functions whose body is an expression, still open: they end where their bracket depth ends a value. */
  readonly #arrows: { range: FunctionRange; depth: number }[] = [];
  /** The last token: a word, a punctuator, or 'value' for a literal. */
  #last = '';
  #lastWordIsProperty = false;
  /** Set by `function`: the name and that its parameter list comes next. */
  #pending: { name: string } | null = null;
  #lastParen: Paren | null = null;
  #assigned = '';
  /** Set by `class`: its body comes next, at the same depth. */
  #class: { name: string; assigned: string; depth: number } | null = null;

  constructor(
    readonly source: string,
    readonly most: number,
  ) {}

  run(): FunctionRange[] | null {
    const { source } = this;
    if (source.startsWith('#!')) this.#skipLine();
    while (this.#at < source.length) {
      if (!this.#step(source.charCodeAt(this.#at)) || this.#found.length > this.most) return null;
    }
    if (this.#stack.length > 0) return null;
    this.#endArrows(0);
    return this.#found.sort((a, b) => a.line - b.line || a.column - b.column);
  }

  #step(code: number): boolean {
    const { source } = this;
    if (code === 10) {
      this.#newLine(this.#at++);
      return true;
    }
    if (code <= 32 || code === 0xfeff || code === 0xa0) {
      this.#at++;
      return true;
    }
    if (isWord(code)) return this.#word();
    if (code === 34 || code === 39) return this.#string(code);
    if (code === 96) {
      this.#at++;
      return this.#template();
    }
    if (code === 47) {
      const next = source.charCodeAt(this.#at + 1);
      if (next === 47) return this.#skipLine();
      if (next === 42) return this.#skipBlock();
      if (this.#regexAllowed()) return this.#regex();
    }
    return this.#punctuator(source[this.#at]!);
  }

  #newLine(at: number): void {
    this.#line++;
    this.#lineStart = at + 1;
  }

  #skipLine(): boolean {
    const end = this.source.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.source.length : end;
    return true;
  }

  #skipBlock(): boolean {
    const end = this.source.indexOf('*/', this.#at + 2);
    if (end < 0) return false;
    for (let i = this.source.indexOf('\n', this.#at); i >= 0 && i < end; i = this.source.indexOf('\n', i + 1))
      this.#newLine(i);
    this.#at = end + 2;
    return true;
  }

  #word(): boolean {
    const start = this.#at;
    while (this.#at < this.source.length && isWord(this.source.charCodeAt(this.#at))) this.#at++;
    const word = this.source.slice(start, this.#at);
    const property = this.#last === '.' || this.#last === '?.';
    if (!property && LINE_START_WORDS.has(word) && this.#arrows.length > 0 && endsValue(this.#last))
      this.#endArrows(this.#stack.length);
    this.#classWord(word, property);
    if (word === 'function' && !property) this.#pending = { name: '' };
    else if (this.#pending !== null && this.#pending.name === '') this.#pending.name = word;
    this.#last = word;
    this.#lastWordIsProperty = property;
    return true;
  }

  #classWord(word: string, property: boolean): void {
    if (word === 'class' && !property)
      this.#class = { name: '', assigned: this.#assigned, depth: this.#stack.length };
    else if (this.#last === 'class' && this.#class !== null && word !== 'extends') this.#class.name = word;
  }

  #string(quote: number): boolean {
    for (let i = this.#at + 1; i < this.source.length; i++) {
      const code = this.source.charCodeAt(i);
      if (code === 92) {
        i++;
        if (this.source.charCodeAt(i) === 10) this.#newLine(i);
      } else if (code === quote) {
        this.#at = i + 1;
        this.#last = 'value';
        return true;
      } else if (code === 10) return false;
    }
    return false;
  }

  #template(): boolean {
    for (let i = this.#at; i < this.source.length; i++) {
      const code = this.source.charCodeAt(i);
      if (code === 92) i++;
      else if (code === 10) this.#newLine(i);
      else if (code === 96) {
        this.#at = i + 1;
        this.#last = 'value';
        return true;
      } else if (code === 36 && this.source.charCodeAt(i + 1) === 123) {
        this.#stack.push({ close: '}', range: null, template: true, parenAt: 0 });
        this.#at = i + 2;
        this.#last = '{';
        return true;
      }
    }
    return false;
  }

  #regexAllowed(): boolean {
    if (this.#last === '' || this.#last === '}') return true;
    if (this.#last === 'value' || this.#last === ')' || this.#last === ']') return false;
    return isWord(this.#last.charCodeAt(0))
      ? REGEX_BEFORE.has(this.#last) && !this.#lastWordIsProperty
      : true;
  }

  #regex(): boolean {
    let inClass = false;
    for (let i = this.#at + 1; i < this.source.length; i++) {
      const code = this.source.charCodeAt(i);
      if (code === 10) break;
      if (code === 92) i++;
      else if (code === 91) inClass = true;
      else if (code === 93) inClass = false;
      else if (code === 47 && !inClass) {
        this.#at = i + 1;
        this.#last = 'value';
        return true;
      }
    }
    return this.#punctuator('/');
  }

  #punctuator(char: string): boolean {
    // A property of that name.
    if (this.#last === 'class' && char !== '{') this.#class = null;
    if (char === '(' || char === '[' || char === '{') return this.#open(char);
    if (char === ')' || char === ']' || char === '}') return this.#close(char);
    if (char === '=' && this.source[this.#at + 1] === '>') return this.#arrow();
    if (char === ',' || char === ';') this.#endArrows(this.#stack.length);
    if (char === '=' || char === ':')
      this.#assigned = isWord(this.#last.charCodeAt(0)) ? this.#last : this.#assigned;
    if (char === '?' && this.source[this.#at + 1] === '.') {
      this.#at += 2;
      this.#last = '?.';
      return true;
    }
    if (char !== '*' && char !== '#') this.#last = char;
    this.#at++;
    return true;
  }

  #open(char: string): boolean {
    const column = this.#at - this.#lineStart + 1;
    const open: Open = {
      close: char === '(' ? ')' : char === '[' ? ']' : '}',
      range: null,
      template: false,
      parenAt: 0,
    };
    if (char === '(') {
      this.#parens.push({
        before: this.#lastWordIsProperty ? '.' : this.#last,
        assigned: this.#assigned,
        line: this.#line,
        column,
        declared: this.#pending,
      });
      open.parenAt = this.#parens.length;
      this.#pending = null;
    } else if (char === '{') {
      if (this.#class?.depth === this.#stack.length) {
        open.className = this.#class.name || this.#class.assigned;
        this.#class = null;
      } else open.range = this.#bodyOf();
    }
    this.#stack.push(open);
    this.#last = char;
    this.#at++;
    return true;
  }

  readonly #parens: Paren[] = [];

  /** The function whose body starts with the brace at hand, or null where the brace is a block or an object. */
  #bodyOf(): FunctionRange | null {
    if (this.#last === '=>') return this.#arrows.length > 0 ? this.#arrows.pop()!.range : null;
    const paren = this.#last === ')' ? this.#lastParen : null;
    if (paren === null) return null;
    if (paren.declared !== null)
      return this.#begin(paren.declared.name || paren.assigned, paren.line, paren.column);
    // A method whose name is computed or quoted.
    if (paren.before === ']' || paren.before === 'value') return this.#begin('', paren.line, paren.column);
    if (!isWord(paren.before.charCodeAt(0))) return null;
    if (STATEMENT_WORDS.has(paren.before)) return null;
    const range = this.#begin(paren.before, paren.line, paren.column);
    const className = paren.before === 'constructor' ? this.#stack.at(-1)?.className : undefined;
    if (className) range.className = className;
    return range;
  }

  #begin(name: string, line: number, column: number): FunctionRange {
    const range = { name, line, column, endLine: line, endColumn: column };
    this.#found.push(range);
    return range;
  }

  #close(char: string): boolean {
    this.#endArrows(this.#stack.length);
    const open = this.#stack.pop();
    if (open === undefined || open.close !== char) return false;
    if (open.parenAt > 0) this.#lastParen = this.#parens.pop() ?? null;
    this.#at++;
    if (open.range !== null) this.#end(open.range);
    this.#last = char;
    this.#lastWordIsProperty = false;
    if (open.template) return this.#template();
    return true;
  }

  #arrow(): boolean {
    const paren = this.#last === ')' ? this.#lastParen : null;
    const column = paren?.column ?? this.#at - this.#lineStart - this.#last.length;
    const range = this.#begin(paren?.assigned ?? this.#assigned, paren?.line ?? this.#line, column);
    this.#arrows.push({ range, depth: this.#stack.length });
    this.#last = '=>';
    this.#at += 2;
    return true;
  }

  #endArrows(depth: number): void {
    while (this.#arrows.length > 0 && this.#arrows[this.#arrows.length - 1]!.depth >= depth)
      this.#end(this.#arrows.pop()!.range);
  }

  #end(range: FunctionRange): void {
    range.endLine = this.#line;
    range.endColumn = this.#at - this.#lineStart + 1;
  }
}

function isWord(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 36 ||
    (code >= 0x80 && code !== 0xa0)
  );
}

function endsValue(last: string): boolean {
  return last === 'value' || last === ')' || last === ']' || last === '}' || isWord(last.charCodeAt(0));
}
