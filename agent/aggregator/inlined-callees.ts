/**
 * Whose code a tick ran that V8 credited to a caller. Two cases, on Node 20 to 24 and partly on 26:
 *
 * Inlined. The tick's line is that of the innermost inlined function, in whatever script that is; V8 tells neither script
 * nor function. A line outside the credited function proves that it is another's. Whose, must be proven by a way that
 * leads there: V8 has shown that function below the credited one; else the text of the credited one calls it by name, in its
 * own script or one that it imports; else a function between the two does; else it is of the same script, declared by
 * that name and used as a value. Where no way leads to a function at that line, or ways of one kind lead to two, the tick
 * stays with the credited function and counts as unnamed. A function that merely happens to stand at that line of the
 * credited one's script is not taken, unless the script is large: a bundle holds them all.
 *
 * Not known. Code that was compiled while it ran (on-stack replacement) before the profiler began is not known to it: the
 * tick goes to the caller, at the line of the call. Where all of the caller's own ticks are on one line which does nothing
 * but call a function with a loop, they are that function's, also where V8 shows another part of its time below the
 * caller: it may know some of its code and some not.
 */
import { coveringAt, type FunctionRange, innermostAt, rangeOf } from './function-ranges';
import type { ScriptSource, V8CallFrame } from './profile-reader';
import { bareCallsOn, hasLoop, isDeclaredBy, loneCallOn, wordsOf } from './script-words';

/** Where a function stands. */
export type Located = { url: string; range: FunctionRange };
/** own: the credited function's. unnamed: another's, it cannot be said whose. */
export type Owner = Located | 'own' | 'unnamed';

const BETWEEN_MAX = 24;
/** Answers, callers that are watched, callees of one of them, word lists that are kept. */
const ANSWERS_MAX = 2000;
const WATCHED_MAX = 2000;
const REMEMBERED_MAX = 20_000;
const CALLEES_MAX = 64;
const WORDS_MAX = 400;
const SCRIPTS_MAX = 256;
/** An index of more takes megabytes. */
const INDEXED_FUNCTIONS_MAX = 5000;
/** Fewer ticks than this on one line do not say that all are there. */
const LONE_TICKS_MIN = 4;

/** What stands at a line of a script: the functions that cover it and not the credited one too, and the innermost. */
type Candidate = { url: string; covering: readonly FunctionRange[]; innermost: Located };

type Answer = { owner: Owner; calleeCount: number };

/** Thrown inside of a search. */
const NOT_NOW = new Error('some text is not to be had now');

export class InlinedCallees {
  readonly #answers = new Map<string, Answer>();
  /** By the place of the caller: the callees that V8 has shown below it. */
  readonly #watched = new Map<string, Map<string, V8CallFrame>>();
  /** Pairs of caller and callee that need not be looked at again, most of what a window shows. */
  readonly #remembered = new Set<number>();
  /** By function: the names that its text calls. */
  readonly #called = new Map<string, ReadonlySet<string>>();
  /** By script: its functions by name. */
  readonly #byName = new Map<string, ReadonlyMap<string, readonly FunctionRange[]>>();

  constructor(readonly scripts: ScriptSource) {}

  /**
   * V8 shows `callee` below `caller`: remembered for callers for which a callee was searched for, and where it is of another
   * script, because before V8 inlines a function it shows it for a moment only. pair: the same number for the same two.
   */
  sees(caller: V8CallFrame, callee: V8CallFrame, pair: number): void {
    if (callee.url === '' || this.#remembered.has(pair)) return;
    const isAcross = caller.url !== callee.url && isFile(caller.url) && isFile(callee.url);
    if (this.#watched.size === 0 && !isAcross) return;
    const place = placeOf(caller);
    const callees = isAcross ? this.#watch(place) : this.#watched.get(place);
    if (callees === undefined) return;
    if (callees.size < CALLEES_MAX) callees.set(placeOf(callee), callee);
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.add(pair);
  }

  /** The function that a frame stands for, where its script's text is to be had and shows it. */
  locate(frame: V8CallFrame): Located | null {
    const text = frame.url === '' ? null : this.scripts.textOf(frame.url);
    const range = text ? rangeOf(text.functions, frame.lineNumber + 1, frame.columnNumber + 1) : null;
    if (range === null) return null;
    // Found by its line alone: by another name it is one of a text that is not what runs.
    const name = frame.functionName.slice(frame.functionName.lastIndexOf('.') + 1);
    const isOther = range.column !== frame.columnNumber + 1 && name !== '' && name !== shownName(range);
    return isOther ? null : { url: frame.url, range };
  }

  /** Nothing proves that a tick at this line is another function's. */
  isInside(credited: Located | null, line: number): boolean {
    return credited === null || covers(credited.range, line);
  }

  /** Whose a tick is that V8 credited to `frame`, at a line outside of it; `children`: what V8 shows below it. */
  ownerOf(credited: Located, line: number, frame: V8CallFrame, children: readonly V8CallFrame[]): Owner {
    const place = placeOf(frame);
    const callees = this.#watch(place);
    for (const child of children)
      if (child.url !== '' && callees.size < CALLEES_MAX) callees.set(placeOf(child), child);
    // What V8 shows later may prove more.
    return this.#answer(`${place}>${line}`, callees.size, 'unnamed', () => this.#search(credited, line));
  }

  /** Whose `ticks` are, all that V8 credited to `frame`, on one line. */
  calledFrom(frame: V8CallFrame, line: number, ticks: number): Owner {
    if (ticks < LONE_TICKS_MIN || !isFile(frame.url)) return 'own';
    return this.#answer(`${placeOf(frame)}@${line}`, 0, 'own', () => this.#loneCallee(frame, line));
  }

  /** What a search has found, once for as many callees as V8 has shown; `none` where it finds nothing, or not now. */
  #answer(key: string, calleeCount: number, none: Owner, search: () => Located | null): Owner {
    const known = this.#answers.get(key);
    if (known?.calleeCount === calleeCount) return known.owner;
    const found = nowOr(undefined, search);
    if (found === undefined) return none;
    const owner = found ?? none;
    if (this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answers.set(key, { owner, calleeCount });
    return owner;
  }

  /**
   * Whether a line that holds all ticks of `frame` may hide a function of the program: it calls one by its bare name which
   * V8 does not show below, `children`.
   */
  mayHide(frame: V8CallFrame, line: number, children: readonly V8CallFrame[]): boolean {
    if (!isFile(frame.url)) return false;
    const shown = new Set(children.map(({ functionName }) => functionName));
    const names = bareCallsOn(this.scripts.linesOf(frame.url, line, line));
    return nowOr(false, () =>
      names.some((name) => !shown.has(name) && this.#bound(frame.url, name).length > 0),
    );
  }

  #loneCallee(frame: V8CallFrame, line: number): Located | null {
    if (this.scripts.textOf(frame.url) === undefined) throw NOT_NOW;
    const name = loneCallOn(this.scripts.linesOf(frame.url, line, line).trimEnd());
    if (name === null) return null;
    const callees = this.#bound(frame.url, name).filter((callee) => hasLoop(this.#textOf(callee)));
    const [callee] = callees;
    if (callee === undefined || callees.length > 1) return null;
    const isItself = callee.url === frame.url && callee.range.line === frame.lineNumber + 1;
    return isItself ? null : callee;
  }

  #watch(place: string): Map<string, V8CallFrame> {
    let callees = this.#watched.get(place);
    if (callees === undefined) {
      if (this.#watched.size >= WATCHED_MAX) this.#forgetWatched();
      callees = new Map();
      this.#watched.set(place, callees);
    }
    return callees;
  }

  #forgetWatched(): void {
    for (const place of [...this.#watched.keys()].slice(0, WATCHED_MAX / 4)) this.#watched.delete(place);
    this.#remembered.clear();
  }

  #search(credited: Located, line: number): Located | null {
    if (this.scripts.isLarge(credited.url)) return this.#inLarge(credited, line);
    const there = this.#candidates(credited, line);
    const shown = there.filter((one) => this.#isShown(credited, one));
    if (shown.length > 0) return onlyOne(shown);
    const reached = there.filter((one) => this.#leadsTo(credited, one));
    if (reached.length > 0) return onlyOne(reached);
    const own = there.find(({ url }) => url === credited.url);
    return (
      this.#behindAnother(credited, line) ??
      (own !== undefined && this.scripts.valuesOf(own.url).has(own.innermost.range.name)
        ? own.innermost
        : null)
    );
  }

  /** What V8 has shown below a function of a large script and stands at that line; else what stands there in the script itself. */
  #inLarge(credited: Located, line: number): Located | null {
    const { url, range } = credited;
    let shown: Located | null = null;
    for (const frame of this.#watched.get(nameOf(credited))?.values() ?? []) {
      const callee = this.locate(frame);
      if (callee === null || !covers(callee.range, line)) continue;
      if (shown !== null) return null;
      shown = callee;
    }
    if (shown !== null) return shown;
    const there = this.#innermost(url, line);
    // The wrapper that a function is declared in is not called by it.
    return there !== null && covers(there.range, range.line) && covers(there.range, range.endLine)
      ? null
      : there;
  }

  /** What stands at that line in the scripts that a function can reach at once, and in one whose functions it may be given. */
  #candidates({ url, range }: Located, line: number, given = url): Candidate[] {
    const found: Candidate[] = [];
    for (const script of new Set([...this.#reach(url, nameOf({ url, range })), given])) {
      const covering = coveringAt(this.#functionsOf(script), line);
      const innermost = this.#innermost(script, line);
      if (innermost === null) continue;
      const others =
        script === url
          ? covering.filter((one) => one.line > range.line || one.endLine < range.endLine)
          : covering;
      found.push({ url: script, covering: others, innermost });
    }
    return found;
  }

  #innermost(url: string, line: number): Located | null {
    const range = innermostAt(this.#functionsOf(url), line);
    return range === null ? null : { url, range };
  }

  /** A function's own script, those that it imports, those behind one that hands others' names on, those of what was seen below it. */
  #reach(url: string, place: string): ReadonlySet<string> {
    const reached = new Set([url]);
    for (const imported of this.scripts.importsOf(url)) {
      reached.add(imported);
      if (this.scripts.exportsOf(imported) === null || this.#functionsOf(imported).length === 0)
        for (const further of this.scripts.importsOf(imported)) reached.add(further);
    }
    for (const { url: seen } of this.#watched.get(place)?.values() ?? []) reached.add(seen);
    return reached;
  }

  /** Whether V8 has shown the candidate, or what it stands inside of, below a function. */
  #isShown(from: Located, { url, covering }: Candidate): boolean {
    const seen = this.#watched.get(nameOf(from));
    return seen !== undefined && covering.some((range) => seen.has(nameOf({ url, range })));
  }

  /** Whether that is so, or the text of the function calls it by name. */
  #leadsTo(from: Located, candidate: Candidate): boolean {
    const called = this.#calledBy(from);
    return candidate.covering.some((range) => calls(called, range)) || this.#isShown(from, candidate);
  }

  /** The function at that line which is named by a function that the credited one names, if there is just one. */
  #behindAnother(credited: Located, line: number): Located | null {
    const found: Candidate[] = [];
    for (const between of this.#callees(credited).slice(0, BETWEEN_MAX))
      found.push(
        ...this.#candidates(between, line, credited.url).filter((one) => this.#leadsTo(between, one)),
      );
    return onlyOne(found);
  }

  /** What a function may call: as V8 has shown it, and as its text names it. */
  #callees(from: Located): Located[] {
    const found = this.#named(from.url, this.#calledBy(from));
    for (const frame of this.#watched.get(nameOf(from))?.values() ?? []) {
      const shown = this.locate(frame);
      if (shown !== null) found.unshift(shown);
    }
    return found;
  }

  #calledBy(from: Located): ReadonlySet<string> {
    const key = nameOf(from);
    const known = this.#called.get(key);
    if (known !== undefined) return known;
    const { called } = wordsOf(this.#textOf(from));
    if (this.#called.size >= WORDS_MAX) this.#called.delete(this.#called.keys().next().value!);
    this.#called.set(key, called);
    return called;
  }

  /** What a name that is called without an object may stand for in a script: its own function, or one of the script it is bound to. */
  #bound(url: string, name: string): Located[] {
    const names = new Set([name]);
    const own = this.#definedIn(url, names).filter(({ range }) => {
      const before = this.scripts.linesOf(url, range.line, range.line).slice(0, range.column - 1);
      return isDeclaredBy(before, name);
    });
    const to = this.scripts.boundTo(url, name);
    return own.length > 0 || to === null ? own : this.#named(to, names);
  }

  /** From the parameters on: what stands before them is what the function is called. */
  #textOf({ url, range }: Located): string {
    const text = this.scripts.linesOf(url, range.line, range.endLine);
    const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
    return text.slice(range.column - 1, lastLine + range.endColumn - 1);
  }

  /** Functions by these names in the scripts that a script can reach at once. */
  #named(url: string, names: ReadonlySet<string>): Located[] {
    return [...this.#reach(url, '')].flatMap((script) => this.#definedIn(script, names));
  }

  #definedIn(url: string, names: ReadonlySet<string>): Located[] {
    const functions = this.#functionsOf(url);
    if (functions.length > INDEXED_FUNCTIONS_MAX)
      return functions.filter(({ name }) => names.has(name)).map((range) => ({ url, range }));
    let index = this.#byName.get(url);
    if (index === undefined) {
      index = byName(functions);
      if (this.#byName.size >= SCRIPTS_MAX) this.#byName.delete(this.#byName.keys().next().value!);
      this.#byName.set(url, index);
    }
    const found: Located[] = [];
    for (const name of names) for (const range of index.get(name) ?? []) found.push({ url, range });
    return found;
  }

  #functionsOf(url: string): readonly FunctionRange[] {
    const text = this.scripts.textOf(url);
    if (text === undefined) throw NOT_NOW;
    return text?.functions ?? [];
  }
}

/** What a search gives, or `other` where some text is not to be had now. */
function nowOr<T, U>(other: U, search: () => T): T | U {
  try {
    return search();
  } catch (error) {
    if (error === NOT_NOW) return other;
    throw error;
  }
}

function onlyOne(candidates: readonly Candidate[]): Located | null {
  const found = new Map(candidates.map(({ innermost }) => [nameOf(innermost), innermost]));
  return found.size === 1 ? candidates[0]!.innermost : null;
}

function byName(functions: readonly FunctionRange[]): ReadonlyMap<string, readonly FunctionRange[]> {
  const index = new Map<string, FunctionRange[]>();
  for (const range of functions) {
    const named = index.get(range.name);
    if (named === undefined) index.set(range.name, [range]);
    else named.push(range);
  }
  return index;
}

/** As V8 shows it. */
export function shownName({ name, className }: FunctionRange): string {
  return className ?? name;
}

/** Whether a function that calls these names may call that one; `super` may be any class. */
function calls(called: ReadonlySet<string>, { name, className }: FunctionRange): boolean {
  if (className !== undefined) return called.has(className) || called.has('super');
  return name !== '' && called.has(name);
}

function covers({ line: from, endLine }: FunctionRange, line: number): boolean {
  return line >= from && line <= endLine;
}

function isFile(url: string): boolean {
  return url.startsWith('file://');
}

function placeOf({ url, lineNumber, columnNumber }: V8CallFrame): string {
  return `${url}:${lineNumber + 1}:${columnNumber + 1}`;
}

function nameOf({ url, range }: Located): string {
  return `${url}:${range.line}:${range.column}`;
}
