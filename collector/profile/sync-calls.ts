/**
 * Which calls hold their thread until something outside JavaScript is done: Node's functions whose names end in Sync, of
 * the modules that have any. Where they burn CPU (pbkdf2Sync) and where they only wait (a slow disk), the name does not say.
 */
import type { StackNames } from './stack-table';

const SYNC_NAME = /Sync$/;
const SYNC_FILE = /^node:(?:internal\/)?(fs|child_process|zlib|crypto)(?:\/|$)/;

/** The module of a synchronous call by the name and URL of its function, or ''. */
export function syncModule(name: string, url: string): string {
  return SYNC_NAME.test(name) ? (SYNC_FILE.exec(url)?.[1] ?? '') : '';
}

/** The synchronous call that a stack is in, the one nearest to the root: its own stack id and module; stack 0 for none. */
export type SyncCall = { stack: number; module: string };

export const NO_SYNC_CALL: SyncCall = { stack: 0, module: '' };

/** Finds the calls of stacks, each stack once. */
export class SyncCallFinder {
  readonly #names: StackNames;
  readonly #known = new Map<number, SyncCall>([[0, NO_SYNC_CALL]]);

  constructor(names: StackNames) {
    this.#names = names;
  }

  of(stack: number): SyncCall {
    const path: number[] = [];
    let at = stack;
    while (!this.#known.has(at)) {
      path.push(at);
      at = this.#names.parentOf(at);
    }
    let call = this.#known.get(at)!;
    for (const id of path.reverse()) {
      if (call.stack === 0) {
        const { name, url } = this.#names.functionOf(id);
        const module = syncModule(name, url);
        if (module !== '') call = { stack: id, module };
      }
      this.#known.set(id, call);
    }
    return call;
  }
}
