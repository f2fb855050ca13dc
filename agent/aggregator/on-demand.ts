/**
 * Requests of the collector for what is made when asked: profiles, and the source maps of scripts. What makes them is
 * loaded at the first one, so that a process that nobody asks does not carry it. Where the asker has gone, or its
 * connection, what is being made is given up.
 */
import type { Link } from './link';
import type { ProfileContext, Profiles, Taken } from './profiles/profiles';
import type { SourceMapAnswers } from './source-maps/source-map-answers';

const STATUS_TOO_MANY = 503;
const STATUS_FAULT = 500;
/** What requests for source maps begin with. */
const SOURCE_MAPS = /^source-maps?\?/;
/** Requests at work at once. */
const RUNNING_MAX = 16;

export class OnDemand {
  #profiles: Promise<Profiles> | null = null;
  #sourceMaps: Promise<SourceMapAnswers> | null = null;
  /** By the request they answer. */
  readonly #running = new Map<string, AbortController>();

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

  async #take(text: string, signal: AbortSignal): Promise<Taken> {
    if (!SOURCE_MAPS.test(text)) return (await this.profiles()).take(text, signal);
    this.#sourceMaps ??= import('./source-maps/source-map-answers.js').then(({ openSourceMaps }) =>
      openSourceMaps(this.context),
    );
    return (await this.#sourceMaps).take(text);
  }

  /** Answers with DATA and REPLY. */
  collect(link: Link, requestId: number, text: string): void {
    const key = keyOf(link, requestId);
    const t0Micros = this.nowMicros();
    const reply = (code: number, words: string, bytes: Uint8Array | null) => {
      if (keyOf(link, requestId) !== key) return;
      if (bytes !== null) link.data(requestId, bytes);
      link.reply(requestId, code, t0Micros, words);
    };
    if (this.#running.size >= RUNNING_MAX) {
      return reply(
        STATUS_TOO_MANY,
        `${RUNNING_MAX} requests are being answered already, try again later`,
        null,
      );
    }
    const asker = new AbortController();
    this.#running.set(key, asker);
    this.#take(text, asker.signal)
      .then(
        ({ mediaType, bytes }) => reply(0, mediaType, bytes),
        (error: Error & { status?: number }) => reply(error.status ?? STATUS_FAULT, error.message, null),
      )
      .finally(() => {
        this.#running.delete(key);
      })
      .catch(() => {});
  }

  /** Nobody waits any more for what that request makes. */
  cancel(link: Link, requestId: number): void {
    this.#running.get(keyOf(link, requestId))?.abort();
  }

  /** The connection is gone, and all who asked by it; or this thread closes. */
  giveUp(): void {
    for (const asker of this.#running.values()) asker.abort();
  }
}

/** Requests are numbered by connection. */
function keyOf({ connections }: Link, requestId: number): string {
  return `${connections}/${requestId}`;
}
