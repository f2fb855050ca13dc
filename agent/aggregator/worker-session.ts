/**
 * Inspector sessions of the process's worker threads, reached through the main thread's NodeWorker domain: each worker is
 * attached without its help, also while it is busy. Commands and answers are texts that the main thread passes on.
 */
import { MainSession } from './main-session';
import type { ConsoleProfile, SamplerSession, SessionResult } from './sampler';

type Callback = (error: Error | null, result: SessionResult) => void;
type Answer = {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
};

export type WorkerSessionEvents = {
  attached(threadId: number, session: WorkerSession): void;
  detached(threadId: number): void;
};

/** The inspector numbers workers in its own way. */
const THREAD_ID_TEXT = `process.getBuiltinModule('worker_threads').threadId`;

/** One worker's session. */
export class WorkerSession implements SamplerSession {
  readonly #send: (text: string) => void;
  readonly #leave: () => void;
  readonly #open = new Map<number, Callback>();
  #listener: ((message: ConsoleProfile) => void) | null = null;
  #nextId = 1;

  constructor(send: (text: string) => void, leave: () => void) {
    this.#send = send;
    this.#leave = leave;
  }

  post(method: string, parameters: object = {}, callback?: Callback): void {
    const id = this.#nextId++;
    if (callback !== undefined) this.#open.set(id, callback);
    this.#send(JSON.stringify({ id, method, params: parameters }));
  }

  on(_event: 'Profiler.consoleProfileFinished', listener: (message: ConsoleProfile) => void): void {
    this.#listener = listener;
  }

  disconnect(): void {
    this.#listener = null;
    this.#open.clear();
    this.#leave();
  }

  receive(text: string): void {
    const answer = JSON.parse(text) as Answer;
    if (answer.id === undefined) {
      if (answer.method === 'Profiler.consoleProfileFinished')
        this.#listener?.({ params: answer.params } as ConsoleProfile);
      return;
    }
    const callback = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    const error = answer.error === undefined ? null : new Error(answer.error.message);
    callback?.(error, (answer.result ?? {}) as SessionResult);
  }
}

/** The NodeWorker domain. One session to main, opened when there are workers, serves all of them. */
export class WorkerSessions {
  readonly #session = new MainSession();
  readonly #byId = new Map<string, { threadId: number; session: WorkerSession }>();

  /** ownThreadId: the agent's own, which is a worker too and is let go at once. */
  constructor(ownThreadId: number, events: WorkerSessionEvents) {
    const session = this.#session;
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId } }) => {
      const leave = () => {
        if (this.#byId.delete(sessionId)) session.post('NodeWorker.detach', { sessionId }, ignore);
      };
      const send = (message: string) =>
        session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, ignore);
      const worker = new WorkerSession(send, leave);
      const entry = { threadId: 0, session: worker };
      this.#byId.set(sessionId, entry);
      worker.post('Runtime.evaluate', { expression: THREAD_ID_TEXT, silent: true }, (_error, answer) => {
        entry.threadId = Number(answer.result?.value);
        if (entry.threadId === ownThreadId || !(entry.threadId > 0)) leave();
        else events.attached(entry.threadId, worker);
      });
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
      this.#byId.get(sessionId)?.session.receive(message);
    });
    session.on('NodeWorker.detachedFromWorker', ({ params: { sessionId } }) => {
      const worker = this.#byId.get(sessionId);
      this.#byId.delete(sessionId);
      if (worker !== undefined && worker.threadId > 0) events.detached(worker.threadId);
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, ignore);
  }

  disconnect(): void {
    this.#byId.clear();
    this.#session.disconnect();
  }
}

/** A worker may end between the command and its delivery. */
function ignore(): void {}
