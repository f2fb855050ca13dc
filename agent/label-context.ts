/**
 * Which labels the thread runs under, told to the agent thread whenever they change: a record in the ring, with the time.
 * Labels follow `await` by AsyncLocalStorage; that another callback runs now is seen by a `before` hook, which is
 * switched on by the first labels and costs every asynchronous turn some 0.2 µs. It keeps inside a budget: where that
 * would be more than HOOK_SHARE of the thread's time, or switches more than the ring should carry, labels rest for some
 * seconds, and the samples meanwhile have none.
 */
import { type AsyncHook, AsyncLocalStorage, createHook } from 'node:async_hooks';
import { LabelBits, RecordKind, SeriesKind } from '../assembly/layout';
import { nowMicros } from './clock';
import type { CoreWriter } from './core';
import { tally } from './tally';

/** Taken hold of at load: fake timers of the program must not reach a hook, whose exceptions end the process. */
const { setTimeout } = globalThis;

/** Sets of labels that one thread may use; what is beyond has the labels around it. */
const SETS_MAX = 1024;
/** Looked at every so many turns. */
const TURNS_PER_LOOK = 16_384;
const HOOK_SHARE = 0.02;
/** What one turn of the hook costs, µs (measured: 0.17 to 0.32). */
const HOOK_MICROS = 0.25;
/** Switches that the ring should carry between two drains of it, and how long that is, µs. */
const SWITCHES_MAX = 3000;
const DRAIN_MICROS = 400e3;
const REST_MILLIS = 5000;

/** 0: no labels; else the handle of a series, or LabelBits.Request and a number. */
type LabelId = number;

export class LabelContext {
  readonly #writer: () => CoreWriter | null;
  readonly #storage = new AsyncLocalStorage<LabelId>();
  readonly #sets = new Map<string, LabelId>();
  readonly #flat = new Map<LabelId, string[]>();
  #hook: AsyncHook | null = null;
  #current: LabelId = 0;
  #request = 0;
  #turns = 0;
  #lookAtMicros = 0;
  #switches = 0;
  #switchesSinceMicros = 0;
  #rests = false;
  #closed = false;

  constructor(writer: () => CoreWriter | null) {
    this.#writer = writer;
  }

  /** Runs under the labels given and those around; flat key, value. */
  run<T>(labels: readonly string[], run: () => T): T {
    const writer = this.#writer();
    const id = writer === null ? 0 : this.#idOf(writer, labels);
    if (id === 0) return run();
    this.#follow();
    const around = this.#current;
    this.#enter(id);
    try {
      return this.#storage.run(id, run);
    } finally {
      this.#enter(around);
    }
  }

  /** A request begins: what runs from here on, and what follows from it, is its own. Gives its number, 0 for none. */
  beginRequest(): number {
    if (this.#writer() === null || this.#closed) return 0;
    this.#follow();
    this.#request = (this.#request % LabelBits.RequestMask) + 1;
    const id = LabelBits.Request + this.#request;
    this.#storage.enterWith(id);
    this.#enter(id);
    return this.#request;
  }

  /** The agent ends: nothing is followed any more. */
  close(): void {
    this.#closed = true;
    this.#hook?.disable();
  }

  #follow(): void {
    if (this.#hook !== null || this.#closed) return;
    this.#lookAtMicros = this.#switchesSinceMicros = nowMicros();
    this.#hook = createHook({ before: () => this.#turn() });
    this.#hook.enable();
  }

  /** Runs before every asynchronous callback of the host: it must not throw. */
  #turn(): void {
    const id = this.#storage.getStore() ?? 0;
    if (id !== this.#current) this.#enter(id);
    if (++this.#turns >= TURNS_PER_LOOK) this.#look();
  }

  #look(): void {
    const now = nowMicros();
    const share = (this.#turns * HOOK_MICROS) / Math.max(1, now - this.#lookAtMicros);
    this.#turns = 0;
    this.#lookAtMicros = now;
    if (share > HOOK_SHARE) this.#rest();
  }

  #enter(id: LabelId): void {
    if (this.#rests || this.#closed || id === this.#current) return;
    const writer = this.#writer();
    if (writer === null) return;
    const now = nowMicros();
    if (now - this.#switchesSinceMicros > DRAIN_MICROS) {
      this.#switchesSinceMicros = now;
      this.#switches = 0;
    } else if (++this.#switches > SWITCHES_MAX) {
      return this.#rest();
    }
    this.#current = id;
    if (writer.push(RecordKind.Label, id, 0, now, 0) < 0) tally.dropped++;
  }

  #rest(): void {
    this.#writer()?.push(RecordKind.Label, 0, 0, nowMicros(), 0);
    this.#current = 0;
    this.#rests = true;
    this.#hook?.disable();
    setTimeout(() => {
      this.#rests = false;
      this.#hook = null;
    }, REST_MILLIS).unref();
  }

  #idOf(writer: CoreWriter, labels: readonly string[]): LabelId {
    const around = this.#flat.get(this.#storage.getStore() ?? 0) ?? [];
    const merged = new Map<string, string>();
    for (const flat of [around, labels])
      for (let index = 0; index + 1 < flat.length; index += 2) merged.set(flat[index]!, flat[index + 1]!);
    const flat = [...merged].sort(([left], [right]) => (left < right ? -1 : 1)).flat();
    const key = flat.join('\0');
    const known = this.#sets.get(key);
    if (known !== undefined) return known;
    if (this.#sets.size >= SETS_MAX) {
      tally.refused++;
      return 0;
    }
    tally.series++;
    const id = writer.series(SeriesKind.Label, 'labels', '', flat);
    this.#sets.set(key, id);
    this.#flat.set(id, flat);
    return id;
  }
}
