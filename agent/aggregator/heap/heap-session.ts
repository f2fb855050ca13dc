/**
 * An inspector session of the agent thread to the main thread, with answers as promises that never wait for ever: main
 * answers by interrupt, also in a busy loop, but not out of a native call. Nothing is enabled by it. Whatever it starts
 * on main ends with it, where V8 ties that to the session.
 *
 * A connected session makes V8 keep what the program logs: discardConsole lets go of it.
 */
import { MainSession } from '../main-session';

/** Main has not answered in time. What it still answers later is dropped. */
export class MainSilent extends Error {
  constructor(
    readonly method: string,
    readonly waitedMillis: number,
  ) {
    super(`the main thread has not answered ${method} for ${waitedMillis} ms`);
  }
}

type Post = (
  method: string,
  parameters: object,
  done: (error: Error | null, answer?: object) => void,
) => void;
type Evaluated = { result?: { value?: unknown; objectId?: string }; exceptionDetails?: { text: string } };

export class HeapSession {
  readonly #session = new MainSession();
  readonly #post: Post;
  readonly #pending = new Set<(error: Error) => void>();
  #connected = true;

  /** Throws where the runtime refuses a session. */
  constructor() {
    this.#post = this.#session.post.bind(this.#session) as Post;
  }

  /** Rejects with MainSilent, or with what the protocol says is wrong. */
  ask<Answer extends object>(method: string, parameters: object, deadlineMillis: number): Promise<Answer> {
    if (!this.#connected) return Promise.reject(new Error(`${method}: the session has ended`));
    return new Promise<Answer>((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#pending.delete(fail);
      };
      const fail = (error: Error) => {
        finish();
        reject(error);
      };
      const timer = setTimeout(() => fail(new MainSilent(method, deadlineMillis)), deadlineMillis);
      this.#pending.add(fail);
      this.#post(method, parameters, (error, answer) => {
        if (error !== null) return fail(new Error(`${method}: ${error.message}`));
        finish();
        resolve((answer ?? {}) as Answer);
      });
    });
  }

  /** The id of an object that an expression makes on main. */
  async hold(expression: string, deadlineMillis: number): Promise<string> {
    const { result, exceptionDetails } = await this.ask<Evaluated>(
      'Runtime.evaluate',
      { expression, silent: true },
      deadlineMillis,
    );
    if (exceptionDetails !== undefined || result?.objectId === undefined)
      throw new Error(`main could not be prepared: ${exceptionDetails?.text ?? 'no object'}`);
    return result.objectId;
  }

  /**
   * Calls a function on main with a held object as `this`. Its text must always be the same: V8 never forgets a source.
   */
  async call<Value>(
    objectId: string,
    functionDeclaration: string,
    words: readonly unknown[],
    deadlineMillis: number,
  ): Promise<Value> {
    const parameters = {
      objectId,
      functionDeclaration,
      arguments: words.map((value) => ({ value })),
      silent: true,
      returnByValue: true,
    };
    const { result, exceptionDetails } = await this.ask<Evaluated>(
      'Runtime.callFunctionOn',
      parameters,
      deadlineMillis,
    );
    if (exceptionDetails !== undefined) throw new Error(`a call on main threw: ${exceptionDetails.text}`);
    return result?.value as Value;
  }

  /** What main tells by itself. */
  listen(event: string, listener: (parameters: object) => void): () => void {
    const heard = ({ params }: { params: object }) => listener(params);
    this.#session.on(event, heard);
    return () => this.#session.removeListener(event, heard);
  }

  /** Without waiting for an answer. */
  tell(method: string): void {
    if (this.#connected) this.#post(method, {}, () => {});
  }

  discardConsole(): void {
    this.tell('Runtime.discardConsoleEntries');
  }

  /** Without waiting for anybody; everything that was asked is refused. */
  disconnect(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#session.disconnect();
    for (const fail of [...this.#pending]) fail(new Error('the session has ended'));
  }
}
