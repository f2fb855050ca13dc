/**
 * Requests of the collector for profiles that are made when asked. What makes them is loaded at the first one, so that a
 * process that nobody asks does not carry it. An answer whose connection has gone is dropped: its asker went with it.
 */
import type { Link } from './link';
import type { ProfileContext, Profiles } from './profiles/profiles';

const STATUS_TOO_MANY = 503;
const STATUS_FAULT = 500;
/** Requests at work at once. */
const RUNNING_MAX = 16;

export class OnDemand {
  #profiles: Promise<Profiles> | null = null;
  #running = 0;

  constructor(
    readonly context: ProfileContext,
    readonly nowMicros: () => number,
  ) {}

  /** Loads what makes profiles, once. */
  profiles(): Promise<Profiles> {
    this.#profiles ??= import('./profiles/profiles.js').then(({ openProfiles }) =>
      openProfiles(this.context),
    );
    return this.#profiles;
  }

  /** Answers with DATA and REPLY. */
  collect(link: Link, requestId: number, text: string): void {
    const { connections } = link;
    const t0Micros = this.nowMicros();
    const reply = (code: number, words: string, bytes: Uint8Array | null) => {
      if (link.connections !== connections) return;
      if (bytes !== null) link.data(requestId, bytes);
      link.reply(requestId, code, t0Micros, words);
    };
    if (this.#running >= RUNNING_MAX) {
      return reply(STATUS_TOO_MANY, `${RUNNING_MAX} profiles are being made already, try again later`, null);
    }
    this.#running++;
    this.profiles()
      .then((profiles) => profiles.take(text))
      .then(
        ({ mediaType, bytes }) => reply(0, mediaType, bytes),
        (error: Error & { status?: number }) => reply(error.status ?? STATUS_FAULT, error.message, null),
      )
      .finally(() => {
        this.#running--;
      })
      .catch(() => {});
  }
}
