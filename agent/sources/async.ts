/**
 * Live asynchronous resources of the main thread, by async_hooks, as the agent thread wants them (AsyncWord.Wanted):
 * nothing, the resources, their waits too. Where hooks are on, their callbacks are the only code of ours that the host's
 * calls run into, so they are small, and catch what is thrown further in; what they themselves could throw, at the end
 * of the stack, Node's own handler throws before us.
 *
 * From Node 24 on hooks can leave promises alone. Before, they follow every promise: that costs half a microsecond each
 * and ends a program that waits for a frozen one (Node marks promises with a property). So promises are followed only
 * where the host allows it by its options, or does so itself already (AsyncLocalStorage before Node 24 does).
 *
 * How many resources of each type keep the process alive is asked of the runtime, rarely: that costs a microsecond for
 * every hundred of them.
 */
import { AsyncBit, AsyncCell, AsyncRegion, AsyncType, AsyncWord } from '../../assembly/layout';
import type { AsyncPage } from '../thread-data';
import { AsyncNames } from './async-names';
import { AsyncShares } from './async-shares';
import { AsyncTable } from './async-table';
import { CreationStack } from './creation-stack';
import type { SourceContext } from './source';

/** What Node keeps in a timer. */
type Timer = { _idleTimeout?: unknown; _repeat?: unknown };
type Hooks = import('node:async_hooks').AsyncHook;
type HookOptions = import('node:async_hooks').HookCallbacks & { trackPromises?: boolean };

/** Done before the loop turns: not worth following. */
const TICK = 'TickObject';
const MICROTASK = 'Microtask';
const PROMISE = 'PROMISE';
const TIMEOUT = 'Timeout';
/** async_hooks has it among the timeouts. */
const INTERVAL = 'Interval';
/** The active resources are counted so often, and at the most for one ten-thousandth of the time. */
const LOOK_EVERY_MICROS = 10e6;
const LOOK_SHARE = 1e-4;
/** The same when somebody asks. */
const ASKED_EVERY_MICROS = 0.5e6;
const ASKED_SHARE = 1e-2;
/** What is longer has waited for a core: no stack takes so long. */
const CAPTURE_MICROS_MAX = 250;

export class AsyncResources {
  readonly #context: SourceContext;
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #names: AsyncNames;
  readonly #table: AsyncTable;
  readonly #shares: AsyncShares;
  readonly #stacks: CreationStack;
  readonly #promisesAllowed: boolean;
  readonly #activeResources = process.getActiveResourcesInfo.bind(process);
  #resourceHooks: Hooks | null = null;
  #waitHooks: Hooks | null = null;
  #state = 0;
  #waitsSinceMicros = 0;
  #lookAsked = 0;
  #lookAtMicros = Number.NEGATIVE_INFINITY;

  /** stayOn: resources are followed from the start. */
  constructor(context: SourceContext, { buffer, stayOn }: AsyncPage, promisesAllowed: boolean) {
    this.#context = context;
    this.#words = new Int32Array(buffer);
    this.#cells = new Float64Array(buffer);
    this.#names = new AsyncNames(buffer);
    this.#table = new AsyncTable(buffer);
    this.#shares = new AsyncShares(buffer);
    this.#stacks = new CreationStack(this.#names);
    this.#promisesAllowed = promisesAllowed;
    if (stayOn) this.#apply(AsyncBit.Hooks);
  }

  /** Does what the agent thread wants; called in turns of the loop in which nothing of the host runs. */
  look(): void {
    this.#apply(Atomics.load(this.#words, AsyncWord.Wanted));
    const { nowMicros } = this.#context;
    const asked = Atomics.load(this.#words, AsyncWord.LookWanted);
    const cost = this.#cells[AsyncCell.LookMicros]!;
    const [every, share] =
      asked === this.#lookAsked ? [LOOK_EVERY_MICROS, LOOK_SHARE] : [ASKED_EVERY_MICROS, ASKED_SHARE];
    const now = nowMicros();
    if (now - this.#lookAtMicros < Math.max(every, cost / share)) return;
    this.#lookAsked = asked;
    this.#lookAtMicros = now;
    this.#countActive();
    this.#cells[AsyncCell.LookAtMicros] = now;
    this.#cells[AsyncCell.LookMicros] = nowMicros() - now;
    Atomics.add(this.#words, AsyncWord.Looks, 1);
  }

  close(): void {
    this.#apply(0);
  }

  #countActive(): void {
    const counts = new Map<number, number>();
    for (const name of this.#activeResources()) {
      const type = this.#names.type(name);
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    const types = this.#words[AsyncWord.TypeCount]!;
    for (let type = 0; type < types; type++) {
      this.#words[AsyncRegion.Types / 4 + type * AsyncType.Words + AsyncType.Active] = counts.get(type) ?? 0;
    }
  }

  #apply(wanted: number): void {
    const state = wanted === 0 ? 0 : this.#permitted(wanted);
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    const gone = (bit: number) => (before & bit) !== 0 && (state & bit) === 0;
    const come = (bit: number) => (before & bit) === 0 && (state & bit) !== 0;
    if ((before ^ state) & (AsyncBit.Waits | AsyncBit.Promises)) {
      this.#waitHooks?.disable();
      this.#waitHooks = null;
    }
    if (gone(AsyncBit.Hooks)) {
      this.#resourceHooks?.disable();
      this.#resourceHooks = null;
      this.#table.clear();
    }
    if (come(AsyncBit.Waits)) {
      this.#waitsSinceMicros = this.#context.nowMicros();
      this.#cells[AsyncCell.WaitsSinceMicros] = this.#waitsSinceMicros;
    }
    if (come(AsyncBit.Hooks)) {
      this.#cells[AsyncCell.SinceMicros] = this.#context.nowMicros();
      this.#words[AsyncWord.Generation]!++;
      this.#resourceHooks = openHooks({
        init: this.#onInit,
        destroy: this.#onGone,
        ...(hooksCanSparePromises() ? { trackPromises: false } : {}),
      });
    }
    if (this.#waitHooks === null && state & (AsyncBit.Waits | AsyncBit.Promises))
      this.#waitHooks = openHooks(this.#waitCallbacks(state));
    Atomics.store(this.#words, AsyncWord.State, state);
  }

  /** What may be on of what is wanted. */
  #permitted(wanted: number): number {
    const promises = this.#promisesAllowed || hostFollowsPromises();
    if (hooksCanSparePromises()) return promises ? wanted : wanted & ~AsyncBit.Promises;
    // What is on has been permitted; our own hooks would look like the host's.
    if ((this.#state & AsyncBit.Hooks) === 0 && !promises) return AsyncBit.Refused;
    return wanted | AsyncBit.Promises;
  }

  #waitCallbacks(state: number): HookOptions {
    const spare = hooksCanSparePromises();
    const waits = (state & AsyncBit.Waits) !== 0 ? { before: this.#onBefore } : {};
    if ((state & AsyncBit.Promises) === 0) return spare ? { ...waits, trackPromises: false } : waits;
    return { ...waits, ...(spare ? { init: this.#onPromise } : {}), promiseResolve: this.#onGone };
  }

  readonly #onInit = (id: number, type: string, _trigger: number, resource: Timer): void => {
    try {
      this.#words[AsyncWord.Events]!++;
      if (type !== TICK && type !== MICROTASK) this.#made(id, type, resource, this.#onInit);
    } catch {
      this.#words[AsyncWord.Missed]!++;
    }
  };

  /** Where promises have hooks of their own: the others come to both. */
  readonly #onPromise = (id: number, type: string, _trigger: number, resource: Timer): void => {
    try {
      if (type !== PROMISE) return;
      this.#words[AsyncWord.Events]!++;
      this.#made(id, type, resource, this.#onPromise);
    } catch {
      this.#words[AsyncWord.Missed]!++;
    }
  };

  readonly #onGone = (id: number): void => {
    try {
      this.#words[AsyncWord.Events]!++;
      this.#table.remove(id);
    } catch {
      this.#words[AsyncWord.Missed]!++;
    }
  };

  readonly #onBefore = (id: number): void => {
    try {
      this.#words[AsyncWord.Events]!++;
      this.#table.hasRun(id, this.#waitsSinceMicros, this.#context.nowMicros);
    } catch {
      this.#words[AsyncWord.Missed]!++;
    }
  };

  #made(id: number, type: string, resource: Timer, above: (...words: never[]) => unknown): void {
    const isTimer = type === TIMEOUT;
    const repeats = isTimer && typeof resource._repeat === 'number';
    const kind = this.#names.type(repeats ? INTERVAL : type);
    if (!this.#shares.chosen(kind, id)) return;
    const words = this.#words;
    const shift = this.#shares.take(kind);
    if (this.#table.full) {
      words[AsyncWord.Full]! += 2 ** shift;
      return;
    }
    const { nowMicros, control } = this.#context;
    const createdMicros = nowMicros();
    const stack = this.#stacks.take(above);
    const delayMillis = isTimer && typeof resource._idleTimeout === 'number' ? resource._idleTimeout : 0;
    this.#table.add({ id, type: kind, shift, stack, delayMillis, createdMicros });
    const micros = Math.min(CAPTURE_MICROS_MAX, nowMicros() - createdMicros);
    control.addSelfMicros(micros);
    this.#cells[AsyncCell.CaptureMicros]! += micros;
    words[AsyncWord.Captures]!++;
  }
}

function openHooks(callbacks: HookOptions): Hooks {
  const { createHook } = require('node:async_hooks') as typeof import('node:async_hooks');
  return createHook(callbacks).enable();
}

let canSpare: boolean | undefined;

/** Hooks can leave promises alone: a runtime that knows `trackPromises` refuses what is no boolean. */
export function hooksCanSparePromises(): boolean {
  canSpare ??= refusesNumber();
  return canSpare;
}

function refusesNumber(): boolean {
  const { createHook } = require('node:async_hooks') as typeof import('node:async_hooks');
  try {
    createHook({ init: () => {}, trackPromises: 0 as unknown as boolean } as HookOptions);
    return false;
  } catch {
    return true;
  }
}

/** Hooks of the host follow promises: Node marks each with its id. */
function hostFollowsPromises(): boolean {
  return Object.getOwnPropertySymbols(new Promise(() => {})).length > 0;
}
