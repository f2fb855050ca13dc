/**
 * A model checker for a few threads over shared memory. Threads are generators that yield one memory operation at a
 * time. All interleavings are explored, under a memory weaker than the real ones:
 *
 *   plain store    waits in its thread's buffer, which is flushed one word at a time in any order (one word's stores in
 *                  theirs), at any later moment or never
 *   atomic store   flushes the buffer, then writes
 *   plain load     sees its own thread's newest store, else the memory's value or any value that the word had since the
 *                  thread's last atomic load (never an older one than it saw already)
 *   atomic load    sees the memory's value, and ends the staleness of all plain loads before it
 *
 * A thread may stop for ever at any step: schedules in which the others go on without it are among the explored.
 * States are explored once; `schedules` counts the paths through them.
 */

export type Operation =
  | { kind: 'load' | 'atomic load'; word: number }
  | { kind: 'store' | 'atomic store'; word: number; value: number }
  /** Tells the observer something, in the same step as the operation before it. */
  | { kind: 'note'; what: string; values: number[] };

export type Steps<Result = void> = Generator<Operation, Result, number>;

export type Model<Observed> = {
  /** Each thread's parts, one after the other. What a part knows ends with it: the next one begins from memory alone. */
  threads: (() => Steps)[][];
  memory: number[];
  /** Words of one thread only: nothing to explore about them. */
  isPrivate(word: number): boolean;
  /** Whether plain loads of a word may lag. Delayed stores alone already give a reader old values; this adds old pages. */
  mayLag(word: number): boolean;
  /** Flush buffers in order of their stores, as x86 does, instead of any order. */
  inOrder: boolean;
  /** What the observer starts with; plain data. */
  observed: Observed;
  /** Called with each note; changes `observed`, throws when something is wrong. */
  note(observed: Observed, what: string, values: number[]): void;
  /** Called when no thread has anything left to do and no store is waiting. */
  end(observed: Observed, memory: readonly number[]): void;
};

export type Exploration = { states: number; schedules: number; violation: string | null };

type ThreadState = {
  part: number;
  history: string;
  buffer: [word: number, value: number][];
  past: Record<number, number[]>;
};
type State<Observed> = { memory: number[]; threads: ThreadState[]; observed: Observed };

/** Explores the model to its end, or to its first violation. */
export function explore<Observed>(model: Model<Observed>): Exploration {
  const paths = new Map<string, number>();
  const program = new Program(model.threads);
  const start: State<Observed> = {
    memory: [...model.memory],
    threads: model.threads.map(() => ({ part: 0, history: '', buffer: [], past: {} })),
    observed: structuredClone(model.observed),
  };
  try {
    for (const thread of start.threads.keys()) runNotes(start, thread);
    const schedules = countFrom(start);
    return { states: paths.size, schedules, violation: null };
  } catch (error) {
    return { states: paths.size, schedules: 0, violation: (error as Error).message };
  }

  function countFrom(state: State<Observed>): number {
    const key = JSON.stringify(state);
    const known = paths.get(key);
    if (known !== undefined) return known;
    let count = 0;
    let moves = 0;
    for (const next of successorsOf(state, key)) {
      moves++;
      count += countFrom(next);
    }
    if (moves === 0) {
      model.end(state.observed, state.memory);
      count = 1;
    }
    paths.set(key, count);
    return count;
  }

  function* successorsOf(state: State<Observed>, key: string): Generator<State<Observed>> {
    for (const [thread, { part, history, buffer }] of state.threads.entries()) {
      const operation = program.next(thread, part, history);
      for (const value of operation ? outcomesOf(state, thread, operation) : []) {
        const next = JSON.parse(key) as State<Observed>;
        perform(next, thread, operation!, value);
        runNotes(next, thread);
        yield next;
      }
      const waiting = new Set(buffer.slice(0, model.inOrder ? 1 : buffer.length).map(([word]) => word));
      for (const word of waiting) {
        const next = JSON.parse(key) as State<Observed>;
        flushOne(next, thread, word);
        yield next;
      }
    }
  }

  /** What a load may see; one outcome for a store. */
  function outcomesOf({ memory, threads }: State<Observed>, thread: number, operation: Operation): number[] {
    if (operation.kind === 'atomic load') return [memory[operation.word]!];
    if (operation.kind !== 'load') return [0];
    const { buffer, past } = threads[thread]!;
    const own = buffer.findLast(([word]) => word === operation.word);
    return own ? [own[1]] : [...new Set([...(past[operation.word] ?? []), memory[operation.word]!])];
  }

  function perform(state: State<Observed>, thread: number, operation: Operation, seen: number): void {
    const self = state.threads[thread]!;
    switch (operation.kind) {
      case 'atomic load':
        self.past = {};
        self.history += `${seen},`;
        return;
      case 'load': {
        const past = self.past[operation.word];
        if (past)
          self.past[operation.word] = past.slice(past.indexOf(seen) < 0 ? past.length : past.indexOf(seen));
        if (self.past[operation.word]?.length === 0) delete self.past[operation.word];
        self.history += `${seen},`;
        return;
      }
      case 'store':
        if (model.isPrivate(operation.word)) state.memory[operation.word] = operation.value;
        else self.buffer.push([operation.word, operation.value]);
        self.history += ',';
        return;
      case 'atomic store':
        while (self.buffer.length > 0) flushOne(state, thread, self.buffer[0]![0]);
        write(state, thread, operation.word, operation.value);
        self.history += ',';
    }
  }

  function flushOne(state: State<Observed>, thread: number, word: number): void {
    const { buffer } = state.threads[thread]!;
    const at = buffer.findIndex(([buffered]) => buffered === word);
    const [[, value]] = buffer.splice(at, 1) as [[number, number]];
    write(state, thread, word, value);
  }

  function write({ memory, threads }: State<Observed>, writer: number, word: number, value: number): void {
    const old = memory[word]!;
    memory[word] = value;
    if (old === value || !model.mayLag(word)) return;
    for (const [thread, { past }] of threads.entries()) {
      if (thread === writer) continue;
      past[word] = [...(past[word] ?? []).filter((known) => known !== old), old];
    }
  }

  function runNotes(state: State<Observed>, thread: number): void {
    const self = state.threads[thread]!;
    for (;;) {
      const operation = program.next(thread, self.part, self.history);
      if (operation === null && self.part < model.threads[thread]!.length) {
        self.part++;
        self.history = '';
        continue;
      }
      if (operation?.kind !== 'note') return;
      model.note(state.observed, operation.what, operation.values);
      self.history += ',';
    }
  }
}

/** What a thread does next after what it has seen so far: a generator is a function of the values it was given. */
class Program {
  readonly #threads: (() => Steps)[][];
  readonly #known = new Map<string, Operation | null>();

  constructor(threads: (() => Steps)[][]) {
    this.#threads = threads;
  }

  /** history: per operation the value seen (empty for stores and notes), then a comma. Null at the part's end. */
  next(thread: number, part: number, history: string): Operation | null {
    const key = `${thread} ${part} ${history}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const steps = this.#threads[thread]![part]?.();
    let result = steps?.next();
    for (const value of history.split(',').slice(0, -1)) result = steps!.next(Number(value));
    const operation = !result || result.done ? null : result.value;
    this.#known.set(key, operation);
    return operation;
  }
}
