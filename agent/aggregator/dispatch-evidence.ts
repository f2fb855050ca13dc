/**
 * Evidence that V8 hides what runs hot. Code that was on-stack-replaced before sampling began has no entry in the
 * sampler's code map, so its ticks stand with its caller, on the line of the call. Where many ticks of a function's own
 * are all on one line, they can only be those if it is a function of Node's own that does nothing but call what the
 * program gave it; and they may be if it is the program's, and that line calls a function that V8 does not show.
 */
import { basename } from 'node:path';
import type { V8CallFrame, V8Node, V8Profile } from './profile-reader';

/** Functions of Node's own that call the program's, by the names that V8 shows on Node 20 to 26. */
const DISPATCHERS = new Set([
  'listOnTimeout',
  'processImmediate',
  'processTicksAndRejections',
  'runNextTicks',
  'runMicrotask',
  'emit',
  'onceWrapper',
  'run',
  'runInAsyncScope',
  'callbackTrampoline',
  '[nodejs.internal.kHybridDispatch]',
  'Module._compile',
]);
/** What belongs to no function. */
const NO_FUNCTIONS = new Set(['(root)', '(program)', '(idle)', '(garbage collector)']);

const TICKS_MIN = 30;
const SHARE_MIN = 0.25;
/** A few ticks of its own a dispatcher really has. */
const ONE_LINE_SHARE = 0.9;
/** The longest of them (listOnTimeout, processTicksAndRejections, Module._compile) is shorter. */
const LINES_MAX = 150;
/** Short windows are looked at together, until they hold so many ticks. */
const TOGETHER_TICKS = TICKS_MIN / SHARE_MIN;

/** name: in words. */
export type Evidence = { name: string; percent: number };
/** Whether a line of the program's function may call one that V8 does not show among `children`. */
export type MayHide = (frame: V8CallFrame, line: number, children: readonly V8CallFrame[]) => boolean;
type Suspect = { node: V8Node; nodes: readonly V8Node[]; ticks: number; lines: Map<number, number> };

export class DispatchEvidence {
  #ticks = 0;
  #suspects = new Map<string, Suspect>();

  /** One pass over the nodes of a window; null where nothing is hidden. */
  see({ nodes }: V8Profile, mayHide: MayHide): Evidence | null {
    if (this.#ticks >= TOGETHER_TICKS) this.clear();
    for (const node of nodes) {
      const { hitCount = 0, callFrame, positionTicks = [] } = node;
      const { functionName, url } = callFrame;
      if (hitCount === 0 || (url === '' && NO_FUNCTIONS.has(functionName))) continue;
      this.#ticks += hitCount;
      const isDispatcher = url.startsWith('node:') && DISPATCHERS.has(functionName);
      if (!isDispatcher && !url.startsWith('file:')) continue;
      const suspect = this.#suspect(node, nodes);
      suspect.ticks += hitCount;
      const first = callFrame.lineNumber + 1;
      for (const { line, ticks } of positionTicks) {
        // Elsewhere it is the line of what was inlined: V8 knows that, and would only inline it again.
        if (isDispatcher && (line < first || line > first + LINES_MAX)) continue;
        suspect.lines.set(line, (suspect.lines.get(line) ?? 0) + ticks);
      }
    }
    for (const suspect of this.#suspects.values()) {
      const [line, most] = heaviest(suspect.lines);
      if (most < TICKS_MIN || most < SHARE_MIN * this.#ticks || most < ONE_LINE_SHARE * suspect.ticks)
        continue;
      const { callFrame } = suspect.node;
      if (callFrame.url.startsWith('file:') && !mayHide(callFrame, line, childrenOf(suspect))) continue;
      return { name: nameOf(callFrame), percent: Math.round((100 * most) / this.#ticks) };
    }
    return null;
  }

  #suspect(node: V8Node, nodes: readonly V8Node[]): Suspect {
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    const key = `${lineNumber}:${columnNumber}:${functionName}:${url}`;
    const known = this.#suspects.get(key);
    if (known !== undefined) return known;
    const suspect = { node, nodes, ticks: 0, lines: new Map<number, number>() };
    this.#suspects.set(key, suspect);
    return suspect;
  }

  clear(): void {
    this.#ticks = 0;
    this.#suspects.clear();
  }
}

function heaviest(lines: ReadonlyMap<number, number>): [line: number, ticks: number] {
  let most: [number, number] = [0, 0];
  for (const entry of lines) if (entry[1] > most[1]) most = entry;
  return most;
}

function childrenOf({ node, nodes }: Suspect): V8CallFrame[] {
  const ids = new Set(node.children);
  return nodes.filter(({ id }) => ids.has(id)).map(({ callFrame }) => callFrame);
}

function nameOf({ functionName, url, lineNumber }: V8CallFrame): string {
  if (url.startsWith('node:')) return `${functionName} of Node.js`;
  const file = basename(url);
  if (functionName === '' && lineNumber === 0) return `the top level of ${file}`;
  return `${functionName || '(anonymous)'} (${file}:${lineNumber + 1})`;
}
