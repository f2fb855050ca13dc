/**
 * Evidence that V8 hides what runs hot. Code that was on-stack-replaced before sampling began has no entry in the
 * sampler's code map, so its ticks stand with its caller, on the line of the call. Where that caller is the program's,
 * nobody can tell; where it is a function of Node's own that does nothing but call what the program gave it, ticks of its
 * own that are many and all on one line can only be those.
 */
import type { V8Profile } from './profile-reader';

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

export type Evidence = { name: string; percent: number };
type Dispatcher = { name: string; ticks: number; lines: Map<number, number> };

export class DispatchEvidence {
  #ticks = 0;
  #dispatchers = new Map<string, Dispatcher>();

  /** One pass over the nodes of a window; null where nothing is hidden. */
  see({ nodes }: V8Profile): Evidence | null {
    if (this.#ticks >= TOGETHER_TICKS) this.clear();
    for (const { hitCount = 0, callFrame, positionTicks = [] } of nodes) {
      const { functionName, url } = callFrame;
      if (hitCount === 0 || (url === '' && NO_FUNCTIONS.has(functionName))) continue;
      this.#ticks += hitCount;
      if (!url.startsWith('node:') || !DISPATCHERS.has(functionName)) continue;
      const dispatcher = this.#dispatcher(url, functionName);
      dispatcher.ticks += hitCount;
      const first = callFrame.lineNumber + 1;
      for (const { line, ticks } of positionTicks) {
        // Elsewhere it is the line of what was inlined: V8 knows that, and would only inline it again.
        if (line < first || line > first + LINES_MAX) continue;
        dispatcher.lines.set(line, (dispatcher.lines.get(line) ?? 0) + ticks);
      }
    }
    for (const { name, ticks, lines } of this.#dispatchers.values()) {
      const most = Math.max(0, ...lines.values());
      if (most >= TICKS_MIN && most >= SHARE_MIN * this.#ticks && most >= ONE_LINE_SHARE * ticks)
        return { name, percent: Math.round((100 * most) / this.#ticks) };
    }
    return null;
  }

  #dispatcher(url: string, name: string): Dispatcher {
    const key = `${url} ${name}`;
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const dispatcher = { name, ticks: 0, lines: new Map<number, number>() };
    this.#dispatchers.set(key, dispatcher);
    return dispatcher;
  }

  clear(): void {
    this.#ticks = 0;
    this.#dispatchers.clear();
  }
}
