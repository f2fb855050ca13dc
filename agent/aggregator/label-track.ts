/**
 * Which labels each thread ran under and when, from the records of its ring, and their join with samples: on one clock,
 * a sample belongs to the last switch before it. Samples outside of JavaScript (idle, native code of the loop) have no
 * labels; those of the garbage collector have those of the code that made the garbage.
 */
import { LabelBits, SampleState } from '../../assembly/layout';
import type { TickWindow } from './profile-reader';

/** Switches kept of one thread, and requests whose labels are known. */
const SWITCHES_MAX = 65_536;
const REQUESTS_MAX = 16_384;
const THREADS_MAX = 64;

type Thread = { atMicros: number[]; ids: number[]; sets: Map<number, string>; requests: Map<number, string> };

export class LabelTrack {
  readonly #threads = new Map<number, Thread>();

  /** False as long as nobody uses labels. */
  get used(): boolean {
    return this.#threads.size > 0;
  }

  /** What the handle of a set means. text: see labelText. */
  define(threadId: number, handle: number, text: string): void {
    this.#thread(threadId)?.sets.set(handle, text);
  }

  switched(threadId: number, atMicros: number, id: number): void {
    const thread = this.#thread(threadId);
    if (thread === null) return;
    thread.atMicros.push(atMicros);
    thread.ids.push(id);
    if (thread.ids.length < SWITCHES_MAX * 2) return;
    thread.atMicros.splice(0, SWITCHES_MAX);
    thread.ids.splice(0, SWITCHES_MAX);
  }

  requestEnded(threadId: number, request: number, text: string): void {
    const requests = this.#thread(threadId)?.requests;
    if (requests === undefined) return;
    requests.set(request, text);
    if (requests.size > REQUESTS_MAX) requests.delete(requests.keys().next().value!);
  }

  /** The thread has ended. */
  forget(threadId: number): void {
    this.#threads.delete(threadId);
  }

  /** A text a tick, '' for none; null where the thread used no labels at all. */
  of({ threadId, atMicros, state }: TickWindow): string[] | null {
    const thread = this.#threads.get(threadId);
    if (thread === undefined || thread.ids.length === 0) return null;
    const { length } = atMicros;
    const texts = new Array<string>(length).fill('');
    let next = 0;
    for (let index = 0; index < length; index++) {
      while (next < thread.ids.length && thread.atMicros[next]! <= atMicros[index]!) next++;
      const now = state[index]!;
      if (next === 0 || (now !== SampleState.Js && now !== SampleState.Gc && now !== SampleState.Blocked))
        continue;
      texts[index] = textOf(thread, thread.ids[next - 1]!);
    }
    return texts;
  }

  #thread(threadId: number): Thread | null {
    let thread = this.#threads.get(threadId);
    if (thread !== undefined) return thread;
    if (this.#threads.size >= THREADS_MAX) return null;
    thread = { atMicros: [], ids: [], sets: new Map(), requests: new Map() };
    this.#threads.set(threadId, thread);
    return thread;
  }
}

function textOf({ sets, requests }: Thread, id: number): string {
  if (id === 0) return '';
  if (id < LabelBits.Request) return sets.get(id) ?? '';
  return requests.get(id - LabelBits.Request) ?? '';
}
