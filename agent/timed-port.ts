/**
 * A message port (or a Worker, or parentPort) whose messages are timed from the posting to the listener: histogram
 * `port.wait.duration` (µs, label `port`), and in the mutex profile by the stack that posted. Both ends must be timed:
 * messages travel in an envelope with the time they were posted, by the one clock that all threads of a process have.
 * What comes without one is handed on as it is.
 */
import { nowMicros } from './clock';
import { type InstrumentOptions, labelled, Timer } from './instruments';
import { refuse } from './refusal';
import { WAIT_NOT_CHOSEN } from './wait-sampler';
import { waitStack } from './wait-stacks';

/** What is used of a MessagePort, a Worker or parentPort. */
export type PostingPort<Transfer = unknown> = {
  postMessage(value: unknown, transferList?: readonly Transfer[]): void;
  on(event: 'message', listener: (value: never) => void): unknown;
  off(event: 'message', listener: (value: never) => void): unknown;
};

const SENT = 'ringtail:sent';
/** When it was posted (µs, CLOCK_MONOTONIC), and by whom. */
type Envelope = { [SENT]: [sentMicros: number, stack: number]; value: unknown };

export class TimedPort<Transfer = unknown> {
  readonly #port: PostingPort<Transfer>;
  readonly #wait: Timer;
  /** As often as each listens. */
  readonly #wrapped = new Map<unknown, ((message: unknown) => void)[]>();

  /** @internal */
  constructor(port: PostingPort<Transfer>, name: string, options?: InstrumentOptions) {
    this.#port = port;
    this.#wait = new Timer('port.wait.duration', labelled(options, 'port', name));
  }

  /** As the port's own. Throws what that throws. */
  postMessage(value: unknown, transferList?: readonly Transfer[]): void {
    const now = nowMicros();
    const envelope: Envelope = { [SENT]: [now, waitStack(this.postMessage, now)], value };
    this.#port.postMessage(envelope, transferList);
  }

  /** Only for `message`; other events are the port's own. */
  on(event: 'message', listener: (value: unknown) => void): this {
    if (event !== 'message' || typeof listener !== 'function') {
      refuse('port', "a timed port listens to 'message'", event !== 'message' ? event : listener);
      return this;
    }
    const wrapped = (message: unknown) => listener(this.#opened(message));
    const known = this.#wrapped.get(listener);
    if (known === undefined) this.#wrapped.set(listener, [wrapped]);
    else known.push(wrapped);
    this.#port.on('message', wrapped);
    return this;
  }

  off(_event: 'message', listener: (value: unknown) => void): this {
    const all = this.#wrapped.get(listener);
    const wrapped = all?.pop();
    if (all?.length === 0) this.#wrapped.delete(listener);
    if (wrapped !== undefined) this.#port.off('message', wrapped);
    return this;
  }

  #opened(message: unknown): unknown {
    if (typeof message !== 'object' || message === null || !Object.hasOwn(message, SENT)) return message;
    const { [SENT]: sent, value } = message as Envelope;
    const [sentMicros, stack] = Array.isArray(sent) ? sent : [0, WAIT_NOT_CHOSEN];
    if (typeof sentMicros === 'number' && typeof stack === 'number') this.#wait.stopWait(sentMicros, stack);
    return value;
  }
}
