/**
 * The stack that a resource is made on, as a number, without any trace in the host's Error. Stacks are taken by the
 * Error of a realm of our own: V8 and Node read stackTraceLimit and prepareStackTrace from the Error of the realm that
 * an object comes from, so whatever the host has set on its own is neither read nor run, and nothing has to be put back.
 * The realm is made when the first stack is taken (1 ms).
 */
import { AsyncLimit } from '../../assembly/layout';

const REALM_TEXT = `'use strict';(function(prepare,frames){Error.stackTraceLimit=frames;Error.prepareStackTrace=prepare;var capture=Error.captureStackTrace;return function(above){var holder={};capture(holder,above);return holder.stack}})`;
/** What stands between making a resource and its hook. */
const HOOK_URLS = ['node:internal/async_hooks', 'node:internal/promise_hooks', 'node:internal/timers'];

/** Gives frames and stacks their numbers: 0 is the empty stack. */
export interface StackNumbers {
  frame(site: NodeJS.CallSite): number;
  stack(parent: number, frame: number): number;
}

type Sites = readonly NodeJS.CallSite[];
type Take = (above: (...words: never[]) => unknown) => number;

export class CreationStack {
  readonly #names: StackNumbers;
  #take: Take | null = null;

  constructor(names: StackNumbers) {
    this.#names = names;
  }

  /** The stack above the running call of `above`. May throw, near the end of the host's stack for one. */
  take(above: (...words: never[]) => unknown): number {
    this.#take ??= this.#open();
    return this.#take(above);
  }

  #open(): Take {
    const vm = require('node:vm') as typeof import('node:vm');
    const open = vm.runInContext(REALM_TEXT, vm.createContext(), { filename: 'ringtail:stacks' }) as (
      prepare: (error: unknown, sites: Sites) => number,
      frames: number,
    ) => Take;
    return open((_error, sites) => this.#intern(sites), AsyncLimit.StackFrames);
  }

  #intern(sites: Sites): number {
    let leaf = 0;
    while (leaf < sites.length && HOOK_URLS.includes(sites[leaf]!.getScriptNameOrSourceURL() ?? '')) leaf++;
    let stack = 0;
    for (let index = sites.length - 1; index >= leaf; index--)
      stack = this.#names.stack(stack, this.#names.frame(sites[index]!));
    return stack;
  }
}
